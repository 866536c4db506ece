# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Mappings whose restores a person approves: one question at a time, a yes, a no, or no answer."""

import pytest

from app.restore import actions
from app.restore.model import Mode, Outcome, RunState
from tests.factories import make_mapping
from tests.restore.world import World


@pytest.fixture
def asking(world: World) -> World:
    """A world in which a person is asked first."""
    world.store.mappings.change(world.mapping.id, needs_approval=True)
    world.mapping = world.store.mappings.get(world.mapping.id)
    return world


def approve(world: World, run_id: int = 1) -> str:
    return actions.approve(world.store, run_id, by="ann", now=world.now)


def reject(world: World, run_id: int = 1) -> str:
    return actions.reject(world.store, run_id, by="ann", now=world.now)


def test_a_person_is_asked_and_nothing_is_started(asking: World) -> None:
    decision = asking.trigger(offense_id=77)
    assert (decision.outcome, decision.run_id) == (Outcome.AWAITING_APPROVAL, 1)
    for _ in range(10):
        asking.next_turn()
    assert asking.run().state is RunState.AWAITING_APPROVAL
    assert asking.cdm.ours == []
    (note,) = asking.store.notes.for_run(1)
    assert "WAITS FOR APPROVAL" in note.text


def test_a_storm_asks_once(asking: World) -> None:
    for _ in range(5):
        decision = asking.trigger()
        assert (decision.outcome, decision.run_id) == (Outcome.AWAITING_APPROVAL, 1)
    assert asking.run().repeats == 4
    assert len(asking.store.runs.list()) == 1


def test_a_yes_starts_the_job_and_says_who_said_it(asking: World) -> None:
    asking.trigger()
    asking.turn(3000)
    assert "approved" in approve(asking)
    asking.go_on(RunState.RESTORING)
    assert len(asking.cdm.ours) == 1
    step = asking.store.runs.transitions(1)[1]
    assert (step.from_state, step.to_state, step.by) == (
        RunState.AWAITING_APPROVAL,
        RunState.QUEUED,
        "ann",
    )


def test_a_late_yes_has_its_full_hour(asking: World) -> None:
    """The wait for the person is not part of the hour after which nothing is started silently."""
    asking.trigger()
    for _ in range(100):
        asking.next_turn()
    approve(asking)
    asking.turn(30)
    assert asking.run().state is RunState.STARTING


def test_a_no_closes_the_run_and_the_next_trigger_asks_again(asking: World) -> None:
    asking.trigger()
    assert "rejected" in reject(asking)
    run = asking.run()
    assert (run.state, run.ended_at) == (RunState.CANCELLED, asking.now)
    assert asking.store.runs.transitions(1)[-1].by == "ann"
    assert asking.trigger().run_id == 2


def test_without_an_answer_it_expires_after_a_day(asking: World) -> None:
    asking.trigger()
    asking.turn(60)  # the first look: from here on it is counted
    for _ in range(24 * 60 - 1):
        asking.turn(60)
    assert asking.run().state is RunState.AWAITING_APPROVAL
    asking.turn(60)
    assert asking.run().state is RunState.CANCELLED
    assert "nobody approved" in asking.store.runs.transitions(1)[-1].reason


def test_a_clock_that_steps_a_day_does_not_let_it_expire(asking: World) -> None:
    asking.trigger()
    asking.turn(1)
    asking.turn(86_400)
    asking.turn(1)
    assert asking.run().state is RunState.AWAITING_APPROVAL


@pytest.mark.parametrize("mode", [Mode.DISARMED, Mode.OBSERVE])
def test_nothing_is_approved_while_the_app_may_not_start(asking: World, mode: Mode) -> None:
    asking.trigger()
    asking.store.settings.set_mode(mode, by="ann", now=asking.now)
    with pytest.raises(actions.NotPossible, match=f"mode is {mode}: arm it first"):
        approve(asking)
    assert asking.run().state is RunState.AWAITING_APPROVAL
    reject(asking)


def test_while_the_job_is_at_work_otherwise_it_can_not_be_approved(asking: World) -> None:
    """Another rule, whose mapping asks nobody, has started the same job in the meantime."""
    asking.trigger()
    other = make_mapping(asking.store, asking.connection)
    assert asking.trigger(other).outcome is Outcome.ACCEPTED
    with pytest.raises(actions.NotPossible, match="Run 2 of job"):
        approve(asking)
    assert asking.run().state is RunState.AWAITING_APPROVAL
    assert asking.trigger().outcome is Outcome.ALREADY_RUNNING


def test_only_what_waits_can_be_approved_or_rejected(asking: World) -> None:
    asking.trigger()
    approve(asking)
    for action in (approve, reject):
        with pytest.raises(actions.NotPossible):
            action(asking)


def test_its_page_offers_yes_and_no_each_with_its_consequence(asking: World) -> None:
    asking.trigger()
    choices = actions.available(asking.run())
    assert list(choices) == ["approve", "reject"]
    assert asking.mapping.job_name in choices["approve"]


def test_a_cancel_by_the_api_closes_it_too(asking: World) -> None:
    asking.trigger()
    actions.ACTIONS["cancel"].do(asking.store, 1, by="ann", now=asking.now)
    assert asking.run().state is RunState.CANCELLED


def test_disabled_before_the_yes_nothing_is_started(asking: World) -> None:
    asking.trigger()
    asking.store.mappings.change(asking.mapping.id, enabled=False)
    approve(asking)
    asking.turn()
    assert (asking.run().state, asking.cdm.ours) == (RunState.CANCELLED, [])
