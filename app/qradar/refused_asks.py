# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How often the console may be asked about tokens that turn out to be bad.

QRadar locks a host out after five failed log-ins (qradar §3.4), all of the app's with it,
and anybody who reaches the app's port may send tokens. So four refused asks in ten minutes are all
that the app allows itself, whoever caused them, kept in the store because a restart forgets
nothing at the console either. They are shared out by where a token comes from, which gives no
right: nobody out in the network can use up the room of those who come through the console, nor
they that of the worker.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

WINDOW = timedelta(minutes=10)
_LONGEST_WAIT_S = 5.0


class Whose(StrEnum):
    """Where a token comes from."""

    OTHER = "other"  # a request whose peer is not the console
    CONSOLE = "console"  # a request whose peer is the console
    OWN = "own"  # the service token


ROOM = {Whose.OTHER: 1, Whose.CONSOLE: 2, Whose.OWN: 1}
"""Refused asks in `WINDOW`, one below QRadar's default of five in all."""


class Ledger(Protocol):
    """The refused asks in the store; it stays silent about what it can't read or keep."""

    def since(self, at: datetime, whose: str, *, now: datetime) -> Sequence[datetime]: ...
    def add(self, whose: str, *, now: datetime) -> None: ...


class NoRoom(Exception):
    """There were too many refusals: the console is not asked for so many seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many refusals; {wait_s:.0f} s to wait")
        self.wait_s = wait_s


def wait(ledger: Ledger, whose: Whose, now: datetime) -> float:
    """Seconds until the console may be asked again, 0 for at once."""
    times = ledger.since(now - WINDOW, whose, now=now)
    if len(times) < ROOM[whose]:
        return 0.0
    return (times[-ROOM[whose]] + WINDOW - now).total_seconds()


class RefusedAsks:
    """The budget as one process sees it: what the store knows, and what is under way here.

    It remembers its own refusals too, by a clock that never goes back: the store may be out of use.
    """

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        """``ledger`` gives the calling thread's."""
        self._ledger = ledger
        self._refused: deque[tuple[float, Whose]] = deque()
        self._under_way: Counter[Whose] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def room(self, whose: Whose, clocks: Callable[[], tuple[datetime, float]]) -> Iterator[None]:
        """Hold room for one ask that may be refused; `add` it if it was. Raises `NoRoom`.

        An ask under way takes room too. Whoever finds it taken waits for its end: most are not
        refused. ``clocks`` gives the time of day and a monotonic clock's seconds.
        """
        with self._changed:
            while True:
                now, tick = clocks()
                free = ROOM[whose] - self._count(whose, now, tick)
                if free > self._under_way[whose]:
                    break
                if free <= 0:
                    raise NoRoom(self._wait(whose, now, tick))
                if not self._changed.wait(_LONGEST_WAIT_S):
                    raise NoRoom(_LONGEST_WAIT_S)
            self._under_way[whose] += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way[whose] -= 1
                self._changed.notify_all()

    def add(self, whose: Whose, *, now: datetime, tick: float) -> None:
        """Count a refusal."""
        with self._changed:
            self._refused.append((tick, whose))
            self._ledger().add(whose, now=now)

    def _count(self, whose: Whose, now: datetime, tick: float) -> int:
        while self._refused and tick - self._refused[0][0] >= WINDOW.total_seconds():
            self._refused.popleft()
        here = sum(one is whose for _, one in self._refused)
        return max(here, len(self._ledger().since(now - WINDOW, whose, now=now)))

    def _wait(self, whose: Whose, now: datetime, tick: float) -> float:
        own = [at for at, one in self._refused if one is whose]
        here = own[-ROOM[whose]] + WINDOW.total_seconds() - tick if len(own) >= ROOM[whose] else 0.0
        return max(here, wait(self._ledger(), whose, now))
