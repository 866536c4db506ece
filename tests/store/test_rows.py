# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Dataclasses out of rows: each value becomes what the type hint of its field says."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from app.restore.model import Watch
from app.store.rows import from_row


@dataclass(frozen=True, slots=True)
class Thing:
    """One of each kind of field."""

    name: str
    number: int | None
    at: datetime
    ended_at: datetime | None
    on: bool
    known: bool | None
    watch: Watch
    before: Watch | None
    fields: Mapping[str, str]
    beside: int = 0

    kind = "thing"  # no field


@pytest.fixture
def row() -> Iterator[sqlite3.Row]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        yield connection.execute(
            "SELECT 'n' AS name, 7 AS number, '2026-11-24T12:00:00.500Z' AS at, NULL AS ended_at,"
            ' 1 AS "on", 0 AS known, \'notify\' AS watch, NULL AS before, \'{"a": "b"}\' AS'
            " fields, 'more' AS more"
        ).fetchone()


def test_each_column_becomes_what_its_field_says(row: sqlite3.Row) -> None:
    at = datetime(2026, 11, 24, 12, 0, 0, 500_000, tzinfo=UTC)
    thing = from_row(Thing, row, beside=3)
    assert thing == Thing("n", 7, at, None, True, False, Watch.NOTIFY, None, {"a": "b"}, 3)
    assert (thing.on, thing.known) == (True, False)
    assert isinstance(thing.on, bool)
    assert isinstance(thing.known, bool)
    assert isinstance(thing.watch, Watch)


def test_what_is_given_is_not_read(row: sqlite3.Row) -> None:
    assert from_row(Thing, row, beside=3, number=8).number == 8


def test_a_column_that_is_missing_is_an_error_even_where_its_field_has_a_default(
    row: sqlite3.Row,
) -> None:
    with pytest.raises(IndexError):
        from_row(Thing, row)
