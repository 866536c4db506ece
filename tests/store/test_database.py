# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Transactions: all or nothing, joined when nested, busy when they can't be had."""

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from app.store import Database, Store, StoreBusy
from app.store.database import StoreBroken, StoreDamaged, connect, trouble
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
        with pytest.raises(StoreBusy, match="locked"):
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


@pytest.mark.parametrize("sql", ["SELECT colour FROM numbers", "INSERT INTO nowhere VALUES (1)"])
def test_a_mistake_in_our_own_sql_is_no_busy_store(db: Database, sql: str) -> None:
    """ "Try again" would be a lie, and the trace would be lost."""
    with pytest.raises(sqlite3.OperationalError, match="no such"):
        db.execute(sql)
    with pytest.raises(sqlite3.OperationalError, match="no such"), db.transaction():
        db.execute(sql)
    with db.transaction():
        insert(db, 1)
    assert numbers(db) == [1]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy),
        (sqlite3.SQLITE_LOCKED, StoreBusy),
        (sqlite3.SQLITE_FULL, StoreBroken),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreBroken),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreBroken),
        (sqlite3.SQLITE_CANTOPEN, StoreBroken),
        (sqlite3.SQLITE_CORRUPT_VTAB, StoreDamaged),
        (sqlite3.SQLITE_NOTADB, StoreDamaged),
        (sqlite3.SQLITE_ERROR, type(None)),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, type(None)),
        (sqlite3.SQLITE_MISUSE, type(None)),
        (None, type(None)),
    ],
)
def test_sqlites_code_tells_trouble_with_the_file_from_a_mistake(
    code: int | None, kind: type[StoreBusy]
) -> None:
    error = sqlite3.OperationalError("in words")
    if code is not None:
        error.sqlite_errorcode = code
    assert type(trouble(error)) is kind


@pytest.fixture
def read_only(db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The file can't be written while the list is empty; SQLite then opens it for reading only."""
    written: list[int] = []
    really = sqlite3.connect

    def connect(address: str, **options: Any) -> sqlite3.Connection:
        mode = "mode=rw" if written else "mode=ro"
        return really(address.replace("mode=rw", mode), **options)

    monkeypatch.setattr(sqlite3, "connect", connect)
    db.close()
    yield written
    monkeypatch.undo()


def test_a_file_that_could_not_be_written_for_a_moment_is_opened_anew(
    db: Database, read_only: list[int]
) -> None:
    """SQLite stays with the reading it fell back to, for ever."""

    def block() -> None:
        with db.transaction():
            insert(db, 1)

    assert numbers(db) == []
    for _ in range(2):
        with pytest.raises(StoreBroken, match="readonly"):
            block()
    with pytest.raises(StoreBroken, match="readonly"):
        insert(db, 1)
    assert numbers(db) == []
    read_only.append(1)
    try:  # nothing has told that it can be written again
        block()
    except StoreBroken:  # by SQLite 3.26 when a block begins, by newer ones at its first write
        block()
    assert numbers(db) == [1]


def test_where_the_file_system_tells_not_even_the_first_write_fails(
    db: Database, read_only: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many threads has a connection of its own: not one trigger of each may be lost."""
    writable: list[int] = []
    monkeypatch.setattr(os, "access", lambda _path, _mode: bool(writable))
    assert numbers(db) == []
    read_only.append(1)
    writable.append(1)
    with db.transaction():
        insert(db, 2)
    assert numbers(db) == [2]


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_CANTOPEN])
def test_after_an_error_of_the_file_within_a_block_the_next_one_opens_it_anew(
    db: Database, code: int
) -> None:
    def block() -> None:
        with db.transaction():
            insert(db, 1)
            error = sqlite3.OperationalError("of the file")
            error.sqlite_errorcode = code
            raise error

    before = db.connection
    with pytest.raises(StoreBroken, match="of the file"):
        block()
    assert db.connection is not before
    assert numbers(db) == []


def test_a_lock_of_somebody_else_is_no_reason_to_open_anew(db: Database) -> None:
    before = db.connection
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    db.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(StoreBusy), db.transaction():
        raise AssertionError("the block must not begin")
    assert db.connection is before
    other.close()


def test_another_file_at_the_path_is_the_store_from_then_on(db: Database, tmp_path: Path) -> None:
    """A store that was put back while the processes run."""
    insert(db, 1)
    (tmp_path / "other").mkdir()
    other = make_store(tmp_path / "other")
    other.runs._db.execute("CREATE TABLE numbers (number INTEGER, text TEXT)")
    other.close()
    for part in db.path.parent.glob("store.db-*"):
        part.unlink()
    (tmp_path / "other" / "store.db").replace(db.path)
    assert numbers(db) == []
    with db.transaction():
        insert(db, 2)
    assert numbers(Database(db.path)) == [2]


def test_a_file_that_is_gone_is_not_made_anew(db: Database) -> None:
    """An empty store would pass for a first start."""
    db.path.unlink()
    with pytest.raises(StoreBroken), db.transaction():
        raise AssertionError("the block must not begin")
    assert not db.path.exists()


def test_only_the_apps_user_can_read_what_belongs_to_the_store(tmp_path: Path) -> None:
    path = tmp_path / "fresh.db"
    connection = connect(path)
    connection.execute("CREATE TABLE numbers (number INTEGER)")
    modes = {one.name: oct(one.stat().st_mode & 0o777) for one in tmp_path.glob("fresh.db*")}
    connection.close()
    assert modes == dict.fromkeys(("fresh.db", "fresh.db-wal", "fresh.db-shm"), "0o600")


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
