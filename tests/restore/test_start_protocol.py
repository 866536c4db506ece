# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The start protocol (architecture §4): what CDM does with the start × what we then see of it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app.restore import actions
from app.restore.model import (
    Busy,
    CopyManagerError,
    Evidence,
    LoginRefused,
    Mode,
    NotFound,
    NothingSent,
    Phase,
    Refused,
    RunState,
    Unknown,
    Unreachable,
    Untrusted,
)
from tests.factories import JOB_ID
from tests.restore.world import World

S = RunState
NO_ANSWER = Unknown("The answer was lost.")


def expect_a_decision(world: World, *words: str) -> None:
    run = world.go_on(S.NEEDS_DECISION)
    for word in words:
        assert word in (run.error or ""), run.error


# --- what CDM does with the start × what we see -----------------------------------------------


def test_an_answered_start_is_followed_as_answered(world: World) -> None:
    run = world.restoring()
    assert run.evidence is Evidence.ANSWERED
    assert run.job_session_id == world.cdm.ours[0]
    assert run.started_at is not None
    assert world.states() == ["queued", "starting", "restoring"]
    assert (world.cdm.count("start"), world.cdm.starts) == (1, 1)


def test_a_lost_answer_is_found_by_looking_and_not_sent_again(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER, with_effect=True)
    run = world.restoring()
    assert run.evidence is Evidence.FOUND
    assert run.error is None
    assert (world.cdm.count("start"), world.cdm.starts) == (1, 1)


def test_a_lost_answer_and_no_session_is_shown_to_a_person(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    expect_a_decision(world, "answer was lost", "120 s")
    assert (world.cdm.count("start"), world.cdm.starts) == (1, 0)


def test_an_answered_start_whose_session_never_appears_is_shown_to_a_person(
    world: World,
) -> None:
    world.cdm.appear_after = 10_000
    world.start_run()
    expect_a_decision(world, "CDM answered the start")
    assert world.cdm.count("start") == 1


@pytest.mark.parametrize("answer", [None, NO_ANSWER])
def test_a_session_that_appears_late_is_adopted(world: World, answer: Unknown | None) -> None:
    world.cdm.appear_after = 10
    if answer:
        world.cdm.fail("start", answer, with_effect=True)
    run = world.restoring()
    assert run.job_session_id == world.cdm.ours[0]
    assert world.cdm.starts == 1


@pytest.mark.parametrize("proof", [NothingSent, Unreachable, Untrusted, LoginRefused, Busy])
def test_proof_of_no_effect_leads_back_to_queued_and_to_one_start(
    world: World, proof: type[CopyManagerError]
) -> None:
    world.cdm.fail("start", proof("no"), times=3)
    world.start_run()
    world.go_on(S.RESTORING)
    assert world.states() == ["queued", "starting"] + ["queued", "starting"] * 3 + ["restoring"]
    assert (world.cdm.count("start"), world.cdm.starts) == (4, 1)


@pytest.mark.parametrize("refusal", [Refused, NotFound])
def test_a_refusal_is_the_end_and_keeps_cdms_words(
    world: World, refusal: type[CopyManagerError]
) -> None:
    world.cdm.fail("start", refusal("XSBPolicyException: not today"))
    world.start_run()
    run = world.go_on(S.FAILED)
    assert "XSBPolicyException: not today" in (run.error or "")
    assert world.cdm.count("start") == 1


def test_a_refused_start_cools_down_for_a_minute(world: World) -> None:
    world.cdm.fail("start", Refused("no"))
    world.start_run()
    world.go_on(S.FAILED)
    assert world.trigger().outcome == "cooling_down"
    world.pass_time(60)
    assert world.trigger().outcome == "accepted"


@pytest.mark.parametrize("ours", [True, False])
def test_several_new_sessions_are_shown_to_a_person(world: World, ours: bool) -> None:
    """Two foreign ones, or ours and a foreign one: which is ours can't be told."""
    world.cdm.jobs[JOB_ID].answers_busy = False
    world.cdm.fail("start", NO_ANSWER, with_effect=ours)

    def interfere(point: str) -> None:
        if point == "start had its effect":
            for _ in range(1 if ours else 2):
                world.cdm.add_session()

    world.cdm.hook = interfere
    world.start_run()
    expect_a_decision(world, "2 new job sessions", "unclear")
    assert world.cdm.count("start") == 1


def test_a_session_of_another_job_is_never_adopted(world: World) -> None:
    world.cdm.add_job("2000")
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.next_turn()
    world.cdm.add_session(job_id="2000")
    world.cdm.unfiltered = True
    world.go_on(S.NEEDS_DECISION)
    assert world.run().job_session_id is None


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 earlier job sessions"), (1, "1 earlier job session"), (2, "2 earlier job sessions")],
)
def test_the_history_counts_what_was_noted(world: World, number: int, words: str) -> None:
    world.cdm.shown.clear()
    for _ in range(number):
        world.cdm.add_session(Phase.COMPLETED)
    world.trigger()
    run = world.go_on(S.RESTORING)
    reasons = [one.reason for one in world.store.runs.transitions(run.id)]
    assert f"{words} noted; the start is sent" in reasons


def test_an_unnoted_session_that_began_before_the_latest_noted_one_is_not_ours(
    world: World,
) -> None:
    """An old session that a list left out at first shows up while we look."""
    world.cdm.add_session(Phase.COMPLETED, start=datetime(1998, 5, 1, tzinfo=UTC))
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.next_turn()
    world.cdm.add_session(Phase.COMPLETED, start=datetime(1998, 4, 1, tzinfo=UTC))
    world.go_on(S.NEEDS_DECISION)
    assert world.run().job_session_id is None


def test_an_unnoted_session_that_began_with_the_latest_noted_one_is_not_ours(world: World) -> None:
    began = datetime(1998, 5, 1, tzinfo=UTC)
    world.cdm.add_session(Phase.COMPLETED, start=began)
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.next_turn()
    world.cdm.add_session(Phase.COMPLETED, start=began)
    world.go_on(S.NEEDS_DECISION)
    assert world.run().job_session_id is None


def test_sessions_without_a_start_time_are_told_apart_by_id_alone(world: World) -> None:
    old = world.cdm.add_session(Phase.COMPLETED)
    world.cdm.become(old, Phase.COMPLETED, start=None)
    world.start_run()
    world.next_turn()
    world.cdm.become(world.cdm.ours[0], Phase.RUNNING, start=None)
    assert world.go_on(S.RESTORING).job_session_id == world.cdm.ours[0]


def test_a_new_session_without_a_start_time_beside_old_ones_with_one_is_ours(world: World) -> None:
    world.cdm.add_session(Phase.COMPLETED)
    world.start_run()
    world.turn()
    world.cdm.become(world.cdm.ours[0], Phase.RUNNING, start=None)
    assert world.go_on(S.RESTORING).job_session_id == world.cdm.ours[0]


def test_the_latest_noted_one_counts_beside_others_and_one_without_a_start_time(
    world: World,
) -> None:
    for month in (5, 3):
        world.cdm.add_session(Phase.COMPLETED, start=datetime(1998, month, 1, tzinfo=UTC))
    world.cdm.become(world.cdm.add_session(), Phase.COMPLETED, start=None)
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.turn()
    world.cdm.add_session(Phase.COMPLETED, start=datetime(1998, 4, 1, tzinfo=UTC))
    assert world.go_on(S.NEEDS_DECISION).job_session_id is None


def test_ids_are_a_set_and_never_an_order(world: World) -> None:
    """The session of our start has a smaller id than all that were noted."""
    for _ in range(13):
        world.cdm.add_session(Phase.COMPLETED)
    noted = set(world.cdm.shown)
    run = world.restoring()
    assert int(run.job_session_id or "0") < max(int(number) for number in noted)


@pytest.mark.parametrize("year", [1970, 2099])
def test_cdms_clock_and_ours_are_never_compared(world: World, year: int) -> None:
    world.cdm.year = year
    world.cdm.add_session(Phase.COMPLETED)
    world.cdm.fail("start", NO_ANSWER, with_effect=True)
    assert world.restoring().job_session_id == world.cdm.ours[0]


# --- looking for 120 s in which CDM could be read ---------------------------------------------


def test_time_without_contact_is_no_time_of_looking(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.turn()
    for _ in range(30):
        world.turn(2)
    world.cdm.down = Unreachable("down")
    for _ in range(60):
        world.next_turn()
    run = world.run()
    assert run.state is S.STARTING
    assert run.contact_lost_since is not None
    world.cdm.down = None
    world.turn(60)
    for _ in range(5):
        world.turn(10)
    assert world.run().state is S.STARTING
    assert world.run().contact_lost_since is None
    for _ in range(5):
        world.turn(10)
    assert world.run().state is S.NEEDS_DECISION


def test_a_process_that_was_away_has_not_looked(world: World) -> None:
    """A restart hours after the start still looks for 120 s before it believes in nothing."""
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.turn()
    world.restart()
    world.turn(7200)
    looks = 0
    while world.run().state is S.STARTING:
        world.turn(10)
        looks += 1
    assert looks >= 10
    assert world.cdm.count("start") == 1


def test_the_time_that_the_start_itself_hung_is_no_time_of_looking(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER, with_effect=True)
    world.cdm.appear_after = 3
    world.start_run()
    world.turn()
    world.turn(119)
    world.turn(2)
    assert world.run().state is S.STARTING
    world.go_on(S.RESTORING)


# --- what a person decides ---------------------------------------------------------------------


def test_a_person_can_say_that_it_was_not_started(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "not_started", None, by="ann", now=world.now)
    world.go_on(S.RESTORING)
    assert (world.cdm.count("start"), world.cdm.starts) == (2, 1)


def test_a_person_can_name_the_session(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    session = world.cdm.add_session()
    actions.resolve(world.store, 1, "started", session, by="ann", now=world.now)
    run = world.go_on(S.RESTORING)
    assert (run.job_session_id, run.evidence) == (session, Evidence.CHOSEN)
    assert world.store.runs.transitions(1)[-1].by == "ann"
    assert world.cdm.count("start") == 1


def test_a_named_session_is_found_in_the_list_where_cdm_shows_none_by_itself(
    world: World,
) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    session = world.cdm.add_session()
    world.cdm.fail("session", NotFound("no such path"), times=100)
    actions.resolve(world.store, 1, "started", session, by="ann", now=world.now)
    assert world.go_on(S.RESTORING).job_session_id == session


@pytest.mark.parametrize("job_id", [None, "2000"])
def test_a_session_that_is_not_this_jobs_is_not_followed(world: World, job_id: str | None) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    session = world.cdm.add_session(job_id=job_id) if job_id else "4711"
    actions.resolve(world.store, 1, "started", session, by="ann", now=world.now)
    world.turn(60)
    run = world.run()
    assert run.state is S.NEEDS_DECISION
    assert session in (run.error or "")


def test_a_session_from_before_the_start_is_refused_as_this_runs(world: World) -> None:
    """Followed, a copy cleaned up long ago would make the run a completed restore."""
    old = world.cdm.add_session(Phase.COMPLETED)
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    with pytest.raises(actions.NotPossible, match=f"{old} was in CDM's list before the start"):
        actions.resolve(world.store, 1, "started", old, by="ann", now=world.now)
    assert not world.store.runs.requests(1)
    new = world.cdm.add_session()
    actions.resolve(world.store, 1, "started", new, by="ann", now=world.now)
    assert world.go_on(S.RESTORING).job_session_id == new


def test_a_newer_decision_takes_the_place_of_one_that_was_not_carried_out(world: World) -> None:
    """CDM is away: first one session is named, then another, then none at all."""
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    first, second = world.cdm.add_session(), world.cdm.add_session(Phase.COMPLETED)
    world.cdm.down = Unreachable("down")
    actions.resolve(world.store, 1, "started", first, by="ann", now=world.now)
    world.turn()
    actions.resolve(world.store, 1, "started", second, by="ann", now=world.now)
    assert [r.job_session_id for r in world.store.runs.requests(1)] == [second]
    actions.resolve(world.store, 1, "not_started", None, by="ann", now=world.now)
    assert not world.store.runs.requests(1)


# --- what is read again before the start ------------------------------------------------------


def disarm(world: World) -> None:
    world.store.settings.set_mode(Mode.DISARMED, by="ann", now=world.now)


def disable(world: World) -> None:
    world.store.mappings.change(world.mapping.id, enabled=False)


def delete(world: World) -> None:
    world.store.mappings.delete(world.mapping.id)


def point_elsewhere(world: World) -> None:
    world.store.mappings.change(world.mapping.id, job_id="2000")


BEFORE_THE_START = (
    "job is sent",
    "job answered",
    "sessions is sent",
    "sessions answered",
    "plan_start is sent",
    "plan_start answered",
)


@pytest.mark.parametrize("gap", ["before the turn", *BEFORE_THE_START])
@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        (disarm, S.CANCELLED, "disarmed"),
        (disable, S.CANCELLED, "disabled"),
        (delete, S.CANCELLED, "deleted"),
        (point_elsewhere, S.NEEDS_DECISION, "changed"),
    ],
)
def test_who_says_no_before_the_start_is_obeyed(
    world: World, change: Callable[[World], None], state: RunState, words: str, gap: str
) -> None:
    world.start_run()
    if gap == "before the turn":
        change(world)
    else:
        world.cdm.hook = lambda point: change(world) if point == gap else None
    world.turn()
    assert world.run().state is state
    assert words in world.store.runs.transitions(1)[-1].reason
    assert world.cdm.count("start") == 0


def test_a_cancel_between_the_looks_is_obeyed(world: World) -> None:
    """The run was cancelled by a page while the engine was asking CDM: compare-and-set."""
    world.start_run()

    def cancel(point: str) -> None:
        if point == "plan_start answered":
            actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)

    world.cdm.hook = cancel
    world.turn()
    run = world.run()
    assert (run.state, run.due_at, run.attempts) == (S.CANCELLED, None, 0)
    assert world.cdm.count("start") == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda world: world.cdm.change_job(name="Another job"), "Another job"),
        (lambda world: world.cdm.change_job(is_restore=False), "no longer a restore job"),
        (lambda world: world.cdm.jobs.clear(), "no job 1044"),
    ],
)
def test_a_job_that_is_not_what_it_was_is_shown_to_a_person(
    world: World, change: Callable[[World], None], words: str
) -> None:
    world.start_run()
    change(world)
    world.turn()
    run = world.run()
    assert run.state is S.NEEDS_DECISION
    assert words in (run.error or "")
    assert world.cdm.count("start") == 0


def test_a_job_that_vanishes_between_two_looks_is_shown_to_a_person(world: World) -> None:
    world.start_run()
    world.cdm.fail("plan_start", NotFound("no such job"))
    world.turn()
    assert world.run().state is S.NEEDS_DECISION


def test_several_action_modes_and_none_named_is_refused(world: World) -> None:
    world.cdm.add_job(modes=("start_test_iv", "start_recovery_iv"))
    world.start_run()
    run = world.go_on(S.FAILED)
    assert "start_recovery_iv" in (run.error or "")
    assert world.cdm.count("start") == 0


def test_the_action_mode_that_the_mapping_names_is_sent(world: World) -> None:
    world.cdm.add_job(modes=("start_test_iv", "start_recovery_iv"))
    world.store.mappings.change(world.mapping.id, action_name="start_test_iv")
    world.mapping = world.store.mappings.get(world.mapping.id)
    world.restoring()
    assert world.cdm.modes_sent == ["start_test_iv"]


# --- a busy job -------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.READY, Phase.UNKNOWN])
def test_a_foreign_session_is_not_adopted_but_explained(world: World, phase: Phase) -> None:
    foreign = world.cdm.add_session(phase)
    world.start_run()
    world.turn()
    run = world.run()
    assert (run.state, run.blocked_by, run.job_session_id) == (S.QUEUED, foreign, None)
    assert foreign in (run.error or "")
    expect_a_decision(world, foreign, "15 minutes")
    assert world.cdm.count("start") == 0
    assert 14.5 * 60 <= (world.now - run.received_at).total_seconds() <= 16 * 60


def test_a_busy_job_without_an_open_session_is_waited_for_too(world: World) -> None:
    world.cdm.change_job(busy=True, status="PENDING")
    world.start_run()
    world.turn()
    assert world.run().blocked_by is None
    assert "PENDING" in (world.run().error or "")
    world.cdm.change_job(busy=False, status="IDLE")
    world.go_on(S.RESTORING)
    assert world.cdm.starts == 1


def test_a_job_that_looks_free_and_is_refused_as_busy_is_a_busy_job(world: World) -> None:
    world.cdm.fail("start", Busy("Job 1044 is running."), times=1000)
    world.start_run()
    expect_a_decision(world, "is running", "15 minutes")
    assert (world.now - world.run().received_at).total_seconds() <= 20 * 60
    assert world.cdm.starts == 0


def test_when_the_foreign_session_ends_the_job_is_started(world: World) -> None:
    foreign = world.cdm.add_session()
    world.start_run()
    world.turn()
    world.cdm.become(foreign, Phase.COMPLETED)
    run = world.go_on(S.RESTORING)
    assert run.blocked_by is None
    assert run.job_session_id == world.cdm.ours[0]


def blocked(world: World, phase: Phase = Phase.READY) -> str:
    foreign = world.cdm.add_session(phase)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    return foreign


def test_a_person_can_follow_the_foreign_session(world: World) -> None:
    foreign = blocked(world)
    actions.resolve(world.store, 1, "follow", None, by="ann", now=world.now)
    run = world.go_on(S.READY)
    assert (run.job_session_id, run.evidence) == (foreign, Evidence.CHOSEN)
    assert world.cdm.count("start") == 0


def test_a_person_can_have_it_cleaned_up_and_the_job_started(world: World) -> None:
    foreign = blocked(world)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    world.turn(1)
    assert ("clean_up", foreign) in world.cdm.calls
    world.turn(30)
    assert world.run().state is S.QUEUED
    world.cdm.become(foreign, Phase.COMPLETED)
    world.go_on(S.RESTORING)
    assert (world.cdm.count("clean_up"), world.cdm.starts) == (1, 1)


def test_a_mounted_session_is_named_before_others(world: World) -> None:
    """It is the one that a person can clean up."""
    world.cdm.add_session(Phase.RUNNING)
    mounted = world.cdm.add_session(Phase.READY)
    world.start_run()
    world.turn()
    assert world.run().blocked_by == mounted


def test_a_run_that_waits_for_a_busy_job_says_what_comes_of_it(world: World) -> None:
    comes = "The run starts once that is over, and asks a person after 15 minutes."
    world.cdm.add_session(Phase.READY)
    world.start_run()
    world.turn()
    assert (world.run().error or "").endswith(f"still open in CDM. {comes}")
    run = world.go_on(S.NEEDS_DECISION)
    assert comes not in (run.error or "")


def test_a_clean_up_that_was_sent_once_is_not_said_to_have_been_sent_more(world: World) -> None:
    blocked(world)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    world.turn(1)
    assert "asked" not in (world.run().error or "")


def test_a_person_can_give_up(world: World) -> None:
    blocked(world)
    actions.resolve(world.store, 1, "give_up", None, by="ann", now=world.now)
    assert world.run().state is S.CANCELLED
    assert world.cdm.count("start") + world.cdm.count("clean_up") == 0


def test_a_refused_clean_up_leaves_the_choice_again(world: World) -> None:
    foreign = blocked(world)
    world.cdm.fail("clean_up", Refused("not allowed"))
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    run = world.go_on(S.NEEDS_DECISION)
    assert "not allowed" in (run.error or "")
    assert run.blocked_by == foreign
    assert {"follow", "clean_up_and_start", "give_up"} <= set(actions.available(run))


def test_a_clean_up_before_the_start_whose_effect_shows_is_not_sent_again(world: World) -> None:
    foreign = blocked(world)
    world.cdm.fail("clean_up", NO_ANSWER, with_effect=True)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    for _ in range(20):
        world.turn(10)
    world.cdm.become(foreign, Phase.READY)
    for _ in range(20):
        world.turn(10)
    world.cdm.become(foreign, Phase.COMPLETED)
    world.go_on(S.RESTORING)
    assert world.cdm.count("clean_up") == 1


def test_a_clean_up_before_the_start_is_sent_again_on_proof_that_it_had_no_effect(
    world: World,
) -> None:
    foreign = blocked(world)
    world.cdm.fail("clean_up", NO_ANSWER)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    world.turn(1)
    for _ in range(11):
        world.turn(10)
    assert world.cdm.count("clean_up") == 1
    world.turn(10)
    assert world.cdm.count("clean_up") == 2
    assert "asked 2 times" in (world.run().error or "")
    world.cdm.become(foreign, Phase.COMPLETED)
    world.go_on(S.RESTORING)


def test_a_clean_up_before_the_start_is_sent_three_times_at_most(world: World) -> None:
    foreign = blocked(world)
    world.cdm.fail("clean_up", NO_ANSWER, times=100)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    expect_a_decision(world, foreign, "15 minutes")
    assert world.cdm.count("clean_up") == 3


def test_a_clean_up_before_the_start_that_cdm_has_answered_is_not_sent_again(
    world: World,
) -> None:
    foreign = blocked(world)
    world.cdm.clean_up_works = False
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    expect_a_decision(world, foreign, "15 minutes")
    assert world.cdm.count("clean_up") == 1


def test_only_time_in_which_cdm_could_be_read_proves_that_it_had_no_effect(world: World) -> None:
    blocked(world)
    world.cdm.fail("clean_up", NO_ANSWER)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    world.turn(1)
    world.cdm.down = Unreachable("down")
    for _ in range(30):
        world.turn(60)
    world.cdm.down = None
    for _ in range(6):
        world.turn(10)
    assert world.cdm.count("clean_up") == 1


def test_a_clean_up_that_was_never_sent_is_sent_again(world: World) -> None:
    foreign = blocked(world)
    world.cdm.fail("clean_up", Unreachable("down"), times=2)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    for _ in range(6):
        world.next_turn()
    assert world.cdm.shown[foreign].phase is Phase.RUNNING
    assert world.cdm.count("clean_up") == 3


# --- waiting ----------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Unreachable("no route"), LoginRefused("wrong password")])
def test_a_run_that_waited_for_an_hour_is_not_started_silently(
    world: World, error: CopyManagerError
) -> None:
    world.cdm.down = error
    world.start_run()
    expect_a_decision(world, "more than an hour", str(error))
    assert 3500 <= (world.now - world.run().received_at).total_seconds() <= 3800
    assert world.cdm.count("start") == 0


def test_an_hour_is_not_yet_more_than_an_hour(world: World) -> None:
    world.cdm.down = Unreachable("no route")
    world.start_run()
    world.turn(3600)
    assert world.run().state is S.QUEUED
    world.turn(1)
    assert world.run().state is S.NEEDS_DECISION


def test_what_a_run_waits_between_two_tries_counts_too(world: World) -> None:
    """Its connection is looked at far more often than it is tried."""
    world.cdm.down = Unreachable("no route")
    world.start_run()
    for _ in range(360):
        world.turn(10)
    assert world.run().state is S.QUEUED
    for _ in range(7):
        world.turn(10)
    assert world.run().state is S.NEEDS_DECISION


def test_looking_ends_with_the_120th_second_and_not_before(world: World) -> None:
    world.cdm.fail("start", NO_ANSWER)
    world.start_run()
    world.turn()
    world.turn(10)  # the first look: from here on it is counted
    for _ in range(11):
        world.turn(10)
    assert world.run().state is S.STARTING
    world.turn(10)
    assert world.run().state is S.NEEDS_DECISION


def test_a_run_found_after_hours_without_a_worker_is_not_started_silently(world: World) -> None:
    world.start_run()
    world.turn(3 * 3600)
    assert world.run().state is S.NEEDS_DECISION
    assert world.cdm.count("start") == 0


def test_the_hour_is_not_begun_anew_by_a_start_without_effect(world: World) -> None:
    world.cdm.fail("start", Unreachable("no route"), times=1000)
    world.start_run()
    expect_a_decision(world, "more than an hour")
    assert (world.now - world.run().received_at).total_seconds() <= 3800


def test_a_refused_login_lets_the_run_wait_and_says_why(world: World) -> None:
    world.cdm.fail("job", LoginRefused("wrong password"))
    world.start_run()
    world.turn()
    run = world.run()
    assert run.state is S.QUEUED
    assert run.contact_lost_since is not None
    assert "wrong password" in (run.error or "")
    world.go_on(S.RESTORING)
    assert world.run().contact_lost_since is None


# --- what is asked while starting -------------------------------------------------------------


def test_a_cancel_asked_while_starting_is_done_once_the_session_is_known(world: World) -> None:
    world.cdm.appear_after = 5
    world.start_run()
    world.turn()
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    assert world.cdm.count("cancel") == 0
    run = world.go_on(S.CANCELLED)
    assert ("cancel", run.job_session_id) in world.cdm.calls


def test_a_cancel_asked_while_a_start_had_no_effect_ends_the_run(world: World) -> None:
    """Proof leads back to queued: there the cancel is obeyed, and nothing is sent again."""
    world.start_run()

    def cancel(point: str) -> None:
        if point == "start is sent" and world.cdm.count("start") == 0:
            actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)

    world.cdm.hook = cancel
    world.cdm.fail("start", Unreachable("down"))
    run = world.go_on(S.CANCELLED)
    assert world.store.runs.transitions(run.id)[-1].by == "ann"
    assert world.cdm.starts == 0


def test_a_clean_up_asked_early_does_not_forbid_a_cancel(world: World) -> None:
    world.start_run()
    world.turn()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    assert "cancel" in actions.available(world.run())
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.CANCELLED)


def test_a_clean_up_asked_while_starting_is_done_once_the_copy_is_up(world: World) -> None:
    world.start_run()
    world.turn()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", Phase.READY)
    world.go_on(S.CLEANING_UP)
    assert world.cdm.count("clean_up") == 1
