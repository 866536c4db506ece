# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the console simulator; see the package's docstring."""

import argparse
import json
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.simulators.console.jail import JailUnavailable
from tests.simulators.console.simulator import ConsoleSimulator


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    console = ConsoleSimulator(options.port, options.host, fqdn=options.fqdn, jail=options.jail)
    with console:
        if options.app_port:
            console.register_app(
                options.app_id,
                options.service,
                address=(options.app_host, options.app_port),
                manifest=json.loads(options.manifest.read_text()) if options.manifest else None,
            )
        _announce(console, options.tokens_file)
        stop.wait()
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tests.simulators.console")
    parser.add_argument("--port", type=int, default=8444, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--fqdn", default="console.example", help="the name in the certificate")
    parser.add_argument("--app-port", type=int, help="where the app listens; none: no app yet")
    parser.add_argument("--app-host", default="127.0.0.1")
    parser.add_argument("--app-id", type=int, default=1001)
    parser.add_argument("--service", default="safeguarded-restore")
    parser.add_argument("--manifest", type=Path, help="the app's manifest.json")
    parser.add_argument("--jail", choices=("chroot", "none"), default="chroot")
    parser.add_argument("--tokens-file", type=Path, help="where to write tokens, readable by you")
    return parser.parse_args(arguments)


def _announce(console: ConsoleSimulator, tokens_file: Path | None) -> None:
    """Print where things are; the tokens go into a file of their own, never to the terminal."""
    path = tokens_file or console.folder / "tokens.json"
    path.touch(mode=0o600)
    services = console.identity.services.values()
    path.write_text(json.dumps({item.label: item.token for item in services}, indent=2) + "\n")
    users = ", ".join(user.username for user in console.identity.users.values())
    print(f"console   {console.url}/console/  (certificate for {console.fqdn})")
    print(f"CA file   {console.ca_file}")
    print(f"users     {users}  (password: <name>-password)")
    print(f"tokens    {path}")
    for app in console.apps.all():
        print(f"app       {console.url}{app.base_path}/  -> {app.address[0]}:{app.address[1]}")
    try:
        console.jail  # noqa: B018
        print(f"jail      {type(console.jail).__name__}")
    except JailUnavailable as reason:
        print(f"jail      {reason} Use --jail none to run scripts unconfined.")
    print("ready", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
