# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who changed what: rows chained by SHA-256, so that a later edit of one shows.

The chain shows a row that was changed, added or taken out; SQLite's own count of the ids it has
given shows rows taken off the end. Whoever rewrites all of it, the count too, leaves no trace here:
for that there is QRadar's log.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.message import Sentence, stored
from app.store.database import Database
from app.store.rows import from_row
from app.store.times import to_text

_FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change: who did what to what."""

    at: datetime
    by: str
    action: str
    subject: str
    detail: Sentence


class Audit:
    """The audit trail."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def append(self, by: str, action: str, subject: str, detail: str, *, now: datetime) -> None:
        """Add a row, in the transaction of the change that it tells of. ``detail``: no secrets."""
        with self._db.transaction():
            row = self._db.execute("SELECT hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
            content = (to_text(now), by, action, subject, stored(detail))
            self._db.execute(
                "INSERT INTO audit (at, by, action, subject, detail, hash) VALUES (?,?,?,?,?,?)",
                (*content, _link(_FIRST if row is None else row["hash"], content)),
            )

    def verify(self, *, newest: int | None = None) -> bool:
        """Say whether every row still follows from the one before it, and none is missing.

        A long trail takes seconds: with ``newest`` only so many rows at its end are looked at.
        """
        first = 0 if newest is None else self._last_id() - newest
        before = self._db.execute(
            "SELECT id, hash FROM audit WHERE id <= ? ORDER BY id DESC LIMIT 1", (first,)
        ).fetchone()
        last_id, previous = (0, _FIRST) if before is None else (before["id"], before["hash"])
        for row in self._db.execute("SELECT * FROM audit WHERE id > ? ORDER BY id", (last_id,)):
            content = tuple(row[name] for name in ("at", "by", "action", "subject", "detail"))
            previous = _link(previous, content)
            if previous != row["hash"]:
                return False
            last_id = row["id"]
        return bool(last_id == self._last_id())

    def _last_id(self) -> int:
        """The last id that SQLite has given to a row, whether it still stands or not."""
        given = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
        return 0 if given is None else int(given["seq"])

    def recent(self, limit: int = 100) -> Sequence[AuditEntry]:
        """Give the newest rows first."""
        rows = self._db.execute("SELECT * FROM audit ORDER BY id DESC LIMIT ?", (limit,))
        return [from_row(AuditEntry, row) for row in rows]

    def last_change(self, *, after: int) -> int | None:
        """Give the newest row above the id ``after`` that is about no run."""
        row = self._db.execute(
            "SELECT max(id) AS id FROM audit WHERE id > ? AND action NOT LIKE 'run%'", (after,)
        ).fetchone()
        return None if row["id"] is None else int(row["id"])

    def last(self, subject: str) -> AuditEntry | None:
        """Give the newest row about ``subject``."""
        row = self._db.execute(
            "SELECT * FROM audit WHERE subject = ? ORDER BY id DESC LIMIT 1", (subject,)
        ).fetchone()
        return None if row is None else from_row(AuditEntry, row)


def _link(previous: str, content: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps([previous, *content]).encode()).hexdigest()
