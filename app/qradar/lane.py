# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Side lanes of the worker: threads for what no restore may wait for.

QRadar's is the one that talks to the console; another looks at CDM's certificates. Each has a store
connection of its own, and holds no transaction while it asks: a console that hangs delays nothing
but the notes.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

logger = logging.getLogger(__name__)

_NAP_AFTER_FAILURE_S = 5.0


def gap_after(failures: int) -> float:
    """Seconds until a lane that could not begin so many times in a row is begun again."""
    return min(2.0 ** min(failures, 6), 60.0)


class Work(Protocol):
    """What the lane does over and over."""

    def turn(self, now: datetime, tick: float) -> float: ...
    def close(self) -> None: ...


class SideLane(threading.Thread):
    """Does its work, at its time or when it is woken."""

    def __init__(
        self, name: str, make_work: Callable[[], Sequence[Work]], clock: Callable[[], datetime]
    ) -> None:
        """``make_work`` is called in the thread itself: SQLite connections belong to theirs."""
        super().__init__(name=f"lane-{name}", daemon=True)
        self._make_work, self._clock = make_work, clock
        self._wake, self._stopping = threading.Event(), threading.Event()

    def wake(self) -> None:
        """Look for work now: something was committed."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the step at hand, then end."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        works = self._made()
        if not works:
            return
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                self._wake.wait(min(self._turn(work) for work in works))
        finally:
            for work in works:
                work.close()

    def _made(self) -> Sequence[Work]:
        failures = 0
        while not self._stopping.is_set():
            try:
                return self._make_work()
            except Exception:  # the rim: restores go on whatever is missing here
                failures += 1
                gap = gap_after(failures)
                logger.exception("%s can't begin; tried again in %.0f s", self.name, gap)
                self._stopping.wait(gap)
        return []

    def _turn(self, work: Work) -> float:
        try:
            return work.turn(self._clock(), time.monotonic())
        except Exception:  # the rim: the next turn may well succeed, and nobody else posts notes
            logger.exception("a turn of %s failed", self.name)
            return _NAP_AFTER_FAILURE_S
