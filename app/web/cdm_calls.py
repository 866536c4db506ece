# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What pages ask of CDM itself: its jobs, a test of the connection, the server's certificate.

Every such call holds a place of the bulkhead while it waits, so that pages can't use up the threads
that triggers need (design §2).
"""

from collections.abc import Sequence

from app.cdm.diagnose import Step
from app.cdm.records import JobEntry
from app.cdm.trust import ServerCertificate
from app.framework.secrets import SecretUnreadable
from app.restore.model import CdmConnection, CopyManagerError, LoginRefused
from app.web.services import Services


def jobs_of(services: Services, connection: CdmConnection) -> Sequence[JobEntry]:
    """Every job of a CDM server, restore jobs first. Raises a `CopyManagerError`, `TooBusy`."""
    password = stored_password(services, connection)
    with services.bulkhead.place():
        client = services.cdm_client(connection, password)
        try:
            jobs = client.jobs()
        finally:
            client.close()
    return sorted(jobs, key=lambda job: (not job.is_restore, job.name.casefold()))


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


def stored_password(services: Services, connection: CdmConnection) -> str:
    """The password of a connection. Raises `LoginRefused` when it must be entered first."""
    if connection.secret_label is None:
        raise LoginRefused(
            f"No password is stored for {connection.name}.",
            advice="Enter it on the connection's page.",
        )
    try:
        return services.secrets.get(connection.secret_label)
    except SecretUnreadable as error:
        raise LoginRefused(str(error), advice="Enter it on the connection's page.") from error


__all__ = ["CopyManagerError", "certificate_of", "jobs_of", "stored_password", "test_saved"]
