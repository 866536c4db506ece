# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The other server's clock, by the ``Date`` of its answers (RFC 9110, 6.6.1): how far it is ahead.

A ``Date`` is cut to whole seconds and was written at some time between our question and its
answer; of several answers the one that says it most exactly counts.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from app.restore.model.copies import ClockOffset

_GOOD_FOR = timedelta(minutes=10)  # clocks are set, and drift
_CUT = 0.5  # seconds: half of what a Date leaves out


def utc_now() -> datetime:
    return datetime.now(UTC)


class ServerClock:
    """What the answers of one server have said; for one thread at a time."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.offset: ClockOffset | None = None
        self._at: datetime | None = None

    def note(self, date: str | None, asked_at: datetime) -> None:
        """Take in the ``Date`` of an answer that has just come; one that can't be read is none."""
        came_at = self.now()
        try:
            said = parsedate_to_datetime(date or "")
        except ValueError:
            return
        said = said.replace(tzinfo=UTC) if said.tzinfo is None else said
        way = (came_at - asked_at) / 2
        ahead = said + timedelta(seconds=_CUT) - (asked_at + way)
        new = ClockOffset(ahead.total_seconds(), _CUT + abs(way.total_seconds()))
        old = self.offset if self._at and abs(came_at - self._at) < _GOOD_FOR else None
        if old is None or new.within_s <= old.within_s:
            self.offset, self._at = new, came_at
