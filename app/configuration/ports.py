# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What saving is handed: the store, and where passwords are kept."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from app.configuration.connection import CdmConnection
from app.configuration.mapping import Mapping
from app.configuration.settings import Settings as Set

Thing = TypeVar("Thing", covariant=True)


class Taken(Exception):
    """Another row of the store has that value of ``field``, which no two may have."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class ConnectionInUse(Exception):
    """A mapping or an open run needs the connection as it is."""


class Rows(Protocol[Thing]):
    """Connections or mappings; `get`, `change` and `delete` raise LookupError."""

    def list(self) -> Sequence[Thing]: ...
    def get(self, number: int, /) -> Thing: ...
    def find(self, name: str, /) -> Thing | None: ...
    def add(self, **values: object) -> Thing: ...
    def change(self, number: int, /, **values: object) -> Thing: ...
    def delete(self, number: int, /) -> None: ...


class Mappings(Rows[Mapping], Protocol):
    def note_job_drift(self, mapping_id: int, drift: str | None) -> None: ...
    def forget_calls(self, mapping_id: int | None = None) -> None: ...


class Settings(Protocol):
    def values(self) -> Set: ...
    def set(self, key: str, value: object, *, by: str, now: datetime) -> None: ...


class Audit(Protocol):
    def append(self, by: str, action: str, subject: str, detail: str, *, now: datetime) -> None: ...


class Rule(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str | None: ...


class QRadar(Protocol):
    def rule(self, rule_id: int) -> Rule | None: ...
    def token_label(self) -> str | None: ...


class Store(Protocol):
    """The store; `app.store.store.Store` is one."""

    @property
    def connections(self) -> Rows[CdmConnection]: ...
    @property
    def mappings(self) -> Mappings: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def qradar(self) -> QRadar: ...
    def transaction(self) -> AbstractContextManager[None]: ...


class Secrets(Protocol):
    """Where passwords are kept; `app.framework.secrets.Secrets` is one."""

    def put(self, label: str, text: str) -> None: ...
    def drop(self, label: str) -> None: ...
