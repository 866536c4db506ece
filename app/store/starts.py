# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The last start of each CDM job, from which it cools down."""

from datetime import datetime

from app.restore.cooling import LastStart
from app.store.database import Database
from app.store.times import from_text, from_text_or_none, to_text

_OF_JOB = "connection_id = ? AND job_id = ? AND cools_from IS NOT NULL"
_CAME_UP = "(ready_at IS NOT NULL OR state = 'completed')"
_LOOKED_THROUGH = 20  # failed runs; their ends are nearly in the order of their ids


class Starts:
    """What was last started, and what came of it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def last(self, connection_id: int, job_id: str) -> LastStart | None:
        """Give the run that last started a CDM job, or tried to; in the history's order."""
        row = self._db.execute(
            "SELECT *, (SELECT from_state FROM transitions WHERE run_id = runs.id"  # noqa: S608 - our own text
            " AND to_state = 'cancelled') AS cancelled_in"
            f" FROM runs WHERE {_OF_JOB} ORDER BY cools_order DESC LIMIT 1",
            (connection_id, job_id),
        ).fetchone()
        if row is None:
            return None
        failed = row["state"] == "failed" and row["ready_at"] is None
        return LastStart(
            run_id=row["id"],
            at=from_text(row["cools_from"]),
            failures=self._failures(connection_id, job_id) if failed else 0,
            unknown=row["cancelled_in"] == "needs_decision",
            ended_at=from_text_or_none(row["ended_at"]),
        )

    def correct(self, run_id: int, at: datetime) -> None:
        """Let a job cool down from a time that our clock, set back since, can count from."""
        with self._db.transaction():
            self._db.execute("UPDATE runs SET cools_from = ? WHERE id = ?", (to_text(at), run_id))

    def last_failure(self) -> tuple[int, datetime] | None:
        """Give the run of whichever job that failed last, and when."""
        row = self._db.execute(
            "SELECT id, ended_at FROM (SELECT id, ended_at FROM runs WHERE state = 'failed'"
            " ORDER BY id DESC LIMIT ?) ORDER BY ended_at DESC LIMIT 1",
            (_LOOKED_THROUGH,),
        ).fetchone()
        return None if row is None else (row["id"], from_text(row["ended_at"]))

    def _failures(self, connection_id: int, job_id: str) -> int:
        """How many restores of a job CDM has failed or refused since a copy last came up."""
        row = self._db.execute(
            f"SELECT count(*) FROM runs WHERE {_OF_JOB} AND state = 'failed'"  # noqa: S608 - our own text
            f" AND cools_order > coalesce((SELECT cools_order FROM runs WHERE {_OF_JOB}"
            f" AND {_CAME_UP} ORDER BY cools_order DESC LIMIT 1), 0)",
            (connection_id, job_id, connection_id, job_id),
        ).fetchone()
        return int(row[0])
