# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""One turn of one run: what a step has at hand, and how it writes down what it found."""

import logging
from dataclasses import replace
from datetime import datetime
from typing import Unpack

from app.message import Message
from app.restore import clock
from app.restore.changes import Changes
from app.restore.memory import Memory
from app.restore.model import CopyManagerError, Request, Run, RunState
from app.restore.ports import ClientFor, CopyManager, Store

logger = logging.getLogger(__name__)

ENGINE = "app"
EFFECT_S = 120.0  # how long CDM is read before what was asked of it counts as without effect
MOST_SENDS = 3  # of a cancel or clean-up that shows none


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

    @property
    def product(self) -> str:
        """What sentences call the run's copy manager."""
        return self.run.kind.product

    @property
    def memory(self) -> Memory:
        """What the run remembers; what a step sets here is written with what it notes next."""
        return self.run.memory

    @memory.setter
    def memory(self, memory: Memory) -> None:
        self.run = replace(self.run, memory=memory)

    def remember(self, memory: Memory) -> None:
        """Write it down at once, and nothing else."""
        self.run = self.store.runs.note(self.run, memory=memory)

    def note(self, *, due_in: float, **changes: Unpack[Changes]) -> None:
        """Keep what CDM just said; the run stays in its state and is due again in ``due_in`` s."""
        if self.run.contact_lost_since is not None:
            changes.setdefault("error", None)  # it told of the lost contact
        self.run = self.store.runs.note(self.run, **self._in_contact(due_in, changes))

    def move(
        self,
        to_state: RunState,
        reason: str,
        *,
        by: str = ENGINE,
        due_in: float = 0.0,
        **changes: Unpack[Changes],
    ) -> None:
        """Record a transition, with its history."""
        before = self.run.state
        known = self._in_contact(due_in, changes)
        self.run = self.store.runs.record(
            self.run, to_state, reason, by=by, now=self.now, changes=known
        )
        logger.info("run %d: %s -> %s (%s)", self.run.id, before, to_state, reason)

    def _in_contact(self, due_in: float, changes: Changes) -> Changes:
        return {
            "due_at": clock.later(self.now, due_in),
            "attempts": 0,
            "contact_lost_since": None,
            "memory": self.memory,
            **changes,
        }

    def ask_a_person(self, why: str, **changes: Unpack[Changes]) -> None:
        """Move to `needs_decision`, with the question in words; nobody is asked of a dry run."""
        if self.run.dry_run:
            self.end_dry_run(Message("A person would have to decide"), why)
            return
        changes["error"] = why
        self.move(RunState.NEEDS_DECISION, why, **changes)

    def end_dry_run(self, found: str, obstacle: str = "") -> None:
        """Move to `observed`: what a real run would do now, or the ``obstacle`` it would meet."""
        reason = (
            Message("{found}: {obstacle}", found=found, obstacle=obstacle) if obstacle else found
        )
        self.move(RunState.OBSERVED, reason, error=reason if obstacle else None)

    def lost_contact(self, error: CopyManagerError) -> None:
        """Note that CDM can't be read: an attribute of the run, not a state of its own.

        The time until the next answer doesn't count as time in which CDM could be read.
        """
        logger.warning("run %d: no contact with CDM: %s", self.run.id, error)
        if self.run.dry_run:
            self.end_dry_run(Message("The app would try again for an hour"), str(error))
            return
        self.run = self.store.runs.note(
            self.run,
            contact_lost_since=self.run.contact_lost_since or self.now,
            error=str(error),
            attempts=self.run.attempts + 1,
            due_at=clock.later(self.now, clock.retry_gap(self.run.attempts)),
            memory=self.memory.interrupted(),
        )

    def request(self, kind: str) -> Request | None:
        """Give what a person has asked of the run and is not done yet."""
        for request in self.store.runs.requests(self.run.id):
            if request.kind == kind:
                return request
        return None
