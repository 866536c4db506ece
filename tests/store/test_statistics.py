# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Sums over the history and its pages both ways."""

from datetime import UTC, datetime, timedelta

from app.restore.model import LogLine, Run, RunState
from app.store import RunFilter, Store
from app.store.statistics import MOST_TIMES, Counted
from tests.factories import NOON, make_connection, make_mapping, make_trigger

DAY = timedelta(days=1)


def add_run(store: Store, *states: RunState, at: datetime = NOON, **changes: object) -> Run:
    """A run of a job of its own, received ``at`` and led through ``states``."""
    connection = store.connections.find("cdm") or make_connection(store, name="cdm")
    mapping = make_mapping(store, connection, job_id=f"job-{len(store.mappings.list())}")
    run = store.runs.add(make_trigger(mapping, received_at=at), mapping, connection, now=at)
    for state in states:
        run = store.runs.record(run, state, "because", by="test", now=at, changes=changes)
    return run


def ids(store: Store, chosen: RunFilter, **place: int | None) -> list[int]:
    place = {"before": None} | place
    return [run.id for run in store.history.page(chosen, limit=2, **place).runs]  # type: ignore[arg-type]


def test_pages_lead_both_ways_and_end_where_the_runs_end(store: Store) -> None:
    for _ in range(5):
        add_run(store)
    newest = store.history.page(RunFilter(), before=None, limit=2)
    assert ([run.id for run in newest.runs], newest.newer, newest.older) == ([5, 4], None, 4)
    middle = store.history.page(RunFilter(), before=4, limit=2)
    assert ([run.id for run in middle.runs], middle.newer, middle.older) == ([3, 2], 3, 2)
    oldest = store.history.page(RunFilter(), before=2, limit=2)
    assert ([run.id for run in oldest.runs], oldest.newer, oldest.older) == ([1], 1, None)
    back = store.history.page(RunFilter(), before=None, after=1, limit=2)
    assert ([run.id for run in back.runs], back.newer, back.older) == ([3, 2], 3, 2)
    front = store.history.page(RunFilter(), before=None, after=3, limit=2)
    assert ([run.id for run in front.runs], front.newer, front.older) == ([5, 4], None, 4)


def test_a_page_beyond_the_end_is_empty_and_leads_nowhere(store: Store) -> None:
    add_run(store)
    page = store.history.page(RunFilter(), before=None, after=1)
    assert (page.runs, page.newer, page.older) == ([], None, None)


def test_several_states_can_be_asked_for(store: Store) -> None:
    add_run(store, RunState.CANCELLED)
    add_run(store, RunState.FAILED)
    add_run(store)
    assert ids(store, RunFilter(states=("failed", "cancelled"))) == [2, 1]
    assert ids(store, RunFilter(states=("failed", "cancelled")), after=1) == [2]
    assert ids(store, RunFilter(states=("completed",))) == []


def test_runs_are_counted_by_day_month_and_state(store: Store) -> None:
    add_run(store, RunState.CANCELLED)
    add_run(store, RunState.CANCELLED)
    ready = RunState.STARTING, RunState.RESTORING, RunState.READY
    add_run(store, *ready, at=NOON + DAY, ready_at=NOON + DAY)
    day = store.statistics.by_period(RunFilter(), "day")
    assert day == [
        Counted("2026-11-24", RunState.CANCELLED, 2, 0),
        Counted("2026-11-25", RunState.READY, 1, 1),
    ]
    assert [one.period for one in store.statistics.by_period(RunFilter(), "year")] == ["2026"] * 2
    only = RunFilter(from_=NOON + DAY)
    assert [one.runs for one in store.statistics.by_period(only, "month")] == [1]


def test_the_time_to_ready_counts_from_the_receipt_whenever_the_event_was(store: Store) -> None:
    ready = RunState.STARTING, RunState.RESTORING, RunState.READY
    up_at = NOON + timedelta(seconds=90)
    add_run(store, *ready, ready_at=up_at)
    add_run(store, *ready, ready_at=up_at, detected_at=NOON - timedelta(days=30))
    add_run(store, *ready, ready_at=NOON - timedelta(hours=1), detected_at=NOON)
    add_run(store)
    found = store.statistics.ready_times(RunFilter(), "day", ready=3)
    assert (found.times, found.every) == ({"2026-11-24": [0, 90, 90]}, 1)


def test_of_very_many_runs_only_some_are_looked_at(store: Store) -> None:
    ready = RunState.STARTING, RunState.RESTORING, RunState.READY
    for seconds in range(4):
        add_run(store, *ready, ready_at=NOON + timedelta(seconds=seconds))
    found = store.statistics.ready_times(RunFilter(), "day", ready=MOST_TIMES + 1)
    assert (found.times, found.every) == ({"2026-11-24": [1, 3]}, 2)


def test_the_span_of_the_history_is_known(store: Store) -> None:
    assert store.statistics.span() is None
    add_run(store)
    add_run(store, at=NOON - DAY)
    assert store.statistics.span() == (NOON - DAY, NOON)


def test_the_end_of_a_log_is_read_by_type(store: Store) -> None:
    run = add_run(store)
    lines = [
        LogLine(str(second), datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC), kind, f"line {second}")
        for second, kind in enumerate(("INFO", "WARN", "INFO", "INFO"))
    ]
    store.runs.add_log(run.id, lines)
    page = store.history.log(run.id, limit=2)
    assert [line.message for line in page.lines] == ["line 2", "line 3"]
    assert (page.total, page.types) == (4, [("INFO", 3), ("WARN", 1)])
    rest = store.history.log(run.id, before=2, limit=2)
    assert [line.message for line in rest.lines] == ["line 0", "line 1"]
    warnings = store.history.log(run.id, types=["WARN"])
    assert ([line.message for line in warnings.lines], warnings.total) == (["line 1"], 1)


def test_rows_and_versions_are_told(store: Store) -> None:
    add_run(store)
    assert store.statistics.rows()["runs"] == 1
    assert store.statistics.versions()["SQLite"].startswith("3.")
