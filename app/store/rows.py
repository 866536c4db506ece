# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Values as they stand in rows and in JSON, read as the type hint of their field says."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from app.message import restored
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
        return lambda values: tuple(map(one, values))
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
