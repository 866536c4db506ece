# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""One job session as a time line: what it is at any moment follows from the clock alone."""

import math
from dataclasses import dataclass, field

TERMINAL = frozenset(
    {"COMPLETED", "PARTIAL", "FAILED", "CANCELLED", "CANCELED", "ABORTED", "STOPPED"}
)
RUNNING_WORDS = frozenset({"PENDING", "WAITING", "HELD", "RUNNING", "CANCELLING", "CANCELING"})
RESULTS = {
    "PENDING": None,
    "RUNNING": None,
    "RESOURCE ACTIVE": "Restore active",
}
START_OFFSET = 0.277  # CDM's ids are not its start times (cdm §4)


@dataclass(frozen=True, slots=True)
class Phase:
    """From ``at`` (epoch seconds) on, the session has this status."""

    at: float
    status: str
    ended: bool
    results: str | None

    @property
    def is_live(self) -> bool:
        """Whether the job is busy with it: everything but an end without open resource."""
        return self.status == "RESOURCE ACTIVE" or not self.ended


def phase(
    at: float, status: str, *, ended: bool | None = None, results: str | None = None
) -> Phase:
    """A phase with the usual results text; a word that isn't known to go on counts as ended."""
    if ended is None:
        ended = status not in RUNNING_WORDS
    if results is None:
        results = RESULTS.get(status, status)
    return Phase(at, status, ended, results)


@dataclass(slots=True)
class LogEntry:
    """One line of a job log; readable from ``visible_at`` on, which may be later than its time."""

    id: str
    time: float
    visible_at: float
    type: str
    message: str
    message_id: str


@dataclass(slots=True)
class Session:
    """A job session. ``phases`` are in order of time; those in the future are plans."""

    id: str
    job_id: str
    begins: float
    phases: list[Phase]
    clean_up: str | None
    action_name: str | None = None
    foreign: bool = False
    extra_log: list[LogEntry] = field(default_factory=list)
    log_purged_at: float = -math.inf

    def exists(self, now: float) -> bool:
        """Whether anybody can see it yet."""
        return self.begins <= now

    def at(self, now: float) -> Phase:
        """The phase that holds now."""
        return next((p for p in reversed(self.phases) if p.at <= now), self.phases[0])

    def is_live(self, now: float) -> bool:
        """Whether it exists and keeps its job busy."""
        return self.exists(now) and self.at(now).is_live

    def turn(self, now: float, *phases: Phase) -> None:
        """Drop the plans and go on with these phases instead."""
        self.phases = [p for p in self.phases if p.at <= now] + list(phases)

    @property
    def start_ms(self) -> int:
        """The session's start, epoch ms."""
        return ms(self.begins + START_OFFSET)

    def end_ms(self, now: float) -> int | None:
        """The session's end, epoch ms, or None while it runs."""
        current = self.at(now)
        return max(ms(current.at), self.start_ms) if current.ended else None

    def percent(self, now: float) -> int:
        """0 to 100; grows while RUNNING, and stays below 100 until the end."""
        current = self.at(now)
        if current.ended:
            return 100
        if current.status != "RUNNING":
            return 0
        following = next((p for p in self.phases if p.at > now), None)
        if following is None or following.at <= current.at:
            return 50
        return min(99, int(100 * (now - current.at) / (following.at - current.at)))


def ms(seconds: float) -> int:
    """Epoch seconds as epoch milliseconds."""
    return int(seconds * 1000)
