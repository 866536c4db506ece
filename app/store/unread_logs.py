# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The runs that have ended before the end of CDM's job log could be read."""

from collections.abc import Sequence
from datetime import datetime

from app.store.database import Database
from app.store.times import from_text, to_text


class UnreadLogs:
    """The unread logs in the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, run_id: int, *, due_at: datetime) -> None:
        """Remember that a run's log is still to be read."""
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO unread_logs (run_id, due_at) VALUES (?,?)"
                " ON CONFLICT (run_id) DO NOTHING",
                (run_id, to_text(due_at)),
            )

    def of_connection(self, connection_id: int) -> Sequence[tuple[int, datetime, int]]:
        """Give for each such run when it is due and how often it was tried, the next first."""
        rows = self._db.execute(
            "SELECT unread_logs.* FROM unread_logs JOIN runs ON runs.id = run_id"
            " WHERE connection_id = ? ORDER BY unread_logs.due_at, run_id",
            (connection_id,),
        )
        return [(row["run_id"], from_text(row["due_at"]), row["tries"]) for row in rows]

    def put_off(self, run_id: int, *, due_at: datetime) -> None:
        """Note that it was tried in vain, and when it is to be tried again."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE unread_logs SET due_at = ?, tries = tries + 1 WHERE run_id = ?",
                (to_text(due_at), run_id),
            )

    def remove(self, run_id: int) -> None:
        """Note that it was read, or never will be."""
        with self._db.transaction():
            self._db.execute("DELETE FROM unread_logs WHERE run_id = ?", (run_id,))
