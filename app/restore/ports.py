# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the heart is handed: the store and a copy manager, by the methods it calls, and no more.

The heart imports neither; these protocols let the type checker hold both sides to the same words.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from app.restore.attacks import Noticed
from app.restore.cooling import LastStart
from app.restore.model import (
    CdmConnection,
    JobSession,
    LogLine,
    Mapping,
    Mode,
    Outcome,
    Request,
    RestoreJob,
    Run,
    RunState,
    Trigger,
)


class FirstTrigger(Protocol):
    """A trigger that came before with the same request id."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def message(self) -> str: ...
    @property
    def run_id(self) -> int | None: ...
    @property
    def mapping(self) -> str | None: ...


class Triggers(Protocol):
    def find(self, request_id: str) -> FirstTrigger | None: ...
    def add(
        self,
        trigger: Trigger,
        outcome: Outcome,
        message: str,
        *,
        run_id: int | None,
        mapping: str | None,
    ) -> int: ...


class Mappings(Protocol):
    def find(self, name: str) -> Mapping | None: ...
    def find_by_rule_id(self, rule_id: int) -> Mapping | None: ...
    def find_by_linked_rule(self, rule_id: int) -> Mapping | None: ...
    def find_by_rule_name(self, rule_name: str) -> Mapping | None: ...
    def get(self, mapping_id: int) -> Mapping: ...


class Connections(Protocol):
    def get(self, connection_id: int) -> CdmConnection: ...
    def note_contact(self, connection_id: int, error: str | None, *, now: datetime) -> None: ...


class Settings(Protocol):
    @property
    def mode(self) -> Mode: ...


class Runs(Protocol):
    def get(self, run_id: int) -> Run: ...
    def open(self, connection_id: int | None = None) -> Sequence[Run]: ...
    def live_of_job(self, connection_id: int, job_id: str) -> Run | None: ...
    def unapproved(self, connection_id: int, job_id: str) -> Run | None: ...
    def last_observed(self, connection_id: int, job_id: str) -> Run | None: ...
    def requests(self, run_id: int) -> Sequence[Request]: ...
    def add(
        self,
        trigger: Trigger,
        mapping: Mapping,
        connection: CdmConnection,
        *,
        now: datetime,
        state: RunState = RunState.QUEUED,
        dry_run: bool = False,
    ) -> Run: ...
    def record(
        self,
        run: Run,
        to_state: RunState,
        reason: str,
        *,
        by: str,
        now: datetime,
        changes: dict[str, object] | None = None,
    ) -> Run: ...
    def note(self, run: Run, **columns: object) -> Run: ...
    def count_repeat(self, run_id: int) -> None: ...
    def add_log(self, run_id: int, lines: Sequence[LogLine]) -> int: ...
    def ask(
        self,
        run: Run,
        kind: str,
        *,
        by: str,
        now: datetime,
        decision: str | None = None,
        job_session_id: str | None = None,
    ) -> None: ...
    def close_request(self, request: Request, result: str, *, now: datetime) -> None: ...


class Starts(Protocol):
    def last(self, connection_id: int, job_id: str) -> LastStart | None: ...
    def correct(self, run_id: int, at: datetime) -> None: ...
    def last_failure(self) -> datetime | None: ...


class LastTrigger(Protocol):
    @property
    def at(self) -> datetime: ...


class Attacks(Protocol):
    def last_trigger(self, connection_id: int, job_id: str) -> LastTrigger | None: ...
    def offenses_tied_to(self, run_id: int) -> frozenset[int]: ...
    def note_trigger(
        self, connection_id: int, job_id: str, *, cooling_run_id: int | None = None, now: datetime
    ) -> None: ...
    def add(
        self,
        noticed: Noticed,
        trigger: Trigger,
        mapping: Mapping,
        *,
        trigger_id: int,
        now: datetime,
    ) -> bool: ...
    def count(self, connection_id: int, job_id: str) -> bool: ...


class Store(Protocol):
    @property
    def triggers(self) -> Triggers: ...
    @property
    def mappings(self) -> Mappings: ...
    @property
    def connections(self) -> Connections: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def starts(self) -> Starts: ...
    @property
    def attacks(self) -> Attacks: ...
    def transaction(self) -> AbstractContextManager[None]: ...


class CopyManager(Protocol):
    """One copy manager as the engine drives it; every call may raise `CopyManagerError`."""

    def job(self, job_id: str) -> RestoreJob: ...
    def sessions(self, job_id: str) -> Sequence[JobSession]: ...
    def session(self, session_id: str, *, was_running: bool = False) -> JobSession: ...

    # As text it says which copy a start would bring up now.
    def copy_to_restore(self, job_id: str) -> object: ...

    # What a plan holds is the copy manager's own business; the engine only hands it back.
    def plan_start(self, job_id: str, action_name: str | None) -> Any: ...
    def start(self, plan: Any) -> None: ...
    def log(self, session_id: str, skip: int) -> Sequence[LogLine]: ...
    def cancel(self, session_id: str) -> None: ...
    def clean_up(self, session_id: str) -> None: ...


ClientFor = Callable[[int], CopyManager]
"""Gives a connection's copy manager for one call, or raises `CopyManagerError`."""
