# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Following a known job session to its real end: mounted, cleaned up, failed, cancelled."""

from dataclasses import replace
from functools import partial
from typing import Unpack

from app.message import Message
from app.restore import clock
from app.restore.asks import CLEAN_UP
from app.restore.changes import Changes
from app.restore.memory import Sum
from app.restore.model import JobSession, NotFound, Phase, Run, RunState
from app.restore.reading import Reader
from app.restore.requested import (
    cancelled_after,
    clean_up_again,
    clean_up_if_asked,
    close_clean_up,
    close_late,
    find_session,
    send_if_asked,
)
from app.restore.states import FINAL_STATES
from app.restore.turn import EFFECT_S, Turn

GONE_AFTER = 3  # looks in a row in which CDM shows its list but not our session
UNKNOWN_S = 3600.0  # how long a status word that we don't know is watched before a person is asked


def follow(turn: Turn, *, reader: Reader) -> None:
    """Look at the job session and go where CDM says it has gone."""
    session = _look(turn)
    if session is None:
        return
    _remember(turn, session)
    if session.phase is Phase.UNKNOWN:
        _watch_unknown(turn, session, reader)
    else:
        _STEPS[turn.run.state](turn, session, reader)


def _remember(turn: Turn, session: JobSession) -> None:
    memory = replace(turn.memory, missing=0)
    # PENDING before a restore ran and PENDING while it is mounted are one word (cdm §4): only
    # another word than it shows that the restore ran.
    if session.phase is Phase.RUNNING and session.status.strip().upper() != "PENDING":
        memory = replace(memory, seen_running=True)
    if session.phase is not Phase.UNKNOWN:
        memory = replace(memory, unknown=Sum())
    if memory != turn.memory:
        turn.remember(memory)


def _look(turn: Turn) -> JobSession | None:
    session_id = turn.run.job_session_id or ""
    session = find_session(turn, session_id, was_running=turn.memory.seen_running)
    if session is not None:
        return session
    missing = turn.memory.missing + 1
    if missing >= GONE_AFTER:
        _ask(
            turn,
            Message(
                "{manager} no longer shows job session {session}; how it ended can't be read"
                " any more.",
                manager=turn.product,
                session=session_id,
            ),
        )
    else:
        turn.memory = replace(turn.memory, missing=missing)
        turn.note(due_in=_gap(turn.run))
    return None


def _restoring(turn: Turn, session: JobSession, reader: Reader) -> None:
    rest = partial(_rest, turn, session, reader)
    if session.phase is Phase.READY and not _passing(turn, reader):
        rest(RunState.READY, Message("the copy is up in the clean room"), ready_at=turn.now)
    elif session.phase is Phase.CANCELLED:
        rest(RunState.CANCELLED, cancelled_after(turn, turn.memory.cancel.sends))
    elif session.phase in _ENDS:
        _end(turn, session, reader)
    elif not send_if_asked(turn, session):
        _keep_watching(turn, session)


def _passing(turn: Turn, reader: Reader) -> bool:
    """Whether RESOURCE ACTIVE is only a stage on the way to a permanent copy.

    Where that fails it stays so for ever (cdm §4), and a clean-up is the only way out.
    """
    return turn.request(CLEAN_UP.kind) is None and reader.read_permanent(turn)


def _ready(turn: Turn, session: JobSession, reader: Reader) -> None:
    if session.phase is Phase.RUNNING:
        _rest(
            turn,
            session,
            reader,
            RunState.CLEANING_UP,
            Message("the clean-up was begun in {manager} itself", manager=turn.product),
        )
    elif session.phase is Phase.CANCELLED:
        _ask_what_is_left(turn, session, reader)
    elif session.phase in _ENDS:
        _end(turn, session, reader)
    elif not clean_up_if_asked(turn):
        close_late(turn)
        _keep_watching(turn, session)


def _cleaning_up(turn: Turn, session: JobSession, reader: Reader) -> None:
    if session.phase is Phase.READY:
        ran, clean = turn.memory.clean_running, turn.memory.clean.until(turn.now)
        if not ran and clean.s < EFFECT_S:
            turn.memory = replace(turn.memory, clean=clean)
            _keep_watching(turn, session)
            return
        again = None if ran else clean_up_again(turn)
        reason = again or Message(
            "the clean-up had no effect: {manager} still shows the resource in use",
            manager=turn.product,
        )
        error = None if again else reason
        _rest(turn, session, reader, RunState.READY, reason, at_once=again is not None, error=error)
    elif session.phase is Phase.CANCELLED:
        _ask_what_is_left(turn, session, reader)
    elif session.phase in _ENDS:
        _end(turn, session, reader)
    else:
        close_clean_up(turn, Message("{manager} is cleaning up", manager=turn.product))
        turn.memory = replace(turn.memory, clean_running=True)
        _keep_watching(turn, session)


_STEPS = {
    RunState.RESTORING: _restoring,
    RunState.READY: _ready,
    RunState.CLEANING_UP: _cleaning_up,
}
_ENDS = {
    Phase.COMPLETED: RunState.COMPLETED,
    Phase.PARTIAL: RunState.COMPLETED,
    Phase.FAILED: RunState.FAILED,
}


def _ended(turn: Turn, phase: Phase) -> Message:
    if phase is Phase.PARTIAL:
        return Message(
            "{manager} says partial: some resources failed or were skipped",
            manager=turn.product,
        )
    return (
        Message("{manager} says failed", manager=turn.product)
        if phase is Phase.FAILED
        else Message("{manager} says completed", manager=turn.product)
    )


def _end(turn: Turn, session: JobSession, reader: Reader) -> None:
    state, reason = _ENDS[session.phase], _ended(turn, session.phase)
    error = None
    if state is RunState.FAILED:
        error = session.results or Message(
            "{manager}'s status is {status}.", manager=turn.product, status=session.status
        )
    warned = session.phase is Phase.PARTIAL
    _rest(turn, session, reader, state, reason, with_warnings=warned, error=error)


def _ask_what_is_left(turn: Turn, session: JobSession, reader: Reader) -> None:
    reader.read_log(turn, whole=True)
    _ask(
        turn,
        Message(
            "Job session {session} was cancelled in {manager} while its copy was mounted;"
            " whether the copy is still there can't be told from its status.",
            manager=turn.product,
            session=session.id,
        ),
        cdm_status=session.status,
    )


def _ask(turn: Turn, why: str, **changes: Unpack[Changes]) -> None:
    with turn.store.transaction():
        turn.ask_a_person(why, **changes)
        close_clean_up(turn, Message("a person was asked instead"))


def _watch_unknown(turn: Turn, session: JobSession, reader: Reader) -> None:
    """Show a status word that isn't in the table, and watch; never guess what it means."""
    why: str | None = None
    unknown = turn.memory.unknown.until(turn.now)
    if session.end is not None and not _job_is_busy(turn):
        why = Message(
            "Job session {session} has ended with a status this app does not know: {status}.",
            session=session.id,
            status=session.status,
        )
    elif unknown.s >= UNKNOWN_S:
        why = Message(
            "Job session {session} has had a status this app does not know for an hour: {status}.",
            session=session.id,
            status=session.status,
        )
    if why is not None:
        reader.read_log(turn, whole=True)
        _ask(turn, why, cdm_status=session.status)
    elif not _carried_out(turn, session):
        turn.memory = replace(turn.memory, unknown=unknown)
        _keep_watching(turn, session)


def _carried_out(turn: Turn, session: JobSession) -> bool:
    if turn.run.state is RunState.READY and clean_up_if_asked(turn):
        return True
    return send_if_asked(turn, session)


def _job_is_busy(turn: Turn) -> bool:
    try:
        return turn.cdm.job(turn.run.job_id).busy
    except NotFound:
        return False


def _keep_watching(turn: Turn, session: JobSession) -> None:
    polls = turn.memory.polls + 1
    turn.memory = replace(turn.memory, polls=polls)
    due_in = _gap(turn.run, polls)
    turn.note(due_in=due_in, cdm_status=session.status, percent=session.percent)


def _rest(
    turn: Turn,
    session: JobSession,
    reader: Reader,
    state: RunState,
    reason: str,
    *,
    at_once: bool = False,
    **changes: Unpack[Changes],
) -> None:
    """Read the log to its end, then record a resting or final state.

    A log that can't be read quickly holds nothing up: it is read afterwards.
    """
    unread = reader.read_log(turn, whole=True)
    if unread is not None:
        reason = Message(
            "{reason} (its log could not be read yet: {why})", reason=reason, why=unread
        )
    clean = replace(turn.memory.clean, s=0.0, at=turn.now)
    turn.memory = replace(turn.memory, polls=0, clean=clean, clean_running=False)
    changes.setdefault("error", None)
    changes["cdm_status"], changes["percent"] = session.status, session.percent
    with turn.store.transaction():
        turn.move(state, reason, due_in=0.0 if at_once else _gap_in(state, 0), **changes)
        if unread is not None and state in FINAL_STATES:
            turn.store.unread_logs.add(turn.run.id, due_at=turn.now)


def _gap(run: Run, polls: int = 0) -> float:
    return _gap_in(run.state, polls)


def _gap_in(state: RunState, polls: int) -> float:
    return clock.LARGEST_GAP_S if state is RunState.READY else clock.poll_gap(polls)
