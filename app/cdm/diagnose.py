# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Test connection: step by step to CDM, stopping at the first thing that doesn't work."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.cdm.client import CdmClient
from app.cdm.failures import unreachable
from app.cdm.guard import Guard
from app.cdm.records import JobEntry
from app.restore.model import CdmConnection, CopyManagerError, Refused

TIMEOUTS = (4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was tried, how it went, and if it didn't, why and what to do."""

    name: str
    ok: bool
    ms: int
    message: str
    cause: str = ""
    advice: str = ""


def test_connection(
    connection: CdmConnection,
    password: str,
    system_ca: str | None,
    *,
    timeouts: tuple[float, float] = TIMEOUTS,  # noqa: PT028 - not a test
    version: str = "",  # noqa: PT028 - not a test
    guard: Guard | None = None,  # noqa: PT028 - not a test
) -> list[Step]:
    """Try name, port, TLS, log-in, jobs and whether there is a restore job; never raises.

    The password is sent only once TLS is as the connection's trust wants it. After a step that
    failed nothing else is tried, and no step is listed for it.
    """
    jobs: list[JobEntry] = []
    with CdmClient(
        connection, password, system_ca=system_ca, timeouts=timeouts, version=version, guard=guard
    ) as client:
        steps: list[tuple[str, Callable[[], str]]] = [
            ("name", lambda: _resolve(connection, guard)),
            ("port", lambda: _connect(connection, timeouts[0], guard)),
            ("TLS", lambda: _handshake(client, connection)),
            ("log-in", lambda: _log_in(client, connection)),
            ("jobs", lambda: _list(client, jobs)),
            ("restore job", lambda: _pick(jobs)),
        ]
        done: list[Step] = []
        for name, act in steps:
            done.append(_timed(name, act))
            if not done[-1].ok:
                break
    return done


def _timed(name: str, act: Callable[[], str]) -> Step:
    begun = time.monotonic()
    try:
        message, cause, advice, ok = act(), "", "", True
    except CopyManagerError as error:
        message, cause, advice, ok = error.message, error.cause, error.advice, False
    ms = round((time.monotonic() - begun) * 1000)
    return Step(name, ok, ms, message, cause, advice)


def _way(connection: CdmConnection) -> tuple[str, int]:
    """Whom we connect to: CDM, or the proxy."""
    if not connection.proxy:
        return connection.host.strip("[]"), connection.port
    parts = urlsplit(connection.proxy)
    return parts.hostname or "", parts.port or 80


def _resolve(connection: CdmConnection, guard: Guard | None) -> str:
    host, port = _way(connection)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unreachable(
            error, connection.host, connection.port, proxy=connection.proxy
        ) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if guard:
        for address in addresses:
            guard.check_address(address)
    through = " (the proxy)" if connection.proxy else ""
    return f"{host}{through} is {', '.join(addresses)}."


def _connect(connection: CdmConnection, timeout: float, guard: Guard | None) -> str:
    host, port = _way(connection)
    try:
        with socket.create_connection((host, port), timeout=timeout) as sock:
            if guard:
                guard.check(sock)  # the name may lead elsewhere than a moment ago
    except OSError as error:
        raise unreachable(
            error, connection.host, connection.port, proxy=connection.proxy
        ) from error
    return f"Port {port} of {host} takes connections."


def _handshake(client: CdmClient, connection: CdmConnection) -> str:
    version = client.server_version()
    by = {
        "system": "the platform's CAs",
        "ca": "the uploaded CA certificate",
        "fingerprint": "the pinned fingerprint",
    }[connection.trust]
    says = f" CDM says it is version {version}." if version else ""
    return f"The certificate is verified by {by}.{says}"


def _log_in(client: CdmClient, connection: CdmConnection) -> str:
    client.login()
    return f"CDM lets {connection.username} in."


def _list(client: CdmClient, jobs: list[JobEntry]) -> str:
    jobs += client.jobs()
    return f"CDM shows {len(jobs)} job{'' if len(jobs) == 1 else 's'} to this user."


def _pick(jobs: list[JobEntry]) -> str:
    names = [job.name for job in jobs if job.is_restore]
    if not names:
        raise Refused(
            "There is no restore job among them.",
            advice="Define one in CDM, or give this CDM user the resource pool that holds it.",
        )
    return f"{len(names)} of them restore: {', '.join(names[:5])}{' …' if len(names) > 5 else '.'}"
