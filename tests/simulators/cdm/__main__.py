# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``python3 -m tests.simulators.cdm``: the simulator on its own, until SIGTERM or Ctrl-C."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.simulators.certs import Certificate

from .simulator import PASSWORD, CdmSimulator
from .switches import Switches


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; 0, or 2 for arguments that can't be used."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.jobs < 1:
        parser.error("--jobs must be at least 1")
    if (given.cert is None) != (given.key is None):
        parser.error("--cert and --key come together")
    switches = Switches()
    try:
        switches.merge(dict(given.switch))
    except ValueError as error:
        parser.error(str(error))
    certificate = Certificate(given.cert, given.key) if given.cert else None
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    simulator = CdmSimulator(
        given.port,
        given.user,
        password=given.password,
        jobs=given.jobs,
        restore_seconds=given.restore_seconds,
        certificate=certificate,
        host=given.host,
        names=given.name,
        tls=not given.plain_http,
        switches=switches,
    )
    try:
        simulator.start()
    except OSError as error:
        print(f"cannot listen on {given.host}:{given.port}: {error}", file=sys.stderr)
        return 1
    print(
        f"CDM simulator on {simulator.url} user {simulator.user} "
        f"certificate SHA-256 {simulator.fingerprint or 'none'}",
        flush=True,
    )
    stopped.wait()
    simulator.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tests.simulators.cdm", description="A simulated IBM CDM.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8443, help="0 takes a free one")
    parser.add_argument("--user", default="qradar-restore")
    parser.add_argument("--password", default=PASSWORD)
    parser.add_argument("--jobs", type=int, default=3, help="how many in all")
    parser.add_argument("--restore-seconds", type=float, default=30.0)
    parser.add_argument("--cert", type=Path, help="PEM certificate (default: a fresh one)")
    parser.add_argument("--key", type=Path, help="its PEM key")
    parser.add_argument("--name", action="append", default=[], help="further certificate name")
    parser.add_argument("--plain-http", action="store_true")
    parser.add_argument("--switch", action="append", default=[], type=_switch, metavar="NAME=JSON")
    return parser


def _switch(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("NAME=JSON, please")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
