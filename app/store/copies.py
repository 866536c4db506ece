# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Own copies of the store: made by SQLite's backup, checked, and put back on demand.

Two are kept, the newest and the one before; beside them there may be those that were made before a
migration. A copy is a file of its own (no ``-wal``), which only the app's user can read.
"""

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.store.database import connect

KEPT = ("copy-1", "copy-2")  # the newest first
_ROOM = 2  # times the store's size must be free


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that can be put back."""

    file: Path
    made_at: datetime
    schema: int


class CopyFailed(Exception):
    """No copy was made, or none put back; the reason is a sentence."""


def keep_copy(path: Path) -> Path:
    """Make a checked copy of the store at ``path``, and give it. Raises `CopyFailed`.

    Readers and writers go on meanwhile. What is there already stays until the new one is complete.
    """
    newest, before = (path.with_name(f"{path.name}.{name}") for name in KEPT)
    if shutil.disk_usage(path.parent).free < _ROOM * path.stat().st_size:
        raise CopyFailed("There is too little room beside the database for a copy of it.")
    draft = path.with_name(f"{path.name}.copy-draft")
    try:
        with closing(connect(path, mode="rw")) as source:
            write_copy(source, draft)
        if newest.exists():
            newest.replace(before)
        draft.replace(newest)
        _sync(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise CopyFailed(f"The database could not be copied: {error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return newest


def write_copy(source: sqlite3.Connection, file: Path) -> None:
    """Write the whole of ``source`` to a new file and check it. Raises sqlite3.Error, OSError."""
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(file)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE").fetchone()
        found = target.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"the database is damaged: {found}")
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copies(path: Path, *, newest_schema: int) -> Sequence[Copy]:
    """Give what can be put back at ``path`` by a version of the app that knows this schema."""
    files = [path.with_name(f"{path.name}.{name}") for name in KEPT]
    files += sorted(path.parent.glob(f"{path.name}.schema-*[0-9]"), reverse=True)
    found = []
    for file in files:
        schema = _schema(file)
        if schema is not None and 0 < schema <= newest_schema:
            made_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            found.append(Copy(file, made_at, schema))
    return found


def replace_store(path: Path, ready: Path) -> None:
    """Put ``ready``, a file of its own, in the place of the store. Raises sqlite3.Error, OSError.

    A store that can be opened is overwritten in one transaction, under its processes, which find
    the new content at once. One that can't be is set aside as a file; its processes find the other
    file. At no moment is there a main file with another one's ``-wal``.
    """
    with suppress(sqlite3.DatabaseError):
        if path.exists() and path.stat().st_size:
            with closing(open_copy(ready)) as source, closing(connect(path, mode="rw")) as target:
                source.backup(target)
                return
    aside = f"damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with suppress(FileNotFoundError):
        wal = path.with_name(f"{path.name}-wal")
        wal.replace(path.with_name(f"{path.name}.{aside}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        os.link(path, path.with_name(f"{path.name}.{aside}"))
    fresh = path.with_name(f"{path.name}.put-back")
    with closing(open_copy(ready)) as source:
        write_copy(source, fresh)
    fresh.replace(path)
    _sync(path.parent)


def open_copy(file: Path) -> sqlite3.Connection:
    """Open a file that nobody writes to, for reading; no other file is made beside it."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _schema(file: Path) -> int | None:
    try:
        with closing(open_copy(file)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
