# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A restore that does not start because CDM can't be reached, or hangs: told aloud, and soon."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.restore import actions
from app.restore.model import (
    Busy,
    CopyManagerError,
    LoginRefused,
    Mode,
    Phase,
    Run,
    RunState,
    Unknown,
    Unreachable,
)
from app.restore.not_started import not_started, note_silence, tell_offenses
from tests.factories import make_connection
from tests.restore.world import World

S = RunState


def waits(world: World) -> Run:
    world.start_run()
    world.turn()
    return world.run()


@pytest.mark.parametrize("error", [Unreachable("no route"), LoginRefused("no"), Unknown("lost")])
def test_a_run_that_cdm_keeps_from_its_start_is_told_after_half_a_minute(
    world: World, error: CopyManagerError
) -> None:
    world.cdm.down = error
    run = waits(world)
    began = world.now
    for seconds, told in ((0, False), (29, False), (1, True), (3000, True)):
        world.turn(seconds)
        found = not_started(world.run(), world.now)
        assert (found is not None) is told
    assert found is not None
    assert (found.since, found.run.id) == (began, run.id)


def test_it_says_when_it_was_tried_and_when_a_person_is_asked(world: World) -> None:
    world.cdm.down = Unreachable("no route")
    waits(world)
    began = world.now
    for _ in range(12):
        world.next_turn()
    world.pass_time(10)
    found = not_started(world.run(), world.now)
    assert found is not None
    assert found.tried_at == world.now - timedelta(seconds=10)
    assert found.next_at == world.run().due_at
    assert found.asked_at == began + timedelta(hours=1)
    world.pass_time(60)
    found = not_started(world.run(), world.now)
    assert found is not None
    assert found.next_at is None
    run = world.go_on(S.NEEDS_DECISION)
    assert run.state_since is not None
    assert abs(run.state_since - found.asked_at) <= timedelta(minutes=2)


def test_a_clock_that_is_set_back_does_not_hide_it(world: World) -> None:
    world.cdm.down = Unreachable("no route")
    waits(world)
    world.step_clock(-3600)
    assert not_started(world.run(), world.now) is not None


def test_a_run_that_waits_for_a_busy_job_or_for_nobody_is_not_told_so(world: World) -> None:
    world.cdm.add_session(Phase.RUNNING)
    world.start_run()
    world.turn()
    world.turn(60)
    assert not_started(world.run(), world.now) is None


def test_a_dry_run_is_not_told_so(world: World) -> None:
    world.store.settings.set_mode(Mode.OBSERVE, by="ann", now=world.now)
    world.trigger()
    note_silence(world.store, world.connection.id, 8.0, world.now)
    assert not_started(world.run(), world.now + timedelta(minutes=5)) is None


def test_a_contact_that_is_lost_after_the_start_is_not_told_so(world: World) -> None:
    world.restoring()
    world.cdm.down = Unreachable("no route")
    world.turn(60)
    assert world.run().contact_lost_since == world.now
    assert not_started(world.run(), world.now + timedelta(minutes=5)) is None


def test_whoever_should_have_been_asked_by_now_is_asked_with_the_next_answer(world: World) -> None:
    world.cdm.down = Unreachable("no route")
    run = waits(world)
    run = replace(run, memory=replace(run.memory, waited_s=3700.0))
    found = not_started(run, world.now + timedelta(seconds=30))
    assert found is not None
    assert found.asked_at == found.tried_at == world.now


def test_a_cdm_that_can_be_read_and_takes_no_start_is_told_too(world: World) -> None:
    world.cdm.fail("start", Unreachable("refused"), times=1000)
    waits(world)
    began = world.run().contact_lost_since
    for _ in range(8):
        world.next_turn()
    found = not_started(world.run(), world.now)
    assert found is not None
    assert found.since == began == world.run().received_at
    world.cdm.faults["start"].clear()
    world.go_on(S.RESTORING)
    assert world.run().memory.unsent_since is None


def test_a_job_that_is_busy_after_all_is_no_lost_contact(world: World) -> None:
    world.cdm.fail("start", Busy("it runs"), times=1000)
    waits(world)
    assert world.run().contact_lost_since is None


# --- a CDM that hangs -------------------------------------------------------------------------


def test_a_silence_is_noted_on_the_runs_that_wait_for_it(world: World) -> None:
    run = world.start_run()
    world.pass_time(3)
    note_silence(world.store, world.connection.id, 8.0, world.now)
    assert world.run().contact_lost_since == run.state_since  # CDM hung before the run came
    assert "has said nothing" in (world.run().error or "")
    assert "has said nothing" in (world.store.connections.contact(world.connection.id).error or "")
    world.turn()
    assert (world.run().contact_lost_since, world.run().error) == (None, None)


def test_a_run_that_waited_before_the_silence_began_is_kept_by_it_since_then(world: World) -> None:
    world.start_run()
    world.pass_time(60)
    note_silence(world.store, world.connection.id, 8.0, world.now)
    assert world.run().contact_lost_since == world.now - timedelta(seconds=8)
    note_silence(world.store, world.connection.id, 1.0, world.now)
    assert world.run().contact_lost_since == world.now - timedelta(seconds=8)


def test_a_silence_says_nothing_of_other_runs_and_connections(world: World) -> None:
    world.ready()
    other = make_connection(world.store)
    note_silence(world.store, world.connection.id, 8.0, world.now)
    assert world.run().contact_lost_since is None
    note_silence(world.store, other.id, 8.0, world.now)
    world.store.connections.delete(other.id)
    note_silence(world.store, other.id, 8.0, world.now)


def test_a_hang_that_ends_in_an_error_goes_on_as_lost_contact(world: World) -> None:
    world.start_run()

    def hang(point: str) -> None:
        world.cdm.hook = lambda _: None
        note_silence(world.store, world.connection.id, 0.0, world.now)

    world.cdm.hook = hang
    world.cdm.down = Unknown("timed out")
    began = world.now
    world.turn()
    assert (world.run().contact_lost_since, world.run().error) == (began, "timed out")


def test_before_the_first_try_a_person_is_asked_an_hour_after_it_came(world: World) -> None:
    run = world.start_run()
    world.pass_time(40)
    note_silence(world.store, world.connection.id, 35.0, world.now)
    found = not_started(world.run(), world.now)
    assert found is not None
    assert found.tried_at is None
    assert found.asked_at == run.received_at + timedelta(hours=1)


def test_a_silence_that_began_before_the_clock_was_set_back_begins_now(world: World) -> None:
    world.start_run()
    world.step_clock(-3600)
    note_silence(world.store, world.connection.id, 0.0, world.now)
    assert world.run().contact_lost_since == world.now


def test_a_silence_is_noted_once_as_long_as_it_lasts(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    note_silence(world.store, world.connection.id, 1.0, world.now)
    first = world.store.connections.contact(world.connection.id)
    world.pass_time(30)
    note_silence(world.store, world.connection.id, 31.0, world.now)
    assert world.store.connections.contact(world.connection.id) == first
    assert caplog.text.count("does not answer") == 1


def test_a_silence_leaves_runs_alone_that_are_not_to_start(world: World) -> None:
    world.store.mappings.change(world.mapping.id, needs_approval=True)
    world.mapping = world.store.mappings.get(world.mapping.id)
    world.trigger()
    note_silence(world.store, world.connection.id, 8.0, world.now)
    assert world.run().contact_lost_since is None


# --- the offense ------------------------------------------------------------------------------


def kinds(world: World) -> list[str]:
    return [note.kind for note in world.store.notes.for_run(1)]


def test_the_offense_is_told_once_after_a_minute_and_when_it_started_after_all(
    world: World,
) -> None:
    world.cdm.down = Unreachable("no route to CDM")
    waits(world)
    for seconds, expected in ((59, []), (1, ["not_started"]), (600, ["not_started"])):
        world.turn(seconds)
        tell_offenses(world.store, world.now)
        assert kinds(world) == expected
    (note,) = world.store.notes.for_run(1)
    assert "NOT STARTED" in note.text
    assert "no route to CDM" in note.text
    assert "12:00:00 UTC" in note.text
    assert "13:00 UTC" in note.text
    world.cdm.down = None
    world.go_on(S.RESTORING)
    assert kinds(world) == ["not_started", "started"]


def test_a_run_that_a_person_queues_again_is_not_told_of_twice(world: World) -> None:
    world.cdm.down = Unreachable("no route to CDM")
    waits(world)
    world.turn(60)
    tell_offenses(world.store, world.now)
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "not_started", None, by="ann", now=world.now)
    for _ in range(3):
        world.turn(60)
        tell_offenses(world.store, world.now)
    assert kinds(world) == ["not_started", "needs_decision"]
