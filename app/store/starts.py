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
        """Give the run that last started a CDM job, or tried to; in the history's order.

        With it: how many restores CDM has failed or refused since a copy last came up.
        """
        rows = self._db.execute(
            f"SELECT *, {_CAME_UP} AS came_up FROM runs WHERE {_OF_JOB} ORDER BY cools_order DESC",  # noqa: S608 - our own text
            (connection_id, job_id),
        )
        newest, failures = None, 0
        for row in rows:
            newest = newest or row
            if row["came_up"]:
                break
            failures += row["state"] == "failed"
        if newest is None:
            return None
        return LastStart(
            run_id=newest["id"],
            at=from_text(newest["cools_from"]),
            failures=failures,
            failed=newest["state"] == "failed" and not newest["came_up"],
            unknown=newest["state"] == "cancelled" and self._was_given_up(newest["id"]),
            ended_at=from_text_or_none(newest["ended_at"]),
        )

    def correct(self, run_id: int, at: datetime) -> None:
        """Let a job cool down from a time that our clock, set back since, can count from."""
        with self._db.transaction():
            self._db.execute("UPDATE runs SET cools_from = ? WHERE id = ?", (to_text(at), run_id))

    def last_failure(self) -> tuple[int, datetime] | None:
        """Give the run of whichever job that failed last, and when."""
        row = self._db.execute(
            "SELECT id, ended_at FROM (SELECT id, ended_at FROM runs WHERE state = 'failed'"
            " ORDER BY id DESC LIMIT ?) ORDER BY ended_at DESC",
            (_LOOKED_THROUGH,),
        ).fetchone()
        return None if row is None else (row["id"], from_text(row["ended_at"]))

    def _was_given_up(self, run_id: int) -> bool:
        """Whether a person ended a cancelled run without knowing what became of its start."""
        row = self._db.execute(
            "SELECT 1 FROM transitions WHERE run_id = ? AND to_state = 'cancelled'"
            " AND from_state = 'needs_decision'",
            (run_id,),
        ).fetchone()
        return row is not None
