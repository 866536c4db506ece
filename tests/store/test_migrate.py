# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Migrations: under a lock, after a copy, all or nothing, and a failure says why."""

import re
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.store import Database, Store
from app.store.migrate import MIGRATIONS, MigrationFailed, failure, migrate

NEWEST = max(int(file.name[:4]) for file in MIGRATIONS.glob("*.sql"))


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A folder with the first of a series of migrations."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    add(folder, 1, "CREATE TABLE things (name TEXT NOT NULL);")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "store.db"


def add(folder: Path, number: int, sql: str) -> None:
    (folder / f"{number:04}_step.sql").write_text(sql, encoding="utf-8")


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def insert(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO things (name) VALUES (?)", (name,))


def test_a_fresh_file_gets_the_newest_schema_and_is_disarmed(path: Path) -> None:
    assert migrate(path) == NEWEST
    store = Store(Database(path))
    assert store.settings.mode == "disarmed"
    assert store.runs.list() == []
    store.close()
    assert failure(path) is None
    assert list(path.parent.glob("*.schema-*")) == []


def test_the_file_is_in_wal_mode_and_commits_are_synced(path: Path) -> None:
    migrate(path)
    db = Database(path)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    db.close()


def test_migrating_again_changes_nothing(path: Path) -> None:
    migrate(path)
    before = dump(path)
    assert migrate(path) == NEWEST
    assert dump(path) == before


def test_what_is_pending_is_applied_in_order_after_a_copy(path: Path, migrations: Path) -> None:
    migrate(path, migrations)
    insert(path, "kept")
    add(migrations, 3, "UPDATE things SET colour = 'blue';")
    add(migrations, 2, "ALTER TABLE things ADD COLUMN colour TEXT;")
    before = dump(path)
    assert migrate(path, migrations) == 3
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM things").fetchall() == [("kept", "blue")]
    copy = path.with_name(path.name + ".schema-1")
    assert version(copy) == 1
    assert dump(copy) == before


@pytest.mark.parametrize(
    "bad",
    [
        "CREATE TABLE more (x); INSERT INTO nowhere VALUES (1);",
        "INSERT INTO things (name) VALUES (NULL);",
        "DELETE FROM things; SELECT raise_it();",
        "this is not SQL",
    ],
)
def test_a_failing_migration_leaves_the_file_as_it_was_and_says_why(
    path: Path, migrations: Path, bad: str
) -> None:
    migrate(path, migrations)
    insert(path, "kept")
    before = dump(path)
    add(migrations, 2, bad)
    with pytest.raises(MigrationFailed) as failed:
        migrate(path, migrations)
    assert dump(path) == before
    assert version(path) == 1
    assert failure(path) == str(failed.value)


def test_of_two_migrations_the_one_that_worked_stays(path: Path, migrations: Path) -> None:
    migrate(path, migrations)
    add(migrations, 2, "ALTER TABLE things ADD COLUMN colour TEXT;")
    add(migrations, 3, "nonsense")
    with pytest.raises(MigrationFailed):
        migrate(path, migrations)
    assert version(path) == 2


def test_a_later_success_takes_the_reason_away(path: Path, migrations: Path) -> None:
    migrate(path, migrations)
    add(migrations, 2, "nonsense")
    with pytest.raises(MigrationFailed):
        migrate(path, migrations)
    add(migrations, 2, "ALTER TABLE things ADD COLUMN colour TEXT;")
    migrate(path, migrations)
    assert failure(path) is None


def test_a_schema_newer_than_known_is_refused_and_left_alone(path: Path, migrations: Path) -> None:
    """An older version of the app was installed over a newer one."""
    migrate(path, migrations)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = dump(path)
    with pytest.raises(MigrationFailed, match="schema 7.*knows 1"):
        migrate(path, migrations)
    assert dump(path) == before
    assert version(path) == 7


def test_a_file_that_is_no_database_is_a_failed_migration(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is not a database" * 1000)
    with pytest.raises(MigrationFailed):
        migrate(path)
    assert "not a database" in (failure(path) or "")


def test_a_folder_that_cannot_be_used_is_a_failed_migration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MigrationFailed):
        migrate(tmp_path / "file" / "store.db")


def test_threads_that_migrate_at_once_do_it_once(path: Path, migrations: Path) -> None:
    add(migrations, 2, "INSERT INTO things (name) VALUES ('once');")
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda _: migrate(path, migrations), range(8)))
    assert versions == [2] * 8
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM things").fetchall() == [("once",)]


def test_two_processes_that_migrate_at_once_do_it_once(path: Path, migrations: Path) -> None:
    add(migrations, 2, "INSERT INTO things (name) VALUES ('once');")
    program = (
        "import sys; from pathlib import Path; from app.store.migrate import migrate;"
        "print(migrate(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path), str(migrations)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == ["2", "2"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM things").fetchall() == [("once",)]


def test_files_of_an_earlier_version_are_kept_from_others_eyes(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    migrate(path)
    for file in (path, tmp_path / "store.db.schema-3"):
        file.touch()
        file.chmod(0o644)
    migrate(path)
    assert {oct(file.stat().st_mode & 0o777) for file in tmp_path.glob("store.db*")} == {"0o600"}


def test_the_migrations_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(file.name[:4]) for file in MIGRATIONS.glob("*.sql"))
    assert numbers == list(range(1, NEWEST + 1))


def test_the_schema_uses_nothing_that_sqlite_3_26_does_not_know() -> None:
    """What a newer SQLite on a developer's machine would let pass."""
    newer = r"\b(STRICT|RETURNING|GENERATED|json_\w+|DROP COLUMN|MATERIALIZED|UNIXEPOCH)\b|->"
    for file in MIGRATIONS.glob("*.sql"):
        sql = re.sub(r"--.*", "", file.read_text(encoding="utf-8"))
        assert not re.search(newer, sql, re.IGNORECASE), file.name


def test_what_was_asked_of_a_run_goes_on_after_the_upgrade_from_1_0_0(
    path: Path, tmp_path: Path
) -> None:
    """The table of requests is made anew, for kinds that 1.0.0 did not have."""
    old = tmp_path / "old"
    old.mkdir()
    for file in sorted(MIGRATIONS.glob("000[123]*.sql")):
        shutil.copy(file, old)
    migrate(path, old)
    at = "2026-11-24T12:00:00.000Z"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO runs (id, state, state_since, connection_id, connection, host, port,"
            " job_id, job_name, source, received_at)"
            " VALUES (7, 'ready', ?, 1, 'prod', 'cdm', 8443, '1044', 'SQL', 'custom_action', ?)",
            (at, at),
        )
        connection.executemany(
            "INSERT INTO requests (id, run_id, kind, at, by, done_at, result)"
            " VALUES (?, 7, ?, ?, 'ann', ?, ?)",
            [(3, "cancel", at, at, "too late"), (4, "clean_up", at, None, None)],
        )
    migrate(path)
    store = Store(Database(path))
    (request,) = store.runs.requests(7)
    assert (request.id, request.kind, request.by) == (4, "clean_up", "ann")
    run = store.runs.get(7)
    assert run.pending_request == "clean_up"
    now = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
    for kind in ("clean_up", "something_new"):
        store.runs.ask(run, kind, by="bob", now=now)
    asked = [(one.id, one.kind, one.by) for one in store.runs.requests(7)]
    assert [one[1:] for one in asked] == [("clean_up", "ann"), ("something_new", "bob")]
    assert asked[1][0] > 4
    store.close()
