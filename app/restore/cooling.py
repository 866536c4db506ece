# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How long a CDM job is left alone after its last start (architecture §4), and why, in words.

After a start it is the asking mapping's cool-down, from the start. A restore that CDM failed or
refused mutes its job for a short while only, from its end, longer with each in a row: one rule for
both, so that neither a storm makes a run of each trigger nor a broken restore hides the next
attack. What CDM may still be doing (given up, lost, cancelled) cools down in full.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.message import Message
from app.restore.model import Mapping

LEAST = timedelta(minutes=15)
"""So long at least a job is quiet before a trigger is another attack's; a short cool-down's top."""
AFTER_FAILURE = timedelta(seconds=60)
ASK_AFTER = 3
"""So many failures since a copy last came up, and the next trigger asks a person."""
_MOST_DOUBLINGS = 20  # far above any cool-down, and no number that a time can't hold


@dataclass(frozen=True, slots=True)
class LastStart:
    """The run that last started a CDM job, or tried to, as far as is not proven otherwise."""

    run_id: int
    at: datetime  # from when the job cools down: the start, or the end of what CDM failed
    failures: int = 0  # how many CDM failed or refused since a copy last came up, up to this one
    failed: bool = False  # whether this one is such a failure
    unknown: bool = False  # a person gave it up: whether CDM carried it out, and how, is not known
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cooling:
    """A cool-down that is not over."""

    run_id: int
    until: datetime
    after: str  # after what, the begin of a sentence
    promise: str  # until when, the rest of it
    asks: bool = False  # whether a trigger does not start the job then, but asks a person

    @property
    def why(self) -> str:
        """After what the job cools down, and until when: one sentence."""
        return Message("{after}; {promise}", after=self.after, promise=self.promise)


def asks_a_person(last: LastStart | None) -> bool:
    """Whether so many restores have failed, and no copy came up, that a person starts the next."""
    return last is not None and last.failures >= ASK_AFTER


def full(mapping: Mapping) -> timedelta:
    """A mapping's cool-down, where it must be long enough to tell two attacks apart."""
    return max(timedelta(seconds=mapping.cooldown_s), LEAST)


def cooling(mapping: Mapping, last: LastStart | None, now: datetime) -> Cooling | None:
    """Give the cool-down that a trigger of ``mapping`` meets; None: the job may be started."""
    if last is None:
        return None
    if not last.failed:
        length = timedelta(seconds=mapping.cooldown_s)
    else:
        doublings = min(last.failures - 1, _MOST_DOUBLINGS)
        length = min(AFTER_FAILURE * 2**doublings, full(mapping))
    return _until(mapping, last, last.at + length, now)


def cooling_of_unknown(mapping: Mapping, last: LastStart | None, now: datetime) -> Cooling | None:
    """Give the cool-down that even a person has to wait for: a start that may still be going on."""
    if last is None or not last.unknown:
        return None
    return _until(mapping, last, last.at + full(mapping), now)


def cooling_of_own(
    mapping: Mapping,
    last: LastStart | None,
    last_failure: tuple[int, datetime] | None,
    now: datetime,
) -> Cooling | None:
    """Give the cool-down of what may be our own event: in full, from whatever we last told of.

    That is the job's last start and its end, and the last failure of any job: two jobs whose
    failures start each other would be a loop too. A time ahead of now is a clock that was set back.
    """
    found = [] if last is None else [(last.at, last.run_id), (last.ended_at, last.run_id)]
    if last_failure is not None:
        found.append((last_failure[1], last_failure[0]))
    told = [(at, run_id) for at, run_id in found if at is not None and at <= now]
    if not told:
        return None
    at, run_id = max(told)
    until = at + full(mapping)
    if until <= now:
        return None
    after = Message("Run {run} was started or has ended a short while ago", run=run_id)
    promise = Message(
        "mapping {mapping} starts job {job} by such an event at {at} at the earliest.",
        mapping=mapping.name,
        job=mapping.job_name,
        at=clock_time(until, now),
    )
    return Cooling(run_id, until, after, promise)


def _until(mapping: Mapping, last: LastStart, until: datetime, now: datetime) -> Cooling | None:
    if until <= now:
        return None
    left = _span((until - now).total_seconds())
    asks = mapping.needs_approval or asks_a_person(last)
    at = clock_time(until, now)
    if asks:
        promise = Message(
            "mapping {mapping} asks a person to start it again at {at} (in {left}) at the"
            " earliest.",
            mapping=mapping.name,
            at=at,
            left=left,
        )
    else:
        promise = Message(
            "mapping {mapping} starts it again at {at} (in {left}) at the earliest.",
            mapping=mapping.name,
            at=at,
            left=left,
        )
    return Cooling(last.run_id, until, _after(mapping, last), promise, asks)


def _after(mapping: Mapping, last: LastStart) -> str:
    if last.failed and last.failures > 1:
        return _in_a_row(mapping, last)
    if last.failed:
        return Message("Run {run} of job {job} failed", run=last.run_id, job=mapping.job_name)
    if last.unknown:
        return Message(
            "Run {run} may have started job {job} and was given up, look into CDM",
            run=last.run_id,
            job=mapping.job_name,
        )
    return Message(
        "Run {run} started job {job} a short while ago", run=last.run_id, job=mapping.job_name
    )


def _in_a_row(mapping: Mapping, last: LastStart) -> Message:
    run, job, number = last.run_id, mapping.job_name, last.failures
    if number == 2:
        return Message("Run {run} of job {job} failed, the second time in a row", run=run, job=job)
    if number == 3:
        return Message("Run {run} of job {job} failed, the third time in a row", run=run, job=job)
    return Message(
        "Run {run} of job {job} failed, the {number}th time in a row",
        run=run,
        job=job,
        number=number,
    )


def _span(seconds: float) -> str:
    """A wait in words, rounded up where the clock's time beside it says it to the second."""
    if seconds < 120:
        return Message("{seconds} s", seconds=f"{seconds:.0f}")
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return (
        Message("{hours} h {minutes} min", hours=hours, minutes=minutes)
        if hours
        else Message("{minutes} min", minutes=minutes)
    )


def clock_time(at: datetime, now: datetime) -> str:
    """Give a time in words for a sentence that is read soon: without today's date, in UTC."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    return at.strftime("%H:%M:%S UTC" if at.date() == now.date() else "%Y-%m-%d %H:%M:%S UTC")
