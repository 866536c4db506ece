# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What people are to say of a run, or asked of it: approve, cancel, clean up, follow a session.

A request to CDM that acts is sent once: what is sent is written down before, and where its answer
is lost, or we die over it, CDM's own status decides.
"""

import logging

from app.restore import clock
from app.restore.model import (
    Evidence,
    JobSession,
    NotFound,
    NothingSent,
    Refused,
    RunState,
    Unknown,
)
from app.restore.starting import follow_session
from app.restore.turn import Turn

logger = logging.getLogger(__name__)

APPROVAL_S = 24 * 3600.0  # how long a run waits for a person's yes


def unapproved(turn: Turn) -> None:
    """Let a run wait for its approval, but not for ever."""
    if turn.added_up("unapproved") >= APPROVAL_S:
        turn.move(RunState.CANCELLED, "nobody approved it within 24 hours")
    else:
        turn.note(due_in=clock.LARGEST_GAP_S, memory=turn.memory(**turn.sum_of("unapproved")))


def cancel_if_asked(turn: Turn, session: JobSession) -> bool:
    """Send the cancel that a person asked for, once; say whether CDM was asked just now."""
    request = turn.request("cancel")
    if request is None:
        return False
    if turn.run.memory.get("request_sent") == request.id:
        # We died between sending and noting it: CDM's status decides, a POST is never repeated.
        turn.store.runs.close_request(request, "was sent to CDM", now=turn.now)
        return False
    turn.note(due_in=clock.poll_gap(0), memory=turn.memory(request_sent=request.id, polls=0))
    try:
        turn.cdm.cancel(session.id)
    except NothingSent:
        turn.note(due_in=clock.poll_gap(0), memory=turn.memory(request_sent=None))
        raise
    except (Refused, Unknown) as error:
        turn.store.runs.close_request(request, str(error), now=turn.now)
        turn.note(due_in=clock.poll_gap(0), error=f"The cancel was not confirmed: {error}")
    else:
        turn.store.runs.close_request(request, "accepted by CDM", now=turn.now)
    return True


def close_late_cancel(turn: Turn) -> None:
    """Close a cancel that comes too late, and say so."""
    request = turn.request("cancel")
    if request is not None:
        result = "the copy was up before the cancel could be sent; clean it up instead"
        turn.store.runs.close_request(request, result, now=turn.now)
        turn.run = turn.store.runs.note(turn.run, error=f"Not cancelled: {result}.")


def clean_up_if_asked(turn: Turn) -> bool:
    """Send the clean-up that a person asked for, once; say whether CDM was asked just now."""
    request = turn.request("clean_up")
    if request is None:
        return False
    session_id = turn.run.job_session_id or ""
    memory = turn.memory(
        polls=0, clean_s=0.0, clean_at=turn.now.isoformat(), clean_running=None, seen_running=True
    )
    with turn.store.transaction():
        turn.move(
            RunState.CLEANING_UP,
            "clean-up is asked of CDM",
            by=request.by,
            due_in=clock.poll_gap(0),
            memory=memory,
            error=None,
        )
        turn.store.runs.close_request(request, "was sent to CDM", now=turn.now)
    try:
        turn.cdm.clean_up(session_id)
    except (NothingSent, Refused) as error:
        reason = f"the clean-up was not accepted: {error}"
        turn.move(RunState.READY, reason, due_in=clock.LARGEST_GAP_S, error=reason)
    except Unknown as unknown:
        logger.warning("run %d: the clean-up's answer was lost (%s)", turn.run.id, unknown)
    return True


def decided(turn: Turn) -> None:
    """Carry out a person's decision that needs a look into CDM: follow this job session."""
    request = turn.request("resolve")
    if request is None:
        return
    session_id = request.job_session_id or ""
    permanent, session = _makes_permanent(turn), find_session(turn, session_id)
    if session is None or session.job_id != turn.run.job_id:
        wrong = f"CDM shows no job session {session_id}."
        if session is not None:
            wrong = f"Job session {session_id} belongs to job {session.job_id}, not to this one."
        turn.store.runs.close_request(request, wrong, now=turn.now)
        turn.note(due_in=clock.LARGEST_GAP_S, error=f"{wrong} Decide again.")
        return
    with turn.store.transaction():
        follow_session(
            turn,
            session,
            Evidence.CHOSEN,
            "chosen by a person",
            by=request.by,
            permanent=permanent,
        )
        turn.store.runs.close_request(request, "followed", now=turn.now)


def find_session(turn: Turn, session_id: str, *, was_running: bool = False) -> JobSession | None:
    """Give a job session, by itself or out of the job's list (cdm-api §12.10), or None.

    Only a readable list is proof that it is gone; an unreadable one raises.
    """
    try:
        return turn.cdm.session(session_id, was_running=was_running)
    except NotFound:
        for session in turn.cdm.sessions(turn.run.job_id):
            if session.id == session_id:
                return session
    return None


def _makes_permanent(turn: Turn) -> bool:
    try:
        return turn.cdm.job(turn.run.job_id).make_permanent
    except NotFound:
        return False
