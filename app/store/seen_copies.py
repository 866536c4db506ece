# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Copies that were seen in a copy manager: as JSON in a column, and the last look at each job."""

import json
from typing import Any

from app.message import restored, stored
from app.restore.model.copies import ClockOffset, Copy, SeenCopy, SourceCopy, Which
from app.store.database import Database
from app.store.times import from_text, to_text, to_text_or_none


def to_json(seen: SeenCopy) -> str:
    """Give the text for a column."""
    copy = seen.copy
    value = {
        "which": copy.which,
        "sources": [[one.name, to_text_or_none(one.made_at), one.policy] for one in copy.sources],
        "name": copy.name,
        "problem": None if copy.problem is None else stored(copy.problem),
        "clock": [copy.clock.ahead_s, copy.clock.within_s] if copy.clock else None,
        "seen_at": to_text(seen.seen_at),
        "checked": seen.checked,
        "max_age_h": seen.max_age_h,
    }
    return json.dumps(value, ensure_ascii=False)


def from_json(text: str | None) -> SeenCopy | None:
    """Give what stands in a column."""
    if text is None:
        return None
    value: dict[str, Any] = json.loads(text)
    sources = tuple(
        SourceCopy(name, None if made_at is None else from_text(made_at), policy)
        for name, made_at, policy in value["sources"]
    )
    copy = Copy(
        Which(value["which"]),
        sources,
        name=value["name"],
        problem=None if value["problem"] is None else restored(value["problem"]),
        clock=ClockOffset(*value["clock"]) if value["clock"] else None,
    )
    at, checked = from_text(value["seen_at"]), value["checked"]
    return SeenCopy(copy, at, checked=checked, max_age_h=value["max_age_h"])


class SeenCopies:
    """Of each mapped job the copy that it would bring up, as it was seen last."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def find(self, connection_id: int, job_id: str) -> SeenCopy | None:
        """Give the one of a job; None: it was never seen."""
        row = self._db.execute(
            "SELECT copy FROM seen_copies WHERE connection_id = ? AND job_id = ?",
            (connection_id, job_id),
        ).fetchone()
        return from_json(row["copy"]) if row else None

    def note(self, connection_id: int, job_id: str, seen: SeenCopy) -> None:
        """Keep what was seen of a job."""
        with self._db.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO seen_copies (connection_id, job_id, copy) VALUES (?, ?, ?)",
                (connection_id, job_id, to_json(seen)),
            )
