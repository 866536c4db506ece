# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""QRadar's lane: the one thread of the worker that talks to the console.

It has a store connection and a console client of its own, and holds no transaction while it asks: a
console that hangs delays nothing but the notes.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

logger = logging.getLogger(__name__)

_NAP_AFTER_FAILURE_S = 5.0


class Work(Protocol):
    """What the lane does over and over."""

    def turn(self, now: datetime, tick: float) -> float: ...
    def close(self) -> None: ...


class QRadarLane(threading.Thread):
    """Does the console's work, at its time or when it is woken."""

    def __init__(
        self, make_work: Callable[[], Sequence[Work]], clock: Callable[[], datetime]
    ) -> None:
        """``make_work`` is called in the thread itself: SQLite connections belong to theirs."""
        super().__init__(name="lane-qradar", daemon=True)
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
        try:
            return self._make_work()
        except Exception:  # the rim: restores go on whatever is missing for QRadar's side
            logger.exception("QRadar's lane can't begin")
            return []

    def _turn(self, work: Work) -> float:
        try:
            return work.turn(self._clock(), time.monotonic())
        except Exception:  # the rim: the next turn may well succeed, and nobody else posts notes
            logger.exception("a turn of QRadar's lane failed")
            return _NAP_AFTER_FAILURE_S
