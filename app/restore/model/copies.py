# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which copy a job brings up, as far as its copy manager tells.

Times are the copy manager's own, and are shown as it gave them; what its clock was ahead of ours is
kept beside them, for a comparison with ours. Nothing that CDM shows marks a copy as safeguarded
(cdm §7), so that is never said.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.message import Message, Sentence


class Which(StrEnum):
    """Which of its copies a job takes."""

    LATEST = "latest"  # whichever is the newest when it starts
    MISSING = "missing"  # the newest, but none is listed
    PINNED = "pinned"  # always the same, however old
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SourceCopy:
    """One source of a job, and the copy of it that comes up."""

    name: str
    made_at: datetime | None = None
    policy: str | None = None  # the SLA policy that made it


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far the copy manager's clock is ahead of ours, as its answers said."""

    ahead_s: float
    within_s: float  # either way


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy that a job brings up: one of each of its sources."""

    which: Which
    sources: tuple[SourceCopy, ...] = ()
    name: str | None = None  # what a pinned copy is called
    problem: Sentence | None = None  # why it, or its time, is not known
    # None: not measured. How a clock goes makes no other copy.
    clock: ClockOffset | None = field(default=None, compare=False)

    @property
    def made_at(self) -> datetime | None:
        """When the oldest was made: nothing that comes up is older. None: not known of each."""
        return min(self._times(), default=None)

    @property
    def newest_made_at(self) -> datetime | None:
        """When the newest was made, which holds whatever had happened until then."""
        return max(self._times(), default=None)

    @property
    def policy(self) -> str | None:
        """Which policy made the oldest one."""
        made = {source.made_at: source.policy for source in reversed(self.sources)}
        return made.get(self.made_at) if self.made_at else None

    def _times(self) -> list[datetime]:
        times = [source.made_at for source in self.sources if source.made_at is not None]
        return times if len(times) == len(self.sources) else []

    def __str__(self) -> str:
        return self.words()

    def words(self) -> Message:
        """Say which copy a start would bring up."""
        problem = self.problem or Message("CDM does not tell.")
        match self.which:
            case Which.LATEST if self.made_at is not None:
                return self._latest(f"{self.made_at:%Y-%m-%d %H:%M:%S} UTC")
            case Which.LATEST:
                return Message("the latest copy; its time is not known: {problem}", problem=problem)
            case Which.MISSING:
                return Message("nothing: CDM lists no copy")
            case Which.PINNED:
                return self._pinned(self.name or str(self.made_at))
        return Message("a copy that is not known: {problem}", problem=problem)

    def _latest(self, at: str) -> Message:
        number, policy = len(self.sources), self.policy
        if number > 1 and policy:
            return Message(
                "the latest copies of {number} sources, the oldest of {at}, made by policy"
                " {policy}",
                number=number,
                at=at,
                policy=policy,
            )
        if number > 1:
            return Message(
                "the latest copies of {number} sources, the oldest of {at}", number=number, at=at
            )
        if policy:
            return Message(
                "the latest copy, of {at}, made by policy {policy}", at=at, policy=policy
            )
        return Message("the latest copy, of {at}", at=at)

    def _pinned(self, name: str) -> Message:
        if self.policy:
            return Message(
                "always the same copy, {name}, made by policy {policy}, NOT the latest",
                name=name,
                policy=self.policy,
            )
        return Message("always the same copy, {name}, NOT the latest", name=name)


@dataclass(frozen=True, slots=True)
class SeenCopy:
    """A copy, and when it was seen by our clock."""

    copy: Copy
    seen_at: datetime
    checked: bool = True  # whether people are to be warned of what may be the wrong one
    max_age_h: int | None = None  # how old it may be at the detection

    def too_old(self, age_s: float | None) -> bool:
        """Whether a copy of that age is older than it may be."""
        return age_s is not None and self.max_age_h is not None and age_s > self.max_age_h * 3600
