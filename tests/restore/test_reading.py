# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What is nice to know, in detail: how much of a log is asked for, how often, and after what."""

import pytest

from app.restore.model import CopyManagerError, Phase, Refused, RunState, Unknown
from tests.factories import JOB_ID, make_mapping
from tests.restore.world import World

S = RunState
NO_ANSWER = Unknown("no answer")


def become(world: World, phase: Phase) -> None:
    world.cdm.become(world.run().job_session_id or "", phase)


def messages(world: World) -> list[str]:
    return [line.message for line in world.store.runs.log(1)]


def write_log(world: World, first: int, last: int, *, at: int | None = None) -> None:
    """Write lines with these numbers into the run's log, at its end or in its midst."""
    lines = (f"line {number:04}" for number in range(first, last + 1))
    world.cdm.write_log(world.run().job_session_id or "", *lines, at=at)


def take(world: World, seconds: float, *, verb: str = "log") -> None:
    """Let each call of a verb take so long."""

    def take_long(point: str) -> None:
        if point == f"{verb} is sent":
            world.pass_time(seconds)

    world.cdm.hook = take_long


def asked(world: World, seconds: int, verb: str = "log") -> list[int]:
    """Give the seconds, out of so many to come, in which CDM was asked."""
    found, began = [], world.now
    for _ in range(seconds + 1):
        before = world.cdm.count(verb)
        world.turn()
        if world.cdm.count(verb) > before:
            found.append(int((world.now - began).total_seconds()))
        world.pass_time(1)
    return found


# --- a log that grows -------------------------------------------------------------------------


def test_a_long_log_of_a_running_restore_is_read_one_answer_at_a_time(world: World) -> None:
    world.restoring()
    world.cdm.most_lines = 100
    write_log(world, 1, 300)
    before = world.cdm.count("log")
    for turn in range(1, 4):
        world.turn(60)
        assert world.cdm.count("log") == before + turn
    assert len(messages(world)) == 200  # each answer begins 50 lines back
    assert min(world.cdm.skips) == 0


def test_a_log_that_was_unreadable_while_it_grows_is_read_on_where_it_was(world: World) -> None:
    world.restoring()
    write_log(world, 1, 1000)
    world.turn(60)
    world.cdm.fail("log", NO_ANSWER)
    world.turn(60)
    world.turn(60)
    assert world.cdm.skips[-1] == 950


def test_once_the_whole_log_was_read_only_its_new_end_is(world: World) -> None:
    world.restoring()
    write_log(world, 1, 1000)
    world.turn(60)
    world.cdm.fail("log", NO_ANSWER)
    become(world, Phase.READY)
    world.turn(60)
    before = len(world.cdm.skips)
    world.turn(60)
    assert world.cdm.skips[before] == 0
    world.turn(60)
    assert world.cdm.skips[-1] == 950


# --- a log that is read to its end ------------------------------------------------------------


def test_the_whole_log_is_read_past_answers_that_hold_nothing_new(world: World) -> None:
    world.restoring()
    write_log(world, 1, 400)
    world.turn(60)
    write_log(world, 5000, 5000, at=250)
    write_log(world, 401, 500)
    world.cdm.most_lines = 100
    become(world, Phase.FAILED)
    world.turn(60)
    assert len(messages(world)) == 501


def test_a_log_that_is_shown_slowly_is_left_after_four_seconds_and_read_later(
    world: World,
) -> None:
    world.restoring()
    world.cdm.most_lines = 10
    write_log(world, 1, 95)
    become(world, Phase.FAILED)
    before = world.cdm.count("log")
    take(world, 1.0)
    world.engine.advance(world.run(), world.now)
    assert world.cdm.count("log") == before + 4
    assert world.run().state is S.FAILED
    assert "shows it slowly" in world.store.runs.transitions(1)[-1].reason
    world.cdm.hook = lambda _: None
    world.turn(60)
    assert len(messages(world)) == 95


def test_a_log_that_is_shown_slowly_does_not_keep_others_from_being_read(world: World) -> None:
    world.restoring()
    world.cdm.most_lines = 10
    write_log(world, 1, 95)
    become(world, Phase.READY)
    take(world, 1.0)
    world.turn(10)
    world.cdm.hook = lambda _: None
    before = world.cdm.count("log")
    world.turn(60)
    assert world.cdm.count("log") > before


# --- a log that can't be read -----------------------------------------------------------------


def test_a_connection_is_left_in_peace_for_30_s_after_a_log_that_could_not_be_read(
    world: World,
) -> None:
    world.restoring()
    world.turn(1)
    for _ in range(70):  # once a minute by now
        world.turn(60)
    world.cdm.fail("log", NO_ANSWER)
    world.turn(60)
    failed, before = world.steady, world.cdm.count("log")
    other = make_mapping(world.store, world.connection, job_id="2000", job_name="Another job")
    world.cdm.add_job("2000", "Another job")
    world.trigger(other)
    while world.steady < failed + 29:
        world.turn(1)
    assert world.run(2).state is S.RESTORING
    assert world.cdm.count("log") == before
    world.turn(1)
    world.turn(10)
    assert world.cdm.count("log") > before


def test_peace_ends_with_its_last_second(world: World) -> None:
    world.restoring()
    world.turn(1)
    world.cdm.fail("log", NO_ANSWER)
    world.turn(20)
    before = world.cdm.count("log")
    world.turn(29)
    assert world.cdm.count("log") == before
    world.store.runs.note(world.run(), due_at=world.now)
    world.turn(1)
    assert world.cdm.count("log") == before + 1


def test_a_log_that_cdm_refuses_keeps_no_other_from_being_read(world: World) -> None:
    world.cdm.add_job("2000", "Another job")
    world.restoring()
    other = make_mapping(world.store, world.connection, job_id="2000", job_name="Another job")
    world.trigger(other)
    for _ in range(3):
        world.turn(10)
    world.cdm.fail("log", Refused("not for you"))
    before = world.cdm.count("log")
    world.turn(60)
    assert world.cdm.count("log") == before + 2
    world.turn(10)
    assert world.cdm.count("log") == before + 4


def test_a_refused_log_of_an_ended_run_is_asked_for_in_growing_gaps(world: World) -> None:
    world.restoring()
    world.turn(20)
    world.cdm.fail("log", Refused("not yet"), times=1000)
    become(world, Phase.FAILED)
    world.pass_time(20)
    assert asked(world, 70) == [0, 2, 6, 14, 30, 62]
    assert world.run().state is S.FAILED


@pytest.mark.parametrize("error", [Refused("not for you"), NO_ANSWER])
def test_the_log_of_an_ended_run_is_asked_for_twenty_times(
    world: World, error: CopyManagerError
) -> None:
    """Looks at a connection that is left in peace are no tries."""
    world.restoring()
    world.turn(20)
    world.cdm.fail("log", error, times=1000)
    become(world, Phase.FAILED)
    before = world.cdm.count("log")
    for _ in range(40):
        world.turn(15)
        world.turn(15)
        world.turn(30)
    assert world.cdm.count("log") == before + 1 + 20


# --- whether a copy becomes permanent ---------------------------------------------------------


def test_whether_a_copy_becomes_permanent_is_no_question_once_it_is_up(world: World) -> None:
    world.cdm.fail("makes_permanent", NO_ANSWER, times=2)
    world.start_run()
    world.turn()
    world.cdm.become(world.cdm.ours[0], Phase.READY)
    world.go_on(S.READY)
    before = world.cdm.count("makes_permanent")
    assert before < 3
    for _ in range(3):
        world.turn(60)
    assert world.cdm.count("makes_permanent") == before


@pytest.mark.parametrize(("permanent", "state"), [(False, S.READY), (True, S.RESTORING)])
def test_a_policy_that_can_be_read_only_once_the_resource_is_active_counts(
    world: World, permanent: bool, state: RunState
) -> None:
    world.cdm.jobs[JOB_ID].make_permanent = permanent
    world.cdm.fail("makes_permanent", NO_ANSWER)
    world.restoring()
    become(world, Phase.READY)
    world.turn(1)
    assert world.run().state is state


@pytest.mark.parametrize("permanent", [False, True])
def test_what_is_known_of_a_jobs_policy_is_not_asked_again(world: World, permanent: bool) -> None:
    world.cdm.jobs[JOB_ID].make_permanent = permanent
    world.restoring()
    for _ in range(5):
        world.turn(60)
    assert world.cdm.count("makes_permanent") == 1
