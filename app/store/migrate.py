# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Bring the store's schema up to date: numbered SQL files, under a lock, after a copy of the file.

Both processes call `migrate` when they start; whoever comes first does the work. A run script of
the container would be the other place, but a failing one stops the container, and then nobody can
read why. So the reason is kept beside the store's file, `/debug` stays up, pages show it, and
triggers get 503.
"""

import fcntl
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from app.store.database import connect

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
_FAILED = "The store could not be migrated: "


class MigrationFailed(Exception):
    """The store's schema could not be brought up to date."""


def migrate(path: Path, migrations: Path = MIGRATIONS) -> int:
    """Apply what is pending to the file at ``path`` and give the schema's version.

    Raises `MigrationFailed`; the file is then as it was, and `failure` gives the reason.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            return _migrate(path, migrations)
    except (sqlite3.Error, OSError, ValueError) as error:
        logger.error("%s%s", _FAILED, error)
        raise MigrationFailed(f"{_FAILED}{error}") from error


def _migrate(path: Path, migrations: Path) -> int:
    try:
        version = _apply_pending(path, migrations)
    except (sqlite3.Error, OSError, ValueError) as error:
        with suppress(OSError):  # a full or read-only file system: the exception tells all the same
            _note(path).write_text(f"{_FAILED}{error}\n", encoding="utf-8")
        raise
    _note(path).unlink(missing_ok=True)
    return version


def failure(path: Path) -> str | None:
    """Why the store can't be used, or None."""
    try:
        return _note(path).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _apply_pending(path: Path, migrations: Path) -> int:
    numbered = {int(file.name[:4]): file for file in sorted(migrations.glob("[0-9]*.sql"))}
    newest = max(numbered)
    with closing(connect(path)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > newest:
            raise ValueError(
                f"the file has schema {version}, this version of the app knows {newest}; "
                f"install the newer version again, or put the copy {_copy(path, newest).name} back"
            )
        pending = [number for number in sorted(numbered) if number > version]
        if pending and version:
            _keep_copy(connection, _copy(path, version))
        for number in pending:
            _apply(connection, number, numbered[number].read_text(encoding="utf-8"))
            logger.info("store migrated to schema %d", number)
        return newest


def _apply(connection: sqlite3.Connection, number: int, sql: str) -> None:
    # executescript commits what is open before it starts, so the transaction stands in the text.
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _keep_copy(connection: sqlite3.Connection, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)


def _copy(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.schema-{version}")


def _note(path: Path) -> Path:
    return path.with_name("migration-failed.txt")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.with_name("migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
