# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What people are to say of a run, or asked of it: approve, cancel, clean up, follow a session.

What is sent to CDM is written down before. Where its answer is lost, or we die over it, CDM's own
status decides: a cancel or clean-up, which a person asked for, is sent again only once CDM, read
for a while, still shows *that* session as it was before; three times at most. A start never is.
"""

import logging
from dataclasses import replace

from app.message import Message
from app.restore import clock
from app.restore.asks import ASKS, CLEAN_UP, Ask, Sending
from app.restore.memory import Sent
from app.restore.model import (
    CopyManagerError,
    Evidence,
    JobSession,
    NotFound,
    NothingSent,
    Refused,
    Request,
    RunState,
    Unknown,
)
from app.restore.starting import follow_session
from app.restore.turn import EFFECT_S, MOST_SENDS, Turn

logger = logging.getLogger(__name__)

APPROVAL_S = 24 * 3600.0  # how long a run waits for a person's yes


def unapproved(turn: Turn) -> None:
    """Let a run wait for its approval, but not for ever."""
    unapproved = turn.memory.unapproved.until(turn.now)
    if unapproved.s >= APPROVAL_S:
        turn.move(RunState.CANCELLED, Message("nobody approved it within 24 hours"))
    else:
        turn.memory = replace(turn.memory, unapproved=unapproved)
        turn.note(due_in=clock.LARGEST_GAP_S)


def send_if_asked(turn: Turn, session: JobSession) -> bool:
    """Send what a person asked for in this state; say whether CDM was asked just now."""
    return any(
        _send(turn, session, ask, ask.sending)
        for ask in ASKS
        if ask.sending and turn.run.state in ask.sending.states
    )


def _send(turn: Turn, session: JobSession, ask: Ask, how: Sending) -> bool:
    request = turn.request(ask.kind)
    if request is None:
        return False
    sends = _sends(how.sent(turn.memory), request)
    if sends and not _again(turn, session, request, ask, how):
        return False
    sent = Sent(at=turn.now, sent=request.id, sends=sends + 1)
    turn.memory = how.remember(replace(turn.memory, polls=0), sent)
    turn.note(due_in=clock.poll_gap(0))
    try:
        how.verb(turn.cdm, session.id)
    except NothingSent:
        turn.memory = how.remember(turn.memory, replace(sent, s=EFFECT_S, sends=sends))
        raise  # it is written down with the lost contact
    except Refused as refused:
        turn.store.runs.close_request(request, str(refused), now=turn.now)
        turn.note(due_in=clock.poll_gap(0), error=_not_confirmed(ask, refused))
    except Unknown as unknown:
        logger.warning("run %d: the answer to %s was lost (%s)", turn.run.id, ask.kind, unknown)
        turn.note(due_in=clock.poll_gap(0), error=_not_confirmed(ask, unknown))
    else:
        turn.store.runs.close_request(
            request, Message("accepted by {manager}", manager=turn.product), now=turn.now
        )
        turn.note(due_in=clock.poll_gap(0), error=None)
    return True


def _not_confirmed(ask: Ask, error: CopyManagerError) -> Message:
    return Message("The {request} was not confirmed: {error}", request=ask.name, error=error)


def _sends(last: Sent, request: Request) -> int:
    """How often CDM was asked for this; more than 0: its answer was lost, or we died over it."""
    return last.sends if last.sent == request.id else 0


def _again(turn: Turn, session: JobSession, request: Request, ask: Ask, how: Sending) -> bool:
    """Whether what CDM shows of a request without an answer proves that it had no effect."""
    if how.begun(session):
        turn.store.runs.close_request(
            request, Message("{manager} has begun it", manager=turn.product), now=turn.now
        )
        turn.run = turn.store.runs.note(turn.run, error=None)
        return False
    if session.phase is not how.untouched:  # a word that nobody knows proves nothing
        return False
    sent = how.sent(turn.memory).until(turn.now)
    if sent.s < EFFECT_S:
        turn.remember(how.remember(turn.memory, sent))
        return False
    if sent.sends < MOST_SENDS:
        return True
    _close(turn, request, how, _without_effect(turn, ask, sent.sends))
    return False


def _without_effect(turn: Turn, ask: Ask, sends: int) -> Message:
    return Message(
        "the {request} had no effect, although {manager} was asked {times} times",
        manager=turn.product,
        request=ask.name,
        times=sends,
    )


def _close(turn: Turn, request: Request, how: Sending, result: Message) -> None:
    turn.store.runs.close_request(request, result, now=turn.now)
    turn.run = turn.store.runs.note(turn.run, error=how.failed(result))


def cancelled_after(turn: Turn, sends: int) -> str:
    """Say that CDM has cancelled, and how often it was asked, where that was more than once."""
    if sends > 1:
        return Message(
            "the job session was cancelled in {manager} (it was asked {times} times: its"
            " answer was lost, without effect)",
            manager=turn.product,
            times=sends,
        )
    return Message("the job session was cancelled in {manager}", manager=turn.product)


def close_late(turn: Turn) -> None:
    """Close what was asked for in another state and can't be done any more, and say so."""
    for ask in ASKS:
        request = turn.request(ask.kind)
        if request and ask.sending and turn.run.state not in ask.sending.states:
            _close(turn, request, ask.sending, ask.sending.late)


def clean_up_if_asked(turn: Turn) -> bool:
    """Send the clean-up that a person asked for; say whether CDM was asked just now.

    The request stays open until CDM has answered, or shows what came of it.
    """
    request = turn.request(CLEAN_UP.kind)
    if request is None:
        return False
    session_id = turn.run.job_session_id or ""
    sends = _sends(turn.memory.clean, request) + 1
    asks: str = Message("clean-up is asked of {manager}", manager=turn.product)
    if sends > 1:
        asks = Message(
            "clean-up is asked of {manager} again (attempt {times} of at most {most})",
            manager=turn.product,
            times=sends,
            most=MOST_SENDS,
        )
    turn.memory = replace(
        turn.memory,
        polls=0,
        clean=Sent(at=turn.now, sent=request.id, sends=sends),
        seen_running=True,
    )
    turn.move(
        RunState.CLEANING_UP,
        asks,
        by=request.by,
        due_in=clock.poll_gap(0),
        error=None,
    )
    try:
        turn.cdm.clean_up(session_id)
    except (NothingSent, Refused) as error:
        reason = Message("the clean-up was not accepted: {error}", error=error)
        turn.store.runs.close_request(request, reason, now=turn.now)
        turn.move(RunState.READY, reason, due_in=clock.LARGEST_GAP_S, error=reason)
    except Unknown as unknown:
        logger.warning("run %d: the clean-up's answer was lost (%s)", turn.run.id, unknown)
    else:
        turn.store.runs.close_request(
            request, Message("accepted by {manager}", manager=turn.product), now=turn.now
        )
    return True


def clean_up_again(turn: Turn) -> str | None:
    """Say why a clean-up that shows no effect is sent again; None: it is not, and is closed."""
    request = turn.request(CLEAN_UP.kind)
    if request is None:  # CDM had accepted it, or began it itself
        return None
    sends = turn.memory.clean.sends
    if sends < MOST_SENDS:
        return Message(
            "{manager}'s answer to the clean-up was lost, and it has shown the resource in"
            " use for {seconds} s since: the clean-up had no effect and is asked for again",
            manager=turn.product,
            seconds=f"{EFFECT_S:.0f}",
        )
    result = _without_effect(turn, CLEAN_UP, sends)
    turn.store.runs.close_request(request, result, now=turn.now)
    return None


def close_clean_up(turn: Turn, result: str) -> None:
    """Close a clean-up that was sent and is not to be sent again."""
    request = turn.request(CLEAN_UP.kind)
    if request is not None and _sends(turn.memory.clean, request):
        turn.store.runs.close_request(request, result, now=turn.now)


def decided(turn: Turn) -> None:
    """Carry out a person's decision that needs a look into CDM: follow this job session."""
    request = turn.request("resolve")
    if request is None:
        return
    session_id = request.job_session_id or ""
    session = find_session(turn, session_id)
    if session is None or session.job_id != turn.run.job_id:
        wrong: str = Message(
            "{manager} shows no job session {session}.",
            manager=turn.product,
            session=session_id,
        )
        if session is not None:
            wrong = Message(
                "Job session {session} belongs to job {job_id}, not to this one.",
                session=session_id,
                job_id=session.job_id,
            )
        turn.store.runs.close_request(request, wrong, now=turn.now)
        turn.note(due_in=clock.LARGEST_GAP_S, error=Message("{wrong} Decide again.", wrong=wrong))
        return
    with turn.store.transaction():
        follow_session(turn, session, Evidence.CHOSEN, Message("chosen by a person"), by=request.by)
        turn.store.runs.close_request(request, Message("followed"), now=turn.now)


def find_session(turn: Turn, session_id: str, *, was_running: bool = False) -> JobSession | None:
    """Give a job session, by itself or out of the job's list (cdm §12 row 10), or None.

    Only a readable list is proof that it is gone; an unreadable one raises.
    """
    try:
        return turn.cdm.session(session_id, was_running=was_running)
    except NotFound:
        for session in turn.cdm.sessions(turn.run.job_id):
            if session.id == session_id:
                return session
    return None
