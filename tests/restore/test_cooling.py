# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How long a failed or refused restore mutes its job: one rule for both (architecture §4)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.restore import actions
from app.restore.cooling import LastStart, cooling
from app.restore.model import Mode, Outcome, Phase, Refused, RunState, Unknown
from app.restore.tidings import what_came_of
from app.store.triggers import KEPT_A_MINUTE
from tests.restore.world import World

S = RunState


def refuse(world: World) -> None:
    """Let a trigger's start be refused."""
    world.cdm.fail("start", Refused("no pool"))
    assert world.trigger().outcome is Outcome.ACCEPTED
    world.go_on(S.FAILED)


def break_off(world: World) -> None:
    """Let a trigger's restore fail within seconds."""
    assert world.trigger().outcome is Outcome.ACCEPTED
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", Phase.FAILED)
    world.go_on(S.FAILED)


def wait(world: World, seconds: float) -> Outcome:
    """Give what comes of a trigger just before ``seconds`` are over; then let them be over."""
    ended_at = world.store.runs.list(limit=1)[0].ended_at
    assert ended_at is not None
    world.now = ended_at + timedelta(seconds=seconds, milliseconds=-1)
    outcome = world.trigger().outcome
    world.now += timedelta(milliseconds=1)
    return outcome


def wait_after_start(world: World, seconds: float) -> Outcome:
    """The same, counted from the last start."""
    last = world.store.starts.last(world.connection.id, world.mapping.job_id)
    assert last is not None
    world.now = last.at + timedelta(seconds=seconds, milliseconds=-1)
    outcome = world.trigger().outcome
    world.now += timedelta(milliseconds=1)
    return outcome


@pytest.mark.parametrize("go_wrong", [refuse, break_off])
@pytest.mark.parametrize("cooldown_s", [0, 900])
def test_a_failure_cools_down_a_minute_from_its_end_then_two(
    world: World, go_wrong: Callable[[World], None], cooldown_s: int
) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=cooldown_s)
    for seconds in (60, 120):
        go_wrong(world)
        assert wait(world, seconds) is Outcome.COOLING_DOWN
    go_wrong(world)


@pytest.mark.parametrize(
    ("quiet_s", "before", "values", "end"),
    [
        (60, 0, {}, "14:00"),
        (60, KEPT_A_MINUTE, {"token": "rules"}, "14:00"),
        (901, 0, {}, "14:00"),
        (60, 0, {"fields": {"username": "safeguarded-restore"}}, "14:01"),  # from the run's end
    ],
    ids=["a repeat", "one of a flood", "a new attack", "perhaps our own event"],
)
def test_every_trigger_in_a_cool_down_is_told_its_end(
    world: World, quiet_s: float, before: int, values: dict[str, object], end: str
) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    run = world.ready()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    world.cdm.become(run.job_session_id or "", Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    world.pass_time(quiet_s)
    for _ in range(before):
        world.trigger(**values)

    decision = world.trigger(**values)

    assert decision.outcome is Outcome.COOLING_DOWN
    kept = world.store.triggers.get(decision.trigger_id)
    told = f"not started: cooling down until {end} UTC after run 1"
    assert what_came_of(kept, world.run()) == told


def test_what_is_waited_for_is_told_with_the_time_of_the_clock(world: World) -> None:
    break_off(world)
    ended_at = world.store.runs.list(limit=1)[0].ended_at
    assert ended_at is not None
    decision = world.trigger()
    until = (ended_at + timedelta(seconds=60)).strftime("%H:%M:%S UTC")
    assert decision.message == (
        f"Run 1 of job {world.mapping.job_name} failed; mapping {world.mapping.name} starts it"
        f" again at {until} (in {round(60 - (world.now - ended_at).total_seconds())} s) at the"
        " earliest."
    )
    wait(world, 60)
    refuse(world)
    assert "Run 2 of job" in (message := world.trigger().message)
    assert "failed, the second time in a row" in message


@pytest.mark.parametrize(
    ("failures", "words"),
    [
        (1, "failed;"),
        (2, "failed, the second time in a row;"),
        (3, "failed, the third time in a row;"),
        (4, "failed, the 4th time in a row;"),
        (20, "failed, the 20th time in a row;"),
    ],
)
def test_how_often_it_failed_in_a_row_is_told(world: World, failures: int, words: str) -> None:
    found = cooling(world.mapping, LastStart(1, world.now, failures, failed=True), world.now)
    assert found is not None
    assert found.why.startswith(f"Run 1 of job {world.mapping.job_name} {words}")


@pytest.mark.parametrize(
    ("wait_s", "words"),
    [(119, "119 s"), (120, "2 min"), (348, "6 min"), (3600, "1 h 0 min"), (5401, "1 h 31 min")],
)
def test_a_long_wait_is_told_in_minutes(world: World, wait_s: int, words: str) -> None:
    mapping = world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    last = LastStart(1, world.now - timedelta(seconds=7200 - wait_s))
    found = cooling(mapping, last, world.now)
    assert found is not None
    assert f" (in {words}) at the earliest." in found.promise


def test_a_time_of_another_day_has_its_date(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=86400)
    world.ready()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    world.cdm.become(world.run().job_session_id or "", Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert "again at 2026-11-25 12:" in world.trigger().message


@pytest.mark.parametrize(("cooldown_s", "most"), [(0, 900), (900, 900), (3600, 1920)])
def test_it_doubles_up_to_the_cool_down_or_a_quarter_of_an_hour(
    world: World, cooldown_s: int, most: int
) -> None:
    """From the fourth on a person has said yes each time."""
    world.store.mappings.change(world.mapping.id, cooldown_s=cooldown_s)
    for number in range(6):
        world.cdm.fail("start", Refused("no"))
        decision = world.trigger()
        if number >= 3:
            assert decision.outcome is Outcome.AWAITING_APPROVAL
            actions.approve(world.store, decision.run_id or 0, by="ann", now=world.now)
        world.go_on(S.FAILED)
        if number < 2:
            wait(world, 60 * 2**number)
    job = (world.mapping.connection_id, world.mapping.job_id)
    last = world.store.starts.last(*job)
    met = cooling(world.store.mappings.get(world.mapping.id), last, world.now)
    assert met is not None
    assert last is not None
    assert met.until - last.at == timedelta(seconds=most)


def test_after_three_failures_in_a_row_the_next_trigger_asks_a_person_once(world: World) -> None:
    for seconds in (60, 120, None):
        refuse(world)
        if seconds:
            wait(world, seconds)
    asked = world.trigger()
    again = world.trigger()
    assert (asked.outcome, asked.run_id) == (Outcome.AWAITING_APPROVAL, 4)
    assert (again.outcome, again.run_id) == (Outcome.AWAITING_APPROVAL, 4)
    for decision in (asked, again):
        assert "3 restores of job" in decision.message
        assert "no copy has come up since, the last start was run 3:" in decision.message
    assert world.run(4).repeats == 1
    actions.approve(world.store, 4, by="ann", now=world.now)
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", Phase.READY)
    world.go_on(S.READY)
    world.cdm.become(run.job_session_id or "", Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    world.pass_time(901)
    refuse(world)  # the copy was up: the row begins anew
    assert wait(world, 60) is Outcome.COOLING_DOWN
    assert world.trigger().outcome is Outcome.ACCEPTED


def fail_three_times(world: World) -> None:
    for seconds in (60, 120, None):
        refuse(world)
        if seconds:
            wait(world, seconds)


def cancel(world: World) -> None:
    """Let CDM cancel the restore that is on its way."""
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", Phase.CANCELLED)
    world.go_on(S.CANCELLED)


@pytest.mark.parametrize("source", ["approved", "manual"])
def test_a_start_that_was_cancelled_does_not_forget_three_failures(
    world: World, source: str
) -> None:
    fail_three_times(world)
    if source == "approved":
        actions.approve(world.store, world.trigger().run_id or 0, by="ann", now=world.now)
    else:
        assert world.trigger(source="manual").outcome is Outcome.ACCEPTED
    cancel(world)
    decision = world.trigger()
    assert decision.outcome is Outcome.COOLING_DOWN
    assert decision.message.startswith("Run 4 started job")
    assert f"mapping {world.mapping.name} asks a person to start it again at" in decision.message
    assert wait_after_start(world, 900) is Outcome.COOLING_DOWN
    decision = world.trigger()
    assert (decision.outcome, decision.run_id) == (Outcome.AWAITING_APPROVAL, 5)
    assert "3 restores of job" in decision.message
    assert "the last start was run 4:" in decision.message


def test_failures_before_and_after_a_cancelled_start_are_counted_together(world: World) -> None:
    for seconds in (60, 120):
        refuse(world)
        wait(world, seconds)
    world.trigger()
    cancel(world)
    wait_after_start(world, 900)
    refuse(world)
    assert world.trigger().outcome is Outcome.AWAITING_APPROVAL


def test_where_a_person_is_asked_a_new_attack_promises_no_start(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    fail_three_times(world)
    actions.approve(world.store, world.trigger().run_id or 0, by="ann", now=world.now)
    cancel(world)
    world.pass_time(901)
    decision = world.trigger()
    assert decision.message.startswith("New attack in the cool-down after run 4: a trigger asks a")
    assert f"person to start job {world.mapping.job_name} again at" in decision.message


def test_a_mapping_that_needs_approval_promises_no_start_either(world: World) -> None:
    world.store.mappings.change(world.mapping.id, needs_approval=True)
    actions.approve(world.store, world.trigger().run_id or 0, by="ann", now=world.now)
    cancel(world)
    assert "asks a person to start it again at" in world.trigger().message


def test_a_simulation_says_that_too_many_have_failed(world: World) -> None:
    assert "would first wait for a person" not in world.trigger(source="simulation").message
    world.turn(1)
    for seconds in (60, 120, None):
        refuse(world)
        if seconds:
            wait(world, seconds)
    message = world.trigger(source="simulation").message
    assert "3 restores of job" in message
    assert "would first wait for a person to approve it" in message


def test_three_failures_do_not_ask_while_the_app_is_disarmed(world: World) -> None:
    for seconds in (60, 120, None):
        refuse(world)
        if seconds:
            wait(world, seconds)
    world.store.settings.set_mode(Mode.DISARMED, by="ann", now=world.now)
    assert world.trigger().outcome is Outcome.DISARMED


@pytest.mark.parametrize("how", ["given up", "cancelled in CDM"])
def test_a_start_that_did_not_fail_cools_down_in_full(world: World, how: str) -> None:
    if how == "given up":
        world.cdm.fail("start", Unknown("lost"))
        world.start_run()
        world.go_on(S.NEEDS_DECISION)
        actions.resolve(world.store, 1, "give_up", None, by="ann", now=world.now)
    else:
        run = world.restoring()
        world.cdm.become(run.job_session_id or "", Phase.CANCELLED)
        world.go_on(S.CANCELLED)
    assert world.trigger().outcome is Outcome.COOLING_DOWN
    world.pass_time(600)
    assert world.trigger().outcome is Outcome.COOLING_DOWN


def test_a_trigger_five_seconds_after_the_second_restore_meets_its_cool_down(world: World) -> None:
    """Not the first one's, which is over."""
    for _ in range(2):
        assert world.trigger().outcome is Outcome.ACCEPTED
        run = world.go_on(S.RESTORING)
        world.cdm.become(run.job_session_id or "", Phase.COMPLETED)
        world.go_on(S.COMPLETED)
        world.pass_time(901)
    world.pass_time(-896)
    decision = world.trigger()
    assert (decision.outcome, decision.run_id) == (Outcome.COOLING_DOWN, 2)


@pytest.mark.parametrize("step", [-86400, 86400])
def test_a_clock_that_steps_shortens_or_ends_a_short_cool_down(world: World, step: int) -> None:
    break_off(world)
    world.pass_time(step)
    first = world.trigger().outcome
    if step > 0:
        assert first is Outcome.ACCEPTED
        return
    assert first is Outcome.COOLING_DOWN
    world.pass_time(61)
    assert world.trigger().outcome is Outcome.ACCEPTED


def test_a_storm_of_a_thousand_on_a_refused_start_is_three_runs_and_two_notes_each(
    world: World,
) -> None:
    world.cdm.fail("start", Refused("no"), times=1000)
    for _ in range(1000):
        world.trigger(offense_id=77)
        world.turn(1)
    tried = [run for run in world.store.runs.list() if run.state is S.FAILED]
    waiting = [run for run in world.store.runs.list() if run.state is S.AWAITING_APPROVAL]
    assert (len(tried), len(waiting)) == (3, 1)
    assert len(world.store.runs.list()) == 4
    assert world.cdm.count("start") == 3
    for run in world.store.runs.list():
        assert len(world.store.notes.for_run(run.id)) <= 2
