# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A mapping's restore job that is no longer what it was: noticed before an attack comes."""

from dataclasses import replace

import pytest

from app.restore.drift import ANSWER_S, drift_of, look_at_jobs
from app.restore.model import NotFound, RestoreJob, Unreachable
from tests.factories import JOB_ID, JOB_NAME, make_connection, make_mapping
from tests.restore.world import World

JOB = RestoreJob(id=JOB_ID, name=JOB_NAME, is_restore=True, status="IDLE", busy=False)


class Cdm:
    """A CDM with one job, or none."""

    def __init__(self, job: RestoreJob | None) -> None:
        self.found, self.asked = job, 0

    def job(self, job_id: str, *, within: float | None = None) -> RestoreJob:
        assert within == ANSWER_S
        self.asked += 1
        if self.found is None:
            raise NotFound("no such job")
        return self.found


def look(world: World, cdm: Cdm) -> None:
    store, client_for = world.store, lambda _: cdm
    look_at_jobs(store.mappings, store.runs, world.connection.id, client_for)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (JOB, None),
        (None, "no job 1044 (SQL clean-room restore) any more"),
        (replace(JOB, is_restore=False), "no restore job any more"),
        (replace(JOB, name="SQL restore 2"), "is called SQL restore 2 now"),
    ],
)
def test_a_job_is_compared_with_what_the_mapping_was_saved_for(
    world: World, job: RestoreJob | None, words: str | None
) -> None:
    drift = drift_of(world.mapping, job)

    assert drift is None if words is None else drift is not None and words in drift


def test_what_has_drifted_is_noted_and_taken_back(world: World) -> None:
    second = make_mapping(world.store, world.connection)
    other = make_mapping(world.store, make_connection(world.store))
    gone, back = Cdm(None), Cdm(JOB)

    look(world, gone)
    assert set(world.store.mappings.job_drifts()) == {world.mapping.id, second.id}
    assert other.id not in world.store.mappings.job_drifts()
    assert gone.asked == 1  # both have the same job

    look(world, back)
    assert world.store.mappings.job_drifts() == {}


def test_a_cdm_that_does_not_answer_says_nothing_about_the_job(world: World) -> None:
    class Away(Cdm):
        def job(self, job_id: str, *, within: float | None = None) -> RestoreJob:
            raise Unreachable("no route")

    with pytest.raises(Unreachable):
        look(world, Away(None))

    assert world.store.mappings.job_drifts() == {}


def test_a_start_that_comes_while_jobs_are_looked_at_does_not_wait_for_them(world: World) -> None:
    make_mapping(world.store, world.connection, job_id="2000", job_name="Another job")

    class Attacked(Cdm):
        def job(self, job_id: str, *, within: float | None = None) -> RestoreJob:
            if not self.asked:
                world.start_run()
            return super().job(job_id, within=within)

    attacked = Attacked(JOB)
    look(world, attacked)
    assert attacked.asked == 1
    look(world, attacked)
    assert attacked.asked == 3
