# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Saving, importing and exporting the configuration."""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from app.configuration import saving
from app.configuration.checks import InvalidField
from app.configuration.document import export_document, import_document
from app.configuration.fields import entry_of, fields_of
from app.configuration.kinds import Kind
from app.configuration.ports import ConnectionInUse
from app.configuration.settings import Settings
from app.restore.model import CdmConnection, Mapping, Mode, Trigger, Trust, Watch
from app.restore.own_events import OwnEvents
from app.store.database import Database
from app.store.qradar import Rule
from app.store.store import Store
from tests.configuration.sample import all_other
from tests.factories import put_store

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
PROD: dict[str, object] = {
    "name": "prod",
    "host": "cdm.example",
    "port": 8443,
    "username": "qradar-restore",
    "trust": "system",
    "ca_pem": None,
    "fingerprint": None,
    "proxy": None,
}
SQL: dict[str, object] = {
    "name": "SQL attack",
    "rule_id": 100231,
    "rule_name": "Ransomware on SQL",
    "connection": "prod",
    "job_id": "1044",
    "job_name": "SQL clean-room restore",
    "action_name": None,
    "cooldown_s": 900,
    "enabled": True,
    "needs_approval": False,
    "watch": "off",
    "copy_check": "warn",
    "copy_max_age_h": None,
}


class FakeSecrets:
    """Passwords in memory; `fails` makes storing one fail."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.fails = False
        self.on_put: Callable[[], None] = lambda: None

    def put(self, label: str, text: str) -> None:
        if self.fails:
            raise OSError("disk full")
        self.on_put()
        assert label not in self.kept
        self.kept[label] = text

    def drop(self, label: str) -> None:
        self.kept.pop(label, None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    path = tmp_path / "safeguarded-restore.db"
    put_store(path)
    return Store(Database(path))


@pytest.fixture
def secrets() -> FakeSecrets:
    return FakeSecrets()


def document(**changes: Any) -> dict[str, Any]:
    whole = {"connections": [PROD], "mappings": [SQL], "settings": {"mode": "armed"}}
    return copy.deepcopy(whole | changes)


@pytest.fixture
def load(store: Store, secrets: FakeSecrets) -> Callable[..., list[str]]:
    def load(wanted: object, **options: Any) -> list[str]:
        return import_document(store, secrets, wanted, by="anna", now=NOW, **options)

    return load


def password_of(store: Store, secrets: FakeSecrets, name: str = "prod") -> str | None:
    connection = store.connections.find(name)
    assert connection is not None
    return secrets.kept[connection.secret_label] if connection.secret_label else None


def open_run(store: Store) -> None:
    mapping = store.mappings.list()[0]
    connection = store.connections.get(mapping.connection_id)
    store.runs.add(Trigger("request-1", NOW), mapping, connection, now=NOW)


SETTINGS = {
    "mode": "disarmed",
    "operator_roles": [],
    "services": [],
    "leef": False,
    "own_log_sources": [],
    "own_qids": [],
    "language": "en",
}


# --- import and export ----------------------------------------------------------------------------


def test_a_document_comes_out_as_it_went_in(store: Store, load: Callable[..., list[str]]) -> None:
    load(document())
    assert export_document(store) == document(settings=SETTINGS | {"mode": "armed"})


def test_importing_an_export_changes_nothing(store: Store, load: Callable[..., list[str]]) -> None:
    load(document())
    before = len(store.audit.recent())
    assert load(export_document(store)) == []
    assert len(store.audit.recent()) == before


def test_an_export_brings_back_every_field(store: Store, load: Callable[..., list[str]]) -> None:
    """Also one that had the value of a new thing then: absent, it would stay as it is."""
    load(document())
    kept = export_document(store)
    mapping, connection = store.mappings.list()[0], store.connections.list()[0]
    store.mappings.change(1, **all_other(Mapping, name=mapping.name))
    store.connections.change(
        1, **all_other(CdmConnection, name="prod", host="b.example", ca_pem=None)
    )
    for name, value in all_other(Settings).items():
        store.settings.set(name, value, by="anna", now=NOW)
    assert store.mappings.list() != [mapping]

    load(kept)

    assert export_document(store) == kept
    assert store.mappings.list() == [mapping]
    assert store.connections.list() == [connection]


def test_a_fresh_store_exports_an_empty_configuration(store: Store) -> None:
    assert export_document(store) == {
        "connections": [],
        "mappings": [],
        "settings": SETTINGS,
    }


@pytest.mark.parametrize("wrong", ["162", [0], ["x"], [True], [2**63], list(range(1, 200))])
def test_ids_of_our_own_events_are_numbers(
    store: Store, load: Callable[..., list[str]], wrong: object
) -> None:
    with pytest.raises(InvalidField):
        load({"settings": {"own_qids": wrong}})
    load({"settings": {"own_qids": [7, "5", 7], "own_log_sources": [162]}})
    assert store.settings.own_events == OwnEvents(frozenset({162}), frozenset({5, 7}))


@pytest.mark.parametrize("wrong", ["", "xx", "EN", None, ["en"]])
def test_the_language_is_one_that_there_is(load: Callable[..., list[str]], wrong: object) -> None:
    with pytest.raises(InvalidField, match="must be one of en") as refused:
        load({"settings": {"language": wrong}})
    assert refused.value.field == "settings.language"


def test_a_language_is_set_and_audited_as_any_setting(
    store: Store, load: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.configuration.checks.languages", lambda: ("en", "de"))

    assert load({"settings": {"language": "de"}}) == ["settings.language: en -> de"]

    assert export_document(store)["settings"] == SETTINGS | {"language": "de"}
    (last,) = store.audit.recent(1)
    assert (last.action, last.subject) == ("settings.change", "language")


def test_absent_lists_and_keys_keep_their_value(
    store: Store, load: Callable[..., list[str]]
) -> None:
    load(document(settings={"mode": "armed", "services": ["soar"]}))
    changes = load({"mappings": [{"name": "SQL attack", "cooldown_s": 0}]})
    assert changes == ["mapping SQL attack: cooldown_s 900 -> 0"]
    assert export_document(store) == document(
        mappings=[SQL | {"cooldown_s": 0}],
        settings=SETTINGS | {"mode": "armed", "services": ["soar"]},
    )


def test_what_is_missing_from_a_list_is_removed(
    store: Store, load: Callable[..., list[str]]
) -> None:
    other = PROD | {"name": "old", "host": "old.example"}
    load(document(connections=[PROD, other]))
    assert load(document(mappings=[])) == ["mapping SQL attack: removed", "connection old: removed"]
    assert [c.name for c in store.connections.list()] == ["prod"]


def test_a_connection_that_a_mapping_needs_is_not_removed(
    store: Store, load: Callable[..., list[str]]
) -> None:
    load(document())
    with pytest.raises(InvalidField, match="Mapping SQL attack uses connection prod") as caught:
        load({"connections": []})
    assert caught.value.field == "connections"
    assert export_document(store)["connections"] == [PROD]


def test_a_connection_can_be_renamed_with_the_mapping_that_uses_it(
    store: Store, load: Callable[..., list[str]]
) -> None:
    load(document())
    load(document(connections=[PROD | {"name": "new"}], mappings=[SQL | {"connection": "new"}]))
    assert [c.name for c in store.connections.list()] == ["new"]


def test_addresses_and_rules_may_change_places(
    store: Store, load: Callable[..., list[str]]
) -> None:
    two = document(
        connections=[PROD, PROD | {"name": "test", "host": "test.example"}],
        mappings=[SQL, SQL | {"name": "Other", "rule_id": 2}],
    )
    load(two)
    two["connections"][0]["host"], two["connections"][1]["host"] = "test.example", "cdm.example"
    two["mappings"][0]["rule_id"], two["mappings"][1]["rule_id"] = 2, 100231
    load(two)
    assert {c.name: c.host for c in store.connections.list()} == {
        "prod": "test.example",
        "test": "cdm.example",
    }
    assert {m.name: m.rule_id for m in store.mappings.list()} == {"SQL attack": 2, "Other": 100231}


def test_a_dry_run_tells_the_changes_and_makes_none(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]]
) -> None:
    wanted = document(connections=[PROD | {"password": "geheim"}])
    assert load(wanted, dry_run=True) == [
        "connection prod: added; password entered",
        "mapping SQL attack: added",
        "settings.mode: disarmed -> armed",
    ]
    assert store.connections.list() == []
    assert store.settings.mode is Mode.DISARMED
    assert secrets.kept == {}
    assert store.audit.recent() == []


WRONG: list[tuple[dict[str, object], str]] = [
    ({"connections": [PROD | {"host": "u@h"}]}, "connections[0].host"),
    ({"connections": [PROD | {"host": "127.0.0.1"}]}, "connections[0].host"),
    ({"connections": [PROD | {"port": 0}]}, "connections[0].port"),
    ({"connections": [PROD | {"prot": 1}]}, "connections[0].prot"),
    ({"connections": [PROD | {"trust": "ca"}]}, "connections[0].ca_pem"),
    ({"connections": [PROD | {"trust": "fingerprint"}]}, "connections[0].fingerprint"),
    ({"connections": [PROD | {"proxy": "http://u:p@x:1"}]}, "connections[0].proxy"),
    ({"connections": [PROD | {"kind": "tape"}]}, "connections[0].kind"),
    ({"connections": [PROD | {"password": ""}]}, "connections[0].password"),
    ({"connections": [PROD, PROD]}, "connections[1].name"),
    ({"connections": [PROD, PROD | {"name": "b", "host": "CDM.example"}]}, "connections[1].host"),
    ({"connections": [{"name": "b"}]}, "connections[0].host"),
    ({"connections": [{"host": "b"}]}, "connections[0].name"),
    ({"connections": {}}, "connections"),
    ({"connections": ["prod"]}, "connections[0]"),
    ({"mappings": [SQL | {"connection": "nowhere"}]}, "mappings[0].connection"),
    ({"mappings": [SQL | {"cooldown_s": -1}]}, "mappings[0].cooldown_s"),
    ({"mappings": [SQL | {"enabled": "yes"}]}, "mappings[0].enabled"),
    ({"mappings": [SQL | {"needs_approval": 1}]}, "mappings[0].needs_approval"),
    ({"mappings": [SQL | {"password": "x"}]}, "mappings[0].password"),
    ({"mappings": [SQL, SQL | {"name": "b"}]}, "mappings[1].rule_id"),
    (
        {"mappings": [SQL | {"rule_id": None}, SQL | {"rule_id": None, "name": "b"}]},
        "mappings[1].rule_name",
    ),
    ({"mappings": [{"name": "b", "connection": "prod", "job_id": "1"}]}, "mappings[0].job_name"),
    ({"settings": {"mode": "observed"}}, "settings.mode"),
    ({"settings": {"moed": "armed"}}, "settings.moed"),
    ({"settings": {"services": "soar"}}, "settings.services"),
    ({"settings": None}, "settings"),
    ({"connection": []}, "connection"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_a_mistake_is_named_and_nothing_is_changed(
    store: Store,
    secrets: FakeSecrets,
    load: Callable[..., list[str]],
    changes: dict[str, object],
    field: str,
) -> None:
    wanted = document(connections=[PROD | {"password": "geheim"}]) | changes
    with pytest.raises(InvalidField) as caught:
        load(wanted)
    assert caught.value.field == field
    assert export_document(store) == {
        "connections": [],
        "mappings": [],
        "settings": SETTINGS,
    }
    assert secrets.kept == {}
    assert store.audit.recent() == []


@pytest.mark.parametrize("wanted", [None, [], "x", 7])
def test_a_document_is_an_object(load: Callable[..., list[str]], wanted: object) -> None:
    with pytest.raises(InvalidField, match="JSON object"):
        load(wanted)


def test_loopback_is_taken_in_the_demo(store: Store, load: Callable[..., list[str]]) -> None:
    load(document(connections=[PROD | {"host": "127.0.0.1"}]), allow_loopback=True)
    assert store.connections.list()[0].host == "127.0.0.1"


def test_every_change_is_audited_without_secrets(
    store: Store, load: Callable[..., list[str]]
) -> None:
    load(document(connections=[PROD | {"password": "geheim"}]))
    load(document(connections=[PROD | {"port": 9443, "password": "geheimer"}], mappings=[]))
    rows = store.audit.recent()
    assert [(r.by, r.action, r.subject) for r in reversed(rows)] == [
        ("anna", "connection.add", "prod"),
        ("anna", "mapping.add", "SQL attack"),
        ("anna", "settings.change", "mode"),
        ("anna", "mapping.delete", "SQL attack"),
        ("anna", "connection.change", "prod"),
    ]
    assert "geheim" not in repr(rows)
    assert store.audit.verify()


# --- the kind of copy manager ---------------------------------------------------------------------


class Elsewhere(StrEnum):
    """A kind that there is not yet."""

    TAPE = "tape"


def test_a_document_names_the_kind_of_a_copy_manager_only_where_it_is_another_than_cdm(
    store: Store, load: Callable[..., list[str]]
) -> None:
    load(document(connections=[PROD | {"kind": "cdm"}]))
    (connection,) = store.connections.list()
    assert connection.kind is Kind.CDM
    assert "kind" not in export_document(store)["connections"][0]  # type: ignore[index]
    other = replace(connection, kind=Elsewhere.TAPE)  # type: ignore[arg-type]
    assert entry_of(other)["kind"] == "tape"


def test_another_kind_needs_the_password_anew_and_waits_for_open_runs(
    store: Store, load: Callable[..., list[str]]
) -> None:
    load(document())
    assert fields_of(CdmConnection)["kind"].sends
    open_run(store)
    with pytest.raises(ConnectionInUse):
        store.connections.change(store.connections.list()[0].id, kind=Elsewhere.TAPE)


def test_of_one_kind_only_it_is_said_which() -> None:
    with pytest.raises(InvalidField, match="^kind: must be cdm.$"):
        fields_of(CdmConnection)["kind"].read("tape")


# --- passwords ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"host": "evil.example"},
        {"port": 9443},
        {"username": "other"},
        {"proxy": "http://proxy.example:3128"},
        {"trust": "fingerprint", "fingerprint": "ab" * 32},
    ],
)
def test_a_password_is_dropped_when_it_would_be_sent_elsewhere(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]], change: dict[str, object]
) -> None:
    load(document(connections=[PROD | {"password": "geheim"}]))
    assert password_of(store, secrets) == "geheim"
    (told,) = load({"connections": [PROD | change]})
    assert "must be entered again" in told
    assert password_of(store, secrets) is None
    assert secrets.kept == {}


def test_a_password_that_comes_with_the_change_is_kept(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]]
) -> None:
    load(document(connections=[PROD | {"password": "geheim"}]))
    load({"connections": [PROD | {"host": "new.example", "password": "neu"}]})
    assert password_of(store, secrets) == "neu"
    assert list(secrets.kept.values()) == ["neu"]


def test_a_password_outlives_a_new_name_and_other_imports(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]]
) -> None:
    load(document(connections=[PROD | {"password": "geheim"}]))
    load(document())
    connection = store.connections.list()[0]
    saving.save_connection(
        store, secrets, {"name": "renamed"}, connection_id=connection.id, by="anna", now=NOW
    )
    assert password_of(store, secrets, "renamed") == "geheim"


def test_a_removed_connection_takes_its_password_along(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]]
) -> None:
    load(document(connections=[PROD | {"password": "geheim"}], mappings=[]))
    load({"connections": []})
    assert secrets.kept == {}


def test_a_password_that_cannot_be_stored_changes_nothing(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]]
) -> None:
    secrets.fails = True
    with pytest.raises(OSError, match="disk full"):
        load(document(connections=[PROD | {"password": "geheim"}]))
    assert store.connections.list() == []


def test_a_password_is_stored_before_the_lock_is_taken(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]], tmp_path: Path
) -> None:
    """An encryption takes 50 ms and more: triggers must not wait for it."""
    other = Database(tmp_path / "safeguarded-restore.db")

    def write() -> None:
        with other.transaction():
            other.execute("INSERT INTO settings (key, value) VALUES ('x', 'y')")

    secrets.on_put = write
    load(document(connections=[PROD | {"password": "geheim"}]))
    assert password_of(store, secrets) == "geheim"


def test_a_password_whose_row_could_not_be_committed_is_dropped(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]]
) -> None:
    def overtake() -> None:
        store.connections.add(name="other", host="cdm.example", port=8443, username="x")

    secrets.on_put = overtake
    with pytest.raises(InvalidField):
        saving.save_connection(store, secrets, dict(PROD), "geheim", by="anna", now=NOW)
    assert secrets.kept == {}


# --- what an open run holds -----------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"host": "b"}, {"port": 1}, {"username": "b"}])
def test_host_port_and_user_under_an_open_run_stay(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]], change: dict[str, object]
) -> None:
    load(document())
    open_run(store)
    ((key, _),) = change.items()
    with pytest.raises(InvalidField, match="has an open run") as caught:
        load({"connections": [PROD | change]})
    assert caught.value.field.startswith("connections[0].")
    connection = store.connections.list()[0]
    with pytest.raises(InvalidField) as caught:
        saving.save_connection(
            store, secrets, change, connection_id=connection.id, by="anna", now=NOW
        )
    assert caught.value.field == key


def test_a_connection_with_an_open_run_is_not_deleted(
    store: Store, secrets: FakeSecrets, load: Callable[..., list[str]]
) -> None:
    load(document())
    open_run(store)
    connection = store.connections.list()[0]
    with pytest.raises(InvalidField, match="prod is missing from the list, but"):
        load({"connections": [], "mappings": []})
    saving.delete_mapping(store, store.mappings.list()[0].id, by="anna", now=NOW)
    with pytest.raises(ConnectionInUse):
        saving.delete_connection(store, secrets, connection.id, by="anna", now=NOW)


# --- what the forms use ---------------------------------------------------------------------------


def save(store: Store, secrets: FakeSecrets, **fields: object) -> CdmConnection:
    return saving.save_connection(store, secrets, PROD | fields, "geheim", by="anna", now=NOW)


def test_a_saved_connection_has_its_password(store: Store, secrets: FakeSecrets) -> None:
    saved = save(store, secrets)
    assert saved.trust is Trust.SYSTEM
    assert password_of(store, secrets) == "geheim"


def test_a_ca_that_is_not_used_is_not_kept(store: Store, secrets: FakeSecrets) -> None:
    """A form sends all its fields, also those of another choice."""
    saved = save(store, secrets, ca_pem="left over", fingerprint="left over")
    assert (saved.ca_pem, saved.fingerprint) == (None, None)


def test_a_second_connection_to_the_same_server_is_refused(
    store: Store, secrets: FakeSecrets
) -> None:
    save(store, secrets)
    with pytest.raises(InvalidField) as caught:
        save(store, secrets, name="again", host="CDM.EXAMPLE.")
    assert caught.value.field == "host"
    with pytest.raises(InvalidField) as caught:
        save(store, secrets, host="other.example")
    assert caught.value.field == "name"
    assert list(secrets.kept.values()) == ["geheim"]


def test_mappings_are_saved_changed_and_deleted(store: Store, secrets: FakeSecrets) -> None:
    save(store, secrets)
    made = saving.save_mapping(store, SQL, by="anna", now=NOW)
    changed = saving.save_mapping(store, {"enabled": False}, mapping_id=made.id, by="anna", now=NOW)
    assert (changed.enabled, changed.rule_id) == (False, 100231)
    with pytest.raises(InvalidField) as caught:
        saving.save_mapping(store, SQL | {"rule_id": 5}, by="anna", now=NOW)
    assert caught.value.field == "name"
    saving.delete_mapping(store, made.id, by="anna", now=NOW)
    assert store.mappings.list() == []
    with pytest.raises(LookupError):
        saving.delete_mapping(store, made.id, by="anna", now=NOW)


def test_a_connection_is_deleted_with_its_password(store: Store, secrets: FakeSecrets) -> None:
    saved = save(store, secrets)
    saving.delete_connection(store, secrets, saved.id, by="anna", now=NOW)
    assert secrets.kept == {}
    with pytest.raises(LookupError):
        saving.delete_connection(store, secrets, saved.id, by="anna", now=NOW)


def test_a_watch_that_is_off_has_no_beginning_and_one_that_is_switched_on_begins_now(
    store: Store, load: Callable[..., list[str]]
) -> None:
    load(document())
    assert store.mappings.list()[0].watch_since is None
    load(document(mappings=[SQL | {"watch": "notify"}]))
    assert store.mappings.list()[0].watch_since == NOW


def test_a_mapping_of_an_offense_rule_can_t_be_left_unwatched(
    store: Store, load: Callable[..., list[str]]
) -> None:
    """Such a rule may not be able to run a custom action: nothing would ever come of it."""
    store.qradar.keep_rules([Rule(100231, "Ransomware", "OFFENSE")], now=NOW)
    with pytest.raises(InvalidField, match="rule Ransomware is of type OFFENSE") as caught:
        load(document())
    assert caught.value.field == "mappings[0].watch"
    load(document(mappings=[SQL | {"watch": None}]))
    assert store.mappings.list()[0].watch is Watch.ACT


def test_a_watch_of_null_is_what_a_new_mapping_would_have(
    store: Store, load: Callable[..., list[str]]
) -> None:
    load(document())
    store.qradar.set_token("x", name="svc", expires_at=None, by="anna", now=NOW)
    load({"mappings": [{"name": "SQL attack", "watch": None}]})
    assert store.mappings.list()[0].watch is Watch.NOTIFY


def test_a_password_that_would_go_elsewhere_is_dropped_by_the_form_too(
    store: Store, secrets: FakeSecrets
) -> None:
    saved = save(store, secrets)
    saving.save_connection(
        store, secrets, {"host": "b.example"}, connection_id=saved.id, by="anna", now=NOW
    )
    assert password_of(store, secrets) is None
    assert secrets.kept == {}


def test_a_mistake_costs_no_encryption(store: Store, secrets: FakeSecrets) -> None:
    secrets.fails = True
    with pytest.raises(InvalidField):
        save(store, secrets, port=0)
