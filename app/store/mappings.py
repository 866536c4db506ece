# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Mappings: which rule starts which restore job."""

import sqlite3
from collections.abc import Mapping as Map
from collections.abc import Sequence
from datetime import datetime

from app.configuration.mapping import Mapping
from app.configuration.ports import Taken
from app.message import Message, restored, stored
from app.store.rows import NamedRows
from app.store.times import from_text


class Mappings(NamedRows[Mapping]):
    """The mappings in the store."""

    kind, table, word = Mapping, "mappings", "mapping"

    def for_connection(self, connection_id: int) -> Sequence[Mapping]:
        return self._all("WHERE connection_id = ? ORDER BY name", connection_id)

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

    def _taken(self, error: sqlite3.IntegrityError) -> Taken | None:
        if "UNIQUE" not in str(error):
            return None
        column = str(error).rpartition("mappings.")[2]
        if column == "name":
            return Taken(column, Message("There is a mapping of that name already."))
        return Taken(column, Message("There is a mapping for that rule already."))
