# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a copy manager does: look, start once, find, follow, read the log, cancel, clean up."""

import pytest

from app.configuration.kinds import Kind
from app.restore.model import Busy, JobSession, NotFound, Phase, Refused
from tests.copy_managers.bench import Bench
from tests.copy_managers.conftest import REAL

LIVE = {Phase.RUNNING, Phase.READY, Phase.UNKNOWN}


def shown(bench: Bench) -> dict[str, JobSession]:
    """What the job's list shows, by id."""
    return {session.id: session for session in bench.manager.sessions(bench.job_id)}


def is_open(bench: Bench) -> bool:
    """Whether the job, or its list, says that it can't be started."""
    job = bench.manager.job(bench.job_id)
    return job.busy or any(session.live for session in shown(bench).values())


def test_every_kind_is_under_this_contract() -> None:
    assert set(REAL) == set(Kind)


# --- look -------------------------------------------------------------------------------------


def test_a_free_job_is_a_restore_job_that_nothing_holds(bench: Bench) -> None:
    job = bench.manager.job(bench.job_id, within=10.0)
    assert (job.id, job.is_restore) == (bench.job_id, True)
    assert job.name
    assert not is_open(bench)
    assert shown(bench) == {}


def test_what_is_not_there_is_told_as_that(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.manager.job("99999")
    with pytest.raises(NotFound):
        bench.manager.session("99999")


@pytest.mark.parametrize("phase", Phase)
def test_a_session_of_somebody_else_is_shown_with_its_phase_and_holds_the_job(
    bench: Bench, phase: Phase
) -> None:
    session_id = bench.begin(phase)
    session = shown(bench)[session_id]
    assert (session.id, session.job_id, session.phase) == (session_id, bench.job_id, phase)
    assert session.status
    assert session.start is None or session.start.tzinfo is not None
    assert session.live == is_open(bench) == (phase in LIVE)


def test_a_look_asks_for_nothing(bench: Bench) -> None:
    session_id = bench.begin()
    bench.manager.session(session_id)
    bench.manager.log(session_id, 0)
    bench.manager.copy_to_restore(bench.job_id)
    assert not any(bench.arrived(verb) for verb in ("start", "cancel", "clean_up"))
    assert list(shown(bench)) == [session_id]


# --- start once, find -------------------------------------------------------------------------


def test_only_the_sending_of_a_planned_start_starts_and_its_session_is_found(bench: Bench) -> None:
    before = bench.begin(Phase.COMPLETED)
    plan = bench.manager.plan_start(bench.job_id, None)
    assert list(shown(bench)) == [before]
    assert bench.arrived("start") == 0
    plan.send()
    (new,) = set(shown(bench)) - {before}
    assert bench.arrived("start") == 1
    assert shown(bench)[new].live
    assert is_open(bench)


def test_a_job_that_somebody_holds_is_not_started_a_second_time(bench: Bench) -> None:
    plan = bench.manager.plan_start(bench.job_id, None)
    held_by = bench.begin()
    with pytest.raises(Busy):
        plan.send()
    assert list(shown(bench)) == [held_by]


def test_of_several_actions_one_must_be_named(bench: Bench) -> None:
    bench.offer("start_test_iv", "start_clone_iv")
    for name in (None, "start_something"):
        with pytest.raises(Refused):
            bench.manager.plan_start(bench.job_id, name)
    bench.manager.plan_start(bench.job_id, "start_clone_iv").send()
    assert bench.arrived("start") == len(shown(bench)) == 1


# --- follow -----------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [phase for phase in Phase if phase is not Phase.RUNNING])
def test_a_session_is_followed_to_where_it_goes(bench: Bench, end: Phase) -> None:
    bench.act("start")
    (session_id,) = shown(bench)
    bench.become(session_id, Phase.RUNNING)
    assert bench.manager.session(session_id).phase is Phase.RUNNING
    bench.become(session_id, end)
    session = bench.manager.session(session_id, was_running=True)
    assert (session.id, session.job_id, session.phase) == (session_id, bench.job_id, end)
    assert shown(bench)[session_id].phase is end


def test_a_session_that_is_forgotten_is_neither_shown_alone_nor_listed(bench: Bench) -> None:
    session_id = bench.begin(Phase.COMPLETED)
    bench.forget(session_id)
    assert shown(bench) == {}
    with pytest.raises(NotFound):
        bench.manager.session(session_id)


def test_whether_it_makes_its_copy_permanent_is_told(bench: Bench) -> None:
    assert bench.manager.makes_permanent(bench.job_id) is False
    bench.make_permanent()
    assert bench.manager.makes_permanent(bench.job_id) is True


def test_the_copy_that_a_start_would_bring_up_is_told(bench: Bench) -> None:
    copy = bench.manager.copy_to_restore(bench.job_id)
    assert str(copy)
    assert copy.made_at is not None
    assert copy.made_at.tzinfo is not None


# --- read the log -----------------------------------------------------------------------------


def test_a_log_is_read_on_from_where_one_was(bench: Bench) -> None:
    session_id = bench.begin(Phase.COMPLETED)
    messages = [f"line {number}" for number in range(30)]
    bench.write_log(session_id, *messages)
    whole = bench.manager.log(session_id, 0)
    assert [line.message for line in whole if line.message in messages] == messages
    assert len({line.key for line in whole}) == len(whole)
    assert all(line.time is None or line.time.tzinfo for line in whole)
    for skip in (1, 15, len(whole) - 1, len(whole), len(whole) + 50):
        assert bench.manager.log(session_id, skip) == whole[skip:]
    bench.write_log(session_id, "one more")
    assert [line.message for line in bench.manager.log(session_id, len(whole))] == ["one more"]


def test_a_log_is_of_its_own_session(bench: Bench) -> None:
    session_id, other = bench.begin(Phase.COMPLETED), bench.begin(Phase.COMPLETED)
    bench.write_log(session_id, "ours")
    bench.write_log(other, "theirs")
    assert "theirs" not in [line.message for line in bench.manager.log(session_id, 0)]


# --- cancel, clean up -------------------------------------------------------------------------


def test_a_cancel_ends_a_running_session_and_is_sent_once(bench: Bench) -> None:
    session_id = bench.begin(Phase.RUNNING)
    bench.manager.cancel(session_id)
    assert bench.manager.session(session_id).phase is Phase.CANCELLED
    assert bench.arrived("cancel") == 1
    assert not is_open(bench)


def test_a_clean_up_takes_a_mounted_copy_down_and_is_sent_once(bench: Bench) -> None:
    session_id = bench.begin(Phase.READY)
    bench.manager.clean_up(session_id)
    phase = bench.manager.session(session_id, was_running=True).phase
    assert phase in {Phase.RUNNING, Phase.COMPLETED}, "begun, or over already"
    assert bench.arrived("clean_up") == 1
