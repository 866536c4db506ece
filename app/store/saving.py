# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Saves connections and mappings: each field checked, each change told in words and audited.

`configuration` builds forms and import on it, and looks after the passwords, of which only the
labels appear here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.restore import checks
from app.restore.checks import InvalidField
from app.restore.model import CdmConnection, Mapping, Trust, Watch
from app.store.connections import ConnectionInUse, DuplicateConnection
from app.store.mappings import DuplicateMapping
from app.store.store import Store
from app.store.times import to_text

Entry = dict[str, object]

CONNECTION_KEYS = ("name", "host", "port", "username", "trust", "ca_pem", "fingerprint", "proxy")
MAPPING_KEYS = (
    *("name", "rule_id", "rule_name", "connection", "job_id", "job_name"),
    *("action_name", "cooldown_s", "enabled", "needs_approval", "watch"),
)
_SWITCHING_KEYS = frozenset({"watch", "enabled", "rule_id", "rule_name"})
_JOB_KEYS = frozenset({"connection_id", "job_id", "job_name"})
_SENDING_KEYS = frozenset(CONNECTION_KEYS) - {"name"}  # where and how a password would be sent


def connection_entry(connection: CdmConnection) -> Entry:
    """Give a connection as it stands in the configuration document."""
    return {key: getattr(connection, key) for key in CONNECTION_KEYS} | {
        "trust": str(connection.trust)
    }


def mapping_entry(mapping: Mapping, connection: str) -> Entry:
    """Give a mapping as it stands in the configuration document."""
    return {
        key: connection if key == "connection" else getattr(mapping, key) for key in MAPPING_KEYS
    } | {"watch": str(mapping.watch)}


def connection_columns(
    old: CdmConnection | None, fields: Entry, *, allow_loopback: bool
) -> dict[str, object]:
    """Give all columns of a connection; what ``fields`` leaves out is kept, or has its default.

    A CA or a fingerprint that the chosen trust does not use is left out. Raise `InvalidField`.
    """
    refuse_unknown(fields, CONNECTION_KEYS)
    defaults: Entry = {"port": 8443, "trust": "system"} if old is None else connection_entry(old)
    entry = defaults | fields
    trust = checks.check_trust(entry["trust"])
    return {
        "name": checks.check_name(_needed(entry, "name")),
        "host": checks.check_host(_needed(entry, "host"), allow_loopback=allow_loopback),
        "port": checks.check_port(entry["port"]),
        "username": checks.check_username(_needed(entry, "username")),
        "trust": str(trust),
        "ca_pem": checks.check_ca_pem(entry.get("ca_pem")) if trust is Trust.CA else None,
        "fingerprint": checks.check_fingerprint(entry.get("fingerprint"))
        if trust is Trust.FINGERPRINT
        else None,
        "proxy": checks.check_proxy(entry.get("proxy"), allow_loopback=allow_loopback),
    }


def mapping_columns(store: Store, old: Mapping | None, *, fields: Entry) -> dict[str, object]:
    """Give all columns of a mapping, like `connection_columns`; ``connection`` is a name.

    Neither rule id nor rule name is needed: the custom action may name the mapping itself.
    """
    refuse_unknown(fields, MAPPING_KEYS)
    entry: Entry = {"cooldown_s": 900, "enabled": True, "needs_approval": False}
    if old is not None:
        entry = mapping_entry(old, store.connections.get(old.connection_id).name)
    entry = entry | fields
    named = checks.check_name(_needed(entry, "connection"), "connection")
    connection = store.connections.find(named)
    if connection is None:
        raise InvalidField("connection", f"must name a connection; there is none named {named}.")
    rule_id = checks.check_rule_id(entry.get("rule_id"))
    return {
        "name": checks.check_name(_needed(entry, "name")),
        "rule_id": rule_id,
        "rule_name": checks.check_rule_name(entry.get("rule_name")),
        "connection_id": connection.id,
        "job_id": checks.check_job_id(_needed(entry, "job_id")),
        "job_name": checks.check_job_name(_needed(entry, "job_name")),
        "action_name": checks.check_action_name(entry.get("action_name")),
        "cooldown_s": checks.check_cooldown(entry["cooldown_s"]),
        "enabled": checks.check_flag(entry["enabled"], "enabled"),
        "needs_approval": checks.check_flag(entry["needs_approval"], "needs_approval"),
        "watch": str(_watch(store, rule_id, entry.get("watch"))),
    }


def default_watch(store: Store, rule_id: int | None) -> Watch:
    """Give what becomes of a new mapping's offenses unless it is said.

    With a service token people are told: a call that was lost is found by its offense only. For a
    rule of type OFFENSE, which may not be able to call, the watch acts.
    """
    rule = None if rule_id is None else store.qradar.rule(rule_id)
    if rule is not None and rule.type == "OFFENSE":
        return Watch.ACT
    return Watch.OFF if store.qradar.token_label() is None else Watch.NOTIFY


def _watch(store: Store, rule_id: int | None, value: object) -> Watch:
    """What is said, else the default; for a rule of type OFFENSE it can't be off."""
    watch = default_watch(store, rule_id) if value is None else checks.check_watch(value)
    rule = None if rule_id is None else store.qradar.rule(rule_id)
    if watch is Watch.OFF and rule is not None and rule.type == "OFFENSE":
        raise InvalidField(
            "watch",
            f"must be notify or act: rule {rule.name} is of type OFFENSE, which may not be able to"
            " run a custom action, so that nothing would ever come of it.",
        )
    return watch


def refuse_unknown(fields: Entry, known: Sequence[str]) -> None:
    """Raise `InvalidField` for a key that is not known: a slip must not pass for a default."""
    for key in fields:
        if key not in known:
            raise InvalidField(str(key)[:80], "is not known here.")


def _needed(entry: Entry, key: str) -> object:
    if key not in entry:
        raise InvalidField(key, "must be given.")
    return entry[key]


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
        self, old: CdmConnection | None, columns: dict[str, object], *, label: str | None = None
    ) -> CdmConnection:
        """Save a connection; ``label`` names a password that was entered with it.

        Raise `InvalidField` for a name or an address that is taken, or that an open run holds.
        """
        changed = [key for key in columns if old is None or columns[key] != getattr(old, key)]
        words = [_change(key, old, columns[key]) for key in changed if old is not None]
        extra: dict[str, object] = {}
        if label is not None:
            extra = {"secret_label": label, "secret_set_at": to_text(self.now)}
            words.append("password entered")
        elif old is not None and old.secret_label and _SENDING_KEYS & set(changed):
            extra = {"secret_label": None, "secret_set_at": None}
            words.append("stored password dropped, it must be entered again")
        if old is not None and not changed and not extra:
            return old
        try:
            if old is None:
                saved = self.store.connections.add(**columns, **extra)
            else:
                new = {key: columns[key] for key in changed}
                saved = self.store.connections.change(old.id, **new, **extra)
        except DuplicateConnection as error:
            taken = "name" if "name" in str(error) else "host"
            raise InvalidField(taken, f"is taken. {error}") from error
        except ConnectionInUse as error:
            held = next(key for key in ("host", "port", "username") if key in changed)
            raise InvalidField(held, f"must stay as it is. {error}") from error
        if old is not None and old.secret_label and extra:
            self.old_labels.append(old.secret_label)
        self._tell("connection", saved.name, words=words, added=old is None)
        return saved

    def remove_connection(self, old: CdmConnection) -> None:
        """Delete a connection and mark its password for dropping. Raise `ConnectionInUse`."""
        self.store.connections.delete(old.id)
        if old.secret_label:
            self.old_labels.append(old.secret_label)
        self._tell_removed("connection", old.name)

    def mapping(self, old: Mapping | None, columns: dict[str, object]) -> Mapping:
        """Save a mapping. Raise `InvalidField` for a name or a rule that is taken."""
        changed = [key for key in columns if old is None or columns[key] != getattr(old, key)]
        if old is not None and not changed:
            return old
        words = [_change(key, old, columns[key]) for key in changed if old is not None]
        if columns["watch"] != Watch.OFF and _SWITCHING_KEYS & set(changed):
            columns = columns | {"watch_since": to_text(self.now)}  # its watch begins now
        if old is not None and _JOB_KEYS & set(changed):
            self.store.mappings.note_job_drift(old.id, None)
        if old is not None and _has_other_rule(old, columns):
            self.store.mappings.forget_calls(old.id)
        try:
            if old is None:
                saved = self.store.mappings.add(**columns)
            else:
                saved = self.store.mappings.change(old.id, **columns)
        except DuplicateMapping as error:
            rule = "rule_name" if columns["rule_id"] is None else "rule_id"
            taken = "name" if "name" in str(error) else rule
            raise InvalidField(taken, f"is taken. {error}") from error
        self._tell("mapping", saved.name, words=words, added=old is None)
        return saved

    def remove_mapping(self, old: Mapping) -> None:
        """Delete a mapping; its runs keep their own copy of what they need."""
        self.store.mappings.delete(old.id)
        self._tell_removed("mapping", old.name)

    def _tell(self, kind: str, name: str, *, words: list[str], added: bool) -> None:
        detail = "; ".join((["added"] if added else []) + words)
        self.changes.append(f"{kind} {name}: {detail}")
        action = f"{kind}.add" if added else f"{kind}.change"
        self.store.audit.append(self.by, action, name, detail, now=self.now)

    def _tell_removed(self, kind: str, name: str) -> None:
        self.changes.append(f"{kind} {name}: removed")
        self.store.audit.append(self.by, f"{kind}.delete", name, "removed", now=self.now)


def _has_other_rule(old: Mapping, columns: dict[str, object]) -> bool:
    """Whether a mapping is to have another rule: its name may have been set right only."""
    if columns["rule_id"] != old.rule_id:
        return True
    return old.rule_id is None and columns["rule_name"] != old.rule_name


def _change(key: str, old: object, new: object) -> str:
    if key in {"ca_pem", "connection_id"}:  # a page of Base64, a number that tells nobody anything
        return "CA certificate changed" if key == "ca_pem" else "connection changed"
    return f"{key} {_shown(getattr(old, key))} -> {_shown(new)}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)
