# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A busy job: somebody else started it, or an old restore is still mounted (architecture §4).

It is never adopted by itself: the run waits, says for what, and asks a person in the end.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

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
        wait_for_job(turn, None, f"Job {job.name} is {job.status} in CDM.")
        return True
    turn.run = replace(turn.run, memory=seen(turn, live))
    for session in live:
        if session.id == turn.run.memory.get("clean_first"):
            _clean_up_first(turn, session)
            return True
    # A mounted one is named before others: it is the one that a person can clean up.
    blocking = next((session for session in live if session.phase is Phase.READY), live[0])
    wait_for_job(
        turn,
        blocking.id,
        f"Job session {blocking.id} ({blocking.status}) of this job is not ours"
        " and still open in CDM.",
    )
    return True


def wait_for_job(turn: Turn, blocked_by: str | None, why: str) -> None:
    """Wait ten more seconds, or ask a person after `BLOCKED_S`."""
    if turn.run.dry_run:
        turn.end_dry_run("The run would wait for 15 minutes, then ask a person", why)
        return
    if turn.added_up("blocked") >= BLOCKED_S:
        turn.ask_a_person(f"{why} It has been so for 15 minutes.", blocked_by=blocked_by)
        return
    memory = turn.memory(**turn.sum_of("blocked"))
    turn.note(due_in=BLOCKED_GAP_S, memory=memory, blocked_by=blocked_by, error=why)


def _clean_up_first(turn: Turn, blocking: JobSession) -> None:
    """Clean up the foreign session that a person chose to end, and wait for it.

    It is asked for again, if the answer was lost, on proof that it had no effect.
    """
    sends, known = int(turn.number("first_sends")), turn.run.memory.get("first_known") is True
    waiting = f"Waiting until job session {blocking.id} is cleaned up."
    if sends == 0 or _without_effect(turn, blocking, sends, known=known):
        if not _send_clean_up_first(turn, blocking, sends):
            return
        sends += 1
    elif blocking.phase is Phase.READY:
        turn.run = replace(turn.run, memory=turn.memory(**turn.sum_of("first")))
    else:
        turn.run = replace(turn.run, memory=turn.memory(first_known=True))
    if sends > 1:
        waiting += f" CDM was asked {sends} times: its answer was lost, without effect."
    wait_for_job(turn, blocking.id, waiting)


def _without_effect(turn: Turn, blocking: JobSession, sends: int, *, known: bool) -> bool:
    """Whether a clean-up without an answer is to be sent again."""
    if known or sends >= MOST_SENDS or blocking.phase is not Phase.READY:
        return False
    return turn.added_up("first") >= EFFECT_S


def _send_clean_up_first(turn: Turn, blocking: JobSession, sends: int) -> bool:
    memory = turn.memory(first_sends=sends + 1, first_s=0.0, first_at=turn.now.isoformat())
    turn.note(due_in=BLOCKED_GAP_S, memory=memory)
    try:
        turn.cdm.clean_up(blocking.id)
    except NothingSent:
        memory = turn.memory(first_sends=sends, first_s=EFFECT_S)
        turn.note(due_in=BLOCKED_GAP_S, memory=memory)
        raise
    except Refused as refused:
        turn.ask_a_person(
            f"CDM refused to clean up job session {blocking.id}: {refused}",
            memory=turn.memory(clean_first=None, first_sends=None),
            blocked_by=blocking.id,
        )
        return False
    except Unknown as unknown:
        logger.warning("run %d: the clean-up's answer was lost (%s)", turn.run.id, unknown)
    else:
        turn.run = replace(turn.run, memory=turn.memory(first_known=True))
    return True


def seen(turn: Turn, sessions: Sequence[JobSession]) -> dict[str, object]:
    """Remember, for the person who is to decide, which job sessions raise the question."""
    shown = [
        [session.id, session.status, session.start.isoformat() if session.start else None]
        for session in sessions[:MOST_SEEN]
    ]
    return turn.memory(seen=shown, seen_at=turn.now.isoformat())
