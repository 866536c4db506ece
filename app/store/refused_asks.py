# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The asks of the console about a caller that it refused, of web and worker together."""

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.store.database import Database, StoreBusy
from app.store.times import from_text, to_text

logger = logging.getLogger(__name__)

_KEPT = timedelta(days=1)


class RefusedAsks:
    """The refused asks in the store.

    What can't be read or kept is left to the memory of the process: that the store is out of use
    must reach people who first have to be known.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def since(self, at: datetime, whose: str, *, now: datetime) -> Sequence[datetime]:
        """Give the times after ``at``, the oldest first; one ahead of ``now`` counts as now."""
        try:
            rows = self._db.execute(
                "SELECT at FROM refused_asks WHERE whose = ? AND at > ? ORDER BY at",
                (whose, to_text(at)),
            ).fetchall()
            if any(row["at"] > to_text(now) for row in rows):
                self._correct(now)
        except (sqlite3.Error, StoreBusy) as error:
            logger.warning("refused asks can't be read: %s", error)
            return []
        return [min(from_text(row["at"]), now) for row in rows]

    def add(self, whose: str, *, now: datetime) -> None:
        """Note that the console has just refused somebody."""
        try:
            with self._db.transaction():
                self._db.execute("DELETE FROM refused_asks WHERE at <= ?", (to_text(now - _KEPT),))
                self._db.execute(
                    "INSERT INTO refused_asks (at, whose) VALUES (?, ?)", (to_text(now), whose)
                )
        except (sqlite3.Error, StoreBusy) as error:
            logger.warning("a refused ask can't be noted: %s", error)

    def _correct(self, now: datetime) -> None:
        """Our clock was set back: what seems to come still counts from now, not from then."""
        with self._db.transaction():
            text = to_text(now)
            self._db.execute("UPDATE refused_asks SET at = ? WHERE at > ?", (text, text))
