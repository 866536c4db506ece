# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What happens next: the engine takes every due run of a connection one step further.

Starts go first, always: also before what is nice to know, and a start that has come while others
were looked at does not wait until all of them were.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial

from app.restore import clock
from app.restore.following import follow
from app.restore.model import CopyManagerError, Overtaken, Run, RunState
from app.restore.ports import ClientFor, Store
from app.restore.reading import Reader
from app.restore.requested import decided, unapproved
from app.restore.starting import queued, starting
from app.restore.turn import Turn
from app.restore.waits import Steady, Waits

logger = logging.getLogger(__name__)

_FOLLOWED = frozenset({RunState.RESTORING, RunState.READY, RunState.CLEANING_UP})
_CONTACT_NOTED_EVERY = timedelta(minutes=1)


class Engine:
    """Moves the runs of one store; used by one lane at a time for each connection."""

    def __init__(self, store: Store, client_for: ClientFor, steady: Steady) -> None:
        """``client_for`` gives a connection's copy manager, or raises `CopyManagerError`.

        ``steady`` gives seconds that no step of the clock changes.
        """
        self._store, self._client_for = store, client_for
        self._waits, self._reader = Waits(steady), Reader(steady)
        follow_it = partial(follow, reader=self._reader)
        self._steps: dict[RunState, Callable[[Turn], None]] = {
            RunState.AWAITING_APPROVAL: unapproved,
            RunState.QUEUED: queued,
            RunState.STARTING: starting,
            **dict.fromkeys(_FOLLOWED, follow_it),
            RunState.NEEDS_DECISION: decided,
        }
        self._contact_noted: dict[int, tuple[datetime, str | None]] = {}

    def work(self, connection_id: int, now: datetime) -> datetime | None:
        """Do one turn: one step for each due run. Give the time of the next, if there is one.

        A start that comes meanwhile ends the turn: the next one is due at once, and begins with it.
        """
        runs = self._store.runs.open(connection_id)
        waiting = [run for run in runs if run.state is RunState.QUEUED]
        self._waits.look(connection_id, waiting, now)
        known = frozenset(run.id for run in waiting)
        stepped: list[int] = []
        for run in sorted(runs, key=_urgency):
            if not self._has_work(run, now):
                continue
            if self._start_has_come(connection_id, known):
                return now
            self._advance_safely(run, now)
            stepped.append(run.id)
        if not self._read_on(connection_id, stepped, known, now):
            return now
        return self._next_due(connection_id)

    def advance(self, run: Run, now: datetime) -> None:
        """Take ``run`` one step further; failing to reach CDM is noted, not raised."""
        if run.state is RunState.QUEUED:
            run = self._waits.counted(run, now)
        turn = Turn(run, now, self._store, self._client_for)
        asked = self._asked(run)
        try:
            self._steps[run.state](turn)
        except CopyManagerError as error:
            turn.lost_contact(error)
            self._note_contact(run.connection_id, str(error), now)
        else:
            if turn.asked_cdm:
                self._note_contact(run.connection_id, None, now)
        if self._asked(run) - asked:
            # Asked during this turn, which has just put the next one off.
            self._store.runs.note(turn.run, due_at=now)

    def _start_has_come(self, connection_id: int, known: Collection[int]) -> bool:
        return not self._store.runs.queued(connection_id) <= set(known)

    def _read_on(
        self, connection_id: int, stepped: list[int], known: Collection[int], now: datetime
    ) -> bool:
        """Read what is nice to know, now that the states are recorded; False: a start has come."""
        ended = self._store.unread_logs.of_connection(connection_id)
        due = {run_id: tries for run_id, at, tries in ended if clock.is_due(at, now)}
        for run_id in [*stepped, *(run_id for run_id in due if run_id not in stepped)]:
            if self._start_has_come(connection_id, known):
                return False
            run = self._store.runs.get(run_id)
            turn = Turn(run, now, self._store, self._client_for)
            try:
                if run_id in due:
                    self._reader.read_ended(turn, due[run_id])
                elif run.state in _FOLLOWED and run.contact_lost_since is None:
                    self._reader.read_on(turn)
            except Overtaken:
                logger.info("run %d was moved on by somebody else", run_id)
        return True

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


def _urgency(run: Run) -> int:
    """Starts first, then those whose job session is looked for, then all that is only followed."""
    if run.state is RunState.QUEUED and not run.dry_run:
        return 0
    return 1 if run.state is RunState.STARTING else 2
