# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""New attacks: triggers that can start nothing and repeat nothing that goes on (architecture §4).

A mounted copy, an open question, a lost contact or a cool-down must not swallow them in silence:
each stands on every page, in its offense and in the log until a restore starts or somebody
acknowledges it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.message import Message, Sentence
from app.restore.cooling import LEAST, Cooling, clock_time, full
from app.restore.model import Mapping, Run, RunState, Trigger

_HELD_BACK = {"HELD", "PAUSED", "SUSPENDED"}
"""CDM's words for a job session that has begun and does not go on."""


@dataclass(frozen=True, slots=True)
class Attack:
    """A new attack as it stands in the store; of each CDM job one is open at most."""

    id: int
    at: datetime
    connection_id: int
    connection: str
    job_id: str
    job_name: str
    mapping: str
    trigger_id: int | None
    run_id: int  # holds the job, or its start is what the job cools down from
    offense_id: int | None  # the trigger's, as far as it is known by now
    offense_by: str | None  # as in `Run`
    why: Sentence
    start_possible_at: datetime | None = None  # None: once the run no longer holds the job
    triggers: int = 1  # how many have come since and could start nothing, with the first
    answering_run_id: int | None = None  # the run whose start was sent since
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a trigger makes known: a new attack, not in the store yet."""

    run_id: int
    why: str
    start_possible_at: datetime | None = None


class NoSuchAttack(LookupError):
    """There is no new attack of that number."""


def held(
    trigger: Trigger,
    mapping: Mapping,
    holder: Run,
    *,
    last_trigger: datetime | None,
    is_tied: Callable[[int], bool],
    cooling: Cooling | None,
    now: datetime,
) -> Noticed | None:
    """Give the new attack that a trigger is while ``holder`` holds its job; None: a repeat.

    Args:
        last_trigger: when a trigger of this job came before, None if none has.
        is_tied: whether an offense belongs to the holder already; asked only where that decides.
        cooling: the cool-down that the trigger would meet besides.
    """
    reason = why(holder)
    if reason is None:
        return None
    if not _quiet(last_trigger, full(mapping).total_seconds(), now):
        offense_id = trigger.offense_id
        if cooling or offense_id is None or is_tied(offense_id):
            return None
    return Noticed(holder.id, reason)


def why(holder: Run) -> str | None:
    """Say why a trigger of another attack starts nothing; None: a restore is on its way."""
    obstacle = _obstacle(holder)
    return None if obstacle is None else _new_attack(Message("while {obstacle}", obstacle=obstacle))


def cooled(
    mapping: Mapping, cooling: Cooling, *, last_trigger: datetime | None, now: datetime
) -> Noticed | None:
    """Give the new attack that a trigger is in a cool-down, when nothing runs; None: a repeat.

    Quiet for 15 minutes is enough here: with a quiet as long as the cool-down, nothing that comes
    in a cool-down would ever be a new attack.
    """
    if not _quiet(last_trigger, LEAST.total_seconds(), now):
        return None
    at = clock_time(cooling.until, now)
    how = Message(
        "in the cool-down after run {run}: a trigger starts job {job} again at {at} at the"
        " earliest, a person can start it now.",
        run=cooling.run_id,
        job=mapping.job_name,
        at=at,
    )
    if cooling.asks:
        how = Message(
            "in the cool-down after run {run}: a trigger asks a person to start job {job} again at"
            " {at} at the earliest, a person can start it now.",
            run=cooling.run_id,
            job=mapping.job_name,
            at=at,
        )
    return Noticed(cooling.run_id, _new_attack(how), cooling.until)


def _new_attack(how: Message) -> Message:
    """The sentence, from which `notes.shouted` takes ``how`` again."""
    return Message("New attack {how}", how=how)


def _quiet(last_trigger: datetime | None, seconds: float, now: datetime) -> bool:
    return last_trigger is None or (now - last_trigger).total_seconds() >= seconds


def _obstacle(run: Run) -> str | None:
    """What keeps a job from being started, as the end of a sentence; None: a restore on its way."""
    match run.state:
        case RunState.READY:
            return Message(
                "run {run} is still mounted: job {job} can't start again before its clean room"
                " is cleaned up.",
                run=run.id,
                job=run.job_name,
            )
        case RunState.NEEDS_DECISION:
            return Message(
                "run {run} waits for a person's decision: job {job} can't start again before that.",
                run=run.id,
                job=run.job_name,
            )
        case RunState.CLEANING_UP:
            return Message(
                "run {run} is being cleaned up: job {job} can't start again before that is done.",
                run=run.id,
                job=run.job_name,
            )
    if run.contact_lost_since is not None and run.state is RunState.QUEUED:
        return Message(
            "contact with {manager} {connection} is lost: run {run} of job {job} can't start.",
            manager=run.kind.product,
            connection=run.connection,
            run=run.id,
            job=run.job_name,
        )
    if run.contact_lost_since is not None:
        return Message(
            "contact with {manager} {connection} is lost: how far run {run} is can't be told,"
            " and job {job} can't start again meanwhile.",
            manager=run.kind.product,
            connection=run.connection,
            run=run.id,
            job=run.job_name,
        )
    if run.state is RunState.QUEUED and run.error is not None:
        return Message(
            "run {run} of job {job} can't start: {error}",
            run=run.id,
            job=run.job_name,
            error=run.error,
        )
    word = (run.cdm_status or "").strip().upper()
    if word in _HELD_BACK or run.memory.unknown.at is not None:
        return Message(
            "{manager} shows run {run} of job {job} as {status}: it does not go on.",
            manager=run.kind.product,
            run=run.id,
            job=run.job_name,
            status=run.cdm_status,
        )
    return None
