# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A busy job: somebody else started it, or an old restore is still mounted (architecture §4).

It is never adopted by itself: the run waits, says for what, and asks a person in the end.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from app.message import Message
from app.restore.memory import Memory, SeenSession, Sent
from app.restore.model import JobSession, NothingSent, Phase, Refused, RestoreJob, Unknown
from app.restore.turn import EFFECT_S, MOST_SENDS, Turn

logger = logging.getLogger(__name__)

BLOCKED_S = 900.0  # how long a busy job is waited for
BLOCKED_GAP_S = 10.0
MOST_SEEN = 20  # job sessions that are remembered for a decision


def blocked(turn: Turn, job: RestoreJob, sessions: Sequence[JobSession]) -> bool:
    """Say whether the job can't be started now; what it waits for is then recorded."""
    live = [session for session in sessions if session.live]
    if not live and not job.busy:
        return False
    if not live:
        wait_for_job(
            turn,
            None,
            Message(
                "Job {job} is {status} in {manager}.",
                manager=turn.product,
                job=job.name,
                status=job.status,
            ),
        )
        return True
    turn.memory = seen(turn, live)
    for session in live:
        if session.id == turn.memory.clean_first:
            _clean_up_first(turn, session)
            return True
    # A mounted one is named before others: it is the one that a person can clean up.
    blocking = next((session for session in live if session.phase is Phase.READY), live[0])
    wait_for_job(
        turn,
        blocking.id,
        Message(
            "Job session {session} ({status}) of this job is not ours and still open in {manager}.",
            manager=turn.product,
            session=blocking.id,
            status=blocking.status,
        ),
    )
    return True


def wait_for_job(turn: Turn, blocked_by: str | None, why: str) -> None:
    """Wait ten more seconds, or ask a person after `BLOCKED_S`."""
    if turn.run.dry_run:
        turn.end_dry_run(Message("The run would wait for 15 minutes, then ask a person"), why)
        return
    blocked = turn.memory.blocked.until(turn.now)
    if blocked.s >= BLOCKED_S:
        turn.ask_a_person(
            Message("{why} It has been so for 15 minutes.", why=why), blocked_by=blocked_by
        )
        return
    turn.memory = replace(turn.memory, blocked=blocked)
    waits = Message(
        "{why} The run starts once that is over, and asks a person after 15 minutes.", why=why
    )
    turn.note(due_in=BLOCKED_GAP_S, blocked_by=blocked_by, error=waits)


def _clean_up_first(turn: Turn, blocking: JobSession) -> None:
    """Clean up the foreign session that a person chose to end, and wait for it.

    It is asked for again, if the answer was lost, on proof that it had no effect.
    """
    first = turn.memory.first
    waiting = Message("Waiting until job session {session} is cleaned up.", session=blocking.id)
    if first.sends == 0 or _without_effect(turn, blocking, first):
        if not _send_clean_up_first(turn, blocking, first.sends):
            return
    elif blocking.phase is Phase.READY:
        turn.memory = replace(turn.memory, first=first.until(turn.now))
    else:
        turn.memory = replace(turn.memory, first_known=True)
    if (sends := turn.memory.first.sends) > 1:
        waiting = Message(
            "{waiting} {manager} was asked {times} times: its answer was lost, without effect.",
            manager=turn.product,
            waiting=waiting,
            times=sends,
        )
    wait_for_job(turn, blocking.id, waiting)


def _without_effect(turn: Turn, blocking: JobSession, first: Sent) -> bool:
    """Whether a clean-up without an answer is to be sent again."""
    if turn.memory.first_known or first.sends >= MOST_SENDS or blocking.phase is not Phase.READY:
        return False
    return first.until(turn.now).s >= EFFECT_S


def _send_clean_up_first(turn: Turn, blocking: JobSession, sends: int) -> bool:
    turn.memory = replace(turn.memory, first=Sent(sends=sends + 1, at=turn.now))
    turn.note(due_in=BLOCKED_GAP_S)
    try:
        turn.cdm.clean_up(blocking.id)
    except NothingSent:
        turn.memory = replace(turn.memory, first=Sent(EFFECT_S, sends=sends))
        raise  # it is written down with the lost contact
    except Refused as refused:
        turn.ask_a_person(
            Message(
                "{manager} refused to clean up job session {session}: {error}",
                manager=turn.product,
                session=blocking.id,
                error=refused,
            ),
            blocked_by=blocking.id,
        )
        return False
    except Unknown as unknown:
        logger.warning("run %d: the clean-up's answer was lost (%s)", turn.run.id, unknown)
    else:
        turn.memory = replace(turn.memory, first_known=True)
    return True


def seen(turn: Turn, sessions: Sequence[JobSession]) -> Memory:
    """Remember, for the person who is to decide, which job sessions raise the question."""
    shown = [SeenSession(one.id, one.status, one.start) for one in sessions[:MOST_SEEN]]
    return replace(turn.memory, seen=tuple(shown), seen_at=turn.now)
