# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the offense watch remembers: how far it has read, from when on, and each pair it has met."""

from collections.abc import Sequence
from datetime import UTC, datetime

from app.restore.model import Mapping
from app.restore.watched import WatchedOffense, WatchState
from app.store.database import Database
from app.store.rows import from_row
from app.store.times import to_text

# Triggers that came to nothing because of a switch of ours, or that were none: what goes on after
# the switch is turned must not count as served.
_NOT_SERVED = "('test', 'unmatched', 'disarmed', 'mapping_disabled')"


class WatchMemory:
    """The offense watch's rows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- how far, and from when on ------------------------------------------------------------

    def read_up_to(self) -> tuple[int | None, int | None]:
        """Give QRadar's time, and the offense id, up to which everything was looked at."""
        row = self._db.execute("SELECT newest_ms, newest_offense FROM qradar").fetchone()
        return row["newest_ms"], row["newest_offense"]

    def keep_read_up_to(self, newest_ms: int, newest_offense: int | None) -> None:
        with self._db.transaction():
            self._db.execute(
                "UPDATE qradar SET newest_ms = ?, newest_offense = ?", (newest_ms, newest_offense)
            )

    def begin(self, mapping_id: int) -> tuple[str, int] | None:
        """Give which switching on a mapping's beginning is for, and it, in ms by QRadar's clock."""
        row = self._db.execute(
            "SELECT switching, begin_ms FROM watch_begins WHERE mapping_id = ?", (mapping_id,)
        ).fetchone()
        return None if row is None else (row["switching"], row["begin_ms"])

    def keep_begin(self, mapping_id: int, switching: str, begin_ms: int) -> None:
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO watch_begins (mapping_id, switching, begin_ms) VALUES (?,?,?)"
                " ON CONFLICT (mapping_id) DO UPDATE SET switching = excluded.switching,"
                " begin_ms = excluded.begin_ms",
                (mapping_id, switching, begin_ms),
            )

    def forget_undecided(self, mapping_id: int) -> None:
        """Forget what was not decided: the mapping's watch begins anew."""
        with self._db.transaction():
            self._db.execute(
                "DELETE FROM watch_offenses WHERE mapping_id = ?"
                " AND state IN ('before', 'waiting')",
                (mapping_id,),
            )

    # --- pairs --------------------------------------------------------------------------------

    def get(self, mapping_id: int, offense_id: int) -> WatchedOffense | None:
        found = self._all("WHERE mapping_id = ? AND offense_id = ?", mapping_id, offense_id)
        return found[0] if found else None

    def in_state(self, *states: WatchState) -> Sequence[WatchedOffense]:
        """Give the pairs that are in one of these states, the newest offense first."""
        marks = ", ".join("?" * len(states))
        return self._all(f"WHERE state IN ({marks}) ORDER BY offense_id DESC", *states)

    def keep(self, pair: WatchedOffense) -> None:
        """Keep what is known of a pair now."""
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO watch_offenses (mapping_id, offense_id, state, looks, first_ms,"
                " last_ms, rule_id, rule_name, at, message) VALUES (?,?,?,?,?,?,?,?,?,?)"
                " ON CONFLICT (mapping_id, offense_id) DO UPDATE SET state = excluded.state,"
                " looks = excluded.looks, first_ms = excluded.first_ms,"
                " last_ms = excluded.last_ms, rule_id = excluded.rule_id,"
                " rule_name = excluded.rule_name, at = excluded.at, message = excluded.message",
                (
                    *(pair.mapping_id, pair.offense_id, pair.state, pair.looks, pair.first_ms),
                    *(pair.last_ms, pair.rule_id, pair.rule_name, to_text(pair.at), pair.message),
                ),
            )

    def dismiss(self, mapping_id: int, offense_id: int, *, now: datetime) -> bool:
        """Note that a person has seen it; say whether it was shown."""
        with self._db.transaction():
            cursor = self._db.execute(
                "UPDATE watch_offenses SET state = 'dismissed', at = ?"
                " WHERE mapping_id = ? AND offense_id = ? AND state = 'shown'",
                (to_text(now), mapping_id, offense_id),
            )
        return cursor.rowcount == 1

    def has_trigger(
        self, mapping: Mapping, rule_ids: Sequence[int], from_ms: int, *, to_ms: int
    ) -> bool:
        """Say whether a custom action of the mapping's rule told of an event in that time."""
        marks = ", ".join("?" * len(rule_ids))
        row = self._db.execute(
            "SELECT 1 FROM triggers WHERE source = 'custom_action' AND event_at BETWEEN ? AND ?"  # noqa: S608 - our own text
            f" AND outcome NOT IN {_NOT_SERVED}"
            f" AND (mapping = ? OR rule_id IN ({marks})) LIMIT 1",
            (_text(from_ms), _text(to_ms), mapping.name, *rule_ids),
        ).fetchone()
        return row is not None

    def _all(self, condition: str, *values: object) -> Sequence[WatchedOffense]:
        rows = self._db.execute(f"SELECT * FROM watch_offenses {condition}", values)  # noqa: S608 - our own text
        return [from_row(WatchedOffense, row) for row in rows]


def _text(ms: int) -> str:
    return to_text(datetime.fromtimestamp(ms / 1000, UTC))
