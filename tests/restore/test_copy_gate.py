# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A mapping that has a person asked before a copy comes up that may be the wrong one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.configuration.mapping import CopyCheck
from app.restore import actions
from app.restore.model import Outcome, Phase, RunState, Unknown, Unreachable
from app.restore.model.copies import ClockOffset, Copy, SourceCopy, Which
from app.restore.model.recovery_point import copy_warns, copy_words
from tests.factories import NOON, make_mapping
from tests.restore.test_dry_runs import simulate
from tests.restore.world import World

S = RunState


def made(hours: float, which: Which = Which.LATEST) -> Copy:
    """The only source's copy, so long before noon; the clocks agree."""
    at = NOON - timedelta(hours=hours)
    return Copy(which, (SourceCopy("SALES", at, "Hourly"),), clock=ClockOffset(0.0, 1.0))


def check(world: World, copy_check: CopyCheck, max_age_h: int | None = None) -> None:
    """Have the only mapping demand that."""
    columns = {"copy_check": copy_check, "copy_max_age_h": max_age_h}
    world.store.mappings.change(world.mapping.id, **columns)
    world.mapping = world.store.mappings.get(world.mapping.id)


@pytest.fixture
def asking(world: World) -> World:
    check(world, CopyCheck.ASK, 24)
    return world


@pytest.mark.parametrize(
    ("copy", "said"),
    [
        (made(-1), "AFTER the detection: it may hold the attack"),
        (made(0), "whether before or after can't be told"),
        (made(25), "older than the 24 h that its mapping allows"),
        (made(5, Which.PINNED), "the pinned copy of 2026-11-24 07:00 UTC, NOT the latest"),
        (Copy(Which.MISSING), "no copy that CDM lists"),
        (Copy(Which.UNKNOWN, problem="CDM says no."), "a copy that is not known: CDM says no."),
    ],
)
def test_a_person_is_asked_before_what_may_be_the_wrong_copy_comes_up(
    asking: World, copy: Copy, said: str
) -> None:
    asking.cdm.copy = copy
    asking.start_run()
    asking.turn()
    run = asking.run()
    assert run.state is S.AWAITING_APPROVAL
    assert said in (run.error or "")
    assert asking.cdm.count("start") == 0
    (note,) = [one.text for one in asking.store.notes.for_run(1)]
    assert "WAITS FOR APPROVAL" in note
    assert said in note


def test_the_right_copy_is_started_without_a_question(asking: World) -> None:
    asking.cdm.copy = made(23)
    run = asking.restoring()
    assert asking.states() == [S.QUEUED, S.STARTING, S.RESTORING]
    assert run.error is None


def test_what_a_person_has_approved_is_started_and_not_asked_again(asking: World) -> None:
    asking.cdm.copy = made(-1)
    asking.start_run()
    asking.turn()
    actions.approve(asking.store, 1, by="ann", now=asking.now)
    assert asking.run().error is None
    asking.turn(1)
    asking.turn(1)
    assert asking.run().state is S.RESTORING
    assert asking.cdm.count("start") == 1


def test_also_not_after_a_start_that_had_no_effect(asking: World) -> None:
    asking.cdm.copy = made(-1)
    asking.start_run()
    asking.turn()
    actions.approve(asking.store, 1, by="ann", now=asking.now)
    asking.cdm.fail("start", Unreachable("down"))
    asking.turn(1)
    assert asking.run().state is S.QUEUED
    assert asking.go_on(S.RESTORING).id == 1


def test_a_copy_that_cant_be_read_in_time_is_asked_about_and_an_unreachable_cdm_waited_for(
    asking: World,
) -> None:
    asking.cdm.fail("copy_to_restore", Unreachable("down"))
    asking.start_run()
    asking.turn()
    assert asking.run().state is S.QUEUED
    assert asking.run().contact_lost_since is not None
    asking.cdm.fail("copy_to_restore", Unknown("It hangs."))
    asking.turn(60)
    assert asking.run().state is S.AWAITING_APPROVAL
    assert "a copy that is not known: It hangs." in (asking.run().error or "")


def test_a_storm_is_one_question(asking: World) -> None:
    asking.cdm.copy = made(-1)
    asking.start_run()
    asking.turn()
    for _ in range(3):
        asking.pass_time(1000)
        decision = asking.trigger()
        assert (decision.outcome, decision.run_id) == (Outcome.AWAITING_APPROVAL, 1)
    assert len(asking.store.runs.list()) == 1
    assert asking.run().repeats == 3


def test_of_one_job_one_question_is_open(asking: World) -> None:
    """Another mapping of the job has asked before: what comes then belongs to that question."""
    other = make_mapping(asking.store, asking.connection, needs_approval=True)
    assert asking.trigger(mapping=other.name).run_id == 1
    decision = asking.trigger(mapping=asking.mapping.name)
    assert (decision.outcome, decision.run_id) == (Outcome.AWAITING_APPROVAL, 1)


def test_a_question_that_was_open_before_gives_way_to_the_newer_one(world: World) -> None:
    """The mapping has come to ask only after its run was made."""
    other = make_mapping(world.store, world.connection, needs_approval=True)
    world.trigger(mapping=other.name)
    world.trigger(mapping=world.mapping.name)
    check(world, CopyCheck.ASK)
    world.cdm.copy = made(-1)
    world.turn()
    assert [world.run(number).state for number in (1, 2)] == [S.CANCELLED, S.AWAITING_APPROVAL]
    assert "run 2 of the same job" in world.store.runs.transitions(1)[-1].reason


def test_a_simulation_tells_that_a_person_would_be_asked(asking: World) -> None:
    asking.cdm.copy = made(-1)
    run = simulate(asking)
    assert run.state is S.OBSERVED
    assert "A person would be asked first" in (run.error or "")


@pytest.mark.parametrize("copy_check", [CopyCheck.OFF, CopyCheck.WARN])
def test_a_mapping_that_does_not_ask_reads_no_copy_before_the_start(
    world: World, copy_check: CopyCheck
) -> None:
    check(world, copy_check, 24)
    world.cdm.copy = made(-1)
    world.restoring()
    world.turn(10)
    verbs = [verb for verb, _ in world.cdm.calls]
    assert "copy_to_restore" not in verbs[: verbs.index("start")]
    assert copy_warns(world.run()) is (copy_check is CopyCheck.WARN)


@pytest.mark.parametrize(
    ("copy", "warns"), [(made(5), False), (made(25), True), (made(0), True), (made(-1), True)]
)
def test_it_is_warned_of_what_is_older_or_younger_than_it_should_be(
    world: World, copy: Copy, warns: bool
) -> None:
    check(world, CopyCheck.WARN, 24)
    world.cdm.copy = copy
    world.restoring()
    world.turn(10)
    assert copy_warns(world.run()) is warns


def test_without_a_check_no_age_is_too_old(world: World) -> None:
    check(world, CopyCheck.OFF, 24)
    world.cdm.copy = made(48)
    world.restoring()
    world.turn(10)
    assert "older" not in str(copy_words(world.run()))
    assert not copy_warns(replace(world.run(), state=S.READY))


def test_the_mapping_may_be_gone_when_the_copy_is_read(world: World) -> None:
    world.cdm.copy = made(5)
    run = world.restoring()
    world.cdm.become(run.job_session_id or "", Phase.READY)
    world.store.mappings.delete(world.mapping.id)
    assert world.go_on(S.READY).copy is not None
