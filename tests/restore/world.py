# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A store, a CDM and an engine with a clock in the test's hand; and a way to kill the process."""

import sqlite3
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from datetime import datetime, timedelta
from pathlib import Path

from app.restore import triggers
from app.restore.engine import Engine
from app.restore.model import CdmConnection, Decision, Mapping, Phase, Run, RunState
from app.store import Database, Store
from tests.factories import NOON, make_connection, make_mapping, make_store, make_trigger
from tests.restore.fake_cdm import FakeCdm


class Killed(BaseException):
    """The process died here."""


class KillableDatabase(Database):
    """A database that calls ``hook`` just before and just after each commit."""

    def __init__(self, path: Path, hook: Callable[[str], None]) -> None:
        super().__init__(path)
        self.hook: Callable[[str], None] = lambda point: None
        self.execute("PRAGMA synchronous = OFF")
        self.hook = hook

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        if sql != "COMMIT":
            return super().execute(sql, parameters)
        self.hook("before a commit")
        cursor = super().execute(sql, parameters)
        self.hook("after a commit")
        return cursor


class World:
    """One connection, one mapping, and everything that happens to them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.db"
        self.store = make_store(folder)
        self.connection: CdmConnection = make_connection(self.store)
        self.mapping: Mapping = make_mapping(self.store, self.connection)
        self.cdm = FakeCdm()
        self.now: datetime = NOON
        self.steady = 0.0  # seconds of a clock that never steps
        self._engine_store = self.store
        self.engine = Engine(self.store, lambda connection_id: self.cdm, lambda: self.steady)

    def restart(self, hook: Callable[[str], None] = lambda point: None) -> None:
        """Forget the engine; a new one opens the store afresh and goes on."""
        self._engine_store.close()
        self._engine_store = Store(KillableDatabase(self.path, hook))
        self.engine = Engine(
            self._engine_store, lambda connection_id: self.cdm, lambda: self.steady
        )
        self.cdm.hook = hook

    def twin(self, folder: Path) -> "World":
        """Give a world in ``folder`` that stands where this one does, with a process of its own.

        Here no process has the store open then: what it committed is in its one file.
        """
        self.close()
        twin = copy(self)
        twin.path = folder / self.path.name
        twin.path.write_bytes(self.path.read_bytes())
        twin.cdm = deepcopy(self.cdm)
        twin.store = twin._engine_store = Store(KillableDatabase(twin.path, lambda point: None))
        twin.restart()
        return twin

    def close(self) -> None:
        self.store.close()
        self._engine_store.close()

    def trigger(self, of: Mapping | None = None, /, **values: object) -> Decision:
        values.setdefault("received_at", self.now)
        trigger = make_trigger(of or self.mapping, **values)
        return triggers.accept(self.store, trigger, self.now)

    def start_run(self) -> Run:
        """Give a new run, in `queued`."""
        run_id = self.trigger().run_id
        assert run_id is not None
        return self.store.runs.get(run_id)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.steady += seconds

    def step_clock(self, seconds: float) -> None:
        """Let the wall clock be set, forward or back, without time passing."""
        self.now += timedelta(seconds=seconds)

    def turn(self, seconds: float = 0.0) -> None:
        """Let some time pass and the engine do one turn."""
        self.pass_time(seconds)
        self.engine.work(self.connection.id, self.now)

    def next_turn(self) -> None:
        """Go to the time when the next run is due, a second at least, and do one turn."""
        due_at = self.engine.work(self.connection.id, self.now)
        ahead = 1.0 if due_at is None else (due_at - self.now).total_seconds()
        self.turn(min(max(ahead, 1.0), 60.0))

    def run(self, run_id: int = 1) -> Run:
        return self.store.runs.get(run_id)

    def go_on(self, *until: RunState, turns: int = 400) -> Run:
        """Do turns until the newest run is in one of these states; fail if it never is."""
        for _ in range(turns):
            run = self.store.runs.list(limit=1)[0]
            if run.state in until:
                return run
            self.next_turn()
        raise AssertionError(f"still {run.state} after {turns} turns: {run}")

    def states(self, run_id: int = 1) -> list[str]:
        """Give the states that a run has gone through."""
        return [str(step.to_state) for step in self.store.runs.transitions(run_id)]

    def restoring(self) -> Run:
        """Give a run whose job session is known and runs."""
        self.start_run()
        return self.go_on(RunState.RESTORING)

    def ready(self) -> Run:
        """Give a run whose copy is up."""
        run = self.restoring()
        assert run.job_session_id is not None
        self.cdm.become(run.job_session_id, Phase.READY)
        return self.go_on(RunState.READY)
