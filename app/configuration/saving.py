# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Saves connections and mappings: each field checked, each change told in words and audited.

The pages save by the functions, an import of a document by `Saver`, as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.configuration.checks import InvalidField, check_password
from app.configuration.connection import CdmConnection
from app.configuration.fields import (
    Entry,
    checked,
    entry_of,
    fields_of,
    plain,
    refuse_unknown,
    word,
)
from app.configuration.mapping import Mapping, Watch
from app.configuration.passwords import drop, new_label, stored
from app.configuration.ports import ConnectionInUse, Secrets, Store, Taken
from app.configuration.settings import Settings
from app.message import Message, joined

Values = dict[str, object]
"""All declared fields of one thing in their normal form, by their attributes' names."""

_SWITCHING = frozenset({"watch", "enabled", "rule_id", "rule_name"})
_JOB = frozenset({"connection_id", "job_id", "job_name"})
_SENDING = {name for name, one in fields_of(CdmConnection).items() if one.sends}


def save_connection(
    store: Store,
    secrets: Secrets,
    fields: Entry,
    password: str | None = None,
    *,
    connection_id: int | None = None,
    by: str,
    now: datetime,
    allow_loopback: bool = False,
) -> CdmConnection:
    """Add a connection, or change ``connection_id``; fields left out keep their value.

    ``password`` None keeps the stored one, unless it would then be sent elsewhere. Raise
    `InvalidField` (also for what an open run holds), LookupError, and what ``secrets`` raises.
    """
    label = None if password is None else new_label()
    new = [] if label is None else [(label, check_password(password))]
    saver = Saver(store, by, now)

    def check() -> tuple[CdmConnection | None, Values]:
        old = None if connection_id is None else store.connections.get(connection_id)
        return old, checked(CdmConnection, fields, old, allow_loopback=allow_loopback)

    check()  # a mistake in another field must not cost an encryption
    with stored(secrets, new), store.transaction():
        old, values = check()
        saved = saver.connection(old, values, label=label)
    drop(secrets, saver.old_labels)
    return saved


def delete_connection(
    store: Store, secrets: Secrets, connection_id: int, *, by: str, now: datetime
) -> None:
    """Delete a connection, then its password. Raise `ConnectionInUse`, LookupError."""
    saver = Saver(store, by, now)
    with store.transaction():
        saver.remove_connection(store.connections.get(connection_id))
    drop(secrets, saver.old_labels)


def save_mapping(
    store: Store, fields: Entry, *, mapping_id: int | None = None, by: str, now: datetime
) -> Mapping:
    """Add a mapping, or change ``mapping_id``; ``fields`` are the document's, all others are kept.

    Raise `InvalidField`, LookupError.
    """
    with store.transaction():
        old = None if mapping_id is None else store.mappings.get(mapping_id)
        return Saver(store, by, now).mapping(old, mapping_values(store, old, fields))


def delete_mapping(store: Store, mapping_id: int, *, by: str, now: datetime) -> None:
    """Delete a mapping. Raise LookupError."""
    with store.transaction():
        Saver(store, by, now).remove_mapping(store.mappings.get(mapping_id))


def mapping_entry(mapping: Mapping, connection: str) -> dict[str, object]:
    """Give a mapping as it stands in the configuration document."""
    return entry_of(mapping) | {"connection": connection}


def mapping_values(store: Store, old: Mapping | None, fields: Entry) -> Values:
    """Give all fields of a mapping; ``connection`` is a name. Raise `InvalidField`."""
    if old is not None:
        fields = {"connection": store.connections.get(old.connection_id).name, **fields}
    unsaid = fields.get("watch") is None and (old is None or "watch" in fields)
    values = checked(Mapping, {**fields, "watch": Watch.OFF} if unsaid else fields, old)
    connection = store.connections.find(str(values["connection_id"]))
    if connection is None:
        raise InvalidField(
            "connection",
            Message(
                "must name a connection; there is none named {name}.", name=values["connection_id"]
            ),
        )
    values["connection_id"] = connection.id
    rule_id = values["rule_id"]
    default = default_watch(store, rule_id if isinstance(rule_id, int) else None)
    if unsaid:
        values["watch"] = default
    if values["watch"] is Watch.OFF and default is Watch.ACT:
        rule = store.qradar.rule(int(str(rule_id)))
        raise InvalidField(
            "watch",
            Message(
                "must be notify or act: rule {rule} is of type OFFENSE, which may not be able to"
                " run a custom action, so that nothing would ever come of it.",
                rule=rule.name if rule else rule_id,
            ),
        )
    return values


def default_watch(store: Store, rule_id: int | None) -> Watch:
    """Give what becomes of a new mapping's offenses unless it is said.

    With a service token people are told: a call that was lost is found by its offense only. For a
    rule of type OFFENSE, which may not be able to call, the watch acts.
    """
    rule = None if rule_id is None else store.qradar.rule(rule_id)
    if rule is not None and rule.type == "OFFENSE":
        return Watch.ACT
    return Watch.OFF if store.qradar.token_label() is None else Watch.NOTIFY


@dataclass
class Saver:
    """Saves within the caller's transaction and remembers what it did.

    ``changes`` are sentences for a person; ``old_labels`` name the passwords to drop after the
    commit.
    """

    store: Store
    by: str
    now: datetime
    changes: list[str] = field(default_factory=list)
    old_labels: list[str] = field(default_factory=list)

    def connection(
        self, old: CdmConnection | None, values: Values, *, label: str | None = None
    ) -> CdmConnection:
        """Save a connection; ``label`` names a password that was entered with it.

        Raise `InvalidField` for a name or an address that is taken, or that an open run holds.
        """
        changed, words = _changes(CdmConnection, old, values)
        extra: Values = {}
        if label is not None:
            extra = {"secret_label": label, "secret_set_at": self.now}
            words.append(Message("password entered"))
        elif old is not None and old.secret_label and _SENDING & set(changed):
            extra = {"secret_label": None, "secret_set_at": None}
            words.append(Message("stored password dropped, it must be entered again"))
        if old is not None and not changed and not extra:
            return old
        rows = self.store.connections
        try:
            saved = (
                rows.add(**values, **extra)
                if old is None
                else rows.change(old.id, **changed, **extra)
            )
        except Taken as error:
            raise _is_taken(error) from error
        except ConnectionInUse as error:
            held = next(name for name in changed if fields_of(CdmConnection)[name].held)
            raise InvalidField(
                held, Message("must stay as it is. {reason}", reason=error)
            ) from error
        if old is not None and old.secret_label and extra:
            self.old_labels.append(old.secret_label)
        self._tell("connection", saved.name, words=words, added=old is None)
        return saved

    def remove_connection(self, old: CdmConnection) -> None:
        """Delete a connection and mark its password for dropping. Raise `ConnectionInUse`."""
        self.store.connections.delete(old.id)
        if old.secret_label:
            self.old_labels.append(old.secret_label)
        self._tell("connection", old.name, removed=True)

    def mapping(self, old: Mapping | None, values: Values) -> Mapping:
        """Save a mapping. Raise `InvalidField` for a name or a rule that is taken."""
        changed, words = _changes(Mapping, old, values)
        if old is not None and not changed:
            return old
        rows = self.store.mappings
        if values["watch"] != Watch.OFF and _SWITCHING & set(changed):
            changed["watch_since"] = self.now  # its watch begins now
        if old is not None and _JOB & set(changed):
            rows.note_job_drift(old.id, None)
        if old is not None and _has_other_rule(old, values):
            rows.forget_calls(old.id)
        try:
            saved = rows.add(**changed) if old is None else rows.change(old.id, **changed)
        except Taken as error:
            raise _is_taken(error) from error
        self._tell("mapping", saved.name, words=words, added=old is None)
        return saved

    def remove_mapping(self, old: Mapping) -> None:
        """Delete a mapping; its runs keep their own copy of what they need."""
        self.store.mappings.delete(old.id)
        self._tell("mapping", old.name, removed=True)

    def settings(self, fields: Entry) -> None:
        """Set what ``fields`` name, by their keys. Raise `InvalidField`."""
        declarations, before = fields_of(Settings), self.store.settings.values()
        refuse_unknown(fields, {*declarations})
        wanted = {name: declarations[name].read(value) for name, value in fields.items()}
        for name, value in wanted.items():
            old, new = plain(getattr(before, name)), plain(value)
            if old != new:
                self.store.settings.set(name, new, by=self.by, now=self.now)
                words = {"before": word(old), "after": word(new)}
                self.changes.append(
                    Message("settings.{name}: {before} -> {after}", name=name, **words)
                )

    def _tell(
        self,
        kind: str,
        name: str,
        *,
        words: Sequence[str] = (),
        added: bool = False,
        removed: bool = False,
    ) -> None:
        if added or removed:
            words = [Message("added") if added else Message("removed"), *words]
        detail = joined(words, "; ") if len(words) > 1 else words[0]
        self.changes.append(
            Message("connection {name}: {detail}", name=name, detail=detail)
            if kind == "connection"
            else Message("mapping {name}: {detail}", name=name, detail=detail)
        )
        done = "add" if added else "delete" if removed else "change"
        self.store.audit.append(self.by, f"{kind}.{done}", name, detail, now=self.now)


def _changes(kind: Any, old: object, values: Values) -> tuple[Values, list[str]]:
    """What differs from ``old``, and its words; of something new all, without a word."""
    if old is None:
        return dict(values), []
    declarations = fields_of(kind)
    changed = {name: new for name, new in values.items() if new != getattr(old, name)}
    return changed, [declarations[name].told(getattr(old, name), changed[name]) for name in changed]


def _is_taken(error: Taken) -> InvalidField:
    return InvalidField(error.field, Message("is taken. {reason}", reason=error))


def _has_other_rule(old: Mapping, values: Values) -> bool:
    """Whether a mapping is to have another rule: its name may have been set right only."""
    if values["rule_id"] != old.rule_id:
        return True
    return old.rule_id is None and values["rule_name"] != old.rule_name
