# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Test connection: each step fails for its own reason; the password needs trusted TLS."""

from typing import Any

import pytest

from app.cdm import diagnose
from app.remote.told import Step
from app.restore.model import Trust
from tests.cdm.conftest import connection_to
from tests.simulators.cdm import CdmSimulator

STEPS = ["name", "port", "TLS", "log-in", "jobs", "restore job"]


def run(cdm: CdmSimulator, password: str | None = None, **changes: Any) -> list[Step]:
    return diagnose.test_connection(
        connection_to(cdm, **changes), cdm.password if password is None else password, None
    )


def failed_at(steps: list[Step]) -> Step:
    """The last step, after only good ones of the right names."""
    assert [s.name for s in steps] == STEPS[: len(steps)]
    assert all(s.ok for s in steps[:-1])
    assert not steps[-1].ok
    assert steps[-1].message
    assert steps[-1].advice
    return steps[-1]


def test_all_goes_well_and_nothing_stays_behind(cdm: CdmSimulator) -> None:
    steps = run(cdm)
    assert [s.name for s in steps] == STEPS
    assert all(s.ok and s.message and s.ms >= 0 for s in steps)
    assert "SQL clean-room restore" in steps[-1].message
    assert cdm.live_api_sessions == []
    assert cdm.destructive_calls == []


def test_the_version_is_told_where_cdm_has_one(cdm: CdmSimulator) -> None:
    cdm.switches.version = {"version": "10.1.17", "build": "1234"}
    assert "10.1.17" in run(cdm)[2].message


def test_an_unknown_name(cdm: CdmSimulator) -> None:
    assert "resolved" in failed_at(run(cdm, host="no-such-host.invalid")).cause
    assert len(run(cdm, host="no-such-host.invalid")) == 1


def test_a_closed_port(cdm: CdmSimulator) -> None:
    cdm.stop()
    steps = run(cdm)
    assert (failed_at(steps).name, steps[-1].cause[-16:]) == (
        "port",
        "nothing listens there."[-16:],
    )


def test_an_untrusted_certificate_keeps_the_password_here(cdm: CdmSimulator) -> None:
    step = failed_at(run(cdm, trust=Trust.SYSTEM))
    assert step.name == "TLS"
    assert cdm.fingerprint in step.cause
    step = failed_at(run(cdm, trust=Trust.FINGERPRINT, fingerprint="ab" * 32))
    assert step.name == "TLS"
    assert cdm.requests == []


def test_a_wrong_password(cdm: CdmSimulator) -> None:
    step = failed_at(run(cdm, "wrong"))
    assert (step.name, len(cdm.logins)) == ("log-in", 1)
    assert "XSBAuthenticationException" in step.cause


def test_a_list_of_jobs_that_cannot_be_read(cdm: CdmSimulator) -> None:
    cdm.add_fault("garbage", path="/job", times=None)
    assert failed_at(run(cdm)).name == "jobs"
    assert cdm.live_api_sessions == []


def test_no_restore_job(cdm: CdmSimulator) -> None:
    for job in cdm.jobs:
        cdm.set_job_type(job["id"], "protection")
    assert failed_at(run(cdm)).name == "restore job"


@pytest.mark.parametrize("fault", ["close", "html502", "hang"])
def test_a_strange_answer_to_the_first_question_is_no_fault_of_tls(
    cdm: CdmSimulator, fault: str
) -> None:
    cdm.add_fault(fault, path="/lifecycle/ping", times=3 if fault == "html502" else 1)
    steps = diagnose.test_connection(
        connection_to(cdm), cdm.password, None, timeouts=(2.0, 0.5), version="1"
    )
    assert [s.ok for s in steps] == [True] * len(STEPS)
