# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What people ask, in detail: when it is sent, when again, what is told and what is forgotten."""

from collections.abc import Callable

import pytest

from app.restore import actions
from app.restore.model import (
    CopyManagerError,
    NothingSent,
    Phase,
    Refused,
    RunState,
    Unknown,
    Unreachable,
)
from tests.restore.world import World

S = RunState
LOST = Unknown("no answer")


def become(world: World, phase: Phase, **changes: object) -> None:
    world.cdm.become(world.run().job_session_id or "", phase, **changes)


def ask_cancel(world: World) -> None:
    """Ask for the cancel of a running restore, and let it be sent."""
    world.restoring()
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)


def ask_clean_up(world: World) -> None:
    """Ask for the clean-up of a copy that has been up for a while, and let it be sent."""
    world.ready()
    world.turn(60)
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)


def ask_clean_up_first(world: World) -> None:
    """Choose to clean up the session that keeps a run from its start, and let it be sent."""
    world.cdm.add_session(Phase.READY)
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)
    world.turn(1)


ASKED = [(ask_cancel, "cancel"), (ask_clean_up_first, "clean_up")]


def gaps(world: World, turns: int) -> list[float]:
    """Give the seconds from each of these turns to the one that is due after it."""
    found = []
    for _ in range(turns):
        due_at = world.run().due_at
        assert due_at is not None
        found.append((due_at - world.now).total_seconds())
        world.turn(found[-1])
    return found


# --- when it is sent again --------------------------------------------------------------------


@pytest.mark.parametrize(("ask", "verb"), [*ASKED, (ask_clean_up, "clean_up")])
def test_it_is_sent_again_with_the_120th_second_each_time_and_not_before(
    world: World, ask: Callable[[World], None], verb: str
) -> None:
    world.cdm.fail(verb, LOST, times=100)
    ask(world)
    for seconds in (20, 20, 20, 20, 20, 19):
        world.turn(seconds)
    assert world.cdm.count(verb) == 1
    world.turn(10)
    world.turn()  # a clean-up is moved back to `ready` first
    assert world.cdm.count(verb) == 2
    for _ in range(5):
        world.turn(20)
    assert world.cdm.count(verb) == 2
    world.turn(20)
    world.turn()
    assert world.cdm.count(verb) == 3


@pytest.mark.parametrize(
    ("ask", "verb", "where"),
    [
        (ask_cancel, "cancel", "cancel"),
        (ask_clean_up, "clean_up", "clean"),
        (ask_clean_up_first, "clean_up", "first"),
    ],
)
def test_it_is_written_down_before_it_is_sent(
    world: World, ask: Callable[[World], None], verb: str, where: str
) -> None:
    written: list[int] = []

    def look(point: str) -> None:
        if point == f"{verb} is sent":
            written.append(getattr(world.run().memory, where).sends)

    world.cdm.hook = look
    ask(world)
    assert written == [1]


@pytest.mark.parametrize(("ask", "verb"), ASKED)
def test_a_second_request_that_was_never_sent_waits_for_no_other_120_s(
    world: World, ask: Callable[[World], None], verb: str
) -> None:
    world.cdm.fail(verb, LOST, NothingSent("no route"))
    ask(world)
    for _ in range(6):
        world.turn(20)
    assert world.cdm.count(verb) == 2
    assert world.run().contact_lost_since == world.now
    for _ in range(3):
        world.turn(10)
    assert world.cdm.count(verb) == 3


def test_a_clean_up_before_the_start_that_was_never_sent_is_none_of_the_three(
    world: World,
) -> None:
    world.cdm.fail("clean_up", LOST, NothingSent("no route"))
    world.cdm.fail("clean_up", LOST, times=100)
    ask_clean_up_first(world)
    for _ in range(80):
        world.turn(10)
    assert world.cdm.count("clean_up") == 4


def test_a_cancel_that_cdm_has_accepted_is_closed_and_not_sent_again(world: World) -> None:
    world.cdm.cancel_works = False
    ask_cancel(world)
    assert world.run().pending_request is None
    for _ in range(30):
        world.turn(20)
    assert (world.run().state, world.cdm.count("cancel")) == (S.RESTORING, 1)


def test_the_second_cancel_that_is_accepted_ends_the_doubt_about_the_first(world: World) -> None:
    world.cdm.cancel_works = False
    world.cdm.fail("cancel", LOST)
    ask_cancel(world)
    assert "not confirmed" in (world.run().error or "")
    for _ in range(6):
        world.turn(20)
    assert (world.cdm.count("cancel"), world.run().error) == (2, None)


# --- when CDM is looked at after it -----------------------------------------------------------


@pytest.mark.parametrize("error", [None, Refused("not yours"), LOST])
def test_after_a_cancel_cdm_is_asked_quickly_however_long_it_has_restored(
    world: World, error: CopyManagerError | None
) -> None:
    world.cdm.cancel_works = False
    if error is not None:
        world.cdm.fail("cancel", error)
    world.restoring()
    for _ in range(80):
        world.turn(60)
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.turn(60)
    assert gaps(world, 5) == [1, 1, 2, 4, 10]


def test_after_a_clean_up_cdm_is_asked_quickly_however_long_the_copy_was_up(world: World) -> None:
    world.ready()
    for _ in range(80):
        world.turn(60)
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(60)
    assert world.run().state is S.CLEANING_UP
    assert gaps(world, 5) == [1, 1, 2, 4, 10]


@pytest.mark.parametrize("error", [NothingSent("no route"), Refused("not yours")])
def test_after_a_clean_up_that_was_not_accepted_the_copy_is_looked_at_once_a_minute(
    world: World, error: Exception
) -> None:
    world.cdm.fail("clean_up", error)
    ask_clean_up(world)
    assert (world.run().state, gaps(world, 1)) == (S.READY, [60])


# --- a clean-up -------------------------------------------------------------------------------


def test_a_clean_up_of_a_copy_that_was_up_for_long_has_its_120_s_too(world: World) -> None:
    world.cdm.clean_up_works = False
    ask_clean_up(world)
    for _ in range(11):
        world.turn(10)
    assert world.run().state is S.CLEANING_UP
    world.turn(10)
    assert world.run().state is S.READY


@pytest.mark.parametrize("ran", [False, True])
def test_a_clean_up_begun_in_cdm_itself_after_one_without_effect_has_120_s_of_its_own(
    world: World, ran: bool
) -> None:
    world.cdm.clean_up_works = ran
    ask_clean_up(world)
    world.turn(10)
    become(world, Phase.READY)
    run = world.go_on(S.READY)
    assert "no effect" in (run.error or "")
    become(world, Phase.RUNNING)
    world.turn(60)
    become(world, Phase.READY)
    for _ in range(11):
        assert world.run().state is S.CLEANING_UP
        world.turn(10)
    assert world.run().state is S.CLEANING_UP
    world.turn(10)
    assert world.run().state is S.READY


def test_a_clean_up_that_is_asked_for_while_cdm_began_one_itself_is_sent_after_it(
    world: World,
) -> None:
    world.ready()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    become(world, Phase.RUNNING)
    for _ in range(2):
        world.turn(1)
        assert (world.run().state, world.cdm.count("clean_up")) == (S.CLEANING_UP, 0)
    become(world, Phase.READY)
    world.turn(1)
    assert "no effect" in (world.run().error or "")
    world.go_on(S.CLEANING_UP)
    assert world.cdm.count("clean_up") == 1


def test_what_was_told_of_a_mounted_copy_ends_with_its_clean_up(world: World) -> None:
    world.cdm.fail("clean_up", Refused("not today"))
    ask_clean_up(world)
    assert "not today" in (world.run().error or "")
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    assert (world.run().state, world.run().error) == (S.CLEANING_UP, None)


def test_a_clean_up_that_is_sent_again_is_no_failure_yet(world: World) -> None:
    world.cdm.fail("clean_up", LOST)
    ask_clean_up(world)
    run = world.go_on(S.READY)
    assert (run.error, run.due_at) == (None, world.now)


def test_a_copy_that_was_mounted_before_we_saw_it_run_is_known_as_having_run(world: World) -> None:
    """PENDING after its clean-up was asked for is another one than before a restore (cdm §4)."""
    world.start_run()
    world.turn()
    world.cdm.become(world.cdm.ours[0], Phase.READY)
    world.go_on(S.READY)
    world.turn(60)
    assert world.cdm.was_running[-1] is False
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    become(world, Phase.RUNNING, status="PENDING")
    world.turn(10)
    assert world.cdm.was_running[-1] is True


def test_a_clean_up_without_an_answer_is_not_sent_again_under_an_unknown_word(
    world: World,
) -> None:
    world.cdm.fail("clean_up", LOST)
    ask_clean_up(world)
    become(world, Phase.UNKNOWN)
    for _ in range(20):
        world.turn(20)
    assert (world.run().state, world.cdm.count("clean_up")) == (S.CLEANING_UP, 1)


def test_a_clean_up_that_was_not_sent_yet_outlives_a_question_to_a_person(world: World) -> None:
    """It was asked for once the copy is up: that holds for the session that is followed then."""
    run = world.restoring()
    session = world.cdm.shown[run.job_session_id or ""]
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.cdm.vanish(session.id)
    world.go_on(S.NEEDS_DECISION)
    assert world.run().pending_request == "clean_up"
    world.cdm.shown[session.id] = session
    actions.resolve(world.store, 1, "started", session.id, by="ann", now=world.now)
    world.go_on(S.RESTORING)
    become(world, Phase.READY)
    world.go_on(S.CLEANING_UP)


# --- what a person decides --------------------------------------------------------------------


def test_a_cancel_that_is_open_while_a_person_is_asked_waits_for_the_decision(
    world: World,
) -> None:
    world.cdm.fail("start", LOST)
    world.start_run()
    world.turn()
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    world.go_on(S.NEEDS_DECISION)
    asked = len(world.cdm.calls)
    world.turn(60)
    assert (world.run().state, world.run().pending_request) == (S.NEEDS_DECISION, "cancel")
    assert len(world.cdm.calls) == asked


def lose_the_session(world: World, *, make_permanent: bool = False) -> None:
    """Let a restore that has run be shown to a person, for CDM no longer shows its session."""
    run = world.restoring()
    world.turn(60)
    world.cdm.jobs[run.job_id].make_permanent = make_permanent
    world.cdm.vanish(run.job_session_id or "")
    world.go_on(S.NEEDS_DECISION)


def follow(world: World, session_id: str) -> None:
    actions.resolve(world.store, 1, "started", session_id, by="ann", now=world.now)
    world.turn(1)
    assert world.run().state is S.RESTORING


def test_of_another_session_nothing_is_known_before_it_is_looked_at(world: World) -> None:
    lose_the_session(world)
    began = world.run().started_at
    other = world.cdm.add_session()
    follow(world, other)
    run = world.run()
    assert (run.started_at, run.error, run.cdm_status) == (began, None, "RUNNING")
    world.cdm.become(other, Phase.READY)
    world.turn(1)
    assert world.cdm.was_running[-1] is False


def test_another_session_must_be_gone_three_times_over_too(world: World) -> None:
    lose_the_session(world)
    other = world.cdm.add_session()
    actions.resolve(world.store, 1, "started", other, by="ann", now=world.now)

    def vanish(point: str) -> None:
        if point == "session answered":
            world.cdm.hook = lambda _: None
            session = world.cdm.shown[other]
            world.cdm.hook = lambda point: world.cdm.shown.pop(session.id, None)

    world.cdm.hook = vanish
    for _ in range(3):
        world.turn(10)
        assert world.run().state is S.RESTORING
    world.turn(10)
    assert world.run().state is S.NEEDS_DECISION


def test_whether_the_copy_becomes_permanent_is_read_anew_for_another_session(
    world: World,
) -> None:
    lose_the_session(world, make_permanent=True)
    other = world.cdm.add_session(Phase.READY)
    follow(world, other)
    world.turn(10)
    assert world.run().state is S.RESTORING


def test_a_policy_that_could_not_be_read_is_asked_for_anew_for_another_session(
    world: World,
) -> None:
    world.cdm.fail("makes_permanent", LOST, times=3)
    lose_the_session(world, make_permanent=True)
    assert world.run().memory.permanent_tries == 3
    follow(world, world.cdm.add_session(Phase.READY))
    world.turn(10)
    assert world.run().state is S.RESTORING


def test_whoever_decides_is_told_what_is_wrong_with_the_session(world: World) -> None:
    lose_the_session(world)
    for session_id, wrong in (
        ("4711", "CDM shows no job session 4711. Decide again."),
        (foreign := world.cdm.add_session(job_id="2000"), f"{foreign} belongs to job 2000"),
    ):
        actions.resolve(world.store, 1, "started", session_id, by="ann", now=world.now)
        world.turn(60)
        assert wrong in (world.run().error or "")
        assert world.run().pending_request is None


def test_a_decision_is_looked_at_again_once_cdm_can_be_read(world: World) -> None:
    lose_the_session(world)
    other = world.cdm.add_session()
    actions.resolve(world.store, 1, "started", other, by="ann", now=world.now)
    world.cdm.down = Unreachable("no route")
    world.turn(1)
    assert world.run().state is S.NEEDS_DECISION
    world.cdm.down = None
    world.turn(60)
    assert world.run().job_session_id == other
