# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""One turn of one run: what a step has at hand, and how it writes down what it found."""

import logging
from collections.abc import Mapping as Map
from datetime import datetime
from typing import Any

from app.restore import clock
from app.restore.model import CopyManagerError, Request, Run, RunState
from app.restore.ports import ClientFor, CopyManager, Store

logger = logging.getLogger(__name__)

ENGINE = "app"
EFFECT_S = 120.0  # how long CDM is read before what was asked of it counts as without effect
MOST_SENDS = 3  # of a cancel or clean-up that shows none

# CDM is asked at the quick cadence while these are added up.
_QUICK_SUMS = ("look", "clean", "cancel", "first")


class Turn:
    """A run, the time, the store and the run's copy manager, for the length of one step."""

    def __init__(self, run: Run, now: datetime, store: Store, client_for: ClientFor) -> None:
        self.run, self.now, self.store = run, now, store
        self._client_for = client_for
        self.asked_cdm = False

    @property
    def cdm(self) -> CopyManager:
        """The run's copy manager. Raises `CopyManagerError` when there can be none."""
        self.asked_cdm = True
        return self._client_for(self.run.connection_id)

    def memory(self, **changes: object) -> dict[str, object]:
        """Give what the run remembers, with changes; a value of None forgets."""
        merged = {**self.run.memory, **changes}
        return {key: value for key, value in merged.items() if value is not None}

    def note(
        self, *, due_in: float, memory: Map[str, object] | None = None, **columns: object
    ) -> None:
        """Keep what CDM just said; the run stays in its state and is due again in ``due_in`` s."""
        if self.run.contact_lost_since is not None:
            columns.setdefault("error", None)  # it told of the lost contact
        self.run = self.store.runs.note(
            self.run,
            due_at=clock.later(self.now, due_in),
            attempts=0,
            contact_lost_since=None,
            memory=self.run.memory if memory is None else memory,
            **columns,
        )

    def move(
        self,
        to_state: RunState,
        reason: str,
        *,
        by: str = ENGINE,
        due_in: float = 0.0,
        memory: Map[str, object] | None = None,
        **columns: Any,
    ) -> None:
        """Record a transition, with its history."""
        before = self.run.state
        changes: dict[str, object] = {
            "due_at": clock.later(self.now, due_in),
            "attempts": 0,
            "contact_lost_since": None,
            "memory": self.run.memory if memory is None else memory,
            **columns,
        }
        self.run = self.store.runs.record(
            self.run, to_state, reason, by=by, now=self.now, changes=changes
        )
        logger.info("run %d: %s -> %s (%s)", self.run.id, before, to_state, reason)

    def ask_a_person(self, why: str, **columns: Any) -> None:
        """Move to `needs_decision`, with the question in words; nobody is asked of a dry run."""
        if self.run.dry_run:
            self.end_dry_run("A person would have to decide", why)
            return
        self.move(RunState.NEEDS_DECISION, why, error=why, **columns)

    def end_dry_run(self, found: str, obstacle: str = "") -> None:
        """Move to `observed`: what a real run would do now, or the ``obstacle`` it would meet."""
        reason = f"{found}: {obstacle}" if obstacle else found
        self.move(RunState.OBSERVED, reason, error=reason if obstacle else None)

    def lost_contact(self, error: CopyManagerError) -> None:
        """Note that CDM can't be read: an attribute of the run, not a state of its own.

        The time until the next answer doesn't count as time in which CDM could be read.
        """
        logger.warning("run %d: no contact with CDM: %s", self.run.id, error)
        if self.run.dry_run:
            self.end_dry_run("The app would try again for an hour", str(error))
            return
        sums = (*_QUICK_SUMS, "blocked", "unknown")
        memory = self.memory(**{f"{name}_at": None for name in sums})
        self.run = self.store.runs.note(
            self.run,
            contact_lost_since=self.run.contact_lost_since or self.now,
            error=str(error),
            attempts=self.run.attempts + 1,
            due_at=clock.later(self.now, clock.retry_gap(self.run.attempts)),
            memory=memory,
        )

    def number(self, key: str) -> float:
        """Give a number the run remembers, 0 if there is none."""
        value = self.run.memory.get(key, 0)
        return float(value) if isinstance(value, int | float) else 0.0

    def time(self, key: str) -> datetime | None:
        """Give a time the run remembers."""
        value = self.run.memory.get(key)
        return datetime.fromisoformat(value) if isinstance(value, str) else None

    def texts(self, key: str) -> frozenset[str]:
        """Give a set of texts the run remembers."""
        value = self.run.memory.get(key)
        return frozenset(map(str, value)) if isinstance(value, list) else frozenset()

    def request(self, kind: str) -> Request | None:
        """Give what a person has asked of the run and is not done yet."""
        for request in self.store.runs.requests(self.run.id):
            if request.kind == kind:
                return request
        return None

    def added_up(self, name: str) -> float:
        """Give the seconds of ``name`` with this turn added; see `clock.added_up`."""
        gap_s = clock.QUICK_GAP_S if name in _QUICK_SUMS else clock.LARGEST_GAP_S
        total_s, last = self.number(f"{name}_s"), self.time(f"{name}_at")
        return clock.added_up(total_s, last, self.now, gap_s=gap_s)

    def sum_of(self, name: str) -> dict[str, object]:
        """Give the two things to remember so that the next turn can go on adding up."""
        return {f"{name}_s": self.added_up(name), f"{name}_at": self.now.isoformat()}
