# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Bring the store's schema up to date: numbered SQL files, under a lock, after a copy of the file.

Whatever is wrong with the file is told apart: damaged; written by a newer version; gone or empty
though the app was set up; a migration that failed. A store that was put back is used, but only
after `put_back.settle`.

Both processes call `migrate` when they start; whoever comes first does the work. A run script of
the container would be the other place, but a failing one stops the container, and then nobody can
read why. So the reason is kept beside the store's file, `/debug` stays up, pages show it, and
triggers get 503.
"""

import fcntl
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from app.message import Message, joined, restored, stored
from app.store.copies import Copy, copies, write_copy
from app.store.database import StoreBusy, StoreDamaged, connect, trouble
from app.store.marks import mark_file, read_mark
from app.store.put_back import settle

logger = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
_RESTORE = "python3 -m app.configure store restore NAME"
_ANEW = "python3 -m app.configure store start-anew"


class MigrationFailed(Exception):
    """The store can't be used, or its schema could not be brought up to date."""


class StoreLost(MigrationFailed):
    """The file has no content, and the app was set up."""


class NewerSchema(MigrationFailed):
    """A newer version of the app has been here."""


def migrate(path: Path, migrations: Path = MIGRATIONS) -> int:
    """Apply what is pending to the file at ``path`` and give the schema's version.

    Raises `MigrationFailed`; the file is then as it was, and `failure` gives the reason: what
    happened and what to do.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            _keep_to_ourselves(path)
            return _migrate(path, migrations)
    except MigrationFailed as error:
        logger.error("%s", error)
        raise
    except (sqlite3.Error, StoreBusy, OSError, ValueError) as error:
        raise MigrationFailed(
            Message("The store could not be opened: {error}.", error=error)
        ) from error


def _keep_to_ourselves(path: Path) -> None:
    """Let nobody else read the store: version 1.0.0 made its files 0644."""
    for file in path.parent.glob(f"{path.name}*"):
        with suppress(OSError):  # a read-only file system keeps no restore waiting
            file.chmod(0o600)


def _migrate(path: Path, migrations: Path) -> int:
    try:
        _check_not_lost(path, migrations)
        version = apply_pending(path, migrations)
        if why := _settle(path):
            logger.error("%s", why)
    except (sqlite3.Error, StoreBusy, OSError, ValueError, MigrationFailed) as error:
        told = _told(path, migrations, error)
        with suppress(OSError):  # a full or read-only file system: the exception tells all the same
            _note(path).write_text(f"{stored(told)}\n", encoding="utf-8")
        raise MigrationFailed(told) from error
    _note(path).unlink(missing_ok=True)
    return version


def _settle(path: Path) -> str | None:
    """Treat a store that was put back, once it has the schema that tells so."""
    with closing(connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'installation'")
        if known.fetchone() is None:
            return None
    return settle(path, datetime.now(UTC))


def _check_not_lost(path: Path, migrations: Path) -> None:
    """Raise `StoreLost` for a file without content where the app was set up already."""
    mark = read_mark(mark_file(path))
    if (mark is None or not mark.configured) and not _offers(path, migrations):
        return
    if path.exists() and path.stat().st_size:
        with closing(connect(path, mode="rw")) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0]:
                return
    raise StoreLost(Message("The app was set up here, but its database is gone or empty."))


def told(path: Path, error: StoreBusy) -> str:
    """What happened to a store that broke while it was in use, and what to do."""
    found: Exception = error
    with suppress(sqlite3.Error, StoreBusy, OSError, ValueError):
        try:
            _check_not_lost(path, MIGRATIONS)
        except StoreLost as lost:
            found = lost
    return _told(path, MIGRATIONS, found)


def _told(path: Path, migrations: Path, error: Exception) -> str:
    """What happened and what to do, for a person."""
    offers = [
        Message("{file} of {at} UTC", file=one.file.name, at=f"{one.made_at:%Y-%m-%d %H:%M}")
        for one in _offers(path, migrations)
    ]
    found = (trouble(error) if isinstance(error, sqlite3.Error) else None) or error
    what = str(error)
    if isinstance(found, StoreDamaged):
        what = Message("The app's database is damaged: {error}.", error=error)
    elif isinstance(found, StoreBusy | OSError):
        return Message(
            "The app's database can't be opened or written: {error}. Look at the disk of the app's"
            " store; it is tried again every minute.",
            error=error,
        )
    elif not isinstance(error, StoreLost | NewerSchema):
        what = Message("The store could not be migrated: {error}.", error=error)
    advice = _with_copies(found, joined(offers, ", ")) if offers else _without_copies(found)
    return joined((what, advice), " ")


def _with_copies(error: Exception, offers: str) -> Message:
    if isinstance(error, StoreLost):
        return Message(
            "Put a copy back ({copies}), in the app's container: {restore}; or start anew without a"
            " history, in the app's container: {anew}.",
            copies=offers,
            restore=_RESTORE,
            anew=_ANEW,
        )
    if isinstance(error, StoreDamaged):
        return Message(
            "Put a copy back ({copies}), in the app's container: {restore}.",
            copies=offers,
            restore=_RESTORE,
        )
    if isinstance(error, NewerSchema):
        return Message(
            "Install the newer version again; or put a copy back ({copies}), in the app's"
            " container: {restore}.",
            copies=offers,
            restore=_RESTORE,
        )
    return Message(
        "Install the version that was there before, or send the app's log to support; or put a copy"
        " back ({copies}), in the app's container: {restore}.",
        copies=offers,
        restore=_RESTORE,
    )


def _without_copies(error: Exception) -> Message:
    if isinstance(error, StoreLost):
        return Message("Start anew without a history, in the app's container: {anew}.", anew=_ANEW)
    if isinstance(error, StoreDamaged):
        return Message("There is no copy of it; send the app's log to support.")
    if isinstance(error, NewerSchema):
        return Message("Install the newer version again.")
    return Message("Install the version that was there before, or send the app's log to support.")


def _offers(path: Path, migrations: Path) -> Sequence[Copy]:
    return copies(path, newest_schema=newest_schema(migrations))


def newest_schema(migrations: Path) -> int:
    return max(_numbered(migrations))


def forget_failure(path: Path) -> None:
    """Let the next try find out again."""
    _note(path).unlink(missing_ok=True)


def _numbered(migrations: Path) -> dict[int, Path]:
    return {int(file.name[:4]): file for file in sorted(migrations.glob("[0-9]*.sql"))}


def failure(path: Path) -> str | None:
    """Why the store can't be used, or None."""
    try:
        return restored(_note(path).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None


def apply_pending(path: Path, migrations: Path) -> int:
    """Bring the file at ``path`` to the newest schema, and give it; nobody else may be at it."""
    numbered = _numbered(migrations)
    newest = max(numbered)
    with closing(connect(path)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > newest:
            raise NewerSchema(
                Message(
                    "The app's database was written by a newer version of the app: it has schema"
                    " {schema}, this version knows {newest}.",
                    schema=version,
                    newest=newest,
                )
            )
        pending = [number for number in sorted(numbered) if number > version]
        if pending and version:
            write_copy(connection, _copy(path, version))
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


def _copy(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.schema-{version}")


def _note(path: Path) -> Path:
    return path.with_name("migration-failed.txt")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock under which the store is brought up to date or put back."""
    with path.with_name("migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
