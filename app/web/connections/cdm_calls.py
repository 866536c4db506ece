# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What pages ask of CDM itself: its jobs and copies, a test, the server's certificate.

Every such call holds a place of the bulkhead while it waits, so that pages can't use up the threads
that triggers need (architecture §2).
"""

import time
from collections.abc import Callable, Mapping, Sequence

from app.configuration.checks import InvalidField
from app.framework.secrets import SecretUnreadable
from app.message import Message
from app.remote.told import JobEntry, Step
from app.remote.trust import ServerCertificate
from app.restore.model import CdmConnection, CopyManagerError, LoginRefused
from app.restore.model.copies import Copy, Which
from app.web.services import Services

COPY_SECONDS = 2.0  # of a page, for looking up copies; the jobs they don't suffice for are left out

Wanted = Callable[[Sequence[JobEntry]], Sequence[JobEntry]]


def jobs_of(services: Services, connection: CdmConnection) -> Sequence[JobEntry]:
    """Every job of a CDM server, restore jobs first. Raises a `CopyManagerError`, `TooBusy`."""
    jobs, _ = jobs_and_copies(services, connection, wanted=lambda jobs: ())
    return jobs


def jobs_and_copies(
    services: Services,
    connection: CdmConnection,
    *,
    wanted: Wanted,
    monotonic: Callable[[], float] = time.monotonic,
) -> tuple[Sequence[JobEntry], dict[str, Copy]]:
    """Every job, restore jobs first, and by job id the copies that some of them will restore.

    :param wanted: picks the jobs whose copies are looked up, the most important one first; how far
        that comes depends on how quick CDM is
    :raises CopyManagerError: the jobs can't be listed
    :raises TooBusy: all places are taken
    """
    password = stored_password(services, connection)
    with services.bulkhead.place():
        client = services.cdm_client(connection, password)
        try:
            jobs = sorted(client.jobs(), key=lambda job: (not job.is_restore, job.name.casefold()))
            copies: dict[str, Copy] = {}
            until = monotonic() + COPY_SECONDS
            for job in wanted(jobs):
                left = until - monotonic()
                if left <= 0:
                    break
                try:
                    copies[job.id] = client.copy_to_restore(
                        job.id, policy_id=job.policy_id, within=left
                    )
                except CopyManagerError as error:
                    copies[job.id] = Copy(Which.UNKNOWN, problem=error.message)
                    break  # the others would fare no better, each after its time-out
        finally:
            client.close()
    return jobs, copies


def test_saved(services: Services, connection: CdmConnection) -> Sequence[Step]:
    """The steps of a test with the saved values. Raises `LoginRefused`, `TooBusy`."""
    password = stored_password(services, connection)
    with services.bulkhead.place():
        return services.test_connection(connection, password)


def certificate_of(
    services: Services, host: str, port: int, *, proxy: str | None
) -> ServerCertificate:
    """The certificate that a server shows; nothing is sent to it. Raises a `CopyManagerError`."""
    with services.bulkhead.place():
        return services.fetch_certificate(host, port, proxy)


def refused_address(services: Services, fields: Mapping[str, object]) -> InvalidField | None:
    """Why a connection with these fields would lead to where no CDM is. Raises `TooBusy`."""
    if services.guard is None:
        return None
    with services.bulkhead.place():
        found = services.guard.problem(fields)
    return None if found is None else InvalidField(*found)


def stored_password(services: Services, connection: CdmConnection) -> str:
    """The password of a connection. Raises `LoginRefused` when it must be entered first."""
    if connection.secret_label is None:
        raise LoginRefused(
            Message("No password is stored for {name}.", name=connection.name),
            advice=Message("Enter it on the connection's page."),
        )
    try:
        return services.secrets.get(connection.secret_label)
    except SecretUnreadable as error:
        raise LoginRefused(
            str(error), advice=Message("Enter it on the connection's page.")
        ) from error


__all__ = [
    "CopyManagerError",
    "certificate_of",
    "jobs_and_copies",
    "jobs_of",
    "refused_address",
    "stored_password",
    "test_saved",
]
