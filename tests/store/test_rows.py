# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Dataclasses out of rows: each value becomes what the type hint of its field says."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.configuration.ports import Taken
from app.restore.model import Watch
from app.store.database import Database
from app.store.rows import NamedRows, from_row
from tests.configuration.sample import Sample
from tests.configuration.test_fields import FULL
from tests.factories import put_store


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


class Samples(NamedRows[Sample]):
    kind, table, word = Sample, "samples", "sample"

    def _taken(self, error: sqlite3.IntegrityError) -> Taken | None:
        return Taken("name", "two of a name") if "UNIQUE" in str(error) else None


def test_each_kind_of_field_comes_out_of_its_column_as_it_went_in(tmp_path: Path) -> None:
    put_store(tmp_path / "samples.db")
    db = Database(tmp_path / "samples.db")
    names = [field.name for field in fields(Sample) if field.name not in {"id", "name"}]
    with db.transaction():
        db.execute(
            "CREATE TABLE samples (id INTEGER PRIMARY KEY, name TEXT UNIQUE,"
            f" {', '.join(names)}, CHECK (hours < 99))"
        )
    samples = Samples(db)
    values = {name: getattr(FULL, name) for name in ("name", *names)}

    assert samples.add(**values) == FULL
    assert samples.change(1, until=None, people=(), hours=None) == replace(
        FULL, until=None, people=(), hours=None
    )
    with pytest.raises(Taken) as caught:
        samples.add(**values)
    assert caught.value.field == "name"
    with pytest.raises(sqlite3.IntegrityError):
        samples.change(1, hours=100)
    with pytest.raises(TypeError, match="a sample has no id, more"):
        samples.change(1, id=2, more=3)
    samples.delete(1)
    with pytest.raises(LookupError, match="there is no sample 1"):
        samples.get(1)
