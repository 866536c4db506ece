# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Knows a store that was put back: older than what has happened, and so not to be acted on.

The store counts marks, and a small file beside it repeats the last one. **The file is never ahead
of the store**: a mark is first committed with ``synchronous=FULL``, then written to the file. What
was committed before it is in the same write-ahead log, and so durable too. Whatever kills a process
or the machine, at whatever moment, leaves the file at the store's mark or behind it; two processes
that mark at once leave either number, and both are committed.

So a store whose mark is below the file's has lost commits: somebody has put a copy back, or its
``-wal`` is gone. That holds of a file that was read before the store: others mark meanwhile. A
store of another name than the file's is a copy from before the marks or from elsewhere. A store
without any content beside a file that says "configured" has lost everything. A file that is missing
or can't be read says nothing, and alarms nobody.

A second file in the container, outside the store, does the same for a volume that is put back
whole, its own file included, under a container that lives on; there only the same name counts.
What has happened after the last mark (the worker makes one every 5 s) can be lost unseen.
"""

import json
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from app.message import restored, stored
from app.store.database import Database
from app.store.times import to_text

_CURRENT = (
    "SELECT name, mark, (SELECT ifnull(max(id), 0) FROM audit) AS audit_id,"
    " (SELECT ifnull(max(id), 0) FROM runs) AS run_id,"
    " EXISTS (SELECT 1 FROM connections) OR EXISTS (SELECT 1 FROM mappings)"
    " OR EXISTS (SELECT 1 FROM trigger_tokens) AS configured FROM installation"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a store has come."""

    name: str  # of the installation
    number: int
    at: str
    audit_id: int  # its newest rows
    run_id: int
    configured: bool


class Marks:
    """The marks of the store behind ``db``."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def current(self, now: datetime) -> Mark:
        """Give how far the store has come, as of its last mark."""
        row = self._db.execute(_CURRENT).fetchone()
        newest = (row["audit_id"], row["run_id"])
        return Mark(row["name"], row["mark"], to_text(now), *newest, bool(row["configured"]))

    def make(self, now: datetime, *, files: Sequence[Path], above: int = 0) -> None:
        """Commit a mark higher than ``above``, then write it to each of ``files``."""
        with self._db.transaction():
            self._db.execute("UPDATE installation SET mark = max(mark, ?) + 1", (above,))
            mark = self.current(now)
        for file in files:
            with suppress(OSError):  # a full disk: the file stays behind, as it may
                _write(file, mark)

    def put_back(self) -> str | None:
        """Give why this store is not to be trusted before an administrator has looked; or None."""
        row = self._db.execute("SELECT put_back FROM installation").fetchone()
        return None if row is None or row["put_back"] is None else restored(row["put_back"])

    def set_put_back(self, why: str | None, *, now: datetime) -> None:
        """Keep why the store is not trusted, or, with None, that it is."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE installation SET put_back = ?, put_back_at = ?",
                (None if why is None else stored(why), to_text(now)),
            )

    def note_audit(self, *, sound: bool, now: datetime) -> None:
        """Keep whether the whole audit trail verified."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE installation SET audit_verified_at = ?, audit_verifies = ?",
                (to_text(now), sound),
            )

    def audit_verified(self) -> tuple[str, bool] | None:
        """Give when the whole audit trail was last gone through and whether it verified."""
        row = self._db.execute("SELECT * FROM installation").fetchone()
        if row is None or row["audit_verified_at"] is None:
            return None
        return row["audit_verified_at"], bool(row["audit_verifies"])


def mark_file(path: Path) -> Path:
    """The file beside the store at ``path``."""
    return path.with_name(f"{path.name}.mark")


def mark_files(path: Path) -> list[Path]:
    """That file, and the one in the container, for a store in the app's own folder."""
    outside = path.parent.parent / f".{path.name}.mark"
    return [mark_file(path), *([outside] if path.parent.name == "store" else [])]


def read_mark(file: Path) -> Mark | None:
    """What a file says; None if there is none or it can't be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        mark = Mark(**found)
    except (OSError, ValueError, TypeError):
        return None
    return mark if isinstance(mark.number, int) and isinstance(mark.name, str) else None


def read_marks(path: Path) -> list[Mark | None]:
    """What each of `mark_files` says."""
    return [read_mark(file) for file in mark_files(path)]


def lost_commits(told: Sequence[Mark | None], mark: Mark) -> Mark | None:
    """Which of `read_marks` a store at ``mark`` is behind of; None: of none.

    ``told`` was read before ``mark`` was.
    """
    beside, *outside = told
    if beside and (beside.name != mark.name or beside.number > mark.number):
        return beside
    for one in outside:
        if one and one.name == mark.name and one.number > mark.number:
            return one
    return None


def _write(file: Path, mark: Mark) -> None:
    """Replace the file as a whole: after a power cut it is the old or the new one."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump(asdict(mark), opened)
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
