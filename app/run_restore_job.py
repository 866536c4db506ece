# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Start one of CDM's restore jobs by name, from the command line, straight at CDM.

    python3 -m app.run_restore_job -s SERVER [-p 8443] -u USER -P PASS -j JOB

The usage is that of the proof-of-concept script; neither store nor app nor QRadar is needed. Exit
codes: 0 CDM confirmed the start (with --wait: the restore succeeded), 1 it did not, 2 wrong
arguments, 3 the restore completed with warnings (CDM: PARTIAL), 130 interrupted while watching.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from app.configuration import checks
from app.configuration.checks import InvalidField
from app.remote.failures import for_terminal
from app.restore.model import CdmConnection, CopyManagerError, Trust
from app.restore_by_name import (
    FAILED,
    INTERRUPTED,
    OK,
    WRONG_USAGE,
    Stop,
    Surroundings,
    find_job,
    follow,
    free_job,
    one_line,
    start,
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Stop(WRONG_USAGE, f"{message} (--help shows the usage)")


def main(arguments: Sequence[str] | None = None, surroundings: Surroundings | None = None) -> int:
    """Run with command-line arguments and give the exit code."""
    around = surroundings or Surroundings()
    try:
        return _run(_parser().parse_args(arguments), around)
    except Stop as stop:
        code, sentence = stop.code, str(stop)
    except CopyManagerError as error:
        code, sentence = FAILED, for_terminal(error)
    except KeyboardInterrupt:
        code, sentence = INTERRUPTED, "interrupted; what was started in CDM goes on."
    except (
        Exception
    ) as error:  # the rim: a bug must not look like a started restore, nor as a trace
        code, sentence = FAILED, f"unexpected error: {type(error).__name__}: {error}"
    print(f"run_restore_job: {one_line(sentence)}", file=around.stderr, flush=True)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="run_restore_job", description="Start a restore job of IBM CDM by name.")
    add = parser.add_argument
    add("-s", "--cdm_server", metavar="SERVER", required=True, help="host name or address of CDM")
    add("-p", "--cdm_port", metavar="PORT", default="8443", help="port (8443)")
    add("-u", "--cdm_user", metavar="USER", required=True, help="CDM user")
    add(
        *("-P", "--cdm_pass"),
        metavar="PASS",
        help="password, seen by everybody who lists processes; - reads it from standard input;"
        " if absent it is taken from the environment variable CDM_PASS",
    )
    add("-j", "--restore_job_name", metavar="JOB", required=True, help="exact name of the job")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--ca-file", metavar="FILE", type=Path, help="trust this CA (PEM)")
    trust.add_argument("--fingerprint", metavar="SHA256", help="trust the one certificate with it")
    trust.add_argument("--insecure", action="store_true", help="verify no certificate at all")
    add("--wait", action="store_true", help="follow the restore to its end")
    return parser


def _run(given: argparse.Namespace, around: Surroundings) -> int:
    try:
        connection = _connection(given)
        password = checks.check_password(_password(given, around))
        job_name = checks.check_job_name(given.restore_job_name)
    except InvalidField as error:
        raise Stop(WRONG_USAGE, str(error)) from error
    system_ca = around.environ.get("REQUESTS_CA_BUNDLE") or None
    with around.client(
        connection, password, system_ca=system_ca, insecure=given.insecure
    ) as client:
        entry = find_job(client.jobs(), job_name)
        job, noted = free_job(client, entry.id)
        session = start(client, job, noted, wait=given.wait, around=around)
        if session is None or not given.wait:
            return OK
        return follow(client, job, session, around=around)


def _connection(given: argparse.Namespace) -> CdmConnection:
    trust, ca_pem, fingerprint = Trust.SYSTEM, None, None
    if given.ca_file is not None:
        try:
            text = given.ca_file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise InvalidField("--ca-file", f"can't be read: {error.strerror}.") from error
        trust, ca_pem = Trust.CA, checks.check_ca_pem(text, "--ca-file")
    elif given.fingerprint is not None:
        fingerprint = checks.check_fingerprint(given.fingerprint, "--fingerprint")
        trust = Trust.FINGERPRINT
    return CdmConnection(
        id=0,
        name="command line",
        host=checks.check_host(given.cdm_server, "--cdm_server", allow_loopback=True),
        port=checks.check_port(given.cdm_port, "--cdm_port"),
        username=checks.check_username(given.cdm_user, "--cdm_user"),
        trust=trust,
        ca_pem=ca_pem,
        fingerprint=fingerprint,
    )


def _password(given: argparse.Namespace, around: Surroundings) -> str:
    if given.cdm_pass == "-":  # noqa: S105 - stands for standard input
        return around.stdin.readline().rstrip("\r\n")
    password: str | None = given.cdm_pass or around.environ.get("CDM_PASS")
    if not password:
        raise InvalidField("", "no password is given: use -P, -P - or CDM_PASS.")
    return password


if __name__ == "__main__":
    sys.exit(main())
