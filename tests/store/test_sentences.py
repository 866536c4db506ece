# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Sentences in the store: kept as template and values, read and found as people read them."""

import hashlib
import json

from app.message import Message
from app.restore.model import RunState
from app.store import RunFilter, Store
from app.store.times import to_text
from tests.factories import NOON, make_connection, make_mapping, make_trigger
from tests.store.test_runs import make_run

REFUSED = Message("CDM refused to start job {job}: {error}", job="nightly", error="E42")


def raw(store: Store, sql: str) -> str:
    with_it = store._db.execute(sql).fetchone()
    return str(with_it[0])


def test_a_sentence_is_kept_as_template_and_values_and_read_as_a_message(store: Store) -> None:
    run = make_run(store)
    store.runs.record(run, RunState.FAILED, REFUSED, by="app", now=NOON, changes={"error": REFUSED})
    store.connections.note_contact(run.connection_id, REFUSED, now=NOON)
    store.mappings.note_job_drift(run.mapping_id or 0, REFUSED)
    store.qradar.note_contact(REFUSED, now=NOON)

    again, audited = store.runs.get(run.id), store.audit.last(f"run {run.id}")
    assert audited is not None
    for said in (
        again.error,
        store.runs.transitions(run.id)[-1].reason,
        audited.detail,
        store.connections.contact(run.connection_id).error,
        store.mappings.job_drifts()[run.mapping_id or 0],
        store.qradar.console().contact_error,
    ):
        assert isinstance(said, Message)
        assert said == "CDM refused to start job nightly: E42"
        assert said.values["error"] == "E42"
    for column in (
        "SELECT error FROM runs",
        "SELECT reason FROM transitions ORDER BY id DESC",
        "SELECT detail FROM audit ORDER BY id DESC",
        "SELECT contact_error FROM connections",
        "SELECT contact_error FROM qradar",
        "SELECT job_drift FROM mappings",
    ):
        assert raw(store, column).startswith('{"message":"CDM refused')


def test_what_cdm_said_stays_text_even_where_it_looks_like_a_message(store: Store) -> None:
    said = '{"message":"{a}","values":{"a":"b"}}'
    run = store.runs.note(make_run(store), error=said)

    assert run.error == said
    assert store.runs.get(run.id).error == said


def test_a_text_of_old_is_read_as_it_was(store: Store) -> None:
    run = make_run(store)
    store._db.execute("UPDATE runs SET error = 'CDM said: {job} 100%'")
    store._db.execute("UPDATE transitions SET reason = 'triggered by rule X'")

    assert store.runs.get(run.id).error == "CDM said: {job} 100%"
    assert store.runs.transitions(run.id)[0].reason == "triggered by rule X"


def test_the_history_is_searched_by_what_a_person_reads(store: Store) -> None:
    run = store.runs.note(make_run(store), error=REFUSED)

    assert [one.id for one in store.runs.list(RunFilter(q="start job NIGHTLY: e4"))] == [run.id]
    assert store.runs.list(RunFilter(q='"values"')) == []
    assert store.runs.list(RunFilter(q="{job}")) == []


def test_a_triggers_answer_and_a_requests_id_are_what_they_were(store: Store) -> None:
    mapping = make_mapping(store, connection_id=make_connection(store, name="other").id)
    store.triggers.add(
        make_trigger(mapping), "unmatched", REFUSED, run_id=None, mapping=mapping.name
    )

    found = store.triggers.recent()[0]
    assert isinstance(found.message, Message)
    assert found.message == REFUSED


def test_an_audit_trail_of_1_0_0_verifies_and_goes_on_with_messages(store: Store) -> None:
    last = store._db.execute("SELECT hash FROM audit ORDER BY id DESC").fetchone()
    before = "0" * 64 if last is None else last["hash"]
    for number in range(3):  # as version 1.0.0 wrote it
        content = (to_text(NOON), "app", "run", f"run {number}", "triggered by rule {X}")
        before = hashlib.sha256(json.dumps([before, *content]).encode()).hexdigest()
        store._db.execute(
            "INSERT INTO audit (at, by, action, subject, detail, hash) VALUES (?,?,?,?,?,?)",
            (*content, before),
        )
    assert store.audit.verify()

    store.audit.append("app", "run", "run 4", REFUSED, now=NOON)
    assert store.audit.verify()
    assert store.audit.recent(1)[0].detail == REFUSED

    # The chain is about what stands in the row, not about what it says in English.
    store._db.execute("UPDATE audit SET detail = ? WHERE detail LIKE '{%'", (REFUSED,))
    assert not store.audit.verify()


def test_what_qradar_is_told_is_english(store: Store) -> None:
    store.happenings.begin()
    run = make_run(store)
    store.runs.record(run, RunState.CANCELLED, REFUSED, by="app", now=NOON)

    told = store.happenings.untold()

    assert any(one.text == REFUSED for one in told)
    assert not any('"message"' in one.text for one in told)
    notes = [note.text for note in store.notes.for_run(run.id)]
    assert notes
    assert not any('"message"' in text for text in notes)
