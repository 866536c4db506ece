# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""When a run is due, and how long it has waited: rules that hold while the clock steps.

Our clock may jump by an hour or a day at any moment. So a gap is chosen by counting polls, a time
in the store that lies further ahead than the largest gap counts as due, and durations are added up
from turn to turn, each turn counting for no more than two of the gaps between such turns.
"""

from datetime import datetime, timedelta

LARGEST_GAP_S = 60.0
QUICK_GAP_S = 10.0
_FIRST_GAPS_S = (1, 1, 2, 4)  # asked 1, 2, 4 and 8 s after the start
_POLLS_IN_TEN_MINUTES = len(_FIRST_GAPS_S) + 59


def poll_gap(polls: int) -> float:
    """Seconds until CDM is asked again, after it was asked ``polls`` times since the start."""
    if polls < len(_FIRST_GAPS_S):
        return _FIRST_GAPS_S[polls]
    return QUICK_GAP_S if polls < _POLLS_IN_TEN_MINUTES else LARGEST_GAP_S


def retry_gap(attempts: int) -> float:
    """Seconds until the next try after ``attempts`` failed ones."""
    return min(2.0 ** min(attempts, 6), LARGEST_GAP_S)


def later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)


def is_due(due_at: datetime | None, now: datetime) -> bool:
    """Say whether a row may be looked at; a time beyond the largest gap is a clock that stepped."""
    return due_at is None or due_at <= now or due_at > later(now, LARGEST_GAP_S)


def added_up(
    total_s: float, last: datetime | None, now: datetime, *, gap_s: float = LARGEST_GAP_S
) -> float:
    """Add the time since the last turn to ``total_s``, as far as it can be believed.

    ``gap_s`` is the largest gap between two such turns; more than two of it are a clock that
    stepped, or a process that was away.
    """
    if last is None:
        return total_s
    return total_s + min(max((now - last).total_seconds(), 0.0), 2 * gap_s)
