# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Test connection: step by step to CDM, stopping at the first thing that doesn't work."""

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from app.cdm.client import CdmClient
from app.message import Message, counted, joined
from app.remote.failures import unreachable
from app.remote.guard import Guard
from app.remote.told import JobEntry, Step
from app.restore.model import CdmConnection, CopyManagerError, Refused

TIMEOUTS = (4.0, 8.0)
_SHOWN = 5


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
            (Message("name"), lambda: _resolve(connection, guard)),
            (Message("port"), lambda: _connect(connection, timeouts[0], guard)),
            ("TLS", lambda: _handshake(client, connection)),
            (Message("log-in"), lambda: _log_in(client, connection)),
            (Message("jobs"), lambda: _list(client, jobs)),
            (Message("restore job"), lambda: _pick(jobs)),
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
            error, connection.kind, connection.host, connection.port, proxy=connection.proxy
        ) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if guard:
        for address in addresses:
            guard.check_address(address)
    found_at = ", ".join(addresses)
    if connection.proxy:
        return Message("{host} (the proxy) is {addresses}.", host=host, addresses=found_at)
    return Message("{host} is {addresses}.", host=host, addresses=found_at)


def _connect(connection: CdmConnection, timeout: float, guard: Guard | None) -> str:
    host, port = _way(connection)
    try:
        with socket.create_connection((host, port), timeout=timeout) as sock:
            if guard:
                guard.check(sock)  # the name may lead elsewhere than a moment ago
    except OSError as error:
        raise unreachable(
            error, connection.kind, connection.host, connection.port, proxy=connection.proxy
        ) from error
    return Message("Port {port} of {host} takes connections.", port=port, host=host)


def _handshake(client: CdmClient, connection: CdmConnection) -> str:
    version = client.server_version()
    verified = {
        "system": Message("The certificate is verified by the platform's CAs."),
        "ca": Message("The certificate is verified by the uploaded CA certificate."),
        "fingerprint": Message("The certificate is verified by the pinned fingerprint."),
    }[connection.trust]
    if version is None:
        return verified
    return joined([verified, Message("CDM says it is version {version}.", version=version)], " ")


def _log_in(client: CdmClient, connection: CdmConnection) -> str:
    client.login()
    return Message("CDM lets {user} in.", user=connection.username)


def _list(client: CdmClient, jobs: list[JobEntry]) -> str:
    jobs += client.jobs()
    return counted(
        "CDM shows {n} job to this user.", "CDM shows {n} jobs to this user.", n=len(jobs)
    )


def _pick(jobs: list[JobEntry]) -> str:
    names = [job.name for job in jobs if job.is_restore]
    if not names:
        raise Refused(
            Message("There is no restore job among them."),
            advice=Message(
                "Define one in CDM, or give this CDM user the resource pool that holds it."
            ),
        )
    shown, number = ", ".join(names[:_SHOWN]), len(names)
    if number > _SHOWN:
        return Message("{number} of them restore: {names} …", number=number, names=shown)
    return Message("{number} of them restore: {names}.", number=number, names=shown)
