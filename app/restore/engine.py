# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What happens next: the engine takes every due run of a connection one step further."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from app.restore import clock
from app.restore.following import follow
from app.restore.model import CopyManagerError, Overtaken, Run, RunState
from app.restore.ports import ClientFor, Store
from app.restore.requested import decided, unapproved
from app.restore.starting import queued, starting
from app.restore.turn import Turn

logger = logging.getLogger(__name__)

STEPS: dict[RunState, Callable[[Turn], None]] = {
    RunState.AWAITING_APPROVAL: unapproved,
    RunState.QUEUED: queued,
    RunState.STARTING: starting,
    RunState.RESTORING: follow,
    RunState.READY: follow,
    RunState.CLEANING_UP: follow,
    RunState.NEEDS_DECISION: decided,
}
_CONTACT_NOTED_EVERY = timedelta(minutes=1)


class Engine:
    """Moves the runs of one store; used by one lane at a time for each connection."""

    def __init__(self, store: Store, client_for: ClientFor) -> None:
        """``client_for`` gives a connection's copy manager, or raises `CopyManagerError`."""
        self._store, self._client_for = store, client_for
        self._contact_noted: dict[int, tuple[datetime, str | None]] = {}

    def work(self, connection_id: int, now: datetime) -> datetime | None:
        """Do one turn: one step for each due run. Give the time of the next, if there is one."""
        for run in self._store.runs.open(connection_id):
            if run.state in STEPS and self._has_work(run, now):
                self._advance_safely(run, now)
        return self._next_due(connection_id)

    def advance(self, run: Run, now: datetime) -> None:
        """Take ``run`` one step further; failing to reach CDM is noted, not raised."""
        turn = Turn(run, now, self._store, self._client_for)
        asked = self._asked(run)
        try:
            STEPS[run.state](turn)
        except CopyManagerError as error:
            turn.lost_contact(error)
            self._note_contact(run.connection_id, str(error), now)
        else:
            if turn.asked_cdm:
                self._note_contact(run.connection_id, None, now)
        if self._asked(run) - asked:
            # Asked during this turn, which has just put the next one off.
            self._store.runs.note(turn.run, due_at=now)

    def _asked(self, run: Run) -> frozenset[int]:
        return frozenset(request.id for request in self._store.runs.requests(run.id))

    def _has_work(self, run: Run, now: datetime) -> bool:
        if run.state is RunState.NEEDS_DECISION:
            return bool(self._store.runs.requests(run.id)) and clock.is_due(run.due_at, now)
        return clock.is_due(run.due_at, now)

    def _advance_safely(self, run: Run, now: datetime) -> None:
        try:
            self.advance(run, now)
        except Overtaken:
            logger.info("run %d was moved on by somebody else", run.id)
        except Exception:  # the rim: one run that fails must not stop the others of its lane
            logger.exception("run %d: a step failed", run.id)
            current = self._store.runs.get(run.id)
            due_at = clock.later(now, clock.retry_gap(current.attempts))
            self._store.runs.note(current, due_at=due_at, attempts=current.attempts + 1)

    def _note_contact(self, connection_id: int, error: str | None, now: datetime) -> None:
        noted = self._contact_noted.get(connection_id)
        if noted and noted[1] == error and abs(now - noted[0]) < _CONTACT_NOTED_EVERY:
            return
        self._store.connections.note_contact(connection_id, error, now=now)
        self._contact_noted[connection_id] = (now, error)

    def _next_due(self, connection_id: int) -> datetime | None:
        times = [
            run.due_at
            for run in self._store.runs.open(connection_id)
            if run.due_at is not None and run.state is not RunState.NEEDS_DECISION
        ]
        return min(times, default=None)
