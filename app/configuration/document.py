# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The configuration as a document: export and import (architecture §5).

An import is all or nothing. A list in the document is the whole list: entries are matched by name,
what stands in it is added or changed, and what is missing from it is removed (so that an import of
an export changes nothing, and a removed entry can be expressed); a connection that a mapping or an
open run still needs can't be removed. A list that is absent, and a key absent from an entry, keep
what is there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from app.configuration import checks
from app.configuration.checks import InvalidField
from app.configuration.connection import CdmConnection
from app.configuration.fields import Entry, checked, entry_of, refuse_unknown
from app.configuration.passwords import drop, new_label, stored
from app.configuration.ports import ConnectionInUse, Secrets, Store
from app.configuration.saving import Saver, mapping_entry, mapping_values
from app.message import Message


class _Rehearsed(Exception):
    """Ends the transaction of a rehearsal, so that nothing of it is kept."""


def export_document(store: Store) -> dict[str, object]:
    """Give the configuration without secrets, as `import_document` takes it."""
    connections = store.connections.list()
    names = {connection.id: connection.name for connection in connections}
    return {
        "connections": [entry_of(connection) for connection in connections],
        "mappings": [mapping_entry(m, names[m.connection_id]) for m in store.mappings.list()],
        "settings": entry_of(store.settings.values()),
    }


def import_document(
    store: Store,
    secrets: Secrets,
    document: object,
    *,
    by: str,
    now: datetime,
    dry_run: bool = False,
    allow_loopback: bool = False,
) -> list[str]:
    """Bring the store to what a document says and give the changes, a sentence each.

    Everything is rehearsed in a transaction that is rolled back, before a password is stored. Raise
    `InvalidField` with the field's path (``connections[0].host``); nothing is changed then.
    """
    task = _Import(store, _object(document, "document"), allow_loopback=allow_loopback)
    rehearsal = Saver(store, by, now)
    with suppress(_Rehearsed), store.transaction():
        task.apply(rehearsal)
        raise _Rehearsed
    if dry_run:
        return rehearsal.changes
    saver = Saver(store, by, now)
    with stored(secrets, task.new_passwords), store.transaction():
        task.apply(saver)
    drop(secrets, saver.old_labels)
    return saver.changes


class _Import:
    """One document on its way into the store; `apply` runs twice, the first time as a rehearsal."""

    def __init__(self, store: Store, document: Entry, *, allow_loopback: bool) -> None:
        refuse_unknown(document, {"connections", "mappings", "settings"})
        self._store, self._allow_loopback = store, allow_loopback
        self._connections = _named(document, "connections")
        self._mappings = _named(document, "mappings")
        self._settings = _object(document.get("settings", {}), "settings")
        self.new_passwords: list[tuple[str, str]] = []
        self._labels: dict[str, str] = {}
        for name, (path, entry) in (self._connections or {}).items():
            with _under(path):
                if (password := entry.pop("password", None)) is not None:
                    self._labels[name] = new_label()
                    self.new_passwords.append((self._labels[name], checks.check_password(password)))

    def apply(self, saver: Saver) -> None:
        """Make the changes, in an order in which no two entries get into each other's way."""
        store = self._store
        if self._mappings is not None:
            for mapping in store.mappings.list():
                if mapping.name not in self._mappings:
                    saver.remove_mapping(mapping)
        gone = self._save_connections(saver)
        self._save_mappings(saver)
        for connection in gone:
            with _in_use("connections", connection.name):
                saver.remove_connection(connection)
        self._save_settings(saver)

    def _save_connections(self, saver: Saver) -> Sequence[CdmConnection]:
        """Save the connections and give those that the document no longer has."""
        if self._connections is None:
            return ()
        store = self._store
        old = {connection.name: connection for connection in store.connections.list()}
        todo = []
        for name, (path, entry) in self._connections.items():
            with _under(path):
                values = checked(
                    CdmConnection, entry, old.get(name), allow_loopback=self._allow_loopback
                )
            todo.append((path, old.pop(name, None), values, self._labels.get(name)))
        gone = tuple(old.values())
        # Addresses that are given up are freed first: two connections may swap theirs.
        for path, before, values, _ in todo:
            if before and (before.host, before.port) != (values["host"], values["port"]):
                with _in_use(f"{path}.host"):
                    store.connections.change(before.id, host=f"{before.id}.invalid")
        for connection in gone:
            with _in_use("connections", connection.name):
                store.connections.change(connection.id, host=f"{connection.id}.invalid")
        for path, before, values, label in todo:
            with _under(path):
                saver.connection(before, values, label=label)
        return gone

    def _save_mappings(self, saver: Saver) -> None:
        store = self._store
        todo = []
        for name, (path, entry) in (self._mappings or {}).items():
            before = store.mappings.find(name)
            with _under(path):
                todo.append((path, before, mapping_values(store, before, entry)))
        for _, before, values in todo:  # as with the addresses: rules may change places
            if before and any(values[k] != getattr(before, k) for k in ("rule_id", "rule_name")):
                store.mappings.change(before.id, rule_id=None, rule_name=None)
        for path, before, values in todo:
            with _under(path):
                saver.mapping(before, values)

    def _save_settings(self, saver: Saver) -> None:
        with _under("settings"):
            saver.settings(self._settings)


def _named(document: Entry, key: str) -> dict[str, tuple[str, dict[str, object]]] | None:
    """Give the entries of a list by name, each with its path; None when the list is absent."""
    if key not in document:
        return None
    entries = document[key]
    if not isinstance(entries, list):
        raise InvalidField(key, Message("must be a list."))
    found: dict[str, tuple[str, dict[str, object]]] = {}
    for place, entry in enumerate(entries):
        path = f"{key}[{place}]"
        fields = dict(_object(entry, path))
        with _under(path):
            if "name" not in fields:
                raise InvalidField("name", Message("must be given."))
            name = checks.check_name(fields["name"])
            if name in found:
                raise InvalidField("name", Message("{name} stands in the list twice.", name=name))
        found[name] = (path, fields)
    return found


def _object(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidField(path, Message("must be a JSON object."))
    return value


@contextmanager
def _under(path: str) -> Iterator[None]:
    try:
        yield
    except InvalidField as error:
        raise error.under(path) from error


@contextmanager
def _in_use(path: str, missing: str | None = None) -> Iterator[None]:
    try:
        yield
    except ConnectionInUse as error:
        why = str(error)
        if missing:
            why = Message(
                "{name} is missing from the list, but: {reason}", name=missing, reason=why
            )
        raise InvalidField(path, why) from error
