# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How long queued runs have waited: counted by a steady clock, for the wall clock may step.

Only time in which no process looked at a run is taken from the times in the store: nobody counted
it, and a restore that nobody expects any more must not be started silently.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.restore.model import Run

Steady = Callable[[], float]
"""Seconds of a clock that never steps, from an arbitrary beginning."""


@dataclass(frozen=True, slots=True)
class _Wait:
    state_since: datetime | None  # another one: the run came back to `queued` meanwhile
    total_s: float  # until it was seen first
    seen_at: float


class Waits:
    """Counts for the queued runs of every connection that is looked at."""

    def __init__(self, steady: Steady) -> None:
        self._steady = steady
        self._waits: dict[int, dict[int, _Wait]] = {}
        self._looked: dict[int, float] = {}

    def look(self, connection_id: int, queued: Sequence[Run], now: datetime) -> None:
        """Count for these runs of a connection from now on, and for no others of it."""
        steady, looked = self._steady(), self._looked.get(connection_id)
        before = self._waits.get(connection_id, {})
        waits: dict[int, _Wait] = {}
        for run in queued:
            wait = before.get(run.id)
            if wait is None or wait.state_since != run.state_since:
                most = None if looked is None else steady - looked
                wait = _Wait(run.state_since, _until_now(run, now, most), steady)
            waits[run.id] = wait
        self._waits[connection_id], self._looked[connection_id] = waits, steady

    def counted(self, run: Run, now: datetime) -> Run:
        """Give ``run``, at which this turn has looked, with ``waited_s`` in its memory."""
        wait = self._waits[run.connection_id][run.id]
        total_s = wait.total_s + self._steady() - wait.seen_at
        return replace(run, memory=replace(run.memory, waited_s=total_s, waited_at=now))


def _until_now(run: Run, now: datetime, most_s: float | None) -> float:
    """Add to what the run remembers the time since, ``most_s`` at most: we were there then."""
    since = run.memory.waited_at or run.state_since or now
    passed = max((now - since).total_seconds(), 0.0)
    if most_s is not None:
        passed = min(passed, most_s)
    return passed + run.memory.waited_s
