# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How many threads of a process may wait for others at the same time (architecture §2)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.message import Message


class TooBusy(Exception):
    """All places are taken: say "busy" at once rather than queue."""


class Bulkhead:
    """``limit`` places for calls that leave the process, shared by all that make such calls.

    A thread that takes a place while it already holds one is given the same one again, so that a
    page can hold one over several calls.
    """

    def __init__(self, limit: int = 12) -> None:
        self._places = threading.BoundedSemaphore(limit)
        self._held = threading.local()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for the ``with`` block; raises `TooBusy` at once when there is none."""
        if getattr(self._held, "depth", 0):
            yield
            return
        if not self._places.acquire(blocking=False):
            raise TooBusy(
                Message("too many requests are waiting for QRadar or CDM: try again in a moment")
            )
        self._held.depth = 1
        try:
            yield
        finally:
            self._held.depth = 0
            self._places.release()
