# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a copy manager brings for the pages: its jobs and copies, a test of the way to it."""

from datetime import timedelta

import pytest

from app.copy_managers import last_phase_of, steps_to
from app.restore.model import Phase
from tests.copy_managers.cdm_bench import CdmBench
from tests.restore.fake_cdm import WORDS


def test_the_list_of_jobs_tells_the_restore_job_and_its_copy(real: CdmBench) -> None:
    (entry,) = [job for job in real.manager.jobs() if job.id == real.job_id]
    assert (entry.is_restore, entry.type) == (True, "recovery")
    assert entry.name == real.manager.job(real.job_id).name
    told = real.manager.copy_to_restore(entry.id, policy_id=entry.policy_id, within=10.0)
    assert told == real.manager.copy_to_restore(entry.id, within=10.0)


def test_a_copy_made_later_is_none_that_a_start_brought_up(real: CdmBench) -> None:
    made_at = real.manager.copy_to_restore(real.job_id).made_at
    assert made_at is not None
    long_before = made_at - timedelta(days=3650)
    was = real.manager.copy_to_restore(real.job_id, until=long_before)
    assert was.made_at is None or was.made_at <= long_before


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.PARTIAL, Phase.FAILED, Phase.CANCELLED])
def test_a_job_tells_how_its_last_session_ended(real: CdmBench, phase: Phase) -> None:
    real.cdm.switches.lastrun_lag_seconds = 0.0
    real.begin(phase)
    (entry,) = [job for job in real.manager.jobs() if job.id == real.job_id]
    assert entry.last_status == WORDS[phase]
    assert last_phase_of(real.connection, WORDS[phase]) is phase


def test_the_way_is_tried_step_by_step(real: CdmBench) -> None:
    steps = steps_to(real.connection, real.cdm.password, system_ca=None)
    assert [step.ok for step in steps] == [True] * len(steps)
    assert len({step.name for step in steps}) == len(steps) > 1


def test_a_way_that_fails_is_tried_up_to_there_and_says_what_to_do(real: CdmBench) -> None:
    *before, last = steps_to(real.connection, "not its password", system_ca=None)
    assert all(step.ok for step in before)
    assert not last.ok
    assert last.advice
    real.cdm.stop()
    *_, last = steps_to(real.connection, real.cdm.password, system_ca=None)
    assert not last.ok


def test_a_client_that_was_closed_opens_again(real: CdmBench) -> None:
    for _ in range(2):
        assert real.manager.jobs()
        real.manager.close()
        real.manager.close()
