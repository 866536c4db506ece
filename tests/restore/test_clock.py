# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The rules of the clock, and that its steps freeze nothing and start nothing twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.restore import actions, clock
from app.restore.model import Phase, RunState, Unknown, Unreachable
from tests.factories import NOON
from tests.restore.world import World

S = RunState
HOUR, DAY = 3600.0, 86400.0
STEPS = (HOUR, -HOUR, DAY, -DAY)


def test_the_gaps_are_those_of_the_design() -> None:
    """1, 2, 4, 8 s after the start, then every 10 s, after ten minutes every minute."""
    at, asked = 0.0, []
    for polls in range(70):
        at += clock.poll_gap(polls)
        asked.append(at)
    assert asked[:6] == [1, 2, 4, 8, 18, 28]
    changed = next(a for a, b in zip(asked, asked[1:], strict=False) if b - a == 60)
    assert 590 <= changed <= 610


def test_a_retry_waits_longer_each_time_and_a_minute_at_most() -> None:
    gaps = [clock.retry_gap(attempts) for attempts in range(2000)]
    assert gaps[0] == 1
    assert gaps == sorted(gaps)
    assert gaps[-1] == 60


@pytest.mark.parametrize(
    ("ahead", "due"),
    [(None, True), (-DAY, True), (0, True), (1, False), (60, False), (61, True), (DAY, True)],
)
def test_a_time_further_ahead_than_the_largest_gap_counts_as_due(
    ahead: float | None, due: bool
) -> None:
    at = None if ahead is None else NOON + timedelta(seconds=ahead)
    assert clock.is_due(at, NOON) is due


@pytest.mark.parametrize(
    ("passed", "counted"), [(10, 10), (120, 120), (DAY, 120), (-5, 0), (-DAY, 0)]
)
def test_a_step_counts_for_two_gaps_at_most(passed: float, counted: float) -> None:
    now = NOON + timedelta(seconds=passed)
    assert clock.added_up(7, NOON, now) == 7 + counted
    assert clock.added_up(7, None, now) == 7


def to_queued(world: World) -> None:
    world.cdm.add_session()
    world.start_run()
    world.turn()


def to_starting(world: World) -> None:
    world.cdm.appear_after = 6
    world.cdm.fail("start", Unknown("lost"), with_effect=True)
    world.start_run()
    world.turn()


def to_restoring(world: World) -> None:
    world.restoring()


def to_ready(world: World) -> None:
    world.ready()


def to_cleaning_up(world: World) -> None:
    world.ready()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CLEANING_UP)


def free_the_job(world: World) -> None:
    for session_id in world.cdm.shown:
        world.cdm.become(session_id, Phase.COMPLETED)


def be_ready(world: World) -> None:
    world.cdm.become(world.cdm.ours[0], Phase.READY)


def be_over(world: World) -> None:
    world.cdm.become(world.cdm.ours[0], Phase.COMPLETED)


def nothing(world: World) -> None:
    pass


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("prepare", "change", "after", "within_s"),
    [
        (to_queued, free_the_job, {S.RESTORING}, 60),
        (to_starting, nothing, {S.RESTORING}, 90),
        (to_restoring, be_ready, {S.READY}, 60),
        (to_ready, be_over, {S.COMPLETED}, 90),
        (to_cleaning_up, be_over, {S.COMPLETED}, 60),
    ],
)
def test_a_step_of_the_clock_freezes_nothing_and_starts_nothing_twice(
    world: World,
    prepare: Callable[[World], None],
    change: Callable[[World], None],
    after: set[RunState],
    within_s: int,
    step: float,
) -> None:
    prepare(world)
    world.step_clock(step)
    change(world)
    for _ in range(within_s):
        world.turn(1)
    assert world.run().state in after
    assert world.cdm.starts <= 1
    assert world.cdm.count("start") <= 1


@pytest.mark.parametrize("step", STEPS)
def test_a_step_while_cdm_is_away_freezes_nothing(world: World, step: float) -> None:
    world.restoring()
    world.cdm.down = Unreachable("down")
    world.turn(60)
    world.step_clock(step)
    world.turn(1)
    world.cdm.down = None
    be_ready(world)
    for _ in range(61):
        world.turn(1)
    assert world.run().state is S.READY


@pytest.mark.parametrize("step", STEPS)
def test_a_step_while_looking_does_not_end_the_looking(world: World, step: float) -> None:
    world.cdm.fail("start", Unknown("lost"))
    world.start_run()
    world.turn()
    world.turn(1)
    world.step_clock(step)
    seconds = 0
    while world.run().state is S.STARTING:
        world.turn(1)
        seconds += 1
        assert seconds < 200
    assert seconds >= 90
    assert world.cdm.count("start") == 1


@pytest.mark.parametrize("step", STEPS)
def test_a_step_while_the_job_is_busy_still_ends_in_a_decision(world: World, step: float) -> None:
    to_queued(world)
    world.step_clock(step)
    for _ in range(16 * 60):
        world.turn(1)
    assert world.run().state is S.NEEDS_DECISION
    assert world.cdm.count("start") == 0


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("looks", [0, 1])
def test_a_run_that_was_queued_for_less_than_a_second_is_started_whatever_the_clock_does(
    world: World, step: float, looks: int
) -> None:
    """The worker was there all the time, so it knows that no hour has passed."""
    world.turn()
    if looks:
        world.cdm.down = Unreachable("down")
    world.start_run()
    for _ in range(looks):
        world.turn(0.6)
    world.cdm.down = None
    world.step_clock(step)
    world.turn(0.6)
    world.turn(60)
    assert world.run().state in {S.STARTING, S.RESTORING}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_changes_nothing_about_the_hour_that_a_run_may_wait(
    world: World, step: float
) -> None:
    world.cdm.down = Unreachable("down")
    world.turn()
    world.start_run()
    for minute in range(62):
        world.turn(60)
        if minute == 20:
            world.step_clock(step)
        assert world.run().state is (S.QUEUED if minute < 59 else world.run().state)
    assert world.run().state is S.NEEDS_DECISION


def test_the_time_in_which_no_process_counted_is_waited_too(world: World) -> None:
    world.cdm.down = Unreachable("down")
    world.start_run()
    for _ in range(30):
        world.turn(60)
    world.pass_time(31 * 60)
    world.restart()
    world.cdm.down = None
    world.turn()
    assert world.run().state is S.NEEDS_DECISION


def test_the_time_that_was_counted_before_a_restart_is_not_counted_twice(world: World) -> None:
    world.cdm.down = Unreachable("down")
    world.start_run()
    for _ in range(30):
        world.turn(60)
    world.restart()
    for _ in range(30):
        world.turn(60)
        assert world.run().state is S.QUEUED
    world.turn(60)
    assert world.run().state is S.NEEDS_DECISION


def test_a_run_that_a_look_finds_has_waited_no_longer_than_since_the_look_before(
    world: World,
) -> None:
    """The clock was set forward between the trigger and the first look at its run."""
    world.turn(100)
    world.turn(20)
    world.start_run()
    world.step_clock(DAY)
    world.cdm.down = Unreachable("down")
    world.turn(10)
    for _ in range(59):
        world.turn(60)
        assert world.run().state is S.QUEUED


def test_a_process_that_hangs_for_long_counts_all_of_it(world: World) -> None:
    """Calls to CDM that take minutes each: the hour is an hour all the same."""
    world.turn()
    world.cdm.down = Unreachable("down")
    world.start_run()
    for _ in range(13):
        world.turn(300)
    assert world.run().state is S.NEEDS_DECISION


def test_a_person_who_queues_it_again_gives_it_a_whole_hour(world: World) -> None:
    world.cdm.down = Unreachable("down")
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "not_started", None, by="ann", now=world.now)
    for _ in range(58):
        world.turn(60)
    assert world.run().state is S.QUEUED
    for _ in range(4):
        world.turn(60)
    assert world.run().state is S.NEEDS_DECISION


@pytest.mark.parametrize("step", [-HOUR, -DAY])
def test_a_step_back_in_queued_does_not_make_the_hour_longer(world: World, step: float) -> None:
    world.cdm.down = Unreachable("down")
    world.start_run()
    world.turn()
    world.step_clock(step)
    minutes = 0
    while world.run().state is S.QUEUED:
        world.turn(60)
        minutes += 1
        assert minutes < 70
    assert world.run().state is S.NEEDS_DECISION


@pytest.mark.parametrize("step", STEPS)
def test_a_decision_made_before_a_step_is_carried_out_after_it(world: World, step: float) -> None:
    world.cdm.fail("start", Unknown("lost"))
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    session = world.cdm.add_session()
    actions.resolve(world.store, 1, "started", session, by="ann", now=world.now)
    world.step_clock(step)
    for _ in range(61):
        world.turn(1)
    assert world.run().state is S.RESTORING


@pytest.mark.parametrize("step", STEPS)
def test_a_request_made_before_a_step_is_carried_out_after_it(world: World, step: float) -> None:
    world.ready()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.step_clock(step)
    for _ in range(61):
        world.turn(1)
    assert world.run().state is S.CLEANING_UP
