# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What has happened since it was last told: new transitions, triggers and changes, in their order.

Whoever tells it elsewhere (QRadar's log) goes on from a remembered row, so nothing that writes such
rows needs to know of it.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.message import restored
from app.restore.model import SIMULATION, Run
from app.restore.own_events import OWN_EVENT
from app.store.database import Database
from app.store.run_rows import SELECT, run_from_row
from app.store.times import from_text

_TABLES = {"leef_transition": "transitions", "leef_trigger": "triggers", "leef_audit": "audit"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One row: of a ``transition`` what state was reached, of a ``trigger`` its outcome, of a
    ``change`` what was done to what."""

    kind: str
    id: int
    at: datetime
    what: str
    text: str
    by: str = ""
    subject: str = ""
    from_state: str | None = None
    run: Run | None = None
    mapping: str | None = None
    rule_id: int | None = None
    rule_name: str | None = None
    token: str | None = None
    peer: str | None = None
    is_own: bool = False  # whether the trigger's event is provably one of those told before


class Happenings:
    """The rows that were not told yet."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self) -> None:
        """Tell what happens from now on, unless that was begun before."""
        with self._db.transaction():
            for column, table in _TABLES.items():
                self._db.execute(
                    f"UPDATE qradar SET {column} = (SELECT coalesce(max(id), 0) FROM {table})"  # noqa: S608 - our own names
                    f" WHERE {column} IS NULL"
                )

    def end(self) -> None:
        """Forget how far it was told."""
        with self._db.transaction():
            for column in _TABLES:
                self._db.execute(f"UPDATE qradar SET {column} = NULL")  # noqa: S608 - our own names

    def begun(self) -> bool:
        row = self._db.execute("SELECT leef_transition FROM qradar").fetchone()
        return row["leef_transition"] is not None

    def untold(self, *, limit: int = 100) -> Sequence[Happening]:
        """Give what was not told yet, the oldest first of each kind."""
        found = [self._transition(row) for row in self._rows("leef_transition", limit)]
        found += [_trigger(row) for row in self._rows("leef_trigger", limit)]
        return found + [_change(row) for row in self._rows("leef_audit", limit)]

    def told(self, happenings: Sequence[Happening]) -> None:
        """Note that these were told."""
        kinds = {"transition": "leef_transition", "trigger": "leef_trigger", "change": "leef_audit"}
        with self._db.transaction():
            for each in happenings:
                column = kinds[each.kind]
                self._db.execute(
                    f"UPDATE qradar SET {column} = max({column}, ?)",  # noqa: S608 - our own names
                    (each.id,),
                )

    def _rows(self, column: str, limit: int) -> Sequence[sqlite3.Row]:
        return self._db.execute(
            f"SELECT * FROM {_TABLES[column]} WHERE id > (SELECT {column} FROM qradar)"  # noqa: S608 - our own names
            " ORDER BY id LIMIT ?",
            (limit,),
        ).fetchall()

    def _transition(self, row: sqlite3.Row) -> Happening:
        run = self._db.execute(f"{SELECT} WHERE runs.id = ?", (row["run_id"],)).fetchone()
        return Happening(
            kind="transition",
            id=row["id"],
            at=from_text(row["at"]),
            what=row["to_state"],
            text=restored(row["reason"]),
            by=row["by"],
            from_state=row["from_state"],
            run=run_from_row(run),
        )


def _trigger(row: sqlite3.Row) -> Happening:
    return Happening(
        kind="trigger",
        id=row["id"],
        at=from_text(row["received_at"]),
        what="simulated" if row["source"] == SIMULATION else row["outcome"],
        text=restored(row["message"]),
        mapping=row["mapping"],
        rule_id=row["rule_id"],
        rule_name=row["rule_name"],
        token=row["token"],
        peer=row["peer"],
        is_own=restored(row["message"]).startswith(OWN_EVENT),
    )


def _change(row: sqlite3.Row) -> Happening:
    return Happening(
        kind="change",
        id=row["id"],
        at=from_text(row["at"]),
        what=row["action"],
        text=restored(row["detail"]),
        by=row["by"],
        subject=row["subject"],
    )
