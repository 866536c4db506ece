# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Transactions: all or nothing, joined when nested, busy when they can't be had."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.store import Database, Store, StoreBusy
from app.store.times import from_text, from_text_or_none, to_text, to_text_or_none
from tests.factories import NOON, make_store


@pytest.fixture
def db(store: Store) -> Iterator[Database]:
    db = Database(store.runs._db.path)
    db.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, text TEXT)")
    yield db
    db.close()


def numbers(db: Database) -> list[int]:
    return [row["number"] for row in db.execute("SELECT number FROM numbers ORDER BY number")]


def fail(error: BaseException) -> None:
    raise error


def insert(db: Database, number: int, text: str = "") -> None:
    db.execute("INSERT INTO numbers (number, text) VALUES (?, ?)", (number, text))


def test_a_block_is_committed_whole(db: Database) -> None:
    with db.transaction():
        insert(db, 1)
        insert(db, 2)
    assert numbers(Database(db.path)) == [1, 2]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_raises_leaves_nothing(db: Database, error: type[BaseException]) -> None:
    def block() -> None:
        with db.transaction():
            insert(db, 1)
            fail(error())

    with pytest.raises(error):
        block()
    assert numbers(db) == []
    with db.transaction():
        insert(db, 2)
    assert numbers(db) == [2]


def test_a_nested_block_belongs_to_the_outer_one(db: Database) -> None:
    with db.transaction():
        with db.transaction():
            insert(db, 1)
        assert numbers(Database(db.path)) == []
        insert(db, 2)
    assert numbers(db) == [1, 2]


def test_an_outer_block_that_raises_takes_the_nested_one_with_it(db: Database) -> None:
    def block() -> None:
        with db.transaction():
            with db.transaction():
                insert(db, 1)
            fail(ValueError("later"))

    with pytest.raises(ValueError, match="later"):
        block()
    assert numbers(db) == []


def test_the_whole_block_sees_one_state(db: Database) -> None:
    """The write lock is taken at the beginning: what is read there can't change below."""
    other = Database(db.path)
    other.execute("PRAGMA busy_timeout = 1")
    with db.transaction():
        assert numbers(db) == []
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            insert(other, 7)
    other.close()


def test_a_store_locked_by_another_process_is_busy(db: Database) -> None:
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    db.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(StoreBusy), db.transaction():
        insert(db, 1)
    other.execute("ROLLBACK")
    other.close()
    with db.transaction():
        insert(db, 1)


def test_a_full_disk_is_busy_and_leaves_nothing(db: Database) -> None:
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")

    def block() -> None:
        with db.transaction():
            insert(db, 1)
            insert(db, 2, "x" * 1_000_000)

    with pytest.raises(StoreBusy, match="full"):
        block()
    assert numbers(db) == []
    db.execute("PRAGMA max_page_count = 1000000")
    with db.transaction():
        insert(db, 1)
    assert numbers(db) == [1]


def test_a_file_that_cannot_be_opened_is_busy(tmp_path: Path) -> None:
    db = Database(tmp_path / "nowhere" / "store.db")
    with pytest.raises(StoreBusy), db.transaction():
        raise AssertionError("the block must not begin")


def test_a_mistake_in_our_own_sql_is_not_hidden_as_a_constraint(db: Database) -> None:
    insert(db, 1)
    with pytest.raises(sqlite3.IntegrityError), db.transaction():
        insert(db, 1)


def test_forty_threads_that_write_at_once_all_get_their_turn(db: Database) -> None:
    def write(number: int) -> None:
        mine = Database(db.path)
        with mine.transaction():
            insert(mine, number)
        mine.close()

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(write, range(40)))
    assert numbers(db) == list(range(40))


def test_another_connections_commit_changes_the_data_version_ours_does_not(
    tmp_path: Path,
) -> None:
    mine = make_store(tmp_path)
    other = Store(Database(tmp_path / "store.db"))
    before = mine.data_version()
    mine.heartbeats.beat("me", now=NOON, pid=1)
    assert mine.data_version() == before
    other.heartbeats.beat("other", now=NOON, pid=2)
    assert mine.data_version() != before
    assert mine.heartbeats.all() == {"me": (NOON, 1), "other": (NOON, 2)}
    mine.close()
    other.close()


def test_times_are_utc_text_with_milliseconds_that_sorts_by_time() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert to_text(datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=zone)) == (
        "2026-01-01T21:34:05.678Z"
    )
    assert from_text("2026-01-01T21:34:05.678Z") == datetime(
        2026, 1, 1, 21, 34, 5, 678_000, tzinfo=UTC
    )
    assert to_text(NOON) < to_text(NOON + timedelta(milliseconds=1))
    assert (to_text_or_none(None), from_text_or_none(None)) == (None, None)


def test_a_naive_time_has_no_place_in_the_store() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_text(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive time is what is tested
