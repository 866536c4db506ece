# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Values as they stand in rows and in JSON, read as the type hint of their field says.

Also what connections and mappings have in common: named rows, whose columns are the fields of a
dataclass.
"""

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from app.configuration.fields import plain
from app.configuration.ports import Taken
from app.message import restored
from app.store.database import Database
from app.store.times import from_text

Reader = Callable[[Any], Any]
Kind = TypeVar("Kind")


def from_row(kind: Callable[..., Kind], row: sqlite3.Row, **given: object) -> Kind:
    """Give a ``kind`` with the columns that its fields are named after, but for what is given."""
    read = readers(kind).items()
    return kind(**{name: of(row[name]) for name, of in read if name not in given}, **given)


@cache
def readers(kind: Callable[..., object]) -> dict[str, Reader]:
    """Give how each field of a class is read."""
    return {name: _reader(hint) for name, hint in get_type_hints(kind, include_extras=True).items()}


def _reader(hint: Any) -> Reader:
    options = get_args(hint)
    if NoneType in options:
        some = _reader(options[0])
        return lambda value: None if value is None else some(value)
    if get_origin(hint) is tuple:
        one = _reader(options[0])
        return lambda values: tuple(
            map(one, json.loads(values) if isinstance(values, str) else values)
        )
    if get_origin(hint) is Mapping:
        return json.loads
    if get_origin(hint) is Annotated:
        return restored  # a `Sentence`
    if hint is datetime:
        return from_text
    if issubclass(hint, bool | StrEnum):
        return lambda value: hint(value)
    if issubclass(hint, tuple):  # a named one
        each = readers(hint).values()
        return lambda values: hint(*(read(value) for read, value in zip(each, values, strict=True)))
    return lambda value: value


def to_column(value: object) -> object:
    """A value of a field for its column, from which `from_row` reads it."""
    value = plain(value)
    return json.dumps(value) if isinstance(value, list) else value


class NamedRows(ABC, Generic[Kind]):
    """The rows of a table, each a ``kind`` with an id and a name that no two have."""

    kind: Any  # a dataclass
    table: str
    word: str  # what one of them is called
    beside: Sequence[str] = ()  # columns that are no field of ``kind`` and can be given too

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self) -> Sequence[Kind]:
        return self._all("ORDER BY name")

    def get(self, number: int, /) -> Kind:
        """Give one of them. Raises `LookupError`."""
        found = self._one("WHERE id = ?", number)
        if found is None:
            raise LookupError(f"there is no {self.word} {number}")
        return found

    def find(self, name: str, /) -> Kind | None:
        return self._one("WHERE name = ?", name)

    def add(self, **values: object) -> Kind:
        """Add one. Raises `Taken`."""
        names, marks = ", ".join(self._columns(values)), ", ".join("?" * len(values))
        cursor = self._write(f"INSERT INTO {self.table} ({names}) VALUES ({marks})", values)  # noqa: S608 - checked names
        return self.get(int(cursor.lastrowid or 0))

    def change(self, number: int, /, **values: object) -> Kind:
        """Change columns of one. Raises `Taken`."""
        places = ", ".join(f"{name} = ?" for name in self._columns(values))
        self._write(f"UPDATE {self.table} SET {places} WHERE id = ?", values, number)  # noqa: S608 - checked names
        return self.get(number)

    def delete(self, number: int, /) -> None:
        with self._db.transaction():
            self._db.execute(f"DELETE FROM {self.table} WHERE id = ?", (number,))  # noqa: S608 - our own name

    @abstractmethod
    def _taken(self, error: sqlite3.IntegrityError) -> Taken | None:
        """What an error of SQLite says is taken; None: it is about something else."""

    def _columns(self, values: Mapping[str, object]) -> Sequence[str]:
        known = {*readers(self.kind), *self.beside} - {"id"}
        if unknown := set(values) - known:
            raise TypeError(f"a {self.word} has no {', '.join(sorted(unknown))}")
        return [*values]

    def _write(self, statement: str, values: Mapping[str, object], *more: object) -> sqlite3.Cursor:
        with self._db.transaction():
            try:
                return self._db.execute(statement, (*map(to_column, values.values()), *more))
            except sqlite3.IntegrityError as error:
                if (taken := self._taken(error)) is None:
                    raise
                raise taken from error

    def _one(self, condition: str, value: object) -> Kind | None:
        found = self._all(condition, value)
        return found[0] if found else None

    def _all(self, condition: str, *values: object) -> Sequence[Kind]:
        rows = self._db.execute(f"SELECT * FROM {self.table} {condition}", values)  # noqa: S608 - our own text
        return [from_row(self.kind, row) for row in rows]
