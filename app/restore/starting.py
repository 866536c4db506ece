# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The start protocol: look, write `starting`, send once, then only look (architecture §4).

CDM's start call takes no idempotency key, and its answer doesn't name the job session it made. So
the ids of all job sessions that exist are noted and `starting` is committed *before* the request
goes out. Whoever finds a run in `starting` afterwards, be it after a lost answer or our own death,
has no proof and only looks. Back to `queued` leads only proof that the request had no effect.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from app.message import Message, counted
from app.restore import clock
from app.restore.busy import BLOCKED_S, blocked, seen, wait_for_job
from app.restore.copy_gate import as_mapped, asked_first
from app.restore.memory import Sum
from app.restore.model import (
    Busy,
    CopyManagerError,
    Evidence,
    JobSession,
    Mode,
    NotFound,
    NothingSent,
    Refused,
    RestoreJob,
    RunState,
    Unknown,
)
from app.restore.ports import PlannedStart
from app.restore.still_wanted import cancelled, changed, gone, still_wanted, waited_too_long
from app.restore.turn import ENGINE, Turn

logger = logging.getLogger(__name__)

LOOK_S = 120.0  # how long CDM must have been readable before "no session" is believed


def queued(turn: Turn) -> None:
    """Start the job, or say why not. Raises `CopyManagerError` when CDM can't be read."""
    if cancelled(turn) or waited_too_long(turn) or not still_wanted(turn):
        return
    if turn.store.settings.mode is Mode.OBSERVE:
        turn.run = turn.store.runs.note(turn.run, dry_run=True, memory=turn.memory)
    try:
        job = turn.cdm.job(turn.run.job_id)
    except NotFound:
        turn.ask_a_person(gone(turn))
        return
    if why := changed(turn, job):
        turn.ask_a_person(why)
        return
    sessions = turn.cdm.sessions(turn.run.job_id)
    if blocked(turn, job, sessions):
        return
    plan = _plan(turn)
    if plan is None or asked_first(turn):
        return
    if turn.run.dry_run:
        turn.end_dry_run(
            Message(
                "everything but the start was done: job {job} is free and could be started"
                " now; it would bring up {copy}",
                job=job.name,
                copy=_copy(turn),
            )
        )
    else:
        _send_once(turn, job, sessions, plan)


def _copy(turn: Turn) -> object:
    """Which copy a start would bring up; one that can't be told would not keep it from starting."""
    try:
        return turn.cdm.copy_to_restore(turn.run.job_id)
    except CopyManagerError as error:
        return Message("a copy that is not known: {error}", error=error)


def _plan(turn: Turn) -> PlannedStart | None:
    """How this job is started; None when it can't be, which is then recorded."""
    try:
        return turn.cdm.plan_start(turn.run.job_id, turn.run.action_name)
    except Busy as busy:
        wait_for_job(turn, None, str(busy))
    except NotFound:
        turn.ask_a_person(gone(turn))
    except Refused as refused:
        if turn.run.dry_run:
            turn.end_dry_run(Message("The run would fail"), str(refused))
        else:
            turn.move(RunState.FAILED, str(refused), error=str(refused))
    return None


def _send_once(
    turn: Turn, job: RestoreJob, sessions: Sequence[JobSession], plan: PlannedStart
) -> None:
    starts = [session.start for session in sessions if session.start is not None]
    with turn.store.transaction():
        # Read again under the write lock: who disarms in this very moment is obeyed.
        if not still_wanted(turn):
            return
        if turn.store.settings.mode is Mode.OBSERVE:
            turn.end_dry_run(
                Message("everything but the start of job {job} was done", job=job.name)
            )
            return
        # What was counted of the hour in `queued` stays, should proof lead back there.
        turn.memory = replace(
            turn.memory,
            noted=tuple(sorted(session.id for session in sessions)),
            noted_start=max(starts, default=None),
            clean_first=None,
            seen=(),
            seen_at=None,
        )
        turn.move(
            RunState.STARTING,
            counted(
                "{n} earlier job session noted; the start is sent",
                "{n} earlier job sessions noted; the start is sent",
                n=len(sessions),
            ),
            due_in=clock.poll_gap(0),
            sent_at=turn.now,
            blocked_by=None,
            error=None,
            # As it was seen last: CDM is asked again only once the start is on its way.
            copy=as_mapped(
                turn, turn.store.seen_copies.find(turn.run.connection_id, turn.run.job_id)
            ),
        )
    try:
        plan.send()
    except Busy as busy:
        _busy_after_all(turn, busy)
    except NothingSent as proof:
        _back_to_queued(turn, proof, blocked=replace(turn.memory.blocked, at=None))
    except Refused as refused:
        turn.move(
            RunState.FAILED,
            Message("{manager} refused: {error}", manager=turn.product, error=refused),
            error=str(refused),
        )
    except Unknown as unknown:
        logger.warning("run %d: the start's answer was lost (%s)", turn.run.id, unknown)
        turn.note(
            due_in=clock.poll_gap(0),
            error=Message("The start's answer was lost: {error}", error=unknown),
        )
    else:
        turn.memory = replace(turn.memory, answered=True)
        turn.note(due_in=clock.poll_gap(0))


def _back_to_queued(turn: Turn, proof: CopyManagerError, *, blocked: Sum) -> None:
    attempts = turn.memory.start_attempts + 1
    # A CDM that can be read and takes no start keeps the run from it all the same.
    unsent = None if isinstance(proof, Busy) else turn.memory.unsent_since or turn.now
    turn.memory = replace(
        turn.memory, start_attempts=attempts, unsent_since=unsent, blocked=blocked
    )
    turn.move(
        RunState.QUEUED,
        Message("the start provably had no effect: {error}", error=proof),
        due_in=clock.retry_gap(attempts),
        sent_at=None,
        error=str(proof),
        contact_lost_since=unsent,
    )


def _busy_after_all(turn: Turn, busy: Busy) -> None:
    """CDM showed the job as free and refuses to start it: a busy job too, with the same end."""
    blocked = turn.memory.blocked.until(turn.now)
    if blocked.s >= BLOCKED_S:
        turn.ask_a_person(
            Message("{error} It has been so for 15 minutes.", error=busy), sent_at=None
        )
    else:
        _back_to_queued(turn, busy, blocked=blocked)


def starting(turn: Turn) -> None:
    """Look for the job session that our start made; never send."""
    noted, noted_start = frozenset(turn.memory.noted or ()), turn.memory.noted_start
    new = [
        session
        for session in turn.cdm.sessions(turn.run.job_id)
        if session.job_id == turn.run.job_id
        and session.id not in noted
        and (session.start is None or noted_start is None or session.start > noted_start)
    ]
    answered, look = turn.memory.answered, turn.memory.look.until(turn.now)
    if len(new) == 1:
        follow_session(
            turn,
            new[0],
            Evidence.ANSWERED if answered else Evidence.FOUND,
            Message("{manager} answered the start", manager=turn.product)
            if answered
            else Message("the answer was lost; found in {manager}", manager=turn.product),
        )
    elif new:
        ids = ", ".join(session.id for session in new)
        turn.memory = seen(turn, new)
        turn.ask_a_person(
            Message(
                "{number} new job sessions of this job appeared ({sessions}); which is ours is"
                " unclear.",
                number=len(new),
                sessions=ids,
            )
        )
    elif look.s >= LOOK_S:
        why: str = Message(
            "The start's answer was lost, but no new job session appeared for {seconds} s.",
            seconds=f"{LOOK_S:.0f}",
        )
        if answered:
            why = Message(
                "{manager} answered the start, but no new job session appeared for {seconds} s.",
                manager=turn.product,
                seconds=f"{LOOK_S:.0f}",
            )
        turn.memory = seen(turn, new)
        turn.ask_a_person(why)
    else:
        polls = turn.memory.polls + 1
        turn.memory = replace(turn.memory, polls=polls, look=look)
        turn.note(due_in=clock.poll_gap(polls))


def follow_session(
    turn: Turn,
    session: JobSession,
    evidence: Evidence,
    how: str,
    *,
    by: str = ENGINE,
) -> None:
    """Move to `restoring` with a known job session."""
    turn.memory = replace(
        turn.memory,
        seen_running=False,
        missing=0,
        permanent=None,
        permanent_tries=0,
        session_start=session.start,
        copy_read=False,
        copy_tries=0,
        unknown=Sum(),  # of another job session, or before a person has looked
        log_lines=0,
        seen=(),
        seen_at=None,
        unsent_since=None,
    )
    turn.move(
        RunState.RESTORING,
        Message("job session {session}: {how}", session=session.id, how=how),
        by=by,
        due_in=0.0,
        job_session_id=session.id,
        cdm_status=session.status,
        percent=session.percent,
        evidence=evidence,
        started_at=turn.run.started_at or turn.now,
        blocked_by=None,
        error=None,
    )
