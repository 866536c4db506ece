# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The last start of a job: in the history's order, with what came of it."""

from datetime import timedelta

from app.restore.cooling import LastStart
from app.restore.model import Mapping, Run, RunState
from app.store import Store
from tests.factories import NOON, make_mapping
from tests.store.test_runs import force, make_run, record

S = RunState


def at(seconds: float) -> object:
    return NOON + timedelta(seconds=seconds)


def start(store: Store, mapping: Mapping, seconds: float) -> Run:
    return record(store, make_run(store, mapping), S.STARTING, sent_at=at(seconds))


def fail(store: Store, run: Run, seconds: float, **changes: object) -> None:
    now = NOON + timedelta(seconds=seconds)
    store.runs.record(run, S.FAILED, "no", by="app", now=now, changes=changes)


def last(store: Store, mapping: Mapping) -> LastStart | None:
    return store.starts.last(mapping.connection_id, mapping.job_id)


def test_it_is_the_jobs_own_and_skips_what_never_started(store: Store) -> None:
    mapping, other = make_mapping(store), make_mapping(store, job_id="2000")
    assert last(store, mapping) is None
    first = start(store, mapping, 0)
    force(store, first, S.COMPLETED)
    force(store, make_run(store, mapping), S.CANCELLED)
    start(store, other, 3600)
    assert last(store, mapping) == LastStart(first.id, NOON)


def test_what_comes_after_the_start_does_not_put_it_off(store: Store) -> None:
    mapping = make_mapping(store)
    run = start(store, mapping, 0)
    later = NOON + timedelta(seconds=50)
    store.runs.record(run, S.RESTORING, "found", by="app", now=later)
    assert last(store, mapping) == LastStart(run.id, NOON)


def test_the_same_job_id_on_another_connection_is_another_job(store: Store) -> None:
    mapping, other = make_mapping(store), make_mapping(store)
    start(store, other, 0)
    assert last(store, mapping) is None


def test_the_second_start_is_the_last_one(store: Store) -> None:
    mapping = make_mapping(store)
    force(store, start(store, mapping, 0), S.COMPLETED)
    second = start(store, mapping, 1000)
    assert last(store, mapping) == LastStart(second.id, at(1000))


def test_a_run_that_was_approved_later_was_started_later(store: Store) -> None:
    mapping = make_mapping(store)
    early = force(store, make_run(store, mapping), S.AWAITING_APPROVAL)
    force(store, start(store, mapping, 100), S.COMPLETED)
    early = record(store, early, S.QUEUED)
    record(store, early, S.STARTING, sent_at=at(500))
    assert last(store, mapping) == LastStart(early.id, at(500))


def test_the_order_is_the_historys_not_the_clocks(store: Store) -> None:
    mapping = make_mapping(store)
    force(store, start(store, mapping, 86400), S.COMPLETED)
    second = start(store, mapping, 0)
    assert last(store, mapping) == LastStart(second.id, NOON)


def test_a_start_that_proved_to_have_no_effect_gives_way_to_the_one_before(store: Store) -> None:
    mapping = make_mapping(store)
    first = force(store, start(store, mapping, 0), S.COMPLETED)
    record(store, start(store, mapping, 1000), S.QUEUED, sent_at=None)
    assert last(store, mapping) == LastStart(first.id, NOON, ended_at=None)


def test_what_cdm_refused_counts_from_its_end_though_it_never_started(store: Store) -> None:
    mapping = make_mapping(store)
    run = start(store, mapping, 0)
    fail(store, run, 6, sent_at=None)
    assert last(store, mapping) == LastStart(run.id, at(6), failures=1, failed=True, ended_at=at(6))


def test_what_cdm_refused_before_a_start_was_sent_counts_too(store: Store) -> None:
    mapping = make_mapping(store)
    run = make_run(store, mapping)
    fail(store, run, 2)
    assert last(store, mapping) == LastStart(run.id, at(2), failures=1, failed=True, ended_at=at(2))


def test_a_copy_that_was_up_before_it_failed_is_no_failure(store: Store) -> None:
    mapping = make_mapping(store)
    run = record(store, start(store, mapping, 0), S.RESTORING)
    run = record(store, run, S.READY, ready_at=at(100))
    fail(store, run, 200)
    assert last(store, mapping) == LastStart(run.id, NOON, ended_at=at(200))


def test_only_a_copy_that_came_up_ends_a_row_of_failures(store: Store) -> None:
    mapping = make_mapping(store)
    for number in (1, 2):
        fail(store, start(store, mapping, number), number)
    cancelled = force(store, start(store, mapping, 3), S.CANCELLED)
    assert last(store, mapping) == LastStart(cancelled.id, at(3), failures=2)
    fail(store, start(store, mapping, 4), 4)
    found = last(store, mapping)
    assert found is not None
    assert (found.failures, found.failed) == (3, True)
    up = record(store, record(store, start(store, mapping, 5), S.RESTORING), S.COMPLETED)
    assert last(store, mapping) == LastStart(up.id, at(5), ended_at=NOON)
    fail(store, start(store, mapping, 6), 6)
    found = last(store, mapping)
    assert found is not None
    assert found.failures == 1


def test_another_jobs_failures_and_copies_do_not_count(store: Store) -> None:
    mapping, other = make_mapping(store), make_mapping(store)
    fail(store, start(store, mapping, 0), 1)
    fail(store, start(store, other, 0), 1)
    record(store, record(store, start(store, other, 2), S.RESTORING), S.READY, ready_at=NOON)
    found = last(store, mapping)
    assert found is not None
    assert found.failures == 1


def test_a_start_that_was_given_up_is_unknown_and_one_that_cdm_cancelled_is_not(
    store: Store,
) -> None:
    mapping = make_mapping(store)
    given_up = record(store, start(store, mapping, 0), S.NEEDS_DECISION)
    record(store, given_up, S.CANCELLED)
    assert last(store, mapping) == LastStart(given_up.id, NOON, unknown=True, ended_at=NOON)
    cancelled = record(store, start(store, mapping, 5), S.RESTORING)
    record(store, cancelled, S.CANCELLED)
    assert last(store, mapping) == LastStart(cancelled.id, at(5), ended_at=NOON)


def test_a_start_that_a_person_found_and_cdm_cancelled_is_not_unknown(store: Store) -> None:
    mapping = make_mapping(store)
    asked = record(store, start(store, mapping, 0), S.NEEDS_DECISION)
    record(store, record(store, asked, S.RESTORING), S.CANCELLED)
    assert last(store, mapping) == LastStart(asked.id, NOON, ended_at=NOON)


def test_a_corrected_start_counts_from_then_on(store: Store) -> None:
    mapping = make_mapping(store)
    run = start(store, mapping, 86400)
    store.starts.correct(run.id, NOON)
    assert last(store, mapping) == LastStart(run.id, NOON)


def test_the_last_failure_is_whichever_jobs(store: Store) -> None:
    assert store.starts.last_failure() is None
    fail(store, start(store, make_mapping(store), 0), 9)
    fail(store, start(store, make_mapping(store, job_id="2000"), 0), 5)
    assert store.starts.last_failure() == (1, at(9))


def test_a_start_after_a_failure_is_none_itself_and_forgets_none(store: Store) -> None:
    mapping = make_mapping(store)
    fail(store, start(store, mapping, 0), 1)
    run = start(store, mapping, 2)
    assert last(store, mapping) == LastStart(run.id, at(2), failures=1)


def test_a_copy_that_is_up_or_failed_after_that_is_no_failure_and_forgets_all(store: Store) -> None:
    mapping = make_mapping(store)
    fail(store, start(store, mapping, 0), 1)
    run = record(store, start(store, mapping, 2), S.RESTORING)
    run = record(store, run, S.READY, ready_at=at(3))
    assert last(store, mapping) == LastStart(run.id, at(2))
    fail(store, run, 4)
    assert last(store, mapping) == LastStart(run.id, at(2), ended_at=at(4))


def test_a_copy_that_was_up_and_failed_later_begins_the_row_anew(store: Store) -> None:
    mapping = make_mapping(store)
    fail(store, start(store, mapping, 0), 1)
    for seconds in (10, 20):
        run = record(store, start(store, mapping, seconds), S.RESTORING)
        run = record(store, run, S.READY, ready_at=at(seconds))
        fail(store, run, seconds + 1)
        fail(store, start(store, mapping, seconds + 2), seconds + 3)
    found = last(store, mapping)
    assert found is not None
    assert found.failures == 1


def test_of_many_failures_the_last_is_found(store: Store) -> None:
    mapping = make_mapping(store)
    for seconds in range(25):
        fail(store, start(store, mapping, seconds), seconds)
    assert store.starts.last_failure() == (25, at(24))
