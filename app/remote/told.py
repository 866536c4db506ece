# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a copy manager tells pages, beyond what the heart asks: jobs, copies, the steps of tests."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.message import Message


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was tried, how it went, and if it didn't, why and what to do."""

    name: str
    ok: bool
    ms: int
    message: str
    cause: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class JobEntry:
    """A job in the list of a copy manager, whatever it does."""

    id: str
    name: str
    type: str  # recovery, protection, maintenance; anything else is the manager's own word
    subtype: str
    status: str
    last_run: datetime | None
    last_status: str | None
    description: str
    is_restore: bool
    policy_id: str | None = None  # given back to it, its copy is found sooner


class Which(StrEnum):
    """Which of its copies a job takes."""

    LATEST = "latest"  # whichever is the newest when it starts
    MISSING = "missing"  # the newest, but CDM lists none
    PINNED = "pinned"  # always the same, however old
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy that a job will restore; its time is the manager's own and never compared with ours.

    Of several sources the oldest copy is the one told: nothing that comes up is older.
    """

    which: Which
    at: datetime | None = None
    policy: str | None = None  # the SLA policy that made it
    name: str | None = None  # what the manager calls a pinned copy
    sources: tuple[str, ...] = ()  # what is restored from it
    problem: str | None = None  # why it, or its time, is not known

    def __str__(self) -> str:
        match self.which:
            case Which.LATEST if self.at is not None:
                return self._latest(f"{self.at:%Y-%m-%d %H:%M:%S} UTC")
            case Which.LATEST:
                return Message(
                    "the latest copy; its time is not known: {problem}", problem=self.problem
                )
            case Which.MISSING:
                return Message("nothing: CDM lists no copy")
            case Which.PINNED:
                return self._pinned(self.name or str(self.at))
        return Message("a copy that is not known: {problem}", problem=self.problem)

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
