# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The connection to the one SQLite file, and its transactions."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

BUSY_TIMEOUT_MS = 5000

# One writer at a time is SQLite's rule; threads of one process queue here instead of in SQLite's
# busy handler, whose back-off makes the slowest of many writers wait ten times longer (peers C.2).
_writers: dict[Path, threading.RLock] = {}
_writers_guard = threading.Lock()


class StoreBusy(Exception):
    """The store could not commit; nothing was kept. Try again."""


StoreFailed = sqlite3.Error
"""What reading raises, outside a transaction, when the file can't be opened or read."""


class Database:
    """One thread's connection to the store's file, opened on first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        with _writers_guard:
            self._writer = _writers.setdefault(path, threading.RLock())

    @property
    def connection(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self.path)
        return self._connection

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        return self.connection.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the write lock for a block: all of it is committed, or nothing.

        Within another transaction of this connection it joins that one. Raises `StoreBusy` when
        SQLite cannot begin or commit (locked for longer than 5 s, disk full, I/O error).
        """
        if self._connection is not None and self._connection.in_transaction:
            yield
            return
        if not self._writer.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise StoreBusy("the store is busy")
        try:
            try:
                self.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise StoreBusy(str(error)) from error
            try:
                yield
                self.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if isinstance(error, sqlite3.OperationalError):
                    raise StoreBusy(str(error)) from error
                raise
        finally:
            self._writer.release()

    def _roll_back(self) -> None:
        # SQLite rolls back by itself on some errors, and on those it can't on the next opening.
        with suppress(sqlite3.Error):
            if self.connection.in_transaction:
                self.execute("ROLLBACK")

    def data_version(self) -> int:
        """A number that changes when another connection has committed (C.5: about 4 µs)."""
        return int(self.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect(path: Path) -> sqlite3.Connection:
    """Open the file as every process of the app does.

    ``synchronous=FULL``: a trigger that was answered must survive a power cut.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    try:
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
