# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The connection to the one SQLite file, and its transactions."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from app.message import restored

BUSY_TIMEOUT_MS = 5000

# From how many pages in the -wal on a commit brings them into the main file: one of the worker's
# keeper, and one of anybody else's, which hardly comes to it (decisions/one-checkpointer.md).
KEEPERS_PAGES, OTHERS_PAGES = 1000, 10_000

# What SQLite says of the moment or of the file, by its primary codes. Every other error is a
# mistake of ours: "try again" would be a lie, and the trace is needed.
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM})
_REOPEN = frozenset(
    {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
    | {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PROTOCOL}
)
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

# One writer at a time is SQLite's rule; threads of one process queue here instead of in SQLite's
# busy handler, whose back-off makes the slowest of many writers wait ten times longer, as measured.
_writers: dict[Path, threading.RLock] = {}
_writers_guard = threading.Lock()


class StoreBusy(Exception):
    """The store could not be used; nothing was kept. Try again."""


class StoreBroken(StoreBusy):
    """Not somebody else's lock but the file or its disk: full, read-only, gone, I/O error."""


class StoreDamaged(StoreBroken):
    """What stands in the file is no sound database: trying again does not help."""


StoreFailed = sqlite3.Error
"""What a cursor raises while its rows are read; `trouble` tells whether it is a mistake of ours."""


def trouble(error: sqlite3.Error) -> StoreBusy | None:
    """Give what ``error`` says of the moment or of the file; None: it is a mistake in our SQL."""
    code = _primary_code(error)
    if code in _BUSY:
        return StoreBusy(str(error))
    if code in _DAMAGED:
        return StoreDamaged(str(error))
    if code in _REOPEN or code == sqlite3.SQLITE_FULL:
        return StoreBroken(str(error))
    return None


class Database:
    """One thread's connection to the store's file, opened on first use.

    SQLite opens a file that can't be written at that moment for reading only, and stays with that;
    after an error it may keep what it believes of the file. So a connection is given up, and a new
    one opened, after every error that tells of the file, when another file stands at the path, and
    when the file can be written again.
    """

    def __init__(
        self, path: Path, *, patience_ms: int = BUSY_TIMEOUT_MS, wal_pages: int = OTHERS_PAGES
    ) -> None:
        """``patience_ms`` is how long another writer is waited for; ``wal_pages`` as `connect`."""
        self.path = path
        self._patience_ms, self._wal_pages = patience_ms, wal_pages
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int, bool] | None = None
        with _writers_guard:
            self._writer = _writers.setdefault(path, threading.RLock())

    @property
    def connection(self) -> sqlite3.Connection:
        open_ = self._connection
        if open_ and not open_.in_transaction and self._file != _identity(self.path):
            self._connection = None  # rows that are just being read keep it: it ends with them
        if self._connection is None:
            self._connection = connect(
                self.path, mode="rw", patience_ms=self._patience_ms, wal_pages=self._wal_pages
            )
            self._file = _identity(self.path)
        return self._connection

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement. Raises `StoreBusy`, and `sqlite3.Error` for a mistake of ours."""
        return self._run(lambda connection: connection.execute(sql, parameters))

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> sqlite3.Cursor:
        """Run one statement for each of ``rows``, within a transaction; raises like `execute`."""
        return self._run(lambda connection: connection.executemany(sql, rows))

    def _run(self, act: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> sqlite3.Cursor:
        joined = self._connection is not None and self._connection.in_transaction
        try:
            return act(self.connection)
        except sqlite3.Error as error:
            found = trouble(error)
            if found is None:
                raise
            if joined or not self._forget(error):
                raise found from error
        try:  # on a connection of its own time: the trouble may be over
            return act(self.connection)
        except sqlite3.Error as error:
            self._forget(error)
            raise trouble(error) or error from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the write lock for a block: all of it is committed, or nothing.

        Within another transaction of this connection it joins that one. Raises `StoreBusy` when
        SQLite cannot begin or commit (locked for longer than 5 s, disk full, I/O error).
        """
        if self._connection is not None and self._connection.in_transaction:
            yield
            return
        if not self._writer.acquire(timeout=self._patience_ms / 1000):
            raise StoreBusy("the store is busy")
        try:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                self._raise_trouble(error)
                raise
        finally:
            self._writer.release()

    def _raise_trouble(self, error: BaseException) -> None:
        """After the end of a transaction: open anew if need be, tell rows' errors as `execute`."""
        source = error.__cause__ if isinstance(error, StoreBusy) else error
        if isinstance(source, sqlite3.Error):
            self._forget(source)
            found = trouble(source)
            if found is not None and source is error:
                raise found from error

    def _roll_back(self) -> None:
        # SQLite rolls back by itself on some errors, and on those it can't on the next opening.
        with suppress(sqlite3.Error):
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def data_version(self) -> int:
        """A number that changes when another connection has committed (about 4 µs)."""
        return int(self.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _forget(self, error: sqlite3.Error) -> bool:
        """Close the connection if ``error`` tells of the file; say whether it did."""
        if _primary_code(error) not in _REOPEN:
            return False
        self.close()
        return True


def connect(
    path: Path,
    *,
    mode: str = "rwc",
    patience_ms: int = BUSY_TIMEOUT_MS,
    wal_pages: int = OTHERS_PAGES,
) -> sqlite3.Connection:
    """Open the file as every process of the app does; with ``mode`` "rw" only if it is there.

    ``synchronous=FULL``: a trigger that was answered must survive a power cut. A commit that leaves
    ``wal_pages`` in the -wal brings them into the main file.
    """
    if mode == "rwc":
        # SQLite would make it 0644. Only ever a new one is opened here: closing a file that SQLite
        # has open too would release its locks.
        with suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=patience_ms / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    connection.create_function("english", 1, _english, deterministic=True)
    try:
        for pragma in (
            f"busy_timeout = {patience_ms}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"wal_autocheckpoint = {wal_pages}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _english(column: str | None) -> str | None:
    """What a person reads of a `Sentence` in English: by that it is searched, not by its JSON."""
    return None if column is None else restored(column)


def _primary_code(error: sqlite3.Error) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)  # only what SQLite itself raised has one
    return None if code is None else code & 0xFF


def _identity(path: Path) -> tuple[int, int, bool] | None:
    """Which file stands at ``path``, and whether it can be written."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, os.access(path, os.W_OK)
