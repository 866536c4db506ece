# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The engine's steps in detail: what is said, when the next look is due, what is forgotten."""

from datetime import UTC, datetime

import pytest

from app.restore import actions
from app.restore.model import (
    Busy,
    Mode,
    NothingSent,
    Outcome,
    Phase,
    Refused,
    RunState,
    Unknown,
    Unreachable,
)
from tests.restore.world import World

S = RunState
CDM_TIME = datetime(1999, 2, 1, tzinfo=UTC)
NO_ANSWER = Unknown("The answer was lost.")


def due_in(world: World) -> float:
    due_at = world.run().due_at
    assert due_at is not None
    return (due_at - world.now).total_seconds()


def reasons(world: World) -> list[str]:
    return [step.reason for step in world.store.runs.transitions(1)]


def become(world: World, phase: Phase, **changes: object) -> None:
    world.cdm.become(world.run().job_session_id or "", phase, **changes)


# --- before the start -------------------------------------------------------------------------


def test_a_run_that_is_to_be_only_observed_waits_for_nothing(world: World) -> None:
    world.cdm.add_session()
    world.start_run()
    world.store.settings.set_mode(Mode.OBSERVE, by="ann", now=world.now)
    world.turn()
    assert world.run().state is S.OBSERVED
    assert world.run().dry_run


def test_the_last_second_of_the_wait_for_a_busy_job_is_the_900th(world: World) -> None:
    world.cdm.add_session()
    world.start_run()
    world.turn()
    for _ in range(15):
        assert world.run().state is S.QUEUED
        world.turn(60)
    assert world.run().state is S.NEEDS_DECISION


def test_a_busy_job_is_looked_at_every_10_s_and_waited_for_in_the_899th_second_too(
    world: World,
) -> None:
    world.cdm.add_session()
    world.start_run()
    world.turn()
    assert due_in(world) == 10
    for _ in range(14):
        world.turn(60)
    world.turn(59)
    assert (world.run().state, due_in(world)) == (S.QUEUED, 10)
    world.turn(10)
    assert world.run().state is S.NEEDS_DECISION


def test_no_more_than_twenty_sessions_are_shown_to_the_person_who_decides(world: World) -> None:
    sessions = [world.cdm.add_session() for _ in range(21)]
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    assert [one.id for one in world.run().memory.seen] == sessions[:20]


def test_the_last_second_of_the_wait_for_a_job_that_answers_busy_is_the_900th(
    world: World,
) -> None:
    world.cdm.fail("start", Busy("Job 1044 is running."), times=1000)
    world.start_run()
    world.turn()
    for _ in range(15):
        assert world.run().state is S.QUEUED
        world.turn(60)
    assert world.run().state is S.NEEDS_DECISION


def test_what_stood_in_the_way_is_forgotten_with_the_start(world: World) -> None:
    foreign = world.cdm.add_session()
    world.start_run()
    world.turn()
    assert world.run().blocked_by == foreign
    assert world.run().memory.seen
    world.cdm.become(foreign, Phase.COMPLETED)
    world.turn(10)
    run = world.run()
    assert (run.state, run.blocked_by) == (S.STARTING, None)
    assert not run.memory.seen


def test_a_chosen_clean_up_is_forgotten_with_the_start(world: World) -> None:
    foreign = world.cdm.add_session(Phase.READY)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    world.turn(1)
    world.cdm.become(foreign, Phase.COMPLETED)
    world.go_on(S.STARTING)
    assert world.run().memory.clean_first is None


def test_a_start_without_effect_is_tried_again_after_2_4_and_8_s(world: World) -> None:
    world.cdm.fail("start", NothingSent("no route"), times=3)
    world.start_run()
    gaps = []
    world.turn()
    for _ in range(3):
        gaps.append(due_in(world))
        world.turn(gaps[-1])
    assert gaps == [2.0, 4.0, 8.0]


def test_a_start_without_effect_says_what_kept_it(world: World) -> None:
    world.cdm.fail("start", Unreachable("no route"))
    world.start_run()
    world.turn()
    assert (world.run().state, world.run().error) == (S.QUEUED, "no route")


def test_what_kept_a_run_from_its_start_is_not_told_after_it(world: World) -> None:
    foreign = world.cdm.add_session()
    world.start_run()
    world.turn()
    assert foreign in (world.run().error or "")
    world.cdm.become(foreign, Phase.COMPLETED)
    world.turn(10)
    assert (world.run().state, world.run().error) == (S.STARTING, None)


def test_a_start_that_is_refused_as_busy_till_a_person_is_asked_was_none(world: World) -> None:
    """Whoever gives it up leaves nothing that the next trigger would have to wait for."""
    world.cdm.fail("start", Busy("Job 1044 is running."), times=1000)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "give_up", None, by="ann", now=world.now)
    assert world.trigger().outcome is Outcome.ACCEPTED


def test_a_start_without_effect_that_is_cancelled_was_none(world: World) -> None:
    world.cdm.fail("start", NothingSent("no route"))
    world.start_run()
    world.turn()
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    assert world.trigger().outcome is Outcome.ACCEPTED


def test_time_in_which_no_start_could_be_sent_is_no_time_of_a_busy_job(world: World) -> None:
    busy, unsent = Busy("Job 1044 is running."), Unreachable("no route")
    world.cdm.fail("start", busy)
    world.start_run()
    world.turn()
    for _ in range(14):  # with the last of them, 14 minutes
        world.cdm.fail("start", busy)
        world.turn(60)
    world.cdm.fail("start", unsent)
    world.turn(60)
    world.cdm.fail("start", busy)
    world.turn(60)
    assert world.run().state is S.QUEUED
    world.cdm.fail("start", busy)
    world.turn(60)
    assert world.run().state is S.NEEDS_DECISION


def test_a_run_that_nothing_kept_but_our_own_absence_names_no_obstacle(world: World) -> None:
    world.start_run()
    world.turn(2 * 3600)
    assert "obstacle" not in (world.run().error or "")


# --- looking for our session ------------------------------------------------------------------


def test_a_process_that_was_away_gives_the_session_its_time_to_show(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    for seconds in (0, 1, 60, 60):
        world.turn(seconds)
    assert world.run().state is S.STARTING


def test_a_lost_answer_is_told_while_it_is_looked_for(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.turn()
    assert "answer was lost" in (world.run().error or "")


def test_whoever_is_asked_for_a_lost_start_is_told_when_there_was_no_session(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    memory = world.go_on(S.NEEDS_DECISION).memory
    assert (memory.seen, memory.seen_at) == ((), world.now)


def test_what_was_seen_before_a_decision_is_not_told_with_the_next_question(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.turn()
    first, _ = world.cdm.add_session(), world.cdm.add_session()
    assert world.go_on(S.NEEDS_DECISION).memory.seen
    actions.resolve(world.store, 1, "started", first, by="ann", now=world.now)
    world.go_on(S.RESTORING)
    world.cdm.vanish(first)
    memory = world.go_on(S.NEEDS_DECISION).memory
    assert (memory.seen, memory.seen_at) == ((), None)


@pytest.mark.parametrize("lost", [False, True])
def test_the_history_says_how_our_session_was_found(world: World, lost: bool) -> None:
    if lost:
        world.cdm.fail("start", NO_ANSWER, with_effect=True)
    world.restoring()
    found = "the answer was lost; found in CDM" if lost else "CDM answered the start"
    assert reasons(world)[-1].endswith(found)


def test_our_session_is_looked_for_at_1_2_4_8_s_then_every_10_s(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.turn()
    gaps = []
    for _ in range(6):
        gaps.append(due_in(world))
        world.turn(gaps[-1])
    assert gaps == [1, 1, 2, 4, 10, 10]


def test_a_session_that_was_found_is_asked_for_at_once(world: World) -> None:
    world.start_run()
    world.turn()
    world.turn(1)
    assert (world.run().state, due_in(world)) == (S.RESTORING, 0)


def test_a_decision_that_was_carried_out_or_was_wrong_is_closed(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    session = world.cdm.add_session()
    for named in ("99", session):
        actions.resolve(world.store, 1, "started", named, by="ann", now=world.now)
        assert len(world.store.runs.requests(1)) == 1
        world.turn(1)
        assert not world.store.runs.requests(1)
    assert world.run().state is S.RESTORING


# --- following --------------------------------------------------------------------------------


def test_an_unknown_word_is_watched_for_an_hour_and_not_longer(world: World) -> None:
    world.restoring()
    become(world, Phase.UNKNOWN)
    world.turn(60)  # the first look: from here on it is counted
    for _ in range(60):
        assert world.run().state is S.RESTORING
        world.turn(60)
    assert world.run().state is S.NEEDS_DECISION


def test_a_clean_up_has_120_s_to_show_an_effect_and_not_longer(world: World) -> None:
    world.ready()
    world.cdm.clean_up_works = False
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn()
    for _ in range(12):
        assert world.run().state is S.CLEANING_UP
        world.turn(10)
    assert world.run().state is S.READY
    assert "no effect" in (world.run().error or "")


@pytest.mark.parametrize("phase", [Phase.CANCELLED, Phase.UNKNOWN])
def test_the_whole_log_is_read_before_a_person_is_asked(world: World, phase: Phase) -> None:
    session = world.ready().job_session_id or ""
    world.cdm.write_log(session, *(f"line {n}" for n in range(200)))
    world.turn(60)
    world.cdm.write_log(session, "very late", at=0)
    become(world, phase, end=CDM_TIME)
    asked_before: list[str] = []

    def look(point: str) -> None:
        if point == "log answered" and world.run().state is S.READY:
            asked_before.append(point)

    world.cdm.hook = look
    world.turn(60)
    assert world.run().state is S.NEEDS_DECISION
    assert "very late" in {line.message for line in world.store.runs.log(1)}
    assert asked_before


def test_what_was_wrong_before_a_rest_is_not_told_after_it(world: World) -> None:
    world.restoring()
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.cdm.fail("cancel", Refused("not allowed"))
    world.turn(10)
    assert "not confirmed" in (world.run().error or "")
    become(world, Phase.READY)
    world.go_on(S.READY)
    assert world.run().error is None


def test_a_session_that_is_not_shown_is_looked_for_again_in_a_second(world: World) -> None:
    run = world.restoring()
    world.cdm.vanish(run.job_session_id or "")
    world.turn(60)
    assert due_in(world) == 1


def test_a_clean_up_is_looked_at_quickly_however_long_the_copy_was_up(world: World) -> None:
    world.ready()
    for _ in range(80):
        world.turn(60)
    become(world, Phase.RUNNING)  # the clean-up was begun in CDM itself
    gaps = []
    world.turn(60)
    assert world.run().state is S.CLEANING_UP
    for _ in range(3):
        gaps.append(due_in(world))
        world.turn(gaps[-1])
    assert gaps == [1, 1, 2]


def test_an_unknown_word_after_a_known_one_is_counted_from_its_first_look(world: World) -> None:
    world.restoring()
    become(world, Phase.UNKNOWN)
    for _ in range(4):
        world.turn(60)
    become(world, Phase.RUNNING)
    world.turn(60)
    become(world, Phase.UNKNOWN)
    for _ in range(60):
        world.turn(60)
        assert world.run().state is S.RESTORING
    world.turn(60)
    assert world.run().state is S.NEEDS_DECISION


def test_a_mounted_session_that_is_not_shown_is_looked_for_in_a_minute(world: World) -> None:
    run = world.ready()
    world.cdm.vanish(run.job_session_id or "")
    world.turn(60)
    assert due_in(world) == 60


@pytest.mark.parametrize(
    ("phase", "changes"), [(Phase.CANCELLED, {}), (Phase.UNKNOWN, {"end": CDM_TIME})]
)
def test_whoever_is_asked_sees_what_cdm_said_last(
    world: World, phase: Phase, changes: dict[str, object]
) -> None:
    world.ready()
    become(world, phase, status="LAST WORD", **changes)
    world.turn(60)
    assert (world.run().state, world.run().cdm_status) == (S.NEEDS_DECISION, "LAST WORD")


def test_a_failure_without_words_is_told_by_its_status(world: World) -> None:
    world.restoring()
    become(world, Phase.FAILED, status="ABORTED")
    assert world.go_on(S.FAILED).error == "CDM's status is ABORTED."


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.PARTIAL])
def test_what_cdm_says_of_an_end_that_is_no_failure_is_no_error(world: World, phase: Phase) -> None:
    world.restoring()
    become(world, phase, results="4 of 4 volumes")
    assert world.go_on(S.COMPLETED).error is None


def test_how_far_cdm_is_shows_while_it_cleans_up_too(world: World) -> None:
    world.ready()
    become(world, Phase.RUNNING, percent=5)
    world.turn(60)
    assert (world.run().state, world.run().percent) == (S.CLEANING_UP, 5)
    become(world, Phase.RUNNING, percent=70)
    world.turn(10)
    assert world.run().percent == 70


def test_the_job_of_a_watched_session_is_asked_for_only_once_it_has_ended(world: World) -> None:
    world.restoring()
    become(world, Phase.UNKNOWN)
    before = world.cdm.count("job")
    world.turn(60)
    assert world.cdm.count("job") == before
