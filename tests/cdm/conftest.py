# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulated CDM and a client that trusts it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from app.cdm.client import CdmClient
from app.restore.model import CdmConnection, Trust
from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import Certificate, self_signed

TIMEOUTS = (2.0, 5.0)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One certificate for all simulators, for the loopback address."""
    return self_signed(tmp_path_factory.mktemp("cdm"), "cdm.example", ["127.0.0.1", "localhost"])


@pytest.fixture
def cdm(certificate: Certificate) -> Iterator[CdmSimulator]:
    """A CDM in which a restore takes half a second."""
    with CdmSimulator(certificate=certificate, restore_seconds=0.5) as simulator:
        yield simulator


def connection_to(cdm: CdmSimulator, **changes: Any) -> CdmConnection:
    """A connection to the simulator by its own certificate as uploaded CA, unless changed."""
    fields: dict[str, Any] = {
        "id": 1,
        "name": "test",
        "host": cdm.host,
        "port": cdm.port,
        "username": cdm.user,
        "trust": Trust.CA,
        "ca_pem": cdm.certificate_pem,
    }
    return CdmConnection(**{**fields, **changes})


@pytest.fixture
def make_client(cdm: CdmSimulator) -> Iterator[Callable[..., CdmClient]]:
    """Make clients; keyword arguments are those of the client, ``connection`` its changes."""
    with ExitStack() as stack:

        def make(connection: dict[str, Any] | None = None, **options: Any) -> CdmClient:
            password = options.pop("password", cdm.password)
            options = {"system_ca": None, "timeouts": TIMEOUTS, **options}
            target = connection_to(cdm, **(connection or {}))
            return stack.enter_context(CdmClient(target, password, **options))

        yield make


@pytest.fixture
def client(make_client: Callable[..., CdmClient]) -> CdmClient:
    """A client of the simulator."""
    return make_client()


@pytest.fixture
def job_id(cdm: CdmSimulator) -> str:
    """The SQL restore job."""
    return str(cdm.restore_job["id"])
