# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How the copy that a run brings up stands to the detection: how old it was, made before or after.

The copy's time is by CDM's clock, the detection's by QRadar's or ours. They are compared only here,
with what CDM's clock was measured to be ahead, and with a margin within which nothing is claimed: a
copy from after the detection may hold the attack.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.message import Message, duration
from app.restore.model import MANUAL, Run, RunState
from app.restore.model.copies import Copy, Which

MARGIN_S = 60.0


class Relation(StrEnum):
    """When the newest of a run's copies was made."""

    BEFORE = "before"
    AFTER = "after"
    UNCLEAR = "unclear"  # within the margin, or CDM's clock was not measured
    UNKNOWN = "unknown"  # its time is not known


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """A run's copy against its detection."""

    age_s: float | None  # of the oldest copy at the detection; below zero: made after it
    newest_age_s: float | None
    relation: Relation


def recovery_point(
    copy: Copy, *, detected_at: datetime | None, received_at: datetime
) -> RecoveryPoint:
    """Compare a copy with a detection; without the event's own time, the receipt stands for it."""
    oldest, newest = copy.made_at, copy.newest_made_at
    if oldest is None or newest is None:
        return RecoveryPoint(None, None, Relation.UNKNOWN)
    detection = detected_at or received_at
    ahead = timedelta(seconds=copy.clock.ahead_s if copy.clock else 0.0)
    age, newest_age = ((detection - (at - ahead)).total_seconds() for at in (oldest, newest))
    if copy.clock is None:
        return RecoveryPoint(age, newest_age, Relation.UNCLEAR)
    margin = MARGIN_S + copy.clock.within_s + abs((received_at - detection).total_seconds())
    relation = Relation.BEFORE if newest_age > 0 else Relation.AFTER
    if abs(newest_age) <= margin:
        relation = Relation.UNCLEAR
    return RecoveryPoint(age, newest_age, relation)


def point_of(run: Run) -> RecoveryPoint | None:
    """Compare a run's copy with its detection; None: it was not looked at."""
    if run.copy is None:
        return None
    return recovery_point(run.copy.copy, detected_at=run.detected_at, received_at=run.received_at)


def copy_words(run: Run) -> Message | None:
    """Say which copy a run brings up, from when it is; None: it was not looked at."""
    point = point_of(run)
    if run.copy is None or point is None:
        return None
    words = _compared(run, run.copy.copy, point)
    if run.copy.too_old(point.age_s):
        return Message(
            "{copy}; that is older than the {hours} h that its mapping allows",
            copy=words,
            hours=run.copy.max_age_h,
        )
    return words


def _compared(run: Run, copy: Copy, point: RecoveryPoint) -> Message:
    if point.age_s is None or point.newest_age_s is None:
        return _without_time(copy)
    which = _which(copy, newest=point.relation is Relation.AFTER)
    if run.source == MANUAL and run.detected_at is None:
        return Message(
            "{copy}, {age} before it was asked for", copy=which, age=duration(max(point.age_s, 0.0))
        )
    match point.relation:
        case Relation.BEFORE:
            return Message(
                "{copy}, {age} before the detection", copy=which, age=duration(point.age_s)
            )
        case Relation.AFTER:
            return Message(
                "{copy}, {age} AFTER the detection: it may hold the attack",
                copy=which,
                age=duration(-point.newest_age_s),
            )
    return Message(
        "{copy}, made about when the attack was detected: whether before or after can't be told",
        copy=which,
    )


def copy_sentence(run: Run) -> Message | None:
    """Say where a run's copy is on its way, and which one it is; None: it was not looked at."""
    words = copy_words(run)
    if words is None:
        return None
    match run.state:
        case RunState.READY | RunState.CLEANING_UP:
            return Message("Up: {copy}.", copy=words)
        case RunState.STARTING | RunState.RESTORING:
            return Message("Coming up: {copy}.", copy=words)
        case RunState.COMPLETED if run.ready_at is not None:
            return Message("Was up: {copy}.", copy=words)
    return Message("Asked for: {copy}.", copy=words)


def copy_warns(run: Run) -> bool:
    """Say whether a run's copy may be another than the one that is wanted."""
    point = point_of(run)
    if run.copy is None or point is None or not run.copy.checked:
        return False
    fits = run.copy.copy.which is Which.LATEST and point.relation is Relation.BEFORE
    return not fits or run.copy.too_old(point.age_s)


def _which(copy: Copy, *, newest: bool) -> Message:
    number = len(copy.sources)
    at = copy.newest_made_at if newest else copy.made_at
    when = f"{at:%Y-%m-%d %H:%M}"
    if copy.which is Which.PINNED:
        return Message("the pinned copy of {at} UTC, NOT the latest", at=when)
    if number > 1 and newest:
        return Message(
            "the copies of {number} sources, the newest of {at} UTC", number=number, at=when
        )
    if number > 1:
        return Message(
            "the copies of {number} sources, the oldest of {at} UTC", number=number, at=when
        )
    return Message("the copy of {at} UTC", at=when)


def _without_time(copy: Copy) -> Message:
    match copy.which:
        case Which.PINNED:
            return Message(
                "the pinned copy {name}, NOT the latest; its time is not known", name=copy.name
            )
        case Which.MISSING:
            return Message("no copy that CDM lists")
    return copy.words()
