# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Mappings: which rule starts which restore job."""

import sqlite3
from collections.abc import Mapping as Map
from collections.abc import Sequence
from datetime import datetime

from app.message import Message, restored, stored
from app.restore.model import Mapping
from app.store.database import Database
from app.store.rows import from_row
from app.store.times import from_text

_COLUMNS = {
    *("name", "rule_id", "rule_name", "cooldown_s", "enabled", "needs_approval"),
    *("connection_id", "job_id", "job_name", "action_name", "watch", "watch_since"),
}


class DuplicateMapping(Exception):
    """There is a mapping of that name, or one for that rule, already."""


class Mappings:
    """The mappings in the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self) -> Sequence[Mapping]:
        return self._all("ORDER BY name")

    def for_connection(self, connection_id: int) -> Sequence[Mapping]:
        return self._all("WHERE connection_id = ? ORDER BY name", connection_id)

    def get(self, mapping_id: int) -> Mapping:
        """Give one mapping. Raises `LookupError`."""
        found = self._all("WHERE id = ?", mapping_id)
        if not found:
            raise LookupError(f"there is no mapping {mapping_id}")
        return found[0]

    def find(self, name: str) -> Mapping | None:
        return self._one("WHERE name = ?", name)

    def find_by_rule_id(self, rule_id: int) -> Mapping | None:
        return self._one("WHERE rule_id = ?", rule_id)

    def find_by_linked_rule(self, rule_id: int) -> Mapping | None:
        """Give the mapping of a rule that is the same rule under another id.

        A modified system rule exists twice on the console (qradar §5.5): its override
        links to the original's identifier, or the original to the override's.
        """
        return self._one(
            "WHERE rule_id IN (SELECT other.rule_id FROM console_rules AS fired"
            " JOIN console_rules AS other ON other.rule_id <> fired.rule_id"
            " AND (other.identifier = fired.linked_identifier"
            " OR other.linked_identifier = fired.identifier)"
            " WHERE fired.rule_id = ?)",
            rule_id,
        )

    def find_by_rule_name(self, rule_name: str) -> Mapping | None:
        """Give the mapping for exactly this rule name; one without a rule id comes first."""
        return self._one("WHERE rule_name = ? ORDER BY rule_id IS NOT NULL, id", rule_name)

    def add(self, **columns: object) -> Mapping:
        """Add a mapping. Raises `DuplicateMapping`."""
        _check_names(columns)
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        with self._db.transaction():
            try:
                cursor = self._db.execute(
                    f"INSERT INTO mappings ({names}) VALUES ({marks})",  # noqa: S608 - checked names
                    tuple(columns.values()),
                )
            except sqlite3.IntegrityError as error:
                raise _duplicate(error) from error
        return self.get(int(cursor.lastrowid or 0))

    def change(self, mapping_id: int, **columns: object) -> Mapping:
        """Change columns of a mapping. Raises `DuplicateMapping`."""
        _check_names(columns)
        assignments = ", ".join(f"{name} = ?" for name in columns)
        with self._db.transaction():
            try:
                self._db.execute(
                    f"UPDATE mappings SET {assignments} WHERE id = ?",  # noqa: S608 - checked names
                    (*columns.values(), mapping_id),
                )
            except sqlite3.IntegrityError as error:
                raise _duplicate(error) from error
        return self.get(mapping_id)

    def delete(self, mapping_id: int) -> None:
        with self._db.transaction():
            self._db.execute("DELETE FROM mappings WHERE id = ?", (mapping_id,))

    def calls(self) -> Map[int, datetime]:
        """Give, by mapping, when its rule first called; those that are missing never did."""
        rows = self._db.execute("SELECT id, called_at FROM mappings WHERE called_at IS NOT NULL")
        return {row["id"]: from_text(row["called_at"]) for row in rows}

    def forget_calls(self, mapping_id: int | None = None) -> None:
        """Take a mapping's calls, or all, for no proof any more: it is another rule or action."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE mappings SET called_at = NULL WHERE ? IS NULL OR id = ?",
                (mapping_id, mapping_id),
            )

    def job_drifts(self) -> Map[int, str]:
        """Give, by mapping, what is wrong with its job on CDM's side."""
        rows = self._db.execute("SELECT id, job_drift FROM mappings WHERE job_drift IS NOT NULL")
        return {row["id"]: restored(row["job_drift"]) for row in rows}

    def note_job_drift(self, mapping_id: int, drift: str | None) -> None:
        """Remember what is wrong with a mapping's job on CDM's side, or that nothing is."""
        if self.job_drifts().get(mapping_id) != drift:
            text = None if drift is None else stored(drift)
            with self._db.transaction():
                self._db.execute(
                    "UPDATE mappings SET job_drift = ? WHERE id = ?", (text, mapping_id)
                )

    def _one(self, condition: str, value: object) -> Mapping | None:
        found = self._all(condition, value)
        return found[0] if found else None

    def _all(self, condition: str, *values: object) -> Sequence[Mapping]:
        rows = self._db.execute(f"SELECT * FROM mappings {condition}", values)  # noqa: S608 - our own text
        return [from_row(Mapping, row) for row in rows]


def _check_names(columns: dict[str, object]) -> None:
    if unknown := set(columns) - _COLUMNS:
        raise TypeError(f"a mapping has no {', '.join(sorted(unknown))}")


def _duplicate(error: sqlite3.IntegrityError) -> Exception:
    text = str(error)
    if "mappings.name" in text:
        return DuplicateMapping(Message("There is a mapping of that name already."))
    if "UNIQUE" in text:
        return DuplicateMapping(Message("There is a mapping for that rule already."))
    return error
