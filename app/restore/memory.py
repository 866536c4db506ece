# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run remembers between the engine's steps, phase by phase.

It stands in the run's row as one flat JSON object with the names of these fields as keys, a sum's
after the field's own: ``look_s``, ``look_at`` (`app.store.memories`).
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import NamedTuple, Self

from app.restore import clock


@dataclass(frozen=True, slots=True)
class Sum:
    """Seconds in which CDM could be read, added up from turn to turn."""

    s: float = 0.0
    at: datetime | None = None  # the last turn that counted; None: the next one begins to

    gap_s = clock.LARGEST_GAP_S  # between two turns

    def until(self, now: datetime) -> Self:
        """Give it with this turn added; see `clock.added_up`."""
        return replace(self, s=clock.added_up(self.s, self.at, now, gap_s=self.gap_s), at=now)


class QuickSum(Sum):
    """Added up while CDM is asked at the quick cadence."""

    __slots__ = ()
    gap_s = clock.QUICK_GAP_S


@dataclass(frozen=True, slots=True)
class Sent(QuickSum):
    """A cancel or clean-up that was sent to CDM, and for how long it has shown no effect since."""

    sent: int | None = None  # the person's request that it was sent for
    sends: int = 0  # how often


class SeenSession(NamedTuple):
    """One job session in CDM's list as it was seen last; its start by CDM's own clock."""

    id: str
    status: str
    start: datetime | None


@dataclass(frozen=True)
class _Waiting:
    """Before the start."""

    unapproved: Sum = Sum()
    waited_s: float = 0.0  # in `queued`, by a steady clock
    waited_at: datetime | None = None
    blocked: Sum = Sum()  # by a busy job
    clean_first: str | None = None  # the foreign job session that a person chose to end
    first: Sent = Sent()  # the clean-up of that one
    first_known: bool = False  # to have reached CDM
    start_attempts: int = 0  # those that provably had no effect
    unsent_since: datetime | None = None  # since when CDM takes no start


@dataclass(frozen=True)
class _Starting:
    """From just before the start until its job session is known."""

    noted: tuple[str, ...] | None = None  # job sessions from before; None: none was to be sent
    noted_start: datetime | None = None  # of the latest of them
    answered: bool = False  # CDM answered the start
    # For a new job session, from the first look on: whether CDM can be read is not known before.
    look: QuickSum = QuickSum()
    seen: tuple[SeenSession, ...] = ()  # those that raise a question, for the person who decides
    seen_at: datetime | None = None


@dataclass(frozen=True)
class _Following:
    """While a known job session goes its way."""

    polls: int = 0  # since CDM was last sent something, or the state changed
    seen_running: bool = False
    missing: int = 0  # looks in a row that did not show it
    unknown: Sum = Sum()  # with a status word that we don't know
    permanent: bool | None = None  # whether the job makes its copy permanent; None: not known
    permanent_tries: int = 0  # to find that out
    session_start: datetime | None = None  # by CDM's own clock
    copy_asked: bool = False  # whether a person was asked because of the copy
    copy_read: bool = False  # which copy comes up, since the start
    copy_tries: int = 0  # to find that out
    log_lines: int = 0  # read so far
    log_whole: bool = False  # the log is still to be read to its end


@dataclass(frozen=True)
class _Requested:
    """Of what people ask of it."""

    cancel: Sent = Sent()
    clean: Sent = Sent()
    clean_running: bool = False  # CDM was seen cleaning up


@dataclass(frozen=True)
class Memory(_Waiting, _Starting, _Following, _Requested):
    """All of it: what a phase remembers may be asked for after it has ended."""

    def interrupted(self) -> Self:
        """Give it without the last turns: time in which CDM can't be read counts for no sum."""
        sums = {field.name: getattr(self, field.name) for field in fields(self)}
        stopped = {name: replace(sum_, at=None) for name, sum_ in sums.items() if _is_sum(sum_)}
        return replace(self, **stopped)


def _is_sum(value: object) -> bool:
    return isinstance(value, Sum)
