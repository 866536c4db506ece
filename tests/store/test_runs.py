# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs: compare-and-set, history and audit in one transaction, what indexes hold, lists."""

import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.message import restored
from app.restore.memory import Memory, Sum
from app.restore.model import (
    CdmConnection,
    LogLine,
    Mapping,
    NoSuchRun,
    Overtaken,
    Run,
    RunState,
)
from app.restore.states import FINAL_STATES, NEXT_STATES, IllegalTransition
from app.store import RunFilter, Store
from app.store.run_rows import LIVE, OPEN
from tests.factories import NOON, make_connection, make_mapping, make_trigger

S = RunState
LIVE_STATES = set(S) - FINAL_STATES - {S.AWAITING_APPROVAL}


def make_run(
    store: Store, mapping: Mapping | None = None, *, after_s: float = 0, **trigger: object
) -> Run:
    mapping = mapping or make_mapping(store)
    at = NOON + timedelta(seconds=after_s)
    trigger = {"received_at": at} | trigger
    connection = store.connections.get(mapping.connection_id)
    return store.runs.add(make_trigger(mapping, **trigger), mapping, connection, now=at)


def force(store: Store, run: Run, state: RunState) -> Run:
    """Put a run into a state, whatever the arrows say."""
    store.runs._db.execute("UPDATE runs SET state = ? WHERE id = ?", (state, run.id))
    return store.runs.get(run.id)


def record(store: Store, run: Run, state: RunState, **changes: object) -> Run:
    return store.runs.record(run, state, "because", by="ann", now=NOON, changes=changes)


def test_a_run_comes_back_as_it_was_written(store: Store) -> None:
    run = make_run(store)
    memory = Memory(noted=("1", "2"), answered=True, blocked=Sum(1.5, NOON))
    moved = record(store, run, S.STARTING, memory=memory, sent_at=NOON, percent=3, error="ü")
    assert (moved.memory, moved.percent, moved.error) == (memory, 3, "ü")
    assert moved == store.runs.get(run.id)
    assert moved.state_since == NOON


def test_a_change_has_its_history_and_its_audit_row(store: Store) -> None:
    run = record(store, make_run(store), S.STARTING)
    created, moved = store.runs.transitions(run.id)
    assert (created.from_state, created.to_state) == (None, S.QUEUED)
    assert (moved.from_state, moved.to_state, moved.reason, moved.by) == (
        S.QUEUED,
        S.STARTING,
        "because",
        "ann",
    )
    entry, before = store.audit.recent(2)
    assert before.action == "run new -> queued"
    assert (entry.action, entry.subject, entry.detail, entry.by) == (
        "run queued -> starting",
        f"run {run.id}",
        "because",
        "ann",
    )


@pytest.mark.parametrize("table", ["transitions", "audit"])
def test_without_its_history_or_audit_row_there_is_no_change(store: Store, table: str) -> None:
    run = make_run(store)
    store.runs._db.execute(
        f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT raise(ABORT, 'no'); END"
    )
    with pytest.raises(sqlite3.IntegrityError):
        record(store, run, S.STARTING)
    assert store.runs.get(run.id).state is S.QUEUED
    assert len(store.runs.transitions(run.id)) == 1


@pytest.mark.parametrize("before", S)
@pytest.mark.parametrize("after", S)
def test_only_the_arrows_of_the_design_lead_anywhere(
    store: Store, before: RunState, after: RunState
) -> None:
    run = force(store, make_run(store), before)
    if after in NEXT_STATES[before]:
        assert record(store, run, after).state is after
    else:
        with pytest.raises(IllegalTransition):
            record(store, run, after)
        assert store.runs.get(run.id) == run


def test_the_arrows_are_those_of_the_design() -> None:
    """architecture §4, word by word."""
    arrows = {
        "awaiting_approval": "queued cancelled",
        "queued": "starting awaiting_approval cancelled failed observed needs_decision",
        "starting": "restoring queued failed needs_decision",
        "restoring": "ready completed failed cancelled needs_decision",
        "ready": "cleaning_up completed failed needs_decision",
        "cleaning_up": "completed ready failed needs_decision",
        "needs_decision": "queued restoring cancelled",
        **dict.fromkeys(("completed", "failed", "cancelled", "observed"), ""),
    }
    assert {str(a): {str(b) for b in bs} for a, bs in NEXT_STATES.items()} == {
        a: set(bs.split()) for a, bs in arrows.items()
    }


@pytest.mark.parametrize(
    ("values", "reason", "by"),
    [
        ({}, "triggered by rule Rule 7 (7)", "rule"),
        ({"rule_id": None}, "triggered by rule Rule 7", "rule"),
        ({"rule_name": None}, "triggered by rule 7", "rule"),
        (
            {"rule_id": None, "rule_name": None, "mapping": "m"},
            "triggered by a call that names the mapping m",
            "rule",
        ),
        (
            {"source": "simulation", "fields": {"simulated_by": "ann"}},
            "simulated as rule Rule 7 (7)",
            "ann",
        ),
        ({"source": "simulation"}, "simulated as rule Rule 7 (7)", "somebody"),
        (
            {"source": "manual", "fields": {"started_by": "ann", "reason": "a drill"}},
            "started by hand: a drill",
            "ann",
        ),
    ],
)
def test_a_runs_history_begins_with_what_made_it(
    store: Store, values: dict[str, object], reason: str, by: str
) -> None:
    trigger = make_trigger(**{"rule_id": 7, "rule_name": "Rule 7"} | values)
    mapping = make_mapping(store)
    run = store.runs.add(trigger, mapping, store.connections.get(mapping.connection_id), now=NOON)
    first = store.runs.transitions(run.id)[0]
    assert (first.reason, first.by) == (reason, by)


@pytest.mark.parametrize(
    ("values", "looked_for"),
    [
        ({}, True),
        ({"offense_id": 7}, True),  # as the caller says: it is checked
        ({"offense_id": 7, "source": "offense_watch"}, False),
        ({"source": "simulation"}, False),
        ({"source": "manual"}, False),
        ({"source": "manual", "detected_at": NOON}, True),
    ],
)
def test_the_offense_of_a_run_is_looked_for_unless_it_is_known_or_there_is_none(
    store: Store, values: dict[str, object], looked_for: bool
) -> None:
    run = make_run(store, **values)
    searches = [one.run.id for one in store.notes.searches_due(NOON)]
    assert searches == ([run.id] if looked_for else [])


def test_who_comes_second_is_overtaken_and_changes_nothing(store: Store) -> None:
    run = make_run(store)
    record(store, run, S.STARTING)
    with pytest.raises(Overtaken):
        record(store, run, S.CANCELLED)
    with pytest.raises(Overtaken):
        store.runs.note(run, percent=50)
    assert store.runs.get(run.id).state is S.STARTING
    assert store.runs.get(run.id).percent is None
    assert len(store.runs.transitions(run.id)) == 2


@pytest.mark.parametrize("state", sorted(LIVE_STATES))
def test_one_live_run_per_job_is_held_by_an_index(store: Store, state: RunState) -> None:
    """I3, whatever the code thinks."""
    mapping = make_mapping(store)
    force(store, make_run(store, mapping), state)
    with pytest.raises(sqlite3.IntegrityError):
        make_run(store, mapping)
    assert len(store.runs.list()) == 1


@pytest.mark.parametrize("state", sorted(set(S) - LIVE_STATES))
def test_a_run_that_is_not_live_stands_in_nobodys_way(store: Store, state: RunState) -> None:
    mapping = make_mapping(store)
    force(store, make_run(store, mapping), state)
    make_run(store, mapping)
    assert len(store.runs.list()) == 2


@pytest.mark.parametrize("state", sorted(LIVE_STATES))
def test_a_dry_run_stands_in_nobodys_way(store: Store, state: RunState) -> None:
    """A simulation, or what mode observe looks at, must not keep a real restore from starting."""
    mapping = make_mapping(store)
    dry = make_run(store, mapping)
    store.runs.note(dry, dry_run=True)
    force(store, dry, state)
    make_run(store, mapping)
    assert len(store.runs.list()) == 2


def test_an_end_closes_what_was_asked(store: Store) -> None:
    run = make_run(store)
    store.runs.ask(run, "cancel", by="ann", now=NOON)
    run = store.runs.get(run.id)
    assert run.pending_request == "cancel"
    run = record(store, run, S.CANCELLED)
    assert (run.pending_request, run.due_at, run.ended_at) == (None, None, NOON)
    assert store.runs.requests(run.id) == []


def test_an_end_leaves_what_was_closed_before_as_it_was(store: Store) -> None:
    run = make_run(store)
    store.runs.ask(run, "cancel", by="ann", now=NOON)
    (request,) = store.runs.requests(run.id)
    store.runs.close_request(request, "too late", now=NOON)
    record(store, store.runs.get(run.id), S.CANCELLED)
    (row,) = store.runs._db.execute("SELECT result FROM requests")
    assert restored(row["result"]) == "too late"


def test_asking_twice_is_one_request(store: Store) -> None:
    run = make_run(store)
    for by in ("ann", "bob"):
        store.runs.ask(run, "cancel", by=by, now=NOON)
    (request,) = store.runs.requests(run.id)
    assert (request.kind, request.by, request.at) == ("cancel", "ann", NOON)
    store.runs.close_request(request, "done", now=NOON)
    assert store.runs.requests(run.id) == []
    store.runs.ask(run, "cancel", by="bob", now=NOON)
    assert [request.by for request in store.runs.requests(run.id)] == ["bob"]


def test_what_is_asked_of_a_run_is_given_in_the_order_in_which_it_was_asked(store: Store) -> None:
    run = make_run(store)
    for kind in ("cancel", "clean_up"):
        store.runs.ask(run, kind, by="ann", now=NOON)
    assert [request.kind for request in store.runs.requests(run.id)] == ["cancel", "clean_up"]


def test_only_queued_runs_of_the_connection_that_are_no_dry_runs_are_to_be_started(
    store: Store,
) -> None:
    mapping, other = make_mapping(store), make_mapping(store)
    make_run(store, other)
    store.runs.note(make_run(store, mapping), dry_run=True)
    force(store, make_run(store, mapping), S.COMPLETED)
    run = make_run(store, mapping)
    assert store.runs.queued(mapping.connection_id) == {run.id}


def test_a_run_has_its_triggers_rule_name_else_its_mappings(store: Store) -> None:
    mapping = make_mapping(store, rule_name="as saved")
    force(store, make_run(store, mapping, rule_name="as fired"), S.COMPLETED)
    force(store, make_run(store, mapping, rule_name=None), S.COMPLETED)
    assert [store.runs.get(number).rule_name for number in (1, 2)] == ["as fired", "as saved"]


def test_what_is_asked_is_in_the_audit_with_who_asked(store: Store) -> None:
    run = make_run(store)
    store.runs.ask(run, "resolve", by="ann", now=NOON, decision="started", job_session_id="17")
    entry = store.audit.recent(1)[0]
    assert (entry.by, entry.action, entry.subject, entry.detail) == (
        "ann",
        "run.resolve",
        f"run {run.id}",
        "started",
    )


def test_a_change_that_people_should_know_of_has_its_note(store: Store) -> None:
    run = record(store, make_run(store), S.STARTING)
    assert store.notes.for_run(run.id) == []
    record(store, run, S.FAILED)
    assert [note.kind for note in store.notes.for_run(run.id)] == ["failed"]


def test_asking_makes_the_run_due(store: Store) -> None:
    run = store.runs.note(make_run(store), due_at=NOON + timedelta(minutes=1))
    store.runs.ask(run, "cancel", by="ann", now=NOON)
    assert store.runs.get(run.id).due_at == NOON


def test_a_decision_is_kept_with_its_session(store: Store) -> None:
    run = make_run(store)
    store.runs.ask(run, "resolve", by="ann", now=NOON, decision="started", job_session_id="17")
    (request,) = store.runs.requests(run.id)
    assert (request.decision, request.job_session_id) == ("started", "17")
    assert store.runs.get(run.id).pending_request is None


def test_the_last_observation_is_the_newest_that_a_rule_brought_about(store: Store) -> None:
    mapping = make_mapping(store)
    connection = store.connections.get(mapping.connection_id)
    other = make_mapping(store, connection, job_id="2000")
    job = (mapping.connection_id, mapping.job_id)
    assert store.runs.last_observed(*job) is None
    for of, source in (
        (mapping, "custom_action"),
        (mapping, "custom_action"),
        (mapping, "simulation"),
        (other, "custom_action"),
    ):
        store.runs.note(make_run(store, of, source=source), dry_run=True)
        force(store, store.runs.list(limit=1)[0], S.OBSERVED)
    force(store, make_run(store, mapping), S.COMPLETED)
    found = store.runs.last_observed(*job)
    assert found is not None
    assert found.id == 2


def test_of_the_approvals_only_one_that_waits_is_found(store: Store) -> None:
    mapping = make_mapping(store)
    job = (mapping.connection_id, mapping.job_id)
    assert store.runs.unapproved(*job) is None
    waiting = force(store, make_run(store, mapping), S.AWAITING_APPROVAL)
    assert store.runs.unapproved(*job) == waiting
    force(store, waiting, S.CANCELLED)
    assert store.runs.unapproved(*job) is None


def test_log_lines_are_kept_once_and_in_cdms_order(store: Store) -> None:
    run = make_run(store)
    lines = [
        LogLine("b", NOON + timedelta(seconds=1), "INFO", "second"),
        LogLine("a", NOON, "WARN", "first"),
        LogLine("c", NOON + timedelta(seconds=1), "INFO", "third, in the same millisecond"),
    ]
    assert store.runs.add_log(run.id, lines) == 3
    assert store.runs.add_log(run.id, lines[1:]) == 0
    assert store.runs.add_log(run.id, []) == 0
    assert [line.key for line in store.runs.log(run.id)] == ["a", "b", "c"]
    assert store.runs.log(run.id)[0] == lines[1]
    assert store.runs.add_log(make_run(store).id, lines) == 3


@pytest.mark.parametrize(
    ("condition", "states"), [(LIVE, LIVE_STATES), (OPEN, set(S) - FINAL_STATES)]
)
def test_the_states_in_sql_are_those_of_the_model(condition: str, states: set[RunState]) -> None:
    assert set(re.findall(r"'(\w+)'", condition)) == {str(state) for state in states}


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda store: store.runs.live_of_job(1, "1044"), "runs_live"),
        (lambda store: store.starts.last(1, "1044"), "runs_cooling"),
        (lambda store: store.starts.last_failure(), "runs_by_state"),
        (lambda store: store.attacks.count(1, "1044"), "attacks_open"),
        (lambda store: store.attacks.is_tied(1, 4711), "trigger_offenses_by_offense"),
        (lambda store: store.runs.last_observed(1, "1044"), "runs_observed"),
        (lambda store: store.runs.unapproved(1, "1044"), "runs_unapproved"),
        (lambda store: store.runs.open(1), "runs_by_state"),
        (lambda store: store.connections.has_open_run(1), "runs_by_state"),
        (lambda store: store.mappings.find_by_linked_rule(5), "console_rules_by_link"),
        (lambda store: store.mappings.find_by_linked_rule(5), "console_rules_by_identifier"),
        (lambda store: store.qradar.rules_of_mappings(), "console_rules_by_link"),
        (lambda store: store.qradar.rules_of_mappings(), "console_rules_by_identifier"),
    ],
)
def test_what_every_trigger_and_turn_asks_does_not_read_the_whole_history(
    store: Store, ask: Callable[[Store], object], index: str
) -> None:
    asked: list[str] = []
    store.runs._db.connection.set_trace_callback(asked.append)
    ask(store)
    store.runs._db.connection.set_trace_callback(None)
    (statement, *_) = [sql for sql in asked if sql != "BEGIN IMMEDIATE"]
    plan = store.runs._db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    assert any(index in step["detail"] for step in plan), [step["detail"] for step in plan]


def test_open_runs_are_those_that_are_not_at_their_end_oldest_first(store: Store) -> None:
    mapping = make_mapping(store)
    force(store, make_run(store, mapping), S.COMPLETED)
    force(store, make_run(store, mapping), S.AWAITING_APPROVAL)
    live = make_run(store, mapping)
    other = make_run(store)
    assert [run.id for run in store.runs.open()] == [2, live.id, other.id]
    assert [run.id for run in store.runs.open(mapping.connection_id)] == [2, live.id]


def test_a_run_that_is_not_there_raises(store: Store) -> None:
    with pytest.raises(NoSuchRun):
        store.runs.get(1)


# --- lists ------------------------------------------------------------------------------------


def ids(store: Store, before: int | None = None, *, limit: int = 50, **chosen: object) -> list[int]:
    return [run.id for run in store.runs.list(RunFilter(**chosen), before, limit=limit)]


@pytest.fixture
def connection(store: Store) -> CdmConnection:
    return make_connection(store, name="prod")


def test_a_list_is_narrowed_by_each_filter(store: Store, connection: CdmConnection) -> None:
    sql = make_mapping(store, connection, name="SQL attack")
    disk = make_mapping(store, name="Disk attack", job_id="2")
    force(store, make_run(store, sql, offense_id=7), S.COMPLETED)
    make_run(store, sql, after_s=60)
    make_run(store, disk, after_s=120, offense_id=7)
    assert ids(store) == [3, 2, 1]
    assert ids(store, state="completed") == [1]
    assert ids(store, mapping="SQL attack") == [2, 1]
    assert ids(store, connection="prod") == [2, 1]
    assert ids(store, offense_id=7) == [3, 1]
    assert ids(store, offense_id=7, connection="prod") == [1]
    assert ids(store, from_=NOON + timedelta(seconds=60)) == [3, 2]
    assert ids(store, to=NOON + timedelta(seconds=60)) == [1]
    assert ids(store, state="nonsense") == []


def test_a_list_is_paged_by_the_last_id_seen(store: Store) -> None:
    mapping = make_mapping(store)
    for _ in range(7):
        force(store, make_run(store, mapping), S.COMPLETED)
    assert ids(store, limit=3) == [7, 6, 5]
    assert ids(store, 5, limit=3) == [4, 3, 2]
    force(store, make_run(store, mapping), S.COMPLETED)
    assert ids(store, 2, limit=3) == [1]
    assert ids(store, 1, limit=3) == []


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("clean-room", [1]),
        ("CLEAN-ROOM", [1]),
        ("100%", [2]),
        ("%", [2]),
        ("_", [3]),
        ("a\\b", [4]),
        ("\\", [4]),
        ("'; DROP TABLE runs; --", []),
        ("4711", [5]),
        ("471", []),
    ],
)
def test_a_search_takes_its_words_literally(store: Store, q: str, found: list[int]) -> None:
    """``%`` and ``_`` are SQL's wildcards, and no wildcards here; a session id is found whole."""
    names = ("SQL clean-room", "to 100%", "under_score", "a\\b", "plain")
    for number, name in enumerate(names):
        mapping = make_mapping(
            store, make_connection(store, name=f"cdm{number}"), job_name=name, name=f"m{number}"
        )
        make_run(store, mapping)
    store.runs.note(store.runs.get(5), job_session_id="4711")
    assert ids(store, q=q) == found


@pytest.mark.parametrize("column", ["mapping", "rule_name", "connection", "error"])
def test_a_search_looks_into_every_name_and_the_error(store: Store, column: str) -> None:
    run = make_run(store)
    store.runs.note(run, **{column: "Größe needle here"})
    assert ids(store, q="needle") == [run.id]
