# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Following a known job session to its real end: mounted, cleaned up, failed, cancelled."""

from typing import Any

from app.restore import clock
from app.restore.model import (
    CopyManagerError,
    JobSession,
    NotFound,
    Phase,
    Run,
    RunState,
)
from app.restore.requested import (
    cancel_if_asked,
    clean_up_if_asked,
    close_late_cancel,
    find_session,
)
from app.restore.turn import Turn

GONE_AFTER = 3  # looks in a row in which CDM shows its list but not our session
UNKNOWN_S = 3600.0  # how long a status word that we don't know is watched before a person is asked
CLEAN_UP_LOOK_S = 120.0  # how long a clean-up may take to show before it counts as without effect
LOG_OVERLAP = 50  # lines read again each time: some arrive late, with an earlier time
LOG_TRIES = 3  # failed reads of the log after which a final state is recorded without it


def follow(turn: Turn) -> None:
    """Look at the job session and go where CDM says it has gone."""
    session = _look(turn)
    if session is None:
        return
    _remember(turn, session)
    if session.phase is Phase.UNKNOWN:
        _watch_unknown(turn, session)
    else:
        _STEPS[turn.run.state](turn, session)


def _remember(turn: Turn, session: JobSession) -> None:
    changes: dict[str, object] = {"missing": None}
    # PENDING before a restore ran and PENDING while it is mounted are one word (cdm-api §4): only
    # another word than it shows that the restore ran.
    if session.phase is Phase.RUNNING and session.status.strip().upper() != "PENDING":
        changes["seen_running"] = True
    if session.phase is not Phase.UNKNOWN:
        changes.update(unknown_s=None, unknown_at=None)
    memory = turn.memory(**changes)
    if memory != turn.run.memory:
        turn.run = turn.store.runs.note(turn.run, memory=memory)


def _look(turn: Turn) -> JobSession | None:
    session_id = turn.run.job_session_id or ""
    was_running = turn.run.memory.get("seen_running") is True
    session = find_session(turn, session_id, was_running=was_running)
    if session is not None:
        return session
    missing = int(turn.number("missing")) + 1
    if missing >= GONE_AFTER:
        turn.ask_a_person(
            f"CDM no longer shows job session {session_id}; how it ended can't be read any more."
        )
    else:
        turn.note(due_in=_gap(turn.run), memory=turn.memory(missing=missing))
    return None


def _restoring(turn: Turn, session: JobSession) -> None:
    # On the way to a permanent copy the resource is in use too; where that fails it stays so for
    # ever (cdm-api §4), and a clean-up is the only way out.
    passing = turn.run.memory.get("permanent") is True and turn.request("clean_up") is None
    if session.phase is Phase.READY and not passing:
        _rest(turn, session, RunState.READY, "the copy is up in the clean room", ready_at=turn.now)
    elif session.phase is Phase.CANCELLED:
        _rest(turn, session, RunState.CANCELLED, "the job session was cancelled in CDM")
    elif session.phase in _ENDS:
        _end(turn, session)
    elif not cancel_if_asked(turn, session):
        _keep_watching(turn, session)


def _ready(turn: Turn, session: JobSession) -> None:
    if session.phase is Phase.RUNNING:
        _rest(turn, session, RunState.CLEANING_UP, "the clean-up was begun in CDM itself")
    elif session.phase is Phase.CANCELLED:
        _ask_what_is_left(turn, session)
    elif session.phase in _ENDS:
        _end(turn, session)
    elif not clean_up_if_asked(turn):
        close_late_cancel(turn)
        _keep_watching(turn, session)


def _cleaning_up(turn: Turn, session: JobSession) -> None:
    if session.phase is Phase.READY:
        ran = turn.run.memory.get("clean_running") is True
        if ran or turn.added_up("clean") >= CLEAN_UP_LOOK_S:
            reason = "the clean-up had no effect: CDM still shows the resource in use"
            _rest(turn, session, RunState.READY, reason, error=reason)
        else:
            _keep_watching(turn, session, **turn.sum_of("clean"))
    elif session.phase is Phase.CANCELLED:
        _ask_what_is_left(turn, session)
    elif session.phase in _ENDS:
        _end(turn, session)
    else:
        _keep_watching(turn, session, clean_running=True)


_STEPS = {
    RunState.RESTORING: _restoring,
    RunState.READY: _ready,
    RunState.CLEANING_UP: _cleaning_up,
}
_ENDS = {
    Phase.COMPLETED: (RunState.COMPLETED, "CDM says completed"),
    Phase.PARTIAL: (RunState.COMPLETED, "CDM says partial: some resources failed or were skipped"),
    Phase.FAILED: (RunState.FAILED, "CDM says failed"),
}


def _end(turn: Turn, session: JobSession) -> None:
    state, reason = _ENDS[session.phase]
    error = None
    if state is RunState.FAILED:
        error = session.results or f"CDM's status is {session.status}."
    _rest(turn, session, state, reason, with_warnings=session.phase is Phase.PARTIAL, error=error)


def _ask_what_is_left(turn: Turn, session: JobSession) -> None:
    _read_log(turn, whole=True)
    turn.ask_a_person(
        f"Job session {session.id} was cancelled in CDM while its copy was mounted;"
        " whether the copy is still there can't be told from its status.",
        cdm_status=session.status,
    )


def _watch_unknown(turn: Turn, session: JobSession) -> None:
    """Show a status word that isn't in the table, and watch; never guess what it means."""
    why = None
    if session.end is not None and not _job_is_busy(turn):
        why = "has ended with a status this app does not know"
    elif turn.added_up("unknown") >= UNKNOWN_S:
        why = "has had a status this app does not know for an hour"
    if why is not None:
        _read_log(turn, whole=True)
        turn.ask_a_person(
            f"Job session {session.id} {why}: {session.status}.", cdm_status=session.status
        )
    elif not _carried_out(turn, session):
        _keep_watching(turn, session, **turn.sum_of("unknown"))


def _carried_out(turn: Turn, session: JobSession) -> bool:
    if turn.run.state is RunState.RESTORING:
        return cancel_if_asked(turn, session)
    return turn.run.state is RunState.READY and clean_up_if_asked(turn)


def _job_is_busy(turn: Turn) -> bool:
    try:
        return turn.cdm.job(turn.run.job_id).busy
    except NotFound:
        return False


def _keep_watching(turn: Turn, session: JobSession, **remember: object) -> None:
    _read_log(turn, whole=False)
    polls = int(turn.number("polls")) + 1
    turn.note(
        due_in=_gap(turn.run, polls),
        memory=turn.memory(polls=polls, **remember),
        cdm_status=session.status,
        percent=session.percent,
    )


def _rest(turn: Turn, session: JobSession, state: RunState, reason: str, **columns: Any) -> None:
    """Read the log to its end, then record a resting or final state."""
    if not _read_log(turn, whole=True):
        turn.note(due_in=clock.poll_gap(0), cdm_status=session.status)
        return
    unread = turn.run.memory.get("log_error")
    if unread is not None:
        reason = f"{reason} (its log could not be read: {unread})"
    columns.setdefault("error", None)
    turn.move(
        state,
        reason,
        due_in=_gap_in(state, 0),
        memory=turn.memory(
            polls=0, clean_s=0.0, clean_at=turn.now.isoformat(), clean_running=None, log_error=None
        ),
        cdm_status=session.status,
        percent=session.percent,
        **columns,
    )


def _read_log(turn: Turn, *, whole: bool) -> bool:
    """Read CDM's log, whole or what is new; False: not readable, try again before going on.

    One call gives so many lines at most; the rest of what is new comes with the next turn.

    After `LOG_TRIES` the run goes on without: an unreadable log must not hide a restored copy.
    """
    known = int(turn.number("log_lines"))
    skip = 0 if whole else max(known - LOG_OVERLAP, 0)
    try:
        while lines := turn.cdm.log(turn.run.job_session_id or "", skip):
            new = turn.store.runs.add_log(turn.run.id, lines)
            skip += len(lines)
            if not whole or (skip >= known and not new):
                break
    except CopyManagerError as error:
        tries = int(turn.number("log_tries")) + 1
        memory = turn.memory(log_tries=tries, log_error=str(error) if tries >= LOG_TRIES else None)
        turn.run = turn.store.runs.note(turn.run, memory=memory)
        return tries >= LOG_TRIES
    memory = turn.memory(log_lines=max(known, skip), log_tries=None, log_error=None)
    if memory != turn.run.memory:
        turn.run = turn.store.runs.note(turn.run, memory=memory)
    return True


def _gap(run: Run, polls: int = 0) -> float:
    return _gap_in(run.state, polls)


def _gap_in(state: RunState, polls: int) -> float:
    return clock.LARGEST_GAP_S if state is RunState.READY else clock.poll_gap(polls)
