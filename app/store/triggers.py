# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Triggers as they were received, and what came of each."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.restore.model import SIMULATION, Outcome, Trigger
from app.store.database import Database
from app.store.times import from_text, to_text


@dataclass(frozen=True, slots=True)
class ReceivedTrigger:
    """A trigger's row: what arrived and what it was answered."""

    id: int
    request_id: str
    received_at: datetime
    outcome: Outcome
    message: str
    run_id: int | None
    mapping: str | None
    rule_id: int | None
    rule_name: str | None
    fields: Mapping[str, str]
    source: str


class Triggers:
    """The triggers in the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(
        self,
        trigger: Trigger,
        outcome: Outcome,
        message: str,
        *,
        run_id: int | None,
        mapping: str | None,
    ) -> int:
        """Keep a trigger and its outcome; give its id."""
        with self._db.transaction():
            cursor = self._db.execute(
                "INSERT INTO triggers (request_id, received_at, outcome, message, run_id, mapping,"
                " rule_id, rule_name, fields, source, event_at) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *(trigger.request_id, to_text(trigger.received_at), outcome, message, run_id),
                    *(mapping or trigger.mapping, trigger.rule_id, trigger.rule_name),
                    json.dumps(dict(trigger.fields)),
                    trigger.source,
                    to_text(trigger.detected_at or trigger.received_at),
                ),
            )
        return int(cursor.lastrowid or 0)

    def find(self, request_id: str) -> ReceivedTrigger | None:
        """Give the first trigger that came with this request id."""
        found = self._all("WHERE request_id = ? AND outcome <> 'duplicate'", request_id)
        return found[0] if found else None

    def get(self, trigger_id: int) -> ReceivedTrigger:
        """Give one trigger. Raises `LookupError`."""
        found = self._all("WHERE id = ?", trigger_id)
        if not found:
            raise LookupError(f"there is no trigger {trigger_id}")
        return found[0]

    def recent(self, limit: int = 20, *, simulated: bool = True) -> Sequence[ReceivedTrigger]:
        """Give the newest triggers first, with or without the simulated ones."""
        which = "" if simulated else f"WHERE source <> '{SIMULATION}' "
        return self._all(f"{which}ORDER BY id DESC LIMIT ?", limit)

    def last_simulation(self) -> ReceivedTrigger | None:
        """Give the trigger by which somebody last tried out what would happen."""
        found = self._all(f"WHERE source = '{SIMULATION}' ORDER BY id DESC LIMIT 1")
        return found[0] if found else None

    def for_run(self, run_id: int, *, limit: int = 1000) -> Sequence[ReceivedTrigger]:
        """Give the trigger that made a run and those it swallowed, oldest first."""
        return self._all("WHERE run_id = ? ORDER BY id LIMIT ?", run_id, limit)

    def _all(self, condition: str, *values: object) -> Sequence[ReceivedTrigger]:
        rows = self._db.execute(f"SELECT * FROM triggers {condition}", values)  # noqa: S608 - our own text
        return [_received(row) for row in rows]


def _received(row: sqlite3.Row) -> ReceivedTrigger:
    return ReceivedTrigger(
        id=row["id"],
        request_id=row["request_id"],
        received_at=from_text(row["received_at"]),
        outcome=Outcome(row["outcome"]),
        message=row["message"],
        run_id=row["run_id"],
        mapping=row["mapping"],
        rule_id=row["rule_id"],
        rule_name=row["rule_name"],
        fields=json.loads(row["fields"]),
        source=row["source"],
    )
