# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Following a job session to its real end, and what people ask on the way."""

from datetime import UTC, datetime, timedelta

import pytest

from app.restore import actions
from app.restore.model import (
    CopyManagerError,
    LoginRefused,
    NoSuchRun,
    NotFound,
    Phase,
    Refused,
    Run,
    RunState,
    Unknown,
    Unreachable,
)
from tests.factories import JOB_ID, make_connection, make_mapping
from tests.restore.world import World

S = RunState
CDM_TIME = datetime(1999, 2, 1, tzinfo=UTC)


def in_state(world: World, state: RunState) -> Run:
    if state is S.RESTORING:
        return world.restoring()
    run = world.ready()
    if state is S.CLEANING_UP:
        actions.ACTIONS["clean-up"].do(world.store, run.id, by="ann", now=world.now)
        run = world.go_on(S.CLEANING_UP)
    return run


def become(world: World, phase: Phase, **changes: object) -> None:
    world.cdm.become(world.run().job_session_id or "", phase, **changes)


# --- every phase in every state ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "phase", "expected"),
    [
        (S.RESTORING, Phase.RUNNING, S.RESTORING),
        (S.RESTORING, Phase.READY, S.READY),
        (S.RESTORING, Phase.COMPLETED, S.COMPLETED),
        (S.RESTORING, Phase.PARTIAL, S.COMPLETED),
        (S.RESTORING, Phase.FAILED, S.FAILED),
        (S.RESTORING, Phase.CANCELLED, S.CANCELLED),
        (S.RESTORING, Phase.UNKNOWN, S.RESTORING),
        (S.READY, Phase.RUNNING, S.CLEANING_UP),
        (S.READY, Phase.READY, S.READY),
        (S.READY, Phase.COMPLETED, S.COMPLETED),
        (S.READY, Phase.PARTIAL, S.COMPLETED),
        (S.READY, Phase.FAILED, S.FAILED),
        (S.READY, Phase.CANCELLED, S.NEEDS_DECISION),
        (S.READY, Phase.UNKNOWN, S.READY),
        (S.CLEANING_UP, Phase.RUNNING, S.CLEANING_UP),
        (S.CLEANING_UP, Phase.READY, S.READY),
        (S.CLEANING_UP, Phase.COMPLETED, S.COMPLETED),
        (S.CLEANING_UP, Phase.PARTIAL, S.COMPLETED),
        (S.CLEANING_UP, Phase.FAILED, S.FAILED),
        (S.CLEANING_UP, Phase.CANCELLED, S.NEEDS_DECISION),
        (S.CLEANING_UP, Phase.UNKNOWN, S.CLEANING_UP),
    ],
)
def test_a_run_goes_where_cdm_says_its_session_has_gone(
    world: World, state: RunState, phase: Phase, expected: RunState
) -> None:
    in_state(world, state)
    world.next_turn()
    become(world, phase)
    for _ in range(3):
        world.next_turn()
    run = world.run()
    assert run.state is expected
    assert run.cdm_status == world.cdm.shown[run.job_session_id or ""].status
    assert run.with_warnings == (phase is Phase.PARTIAL)


def test_times_and_percent_are_kept(world: World) -> None:
    run = world.restoring()
    become(world, Phase.RUNNING, percent=40)
    world.next_turn()
    assert world.run().percent == 40
    become(world, Phase.READY, percent=100)
    run = world.go_on(S.READY)
    assert run.ready_at is not None
    assert run.started_at is not None
    assert run.ended_at is None
    become(world, Phase.COMPLETED)
    run = world.go_on(S.COMPLETED)
    assert run.ended_at is not None
    assert run.started_at <= run.ready_at <= run.ended_at
    assert run.due_at is None


def test_a_failure_keeps_cdms_own_words(world: World) -> None:
    world.restoring()
    become(world, Phase.FAILED, results="No copy of volume sql_data could be mapped")
    assert world.go_on(S.FAILED).error == "No copy of volume sql_data could be mapped"


def test_another_session_of_the_job_changes_nothing(world: World) -> None:
    """I6: nothing reads ready or completed unless CDM said so of that session."""
    world.restoring()
    world.cdm.add_session(Phase.READY)
    world.cdm.add_session(Phase.COMPLETED)
    for _ in range(20):
        world.next_turn()
    assert world.run().state is S.RESTORING


def test_make_permanent_passes_through_resource_active(world: World) -> None:
    world.cdm.jobs[JOB_ID].make_permanent = True
    world.restoring()
    become(world, Phase.READY)
    for _ in range(10):
        world.next_turn()
    assert world.run().state is S.RESTORING
    become(world, Phase.COMPLETED)
    run = world.go_on(S.COMPLETED)
    assert "ready" not in world.states()
    assert run.ready_at is None


def test_a_make_permanent_that_hangs_in_resource_active_can_be_cleaned_up(world: World) -> None:
    """It stays so for ever where it failed (cdm §4): I4 wants a way out."""
    world.cdm.jobs[JOB_ID].make_permanent = True
    world.restoring()
    become(world, Phase.READY)
    world.next_turn()
    assert "clean-up" in actions.available(world.run())
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CLEANING_UP)
    become(world, Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert world.cdm.count("clean_up") == 1


def test_a_followed_foreign_session_of_a_permanent_job_passes_through_too(world: World) -> None:
    world.cdm.jobs[JOB_ID].make_permanent = True
    foreign = world.cdm.add_session(Phase.READY)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "follow", None, by="ann", now=world.now)
    world.go_on(S.RESTORING)
    world.turn(10)
    assert world.run().state is S.RESTORING
    world.cdm.become(foreign, Phase.COMPLETED)
    world.go_on(S.COMPLETED)


def test_only_another_word_than_pending_shows_that_a_restore_ran(world: World) -> None:
    """PENDING means one thing before a restore ran and another while it is mounted."""
    world.restoring()
    become(world, Phase.RUNNING, status="Pending ")
    for _ in range(3):
        world.turn(60)
    assert world.cdm.was_running[-3:] == [False] * 3
    become(world, Phase.RUNNING)
    for _ in range(2):
        world.turn(60)
    assert world.cdm.was_running[-1] is True


# --- unknown words ----------------------------------------------------------------------------


def test_an_unknown_word_is_shown_and_watched(world: World) -> None:
    world.restoring()
    become(world, Phase.UNKNOWN, status="PONDERING")
    for _ in range(20):
        world.next_turn()
    run = world.run()
    assert (run.state, run.cdm_status) == (S.RESTORING, "PONDERING")
    become(world, Phase.READY)
    world.go_on(S.READY)


@pytest.mark.parametrize("state", [S.RESTORING, S.READY, S.CLEANING_UP])
def test_an_unknown_word_leads_to_a_person_in_the_end(world: World, state: RunState) -> None:
    in_state(world, state)
    become(world, Phase.UNKNOWN, status="PONDERING")
    began = world.now
    run = world.go_on(S.NEEDS_DECISION)
    assert "PONDERING" in (run.error or "")
    assert timedelta(minutes=58) <= world.now - began <= timedelta(minutes=65)


def test_unknown_words_with_known_ones_between_are_not_added_up(world: World) -> None:
    world.restoring()
    for _ in range(4):
        become(world, Phase.UNKNOWN)
        for _ in range(60):
            world.turn(30)
        become(world, Phase.RUNNING)
        world.turn(60)
    assert world.run().state is S.RESTORING


@pytest.mark.parametrize("job_is_gone", [True, False])
def test_an_unknown_word_of_a_session_that_has_ended_is_shown_to_a_person(
    world: World, job_is_gone: bool
) -> None:
    world.restoring()
    become(world, Phase.UNKNOWN, status="PONDERED", end=CDM_TIME)
    if job_is_gone:
        world.cdm.jobs.clear()
    world.turn(60)
    run = world.run()
    assert run.state is S.NEEDS_DECISION
    assert "PONDERED" in (run.error or "")


def test_a_session_with_an_unknown_word_whose_job_is_busy_is_watched(world: World) -> None:
    world.restoring()
    become(world, Phase.UNKNOWN, end=CDM_TIME)
    world.cdm.change_job(busy=True)
    world.turn(60)
    assert world.run().state is S.RESTORING


@pytest.mark.parametrize(
    ("state", "ask", "verb"),
    [
        (S.RESTORING, actions.ACTIONS["cancel"].do, "cancel"),
        (S.READY, actions.ACTIONS["clean-up"].do, "clean_up"),
    ],
)
def test_what_a_person_asks_is_sent_under_an_unknown_word_too(
    world: World, state: RunState, ask: object, verb: str
) -> None:
    in_state(world, state)
    become(world, Phase.UNKNOWN)
    ask(world.store, 1, by="ann", now=world.now)  # type: ignore[operator]
    world.turn(1)
    assert world.cdm.count(verb) == 1


# --- a session that is gone, contact that is lost ---------------------------------------------


@pytest.mark.parametrize("state", [S.RESTORING, S.READY, S.CLEANING_UP])
def test_a_session_gone_three_times_over_is_shown_to_a_person(
    world: World, state: RunState
) -> None:
    run = in_state(world, state)
    world.cdm.vanish(run.job_session_id or "")
    for _ in range(2):
        world.turn(60)
        assert world.run().state is state
    world.turn(60)
    assert world.run().state is S.NEEDS_DECISION
    assert run.job_session_id in (world.run().error or "")


def test_a_session_that_is_found_in_the_list_is_not_gone(world: World) -> None:
    world.restoring()
    world.cdm.fail("session", NotFound("no such path"), times=20)
    for _ in range(10):
        world.turn(60)
    assert world.run().state is S.RESTORING
    become(world, Phase.READY)
    world.go_on(S.READY)


def test_a_session_not_found_while_the_list_is_unreadable_is_lost_contact(world: World) -> None:
    run = world.restoring()
    world.cdm.vanish(run.job_session_id or "")
    world.cdm.fail("sessions", Unknown("502"), times=20)
    for _ in range(10):
        world.turn(60)
    run = world.run()
    assert run.state is S.RESTORING
    assert run.contact_lost_since is not None


def test_only_three_in_a_row_count(world: World) -> None:
    run = world.restoring()
    session = world.cdm.shown[run.job_session_id or ""]
    for _ in range(3):
        world.cdm.vanish(session.id)
        world.turn(60)
        world.turn(60)
        world.cdm.shown[session.id] = session
        world.turn(60)
    world.cdm.become(session.id, Phase.READY)
    world.turn(60)
    world.cdm.vanish(session.id)
    world.turn(60)
    assert world.run().state is S.READY


@pytest.mark.parametrize("state", [S.RESTORING, S.READY, S.CLEANING_UP])
@pytest.mark.parametrize("error", [Unreachable("no route"), LoginRefused("no"), Unknown("502")])
def test_lost_contact_is_an_attribute_and_never_a_state(
    world: World, state: RunState, error: CopyManagerError
) -> None:
    in_state(world, state)
    world.cdm.down = error
    world.turn(60)
    lost_at = world.now
    for _ in range(500):
        world.turn(60)
    run = world.run()
    assert run.state is state
    assert run.contact_lost_since == lost_at
    assert str(error) in (run.error or "")
    assert world.store.connections.contact(world.connection.id).error == str(error)
    world.cdm.down = None
    world.turn(60)
    run = world.run()
    assert (run.contact_lost_since, run.error) == (None, None)
    assert world.store.connections.contact(world.connection.id).error is None


def test_a_lost_contact_is_looked_for_in_growing_gaps_of_a_minute_at_most(world: World) -> None:
    world.restoring()
    world.cdm.down = Unreachable("down")
    gaps = []
    world.turn(60)
    for _ in range(9):
        due_at = world.run().due_at
        assert due_at is not None
        gaps.append((due_at - world.now).total_seconds())
        world.turn(gaps[-1])
    assert gaps == sorted(gaps)
    assert gaps[-1] == 60
    assert gaps[0] <= 2


# --- the cadence ------------------------------------------------------------------------------


def test_cdm_is_asked_at_1_2_4_8_then_every_10_s_then_every_minute(world: World) -> None:
    world.start_run()
    world.turn()
    began, asked = world.now, []
    for _ in range(900):
        before = len(world.cdm.calls)
        world.turn(1)
        world.turn()  # the look that finds the session is followed by one at it
        if len(world.cdm.calls) > before:
            asked.append(int((world.now - began).total_seconds()))
    assert asked[:6] == [1, 2, 4, 8, 18, 28]
    tens = [b - a for a, b in zip(asked, asked[1:], strict=False) if 10 < a < 590]
    assert set(tens) == {10}
    minutes = [b - a for a, b in zip(asked, asked[1:], strict=False) if a > 620]
    assert set(minutes) == {60}


def test_a_mounted_copy_is_looked_at_every_minute(world: World) -> None:
    world.ready()
    due_at = world.run().due_at
    assert due_at is not None
    assert (due_at - world.now).total_seconds() == 60


# --- the job log ------------------------------------------------------------------------------


def messages(world: World) -> list[str]:
    return [line.message for line in world.store.runs.log(1)]


def test_the_log_is_read_as_it_grows_each_line_once(world: World) -> None:
    run = world.restoring()
    session = run.job_session_id or ""
    expected = []
    for number in range(120):
        world.cdm.write_log(session, f"line {number:03}")
        expected.append(f"line {number:03}")
        world.turn(60)
        assert sorted(messages(world)) == expected


def test_only_the_new_end_of_a_long_log_is_asked_for(world: World) -> None:
    run = world.restoring()
    world.cdm.write_log(run.job_session_id or "", *(f"line {n:04}" for n in range(1000)))
    world.turn(60)
    world.turn(60)
    assert len(messages(world)) == 1000
    assert world.cdm.skips[-1] == 950


def test_a_line_that_arrives_late_is_kept(world: World) -> None:
    run = world.restoring()
    session = run.job_session_id or ""
    world.cdm.write_log(session, *(f"line {n}" for n in range(30)))
    world.turn(60)
    world.cdm.write_log(session, "late", at=10)
    world.turn(60)
    assert messages(world).count("late") == 1
    assert len(messages(world)) == 31


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (Phase.READY, S.READY),
        (Phase.COMPLETED, S.COMPLETED),
        (Phase.FAILED, S.FAILED),
        (Phase.CANCELLED, S.CANCELLED),
    ],
)
def test_the_log_is_read_to_its_end_before_a_resting_or_final_state(
    world: World, phase: Phase, state: RunState
) -> None:
    """Even what arrived very late, far before the end of what was read."""
    run = world.restoring()
    session = run.job_session_id or ""
    world.cdm.write_log(session, *(f"line {n}" for n in range(200)))
    world.turn(60)
    world.cdm.write_log(session, "very late", at=0)
    world.cdm.write_log(session, "last")
    become(world, phase)
    world.go_on(state)
    assert {"very late", "last"} <= set(messages(world))
    assert len(messages(world)) == 202


def test_a_log_longer_than_one_answer_is_read_to_its_end_too(world: World) -> None:
    run = world.restoring()
    world.cdm.most_lines = 100
    world.cdm.write_log(run.job_session_id or "", *(f"line {n:04}" for n in range(950)))
    become(world, Phase.FAILED)
    world.go_on(S.FAILED)
    assert messages(world)[-1] == "line 0949"
    assert len(messages(world)) == 950


def test_a_cdm_that_shows_the_same_lines_whatever_is_asked_is_not_read_for_ever(
    world: World,
) -> None:
    run = world.restoring()
    world.cdm.write_log(run.job_session_id or "", "one", "two")
    world.cdm.ignores_skip = True
    become(world, Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert messages(world) == ["one", "two"]


def test_a_log_that_is_unreadable_for_a_moment_is_read_after_the_end(world: World) -> None:
    run = world.restoring()
    world.cdm.write_log(run.job_session_id or "", "the cause")
    world.cdm.fail("log", Unknown("502"), times=2)
    become(world, Phase.FAILED)
    world.turn(1)
    assert world.run().state is S.FAILED
    assert messages(world) == []
    for _ in range(4):
        world.turn(31)
    assert messages(world) == ["the cause"]
    assert not world.store.unread_logs.of_connection(world.connection.id)


@pytest.mark.parametrize(
    ("phase", "readable", "left"),
    [(Phase.FAILED, True, 0), (Phase.FAILED, False, 1), (Phase.READY, False, 0)],
)
def test_only_the_unread_log_of_an_ended_run_is_left_for_later(
    world: World, phase: Phase, readable: bool, left: int
) -> None:
    """Any other run's is read with its next look."""
    run = world.restoring()
    world.cdm.fail("log", *([] if readable else [Unknown("502")]))
    become(world, phase)
    world.engine.advance(run, world.now)
    assert len(world.store.unread_logs.of_connection(world.connection.id)) == left


def test_the_log_of_an_ended_run_is_not_asked_for_for_ever(world: World) -> None:
    world.restoring()
    world.cdm.fail("log", Unknown("502"), times=1000)
    become(world, Phase.FAILED)
    for _ in range(100):
        world.turn(60)
    assert world.cdm.count("log") < 30
    assert not world.store.unread_logs.of_connection(world.connection.id)


def test_a_whole_log_that_could_not_be_read_before_a_rest_is_read_after_it(world: World) -> None:
    """Even the line that arrived late, far before the end of what was read."""
    run = world.restoring()
    session = run.job_session_id or ""
    world.cdm.write_log(session, *(f"line {n}" for n in range(200)))
    world.turn(60)
    world.cdm.write_log(session, "very late", at=0)
    world.cdm.fail("log", Unknown("502"))
    become(world, Phase.READY)
    world.turn(60)
    assert world.run().state is S.READY
    assert "very late" not in messages(world)
    world.turn(60)
    assert "very late" in messages(world)


def test_an_unreadable_log_does_not_hide_a_restored_copy(world: World) -> None:
    world.restoring()
    world.cdm.fail("log", Unknown("502 in the log"), times=100)
    become(world, Phase.READY)
    began = world.now
    run = world.go_on(S.READY)
    assert run.ready_at == began
    assert "502 in the log" in world.store.runs.transitions(1)[-1].reason


def hang(world: World, *verbs: str, seconds: float) -> None:
    """Let these calls take so long."""

    def take_long(point: str) -> None:
        if any(point == f"{verb} is sent" for verb in verbs):
            world.pass_time(seconds)

    world.cdm.hook = take_long


def test_a_hanging_log_holds_up_neither_a_start_nor_a_state(world: World) -> None:
    """Four runs whose logs hang, each call for its limit; then a new run, and one that is ready."""
    jobs = ["2000", "2001", "2002", "2003"]
    for job_id in jobs:
        world.cdm.add_job(job_id, f"Job {job_id}")
        world.trigger(
            make_mapping(world.store, world.connection, job_id=job_id, job_name=f"Job {job_id}")
        )
    for _ in range(3):
        world.turn(1)
    assert {run.state for run in world.store.runs.list()} == {S.RESTORING}
    world.cdm.fail("log", Unknown("no answer"), times=1000)
    hang(world, "log", seconds=4.0)
    world.turn(30)
    began, before = world.now, world.cdm.count("log")
    world.start_run()
    world.turn()
    assert world.run(5).state is S.STARTING
    assert world.now == began
    for session_id in world.cdm.ours[:4]:
        world.cdm.become(session_id, Phase.READY)
    world.turn(10)
    assert [world.run(number).state for number in range(1, 5)] == [S.READY] * 4
    assert world.now == began + timedelta(seconds=10)
    assert world.cdm.count("log") == before


@pytest.mark.parametrize("during", ["session", "log"])
def test_a_start_that_comes_while_others_are_looked_at_does_not_wait_for_them(
    world: World, during: str
) -> None:
    for job_id in ("2000", "2001", "2002"):
        world.cdm.add_job(job_id, f"Job {job_id}")
        world.trigger(
            make_mapping(world.store, world.connection, job_id=job_id, job_name=f"Job {job_id}")
        )
    for _ in range(3):
        world.turn(1)

    def come(point: str) -> None:
        if point == f"{during} answered":
            world.cdm.hook = lambda _: None
            world.cdm.calls.clear()
            world.start_run()

    world.cdm.hook = come
    world.pass_time(30)
    assert world.engine.work(world.connection.id, world.now) == world.now
    assert world.cdm.calls == []
    world.turn()
    assert world.cdm.calls[0] == ("job", JOB_ID)
    assert world.run(4).state is S.STARTING


@pytest.mark.parametrize("verb", ["makes_permanent", "copy_to_restore", "log"])
def test_nothing_that_is_nice_to_know_is_asked_before_a_start(world: World, verb: str) -> None:
    world.start_run()
    hang(world, verb, seconds=10.0)
    began = world.now
    world.turn()
    assert (world.run().state, world.now) == (S.STARTING, began)


def test_whether_a_copy_becomes_permanent_is_asked_three_times_and_then_taken_as_no(
    world: World,
) -> None:
    world.cdm.jobs[JOB_ID].make_permanent = True
    world.cdm.fail("makes_permanent", Unknown("no answer"), times=100)
    world.restoring()
    for _ in range(10):
        world.turn(60)
    become(world, Phase.READY)
    world.turn(60)
    assert world.run().state is S.READY
    assert world.cdm.count("makes_permanent") == 3


def test_a_policy_that_can_be_read_again_counts(world: World) -> None:
    world.cdm.jobs[JOB_ID].make_permanent = True
    world.cdm.fail("makes_permanent", Unknown("no answer"), times=2)
    world.restoring()
    for _ in range(4):
        world.turn(60)
    become(world, Phase.READY)
    world.turn(60)
    assert world.run().state is S.RESTORING


def test_a_clean_up_asked_during_a_turn_is_done_in_the_next(world: World) -> None:
    """A mounted copy is looked at once a minute; who asks meanwhile doesn't wait for that."""
    run = world.ready()

    def ask_once(point: str) -> None:
        if point == "log answered":
            world.cdm.hook = lambda _: None
            actions.ACTIONS["clean-up"].do(world.store, run.id, by="ann", now=world.now)

    world.cdm.hook = ask_once
    world.turn(60)

    assert world.run().due_at == world.now


def test_a_cancel_asked_while_our_session_is_looked_for_is_seen_in_the_next_turn(
    world: World,
) -> None:
    world.cdm.appear_after = 1
    world.start_run()
    world.turn()

    def ask_once(point: str) -> None:
        if point == "sessions answered":
            world.cdm.hook = lambda _: None
            actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)

    world.cdm.hook = ask_once
    world.turn(1)
    assert (world.run().state, world.run().due_at) == (S.STARTING, world.now)


# --- cancel -----------------------------------------------------------------------------------


def test_a_cancel_is_sent_once_and_believed_when_cdm_says_so(world: World) -> None:
    world.restoring()
    world.cdm.cancel_works = False
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    for _ in range(10):
        world.next_turn()
    assert (world.run().state, world.cdm.count("cancel")) == (S.RESTORING, 1)
    become(world, Phase.CANCELLED)
    world.go_on(S.CANCELLED)
    reason = world.store.runs.transitions(1)[-1].reason
    assert reason == "the job session was cancelled in CDM"


def test_a_cancel_that_was_refused_is_told_until_the_run_goes_on(world: World) -> None:
    world.restoring()
    error = Refused("not supported")
    world.cdm.fail("cancel", error)
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    for _ in range(5):
        world.next_turn()
    run = world.run()
    assert run.state is S.RESTORING
    assert str(error) in (run.error or "")
    assert run.pending_request is None
    assert "cancel" in actions.available(run)


def test_a_cancel_whose_answer_was_lost_is_sent_again_on_proof_that_it_had_no_effect(
    world: World,
) -> None:
    world.restoring()
    world.cdm.fail("cancel", Unknown("no answer"))
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    for _ in range(11):
        world.turn(10)
    run = world.run()
    assert (run.state, world.cdm.count("cancel")) == (S.RESTORING, 1)
    assert (run.pending_request, run.error) == (
        "cancel",
        "The cancel was not confirmed: no answer",
    )
    world.go_on(S.CANCELLED)
    assert world.cdm.count("cancel") == 2
    assert "asked 2 times" in world.store.runs.transitions(1)[-1].reason


def test_a_cancel_without_effect_is_sent_three_times_at_most(world: World) -> None:
    world.restoring()
    world.cdm.fail("cancel", Unknown("no answer"), times=100)
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    for _ in range(200):
        world.next_turn()
    run = world.run()
    assert (run.state, run.pending_request) == (S.RESTORING, None)
    assert world.cdm.count("cancel") == 3
    assert run.error == "Not cancelled: the cancel had no effect, although CDM was asked 3 times."
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    assert world.cdm.count("cancel") == 4


@pytest.mark.parametrize("status", ["CANCELLING", "canceling"])
def test_a_cancel_whose_effect_shows_is_not_sent_again(world: World, status: str) -> None:
    world.restoring()
    world.cdm.cancel_works = False
    world.cdm.fail("cancel", Unknown("no answer"), with_effect=True)
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    become(world, Phase.RUNNING, status=status)
    for _ in range(60):
        world.turn(10)
    assert world.cdm.count("cancel") == 1
    assert (world.run().pending_request, world.run().error) == (None, None)


@pytest.mark.parametrize("trouble", ["unreadable", "unknown word"])
def test_only_time_in_which_cdm_shows_it_running_proves_that_a_cancel_had_no_effect(
    world: World, trouble: str
) -> None:
    world.restoring()
    world.cdm.fail("cancel", Unknown("no answer"))
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    if trouble == "unreadable":
        world.cdm.down = Unreachable("down")
    else:
        become(world, Phase.UNKNOWN)
    for _ in range(60):
        world.turn(10)
    world.cdm.down = None
    become(world, Phase.RUNNING)
    for _ in range(6):
        world.turn(10)
    assert world.cdm.count("cancel") == 1


def test_a_second_cancel_that_was_never_sent_does_not_count(world: World) -> None:
    world.restoring()
    world.cdm.fail("cancel", Unknown("no answer"), *[Unreachable("down")] * 5, Unknown("no answer"))
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CANCELLED)
    assert "asked 3 times" in world.store.runs.transitions(1)[-1].reason


def test_a_cancel_that_was_never_sent_is_sent_again(world: World) -> None:
    world.restoring()
    world.cdm.fail("cancel", Unreachable("down"), times=3)
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CANCELLED)
    assert world.cdm.count("cancel") == 4


def test_a_cancel_that_comes_too_late_says_so(world: World) -> None:
    world.restoring()
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    become(world, Phase.READY)
    world.go_on(S.READY)
    world.turn(60)
    run = world.run()
    assert run.state is S.READY
    assert "Not cancelled" in (run.error or "")
    assert run.pending_request is None
    assert world.cdm.count("cancel") == 0


# --- clean-up ---------------------------------------------------------------------------------


def test_a_clean_up_goes_to_the_end_that_cdm_names(world: World) -> None:
    world.ready()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    run = world.go_on(S.CLEANING_UP)
    assert world.store.runs.transitions(1)[-1].by == "ann"
    for _ in range(5):
        world.next_turn()
    assert world.run().state is S.CLEANING_UP
    become(world, Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert world.cdm.calls.count(("clean_up", run.job_session_id or "")) == 1


@pytest.mark.parametrize("error", [Refused("not yours"), Unreachable("down")])
def test_a_clean_up_that_was_not_accepted_leaves_the_copy_ready(
    world: World, error: CopyManagerError
) -> None:
    world.ready()
    world.cdm.fail("clean_up", error)
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    run = world.run()
    assert run.state is S.READY
    assert str(error) in (run.error or "")
    assert "clean-up" in actions.available(run)
    world.turn(60)
    assert str(error) in (world.run().error or "")


def test_a_clean_up_whose_answer_was_lost_is_watched(world: World) -> None:
    world.ready()
    world.cdm.fail("clean_up", Unknown("no answer"), with_effect=True)
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CLEANING_UP)
    world.next_turn()
    assert world.run().pending_request is None
    become(world, Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert world.cdm.count("clean_up") == 1


def test_a_clean_up_whose_answer_was_lost_is_sent_again_on_proof_that_it_had_no_effect(
    world: World,
) -> None:
    world.ready()
    world.cdm.fail("clean_up", Unknown("no answer"))
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CLEANING_UP)
    for _ in range(11):
        world.turn(10)
    assert (world.run().state, world.cdm.count("clean_up")) == (S.CLEANING_UP, 1)
    world.turn(10)
    world.go_on(S.READY, S.CLEANING_UP)
    world.turn(1)
    assert world.cdm.count("clean_up") == 2
    become(world, Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    steps = world.store.runs.transitions(1)[-4:]
    assert [str(step.to_state) for step in steps] == [
        *("cleaning_up", "ready", "cleaning_up", "completed")
    ]
    assert "answer to the clean-up was lost" in steps[1].reason
    assert (steps[2].reason, steps[2].by) == (
        "clean-up is asked of CDM again (attempt 2 of at most 3)",
        "ann",
    )


def test_a_clean_up_without_effect_is_sent_three_times_at_most(world: World) -> None:
    world.ready()
    world.cdm.fail("clean_up", Unknown("no answer"), times=100)
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    for _ in range(200):
        world.next_turn()
    run = world.run()
    assert (run.state, run.pending_request, world.cdm.count("clean_up")) == (S.READY, None, 3)
    assert "no effect" in (run.error or "")
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    assert world.cdm.count("clean_up") == 4
    assert world.store.runs.transitions(1)[-1].reason == "clean-up is asked of CDM"


def test_a_clean_up_that_cdm_has_answered_is_not_sent_again(world: World) -> None:
    world.cdm.clean_up_works = False
    in_state(world, S.CLEANING_UP)
    assert "no effect" in (world.go_on(S.READY).error or "")
    for _ in range(60):
        world.next_turn()
    assert (world.run().state, world.cdm.count("clean_up")) == (S.READY, 1)


def test_a_clean_up_whose_effect_has_shown_is_not_sent_again(world: World) -> None:
    """It ran, and the copy is there all the same: CDM has tried, a person sees."""
    world.ready()
    world.cdm.fail("clean_up", Unknown("no answer"), with_effect=True)
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CLEANING_UP)
    world.next_turn()
    become(world, Phase.READY)
    world.go_on(S.READY)
    for _ in range(60):
        world.next_turn()
    assert (world.run().state, world.cdm.count("clean_up")) == (S.READY, 1)


@pytest.mark.parametrize("end", ["gone", "cancelled", "unknown word"])
def test_a_clean_up_that_was_sent_does_not_outlive_the_question_to_a_person(
    world: World, end: str
) -> None:
    """Whoever follows the session afterwards must not find it cleaned up by an old request."""
    world.ready()
    world.cdm.fail("clean_up", Unknown("no answer"))
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    run = world.go_on(S.CLEANING_UP)
    session = world.cdm.shown[run.job_session_id or ""]
    match end:
        case "gone":
            world.cdm.vanish(session.id)
        case "cancelled":
            become(world, Phase.CANCELLED)
        case _:
            become(world, Phase.UNKNOWN)
    world.go_on(S.NEEDS_DECISION)
    assert not world.store.runs.requests(1)


def test_only_time_in_which_cdm_could_be_read_proves_that_a_clean_up_had_no_effect(
    world: World,
) -> None:
    world.ready()
    world.cdm.fail("clean_up", Unknown("no answer"))
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CLEANING_UP)
    world.cdm.down = Unreachable("down")
    for _ in range(60):
        world.turn(60)
    world.cdm.down = None
    for _ in range(6):
        world.turn(10)
    assert (world.run().state, world.cdm.count("clean_up")) == (S.CLEANING_UP, 1)


def test_a_clean_up_that_runs_and_leaves_the_copy_there_had_no_effect(world: World) -> None:
    in_state(world, S.CLEANING_UP)
    world.next_turn()
    become(world, Phase.READY)
    began = world.now
    run = world.go_on(S.READY)
    assert (world.now - began).total_seconds() < 60
    assert "no effect" in (run.error or "")


def test_a_process_that_was_away_gives_the_clean_up_its_time(world: World) -> None:
    world.cdm.clean_up_works = False
    in_state(world, S.CLEANING_UP)
    world.turn(7200)
    world.turn(10)
    assert world.run().state is S.CLEANING_UP
    world.go_on(S.READY)


def test_a_clean_up_begun_in_cdm_itself_is_followed(world: World) -> None:
    world.ready()
    become(world, Phase.RUNNING)
    world.go_on(S.CLEANING_UP)
    become(world, Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert world.cdm.count("clean_up") == 0


def test_a_session_cancelled_while_mounted_is_shown_to_a_person(world: World) -> None:
    world.ready()
    become(world, Phase.CANCELLED)
    run = world.go_on(S.NEEDS_DECISION)
    assert "cancelled" in (run.error or "")
    choices = actions.available(run)
    assert "give_up" in choices
    assert "not_started" not in choices


# --- what can be asked when -------------------------------------------------------------------


def test_what_can_be_asked_in_each_state(world: World) -> None:
    assert set(actions.available(world.start_run())) == {"cancel"}
    world.turn()
    assert set(actions.available(world.run())) == {"cancel"}
    world.go_on(S.RESTORING)
    assert set(actions.available(world.run())) == {"cancel"}
    become(world, Phase.READY)
    world.go_on(S.READY)
    assert set(actions.available(world.run())) == {"clean-up"}
    with pytest.raises(actions.NotPossible):
        actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    assert actions.available(world.run()) == {}
    world.go_on(S.CLEANING_UP)
    with pytest.raises(actions.NotPossible):
        actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    become(world, Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert actions.available(world.run()) == {}


def test_a_queued_run_is_cancelled_at_once(world: World) -> None:
    world.start_run()
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    run = world.run()
    assert run.state is S.CANCELLED
    world.turn(60)
    assert not world.cdm.calls
    last = world.store.runs.transitions(1)[-1]
    assert (last.by, last.to_state) == ("ann", S.CANCELLED)


def test_a_run_that_is_not_there_cannot_be_asked(world: World) -> None:
    for ask in (actions.ACTIONS["cancel"].do, actions.ACTIONS["clean-up"].do):
        with pytest.raises(NoSuchRun):
            ask(world.store, 99, by="ann", now=world.now)
    with pytest.raises(NoSuchRun):
        actions.resolve(world.store, 99, "give_up", None, by="ann", now=world.now)


def test_a_decision_must_be_a_known_one_and_fit_the_run(world: World) -> None:
    world.start_run()
    with pytest.raises(actions.UnknownDecision):
        actions.resolve(world.store, 1, "pray", None, by="ann", now=world.now)
    with pytest.raises(actions.NotPossible):
        actions.resolve(world.store, 1, "give_up", None, by="ann", now=world.now)
    world.cdm.change_job(is_restore=False)
    world.go_on(S.NEEDS_DECISION)
    for decision in ("follow", "clean_up_and_start", "started"):
        with pytest.raises(actions.NotPossible):
            actions.resolve(world.store, 1, decision, None, by="ann", now=world.now)


def test_a_run_of_another_connection_is_left_alone(world: World) -> None:
    """A lane moves only the runs of its own connection."""
    other = make_connection(world.store)
    world.trigger(make_mapping(world.store, other))
    world.turn()
    assert world.run().state is S.QUEUED


@pytest.mark.step_fails
def test_a_step_that_fails_does_not_stop_the_others_of_its_lane(world: World) -> None:
    world.cdm.add_job("2000", "Another job")
    world.start_run()
    world.trigger(
        make_mapping(world.store, world.connection, job_id="2000", job_name="Another job")
    )

    def fail(point: str) -> None:
        if point == "job is sent" and not world.cdm.calls:
            world.cdm.calls.append(("broken", ""))
            raise ZeroDivisionError

    world.cdm.hook = fail
    world.turn()
    assert world.run(1).state is S.QUEUED
    assert world.run(2).state is S.STARTING
    world.turn(60)
    assert world.run(1).state is S.STARTING


# --- a job session that a person chose ----------------------------------------------------------


def test_a_session_that_a_person_follows_has_an_hour_under_an_unknown_word_of_its_own(
    world: World,
) -> None:
    session = world.restoring().job_session_id or ""
    world.cdm.become(session, Phase.UNKNOWN)
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "started", session, by="ann", now=world.now)
    for _ in range(10):
        world.next_turn()
    assert world.run().state is S.RESTORING


def test_the_log_of_another_session_is_read_from_its_beginning(world: World) -> None:
    first = world.restoring().job_session_id or ""
    world.cdm.write_log(first, *(f"line {number}" for number in range(200)))
    world.turn(60)
    world.cdm.vanish(first)
    world.go_on(S.NEEDS_DECISION)
    other = world.cdm.add_session()
    world.cdm.write_log(other, "the very first line")
    actions.resolve(world.store, 1, "started", other, by="ann", now=world.now)
    world.go_on(S.RESTORING)
    world.turn(60)
    assert "the very first line" in {line.message for line in world.store.runs.log(1)}
