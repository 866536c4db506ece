# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the store keeps of the QRadar console: the service token's facts, contact, points read."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.message import Message, Sentence, counted, stored
from app.store.audit import Audit
from app.store.database import Database
from app.store.rows import from_row
from app.store.times import to_text, to_text_or_none

WARNING_TIME = timedelta(days=14)
"""So long before its end a token is warned of."""


class ListedRule(Protocol):
    """A rule as `app.qradar.rules` lists it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str | None: ...
    @property
    def enabled(self) -> bool | None: ...
    @property
    def origin(self) -> str | None: ...
    @property
    def identifier(self) -> str | None: ...
    @property
    def linked_identifier(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the console as last listed (qradar §7.2)."""

    id: int
    name: str
    type: str | None = None  # EVENT, FLOW, COMMON or OFFENSE
    enabled: bool | None = None
    origin: str | None = None  # SYSTEM, OVERRIDE or USER
    identifier: str | None = None
    linked_identifier: str | None = None


@dataclass(frozen=True, slots=True)
class Console:
    """The console as the worker knows it; the token itself is elsewhere, under ``token_label``."""

    token_label: str | None
    token_set_at: datetime | None
    token_name: str | None
    token_expires_at: datetime | None
    token_checked_at: datetime | None
    contact_at: datetime | None
    contact_error: Sentence | None
    rules_at: datetime | None
    newest_ms: int | None
    newest_offense: int | None
    certificate_ends_at: datetime | None = None  # of the console's own, as last seen

    def token_warning(self, now: datetime) -> str | None:
        """Say what is wrong with the service token, or soon will be."""
        if self.token_label is None:
            return None
        if self.token_expires_at is not None and self.token_expires_at <= now + WARNING_TIME:
            token = Message("The service token")
            if self.token_name:
                token = Message("The service token {name}", name=self.token_name)
            if self.token_expires_at <= now:
                return Message("{token} has expired.", token=token)
            return counted(
                "{token} expires in {n} day.",
                "{token} expires in {n} days.",
                n=(self.token_expires_at - now) // timedelta(days=1),
                token=token,
            )
        return None


_OF_MAPPINGS = """
SELECT mappings.id AS mapping, own.* FROM mappings
    JOIN console_rules AS own ON own.rule_id = mappings.rule_id
UNION SELECT mappings.id, same.* FROM mappings
    JOIN console_rules AS same ON same.name = mappings.rule_name WHERE mappings.rule_id IS NULL
UNION SELECT mappings.id, other.* FROM mappings
    JOIN console_rules AS own ON own.rule_id = mappings.rule_id
    JOIN console_rules AS other ON other.identifier = own.linked_identifier
UNION SELECT mappings.id, other.* FROM mappings
    JOIN console_rules AS own ON own.rule_id = mappings.rule_id
    JOIN console_rules AS other ON other.linked_identifier = own.identifier
"""


class QRadar:
    """The one row about the console, and its rules."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db, self._audit = db, audit

    def console(self) -> Console:
        row = self._db.execute("SELECT * FROM qradar").fetchone()
        return from_row(Console, row)

    def token_label(self) -> str | None:
        """Give the label under which the service token is stored, None while there is none."""
        label = self._db.execute("SELECT token_label FROM qradar").fetchone()[0]
        return None if label is None else str(label)

    # --- the service token --------------------------------------------------------------------

    def set_token(
        self,
        label: str | None,
        *,
        name: str | None,
        expires_at: datetime | None,
        by: str,
        now: datetime,
    ) -> str | None:
        """Name another stored token, or none; give the label of the one before, to be dropped."""
        with self._db.transaction():
            before = self.console().token_label
            self._db.execute(
                "UPDATE qradar SET token_label = ?, token_set_at = ?, token_name = ?,"
                " token_expires_at = ?, token_checked_at = ?, contact_error = NULL",
                (label, to_text(now), name, to_text_or_none(expires_at), to_text(now)),
            )
            # The console has just accepted this one: what it thought of another says nothing more.
            self._db.execute("DELETE FROM refused_asks WHERE whose = 'own'")
            action = "service_token.set" if label else "service_token.remove"
            self._audit.append(by, action, name or "", "", now=now)
        return before

    def note_token(self, name: str | None, expires_at: datetime | None, *, now: datetime) -> None:
        """Keep what the console says of the stored token."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE qradar SET token_name = ?, token_expires_at = ?, token_checked_at = ?",
                (name, to_text_or_none(expires_at), to_text(now)),
            )

    def note_contact(self, error: str | None, *, now: datetime) -> None:
        """Remember that the console answered just now, or (``error``) that it did not."""
        with self._db.transaction():
            if error is None:
                self._db.execute(
                    "UPDATE qradar SET contact_at = ?, contact_error = NULL", (to_text(now),)
                )
            else:
                self._db.execute("UPDATE qradar SET contact_error = ?", (stored(error),))

    def note_certificate(self, ends_at: datetime) -> None:
        """Remember when the certificate ends that the console shows."""
        with self._db.transaction():
            self._db.execute("UPDATE qradar SET certificate_ends_at = ?", (to_text(ends_at),))

    # --- rules --------------------------------------------------------------------------------

    def keep_rules(self, rules: Sequence[ListedRule], *, now: datetime) -> None:
        """Replace the known rules by a complete list."""
        with self._db.transaction():
            self._db.execute("DELETE FROM console_rules")
            self._db.execute_many(
                "INSERT INTO console_rules (rule_id, name, type, enabled, origin, identifier,"
                " linked_identifier, seen_at) VALUES (?,?,?,?,?,?,?,?)",
                [
                    (
                        *(rule.id, rule.name, rule.type, rule.enabled, rule.origin),
                        *(rule.identifier, rule.linked_identifier, to_text(now)),
                    )
                    for rule in rules
                ],
            )
            self._db.execute("UPDATE qradar SET rules_at = ?", (to_text(now),))

    def rules(self) -> Sequence[Rule]:
        """Give the known rules by name."""
        return self._rules("ORDER BY name, rule_id")

    def rule(self, rule_id: int) -> Rule | None:
        found = self._rules("WHERE rule_id = ?", rule_id)
        return found[0] if found else None

    def same_rules(self, rule_id: int | None, rule_name: str | None) -> Sequence[int]:
        """Give the ids of a rule: its own, and those of the rules that it is linked with.

        Without an id, those of the rules of exactly this name.
        """
        if rule_id is None:
            return [rule.id for rule in self._rules("WHERE name = ?", rule_name)]
        linked = self._rules(
            "WHERE rule_id IN (SELECT other.rule_id FROM console_rules AS own"
            " JOIN console_rules AS other ON other.rule_id <> own.rule_id"
            " AND (other.identifier = own.linked_identifier"
            " OR other.linked_identifier = own.identifier) WHERE own.rule_id = ?)",
            rule_id,
        )
        return [rule_id, *(rule.id for rule in linked)]

    def rules_of_mappings(self) -> Map[int, Sequence[Rule]]:
        """Give, by mapping, the known rules among its own and those that it is linked with.

        A mapping without a rule id has those of exactly its name.
        """
        found: dict[int, list[Rule]] = {}
        for row in self._db.execute(_OF_MAPPINGS):
            found.setdefault(row["mapping"], []).append(from_row(Rule, row, id=row["rule_id"]))
        return found

    def rule_of_mapping(self, mapping: str | None) -> tuple[int | None, str | None]:
        """Give the id and the name of a mapping's rule, as far as it has one."""
        row = self._db.execute(
            "SELECT rule_id, rule_name FROM mappings WHERE name = ?", (mapping,)
        ).fetchone()
        return (None, None) if row is None else (row["rule_id"], row["rule_name"])

    def _rules(self, condition: str, *values: object) -> Sequence[Rule]:
        rows = self._db.execute(f"SELECT * FROM console_rules {condition}", values)  # noqa: S608 - our own text
        return [from_row(Rule, row, id=row["rule_id"]) for row in rows]
