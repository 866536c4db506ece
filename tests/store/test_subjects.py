# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Connections, mappings, triggers, tokens, settings, and the audit trail."""

import hashlib
import sqlite3
from collections.abc import Callable

import pytest

from app.restore.model import Mode, Outcome, RunState
from app.store import ConnectionInUse, Store, Taken
from app.store.qradar import Rule
from tests.factories import NOON, make_connection, make_mapping, make_trigger


def execute(store: Store, sql: str, *values: object) -> sqlite3.Cursor:
    return store.runs._db.execute(sql, values)


# --- connections ------------------------------------------------------------------------------


def test_two_connections_to_the_same_host_and_port_are_refused(store: Store) -> None:
    make_connection(store, host="cdm.example", port=8443)
    with pytest.raises(Taken, match="host and port"):
        make_connection(store, host="CDM.Example", port=8443)
    make_connection(store, host="cdm.example", port=8444)


def test_two_connections_of_the_same_name_are_refused(store: Store) -> None:
    make_connection(store, name="prod")
    with pytest.raises(Taken, match="name"):
        make_connection(store, name="prod")


def test_a_change_to_anothers_address_is_refused(store: Store) -> None:
    first, second = make_connection(store), make_connection(store)
    with pytest.raises(Taken):
        store.connections.change(second.id, host=first.host)
    assert store.connections.get(second.id) == second


@pytest.mark.parametrize(
    ("column", "value"), [("host", "other.example"), ("port", 9443), ("username", "other")]
)
def test_host_port_and_user_stay_while_a_run_is_open(
    store: Store, column: str, value: object
) -> None:
    mapping = make_mapping(store)
    connection = store.connections.get(mapping.connection_id)
    run = store.runs.add(make_trigger(mapping), mapping, connection, now=NOON)
    with pytest.raises(ConnectionInUse):
        store.connections.change(connection.id, **{column: value})
    store.connections.change(connection.id, name="renamed", host=connection.host)
    with pytest.raises(ConnectionInUse):
        store.connections.delete(connection.id)
    store.runs.record(run, RunState.CANCELLED, "over", by="ann", now=NOON)
    assert getattr(store.connections.change(connection.id, **{column: value}), column) == value


def test_a_connection_that_a_mapping_names_is_not_deleted(store: Store) -> None:
    mapping = make_mapping(store)
    with pytest.raises(ConnectionInUse, match=mapping.name):
        store.connections.delete(mapping.connection_id)
    store.mappings.delete(mapping.id)
    store.connections.delete(mapping.connection_id)
    assert store.connections.list() == []


def test_the_id_of_a_deleted_connection_is_never_given_again(store: Store) -> None:
    """Old runs name it, and single flight and cool-down are kept by it."""
    first = make_connection(store)
    store.connections.delete(first.id)
    assert make_connection(store).id > first.id


def test_the_end_of_a_servers_certificate_is_kept_until_the_connection_is_changed(
    store: Store,
) -> None:
    connection = make_connection(store)
    assert store.connections.contact(connection.id).certificate_ends_at is None
    store.connections.note_certificate(connection, NOON)
    assert store.connections.contact(connection.id).certificate_ends_at == NOON
    store.connections.change(connection.id, port=connection.port)
    assert store.connections.contact(connection.id).certificate_ends_at == NOON
    changed = store.connections.change(connection.id, port=9443)
    assert store.connections.contact(connection.id).certificate_ends_at is None
    store.connections.note_certificate(connection, NOON)  # a look that began before the change
    assert store.connections.contact(connection.id).certificate_ends_at is None
    store.connections.note_certificate(changed, NOON)
    assert store.connections.contact(connection.id).certificate_ends_at == NOON
    store.connections.delete(connection.id)
    store.connections.note_certificate(changed, NOON)


def test_the_end_of_the_consoles_certificate_is_kept(store: Store) -> None:
    assert store.qradar.console().certificate_ends_at is None
    store.qradar.note_certificate(NOON)
    assert store.qradar.console().certificate_ends_at == NOON


def test_a_connection_that_is_not_there_raises(store: Store) -> None:
    assert store.connections.find("nowhere") is None
    for call in (store.connections.get, store.connections.delete):
        with pytest.raises(LookupError):
            call(1)


def test_contact_is_kept_with_its_last_error(store: Store) -> None:
    connection = make_connection(store)
    store.connections.note_contact(connection.id, None, now=NOON)
    store.connections.note_contact(connection.id, "no route", now=NOON)
    contact = store.connections.contact(connection.id)
    assert (contact.at, contact.error) == (NOON, "no route")
    store.connections.note_contact(connection.id, None, now=NOON)
    assert store.connections.contact(connection.id).error is None


def test_only_known_columns_can_be_written(store: Store) -> None:
    connection = make_connection(store)
    with pytest.raises(TypeError):
        store.connections.change(connection.id, **{"name = '' --": "x"})
    with pytest.raises(TypeError):
        make_mapping(store, connection, **{"id) VALUES (1) --": "x"})


# --- mappings ---------------------------------------------------------------------------------


def test_there_is_one_mapping_per_name_per_rule_id_and_per_bare_rule_name(store: Store) -> None:
    make_mapping(store, name="a", rule_id=1, rule_name="R")
    make_mapping(store, name="b", rule_id=None, rule_name="R")
    for columns in (
        {"name": "a"},
        {"rule_id": 1},
        {"rule_id": None, "rule_name": "R"},
    ):
        with pytest.raises(Taken):
            make_mapping(store, **columns)
    make_mapping(store, rule_id=2, rule_name="R")


def test_a_mapping_needs_its_connection(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        make_mapping(store, connection_id=99)


def test_a_bare_rule_name_wins_over_a_name_beside_an_id(store: Store) -> None:
    make_mapping(store, name="with id", rule_id=1, rule_name="R")
    make_mapping(store, name="bare", rule_id=None, rule_name="R")
    found = store.mappings.find_by_rule_name("R")
    assert found is not None
    assert found.name == "bare"


def test_rules_are_replaced_as_a_whole(store: Store) -> None:
    mapping = make_mapping(store, rule_id=9)
    store.qradar.keep_rules(
        [
            Rule(8, "R", identifier="copy", linked_identifier="original"),
            Rule(9, "R", identifier="original", linked_identifier=None),
        ],
        now=NOON,
    )
    assert store.mappings.find_by_linked_rule(8) == mapping
    store.qradar.keep_rules(
        [
            Rule(8, "R", identifier="copy", linked_identifier=None),
            Rule(9, "R", identifier="original", linked_identifier=None),
        ],
        now=NOON,
    )
    assert store.mappings.find_by_linked_rule(8) is None
    store.qradar.keep_rules([], now=NOON)
    assert store.mappings.find_by_linked_rule(8) is None


# --- triggers ---------------------------------------------------------------------------------


def keep(store: Store, request_id: str, outcome: Outcome = Outcome.TEST, **values: object) -> int:
    trigger = make_trigger(request_id=request_id, fields={"username": "O'Neill ü"}, **values)
    return store.triggers.add(trigger, outcome, "message", run_id=None, mapping=None)


def test_a_request_id_is_kept_once_but_for_its_duplicates(store: Store) -> None:
    first = keep(store, "the-same-id")
    keep(store, "the-same-id", Outcome.DUPLICATE)
    keep(store, "the-same-id", Outcome.DUPLICATE)
    with pytest.raises(sqlite3.IntegrityError):
        keep(store, "the-same-id")
    found = store.triggers.find("the-same-id")
    assert found is not None
    assert (found.id, found.outcome, found.fields) == (
        first,
        Outcome.TEST,
        {"username": "O'Neill ü"},
    )
    assert store.triggers.find("another-id") is None


def test_the_newest_triggers_come_first(store: Store) -> None:
    for number in range(4):
        keep(store, f"request-{number}")
    assert store.triggers.last_simulation() is None
    keep(store, "simulation-1", source="simulation")
    assert [row.id for row in store.triggers.recent(2)] == [5, 4]
    assert [row.id for row in store.triggers.recent(2, simulated=False)] == [4, 3]
    last = store.triggers.last_simulation()
    assert last is not None
    assert last == store.triggers.get(5)
    assert last.source == "simulation"
    with pytest.raises(LookupError):
        store.triggers.get(6)


# --- trigger tokens ---------------------------------------------------------------------------


def test_a_token_is_valid_until_it_is_revoked(store: Store) -> None:
    first = store.tokens.new("first", by="ann", now=NOON)
    second = store.tokens.new("second", by="ann", now=NOON)
    assert first != second
    assert len(first) >= 32
    assert store.tokens.name_of(first)
    assert store.tokens.name_of(second)
    store.tokens.revoke("first", by="ann", now=NOON)
    assert not store.tokens.name_of(first)
    assert store.tokens.name_of(second)
    assert [token.name for token in store.tokens.list()] == ["second"]


@pytest.mark.parametrize("token", ["", "x", "ü", "\ud800", "x" * 100_000])
def test_anything_else_is_no_valid_token(store: Store, token: str) -> None:
    store.tokens.new("first", by="ann", now=NOON)
    assert not store.tokens.name_of(token)


def test_only_the_digest_of_a_token_is_kept(store: Store) -> None:
    token = store.tokens.new("first", by="ann", now=NOON)
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert [row["sha256"] for row in execute(store, "SELECT * FROM trigger_tokens")] == [digest]
    assert not any(token in line for line in store.runs._db.connection.iterdump())


def test_every_token_is_compared_whichever_comes_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long it takes must not tell how near a guess is."""
    import app.store.settings as module

    tokens = [store.tokens.new(f"t{number}", by="ann", now=NOON) for number in range(5)]
    compared = []

    def compare(a: str, b: str) -> bool:
        compared.append(b)
        return a == b

    monkeypatch.setattr(module.hmac, "compare_digest", compare)
    for token in (tokens[0], tokens[4], "wrong"):
        compared.clear()
        store.tokens.name_of(token)
        assert len(compared) == 5


def test_a_name_is_given_once_and_an_unknown_one_is_not_revoked(store: Store) -> None:
    store.tokens.new("first", by="ann", now=NOON)
    with pytest.raises(ValueError, match="first"):
        store.tokens.new("first", by="ann", now=NOON)
    with pytest.raises(LookupError):
        store.tokens.revoke("second", by="ann", now=NOON)


def test_making_and_revoking_a_token_is_audited(store: Store) -> None:
    store.tokens.new("first", by="ann", now=NOON)
    store.tokens.revoke("first", by="bob", now=NOON)
    assert [(entry.by, entry.action) for entry in store.audit.recent(2)] == [
        ("bob", "trigger_token.revoke"),
        ("ann", "trigger_token.new"),
    ]


# --- settings and heartbeats ------------------------------------------------------------------


def test_a_setting_is_audited_when_it_changes(store: Store) -> None:
    before = len(store.audit.recent())
    store.settings.set_mode(Mode.DISARMED, by="ann", now=NOON)
    store.settings.set_mode(Mode.DISARMED, by="ann", now=NOON)
    store.settings.set("operator_roles", ["SOC", "Ölhändler"], by="ann", now=NOON)
    assert store.settings.mode is Mode.DISARMED
    assert store.settings.values().operator_roles == ("SOC", "Ölhändler")
    assert len(store.audit.recent()) == before + 2


def test_the_last_change_of_a_subject_is_found_below_others(store: Store) -> None:
    assert store.audit.last("nothing") is None
    store.settings.set_mode(Mode.DISARMED, by="ann", now=NOON)
    store.settings.set_mode(Mode.OBSERVE, by="bob", now=NOON)
    store.audit.append("ann", "change", "thing", "", now=NOON)
    last = store.audit.last("mode")
    assert last is not None
    assert (last.by, last.detail) == ("bob", "observe")


def test_a_beat_takes_the_place_of_the_one_before(store: Store) -> None:
    store.heartbeats.beat("worker", now=NOON, pid=1)
    store.heartbeats.beat("worker", now=NOON, pid=2)
    assert store.heartbeats.all() == {"worker": (NOON, 2)}


# --- the audit trail --------------------------------------------------------------------------


@pytest.fixture
def audited(store: Store) -> Store:
    for number in range(10):
        store.audit.append("ann", "change", f"thing {number}", "detail", now=NOON)
    assert store.audit.verify()
    return store


@pytest.mark.parametrize("column", ["at", "by", "action", "subject", "detail", "hash"])
@pytest.mark.parametrize("row", [1, 5, 11])
def test_an_edited_row_is_detected(audited: Store, column: str, row: int) -> None:
    spoil = f"UPDATE audit SET {column} = {column} || 'x' WHERE id = ?"  # noqa: S608 - our own names
    execute(audited, spoil, row)
    assert not audited.audit.verify()


def take_out(store: Store, *ids: int) -> None:
    for row in ids:
        execute(store, "DELETE FROM audit WHERE id = ?", row)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda store: take_out(store, 5),
        lambda store: take_out(store, 1),
        lambda store: take_out(store, 11),
        lambda store: take_out(store, 9, 10, 11),
        lambda store: take_out(store, *range(1, 12)),
        lambda store: execute(store, "UPDATE audit SET id = 99 WHERE id = 5"),
        lambda store: execute(
            store,
            "INSERT INTO audit (at, by, action, subject, detail, hash)"
            " SELECT at, by, action, subject, detail, hash FROM audit WHERE id = 3",
        ),
    ],
)
def test_a_row_taken_out_added_moved_or_cut_off_is_detected(
    audited: Store, spoil: Callable[[Store], object]
) -> None:
    spoil(audited)
    assert not audited.audit.verify()


@pytest.mark.parametrize(("row", "seen"), [(2, False), (5, False), (7, True), (11, True)])
def test_the_end_of_a_long_trail_can_be_looked_at_alone(
    audited: Store, row: int, *, seen: bool
) -> None:
    assert audited.audit.verify(newest=5)
    assert audited.audit.verify(newest=1000)
    execute(audited, "UPDATE audit SET detail = 'x' WHERE id = ?", row)
    assert audited.audit.verify(newest=5) is not seen
    assert not audited.audit.verify(newest=1000)
    take_out(audited, 11)
    assert not audited.audit.verify(newest=5)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            "SELECT * FROM triggers WHERE source = 'simulation' ORDER BY id DESC LIMIT 1",
            "simulated",
        ),
        ("SELECT * FROM audit WHERE subject = ? ORDER BY id DESC LIMIT 1", "by_subject"),
    ],
)
def test_what_pages_ask_of_a_large_table_is_found_by_an_index(
    store: Store, query: str, index: str
) -> None:
    """At a million triggers the set-up page took a second without."""
    asked: list[str] = []
    store.runs._db.connection.set_trace_callback(asked.append)
    store.triggers.last_simulation()
    store.audit.last("mode")
    store.runs._db.connection.set_trace_callback(None)
    assert query.replace("?", "'mode'") in asked
    plan = store.runs._db.execute(f"EXPLAIN QUERY PLAN {query.replace('?', chr(39) * 2)}")
    assert index in str([tuple(row) for row in plan])


def test_values_that_run_into_each_other_are_told_apart(audited: Store) -> None:
    execute(audited, "UPDATE audit SET action = 'changet', subject = 'hing 3' WHERE id = 5")
    assert not audited.audit.verify()


def test_a_row_that_was_rolled_back_leaves_no_gap(store: Store) -> None:
    def block() -> None:
        with store.transaction():
            store.audit.append("ann", "change", "thing", "", now=NOON)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        block()
    assert store.audit.verify()
    store.audit.append("ann", "change", "thing", "", now=NOON)
    assert store.audit.verify()


def test_an_empty_trail_verifies(store: Store) -> None:
    execute(store, "DELETE FROM audit")
    execute(store, "DELETE FROM sqlite_sequence WHERE name = 'audit'")
    assert store.audit.verify()
