# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The contract's benches: one for each kind of copy manager, and one for the heart's fake."""

from collections.abc import Iterator

import pytest

from app.configuration.kinds import Kind
from tests.copy_managers.bench import Bench
from tests.copy_managers.cdm_bench import CdmBench
from tests.copy_managers.fake_bench import FakeBench
from tests.simulators.certs import Certificate, self_signed

REAL = {Kind.CDM: CdmBench}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One certificate for all simulators, for the loopback address."""
    return self_signed(tmp_path_factory.mktemp("managers"), "manager.example", ["127.0.0.1"])


@pytest.fixture(params=[*REAL, "fake"])
def bench(request: pytest.FixtureRequest, certificate: Certificate) -> Iterator[Bench]:
    """Each copy manager in turn, the fake one too."""
    if request.param == "fake":
        yield FakeBench()
        return
    made = REAL[request.param](certificate)
    yield made
    made.close()


@pytest.fixture(params=list(REAL))
def real(request: pytest.FixtureRequest, certificate: Certificate) -> Iterator[CdmBench]:
    """Each copy manager that there is."""
    made = REAL[request.param](certificate)
    yield made
    made.close()
