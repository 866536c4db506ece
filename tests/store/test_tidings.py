# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The second outbox: what offenses are told whose triggers made no run."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.restore.model import Mapping, RunState
from app.restore.triggers import accept
from app.store.store import Store
from tests.factories import NOON, make_mapping, make_store, make_trigger
from tests.restore.test_run_words import Brackets

LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path)
    yield store
    store.close()


def repeat(store: Store, mapping: Mapping, offense_id: int, by: str = "found") -> int:
    """A trigger that is the repeat of a run, with its offense; gives the run."""
    decision = accept(store, make_trigger(mapping), NOON)
    store.trigger_offenses.found([(decision.trigger_id, offense_id, by)], now=NOON)
    assert decision.run_id is not None
    return decision.run_id


@pytest.fixture
def mapping(store: Store) -> Mapping:
    mapping = make_mapping(store)
    accept(store, make_trigger(mapping), NOON)
    return mapping


def move(store: Store, run_id: int, *states: RunState) -> None:
    for state in states:
        store.runs.record(store.runs.get(run_id), state, "so", by="app", now=NOON)


def test_an_offense_that_turns_out_to_be_the_runs_own_is_told_by_the_run(
    store: Store, mapping: Mapping
) -> None:
    run_id = repeat(store, mapping, 77)

    store.notes.found(run_id, 77, now=NOON)

    assert store.tidings.due(LATER) == []
    (note,) = store.tidings.of_offense(77)
    assert note.given_up_at == LATER
    assert store.tidings.next_due(LATER) is None


def test_a_run_whose_offense_only_the_caller_says_tells_nothing_there(
    store: Store, mapping: Mapping
) -> None:
    run_id = repeat(store, mapping, 77)

    store.notes.found(run_id, 77, now=NOON, by="caller")

    assert len(store.tidings.due(LATER)) == 1


def test_a_text_that_was_tried_stays_as_it_is(store: Store, mapping: Mapping) -> None:
    """It may have landed: another text of the same mark would say something else happened."""
    run_id = repeat(store, mapping, 77)
    (first,) = store.tidings.due(NOON)
    assert not first.may_be_there
    store.tidings.trying(first, due_at=LATER)
    move(store, run_id, RunState.STARTING, RunState.RESTORING, RunState.READY)

    (again,) = store.tidings.due(LATER)

    assert again.text == first.text
    assert again.may_be_there


def test_an_untried_text_tells_of_the_run_as_it_is_then(store: Store, mapping: Mapping) -> None:
    run_id = repeat(store, mapping, 77)
    (first,) = store.tidings.due(NOON)
    move(store, run_id, RunState.STARTING, RunState.RESTORING, RunState.READY)

    (again,) = store.tidings.due(NOON)

    assert "has not started yet" in first.text
    assert "the copy is ready" in again.text
    assert again.text.endswith(again.mark)


@pytest.mark.parametrize(
    ("told_in", "then", "again"),
    [
        ([], [RunState.STARTING, RunState.RESTORING, RunState.READY], 1),
        ([], [RunState.STARTING], 0),
        ([], [RunState.NEEDS_DECISION], 1),
        ([RunState.NEEDS_DECISION], [], 0),
        ([RunState.NEEDS_DECISION], [RunState.CANCELLED], 1),
        ([RunState.STARTING, RunState.RESTORING, RunState.READY], [RunState.COMPLETED], 0),
    ],
)
def test_the_second_note_comes_once_the_run_is_ready_has_ended_or_needs_a_person(
    store: Store, mapping: Mapping, told_in: list[RunState], then: list[RunState], again: int
) -> None:
    run_id = repeat(store, mapping, 77)
    move(store, run_id, *told_in)
    (first,) = store.tidings.due(NOON)
    store.tidings.add_seconds(NOON)
    assert len(store.tidings.of_offense(77)) == 1
    store.tidings.trying(first, due_at=LATER)
    store.tidings.posted(first, now=NOON)
    move(store, run_id, *then)

    for _ in range(2):
        store.tidings.add_seconds(NOON)

    assert len(store.tidings.of_offense(77)) == 1 + again


def test_no_second_note_follows_one_that_did_not_land(store: Store, mapping: Mapping) -> None:
    run_id = repeat(store, mapping, 77)
    (first,) = store.tidings.due(NOON)
    store.tidings.trying(first, due_at=LATER)
    store.tidings.offense_gone(first, "gone", now=NOON)
    move(store, run_id, RunState.STARTING, RunState.RESTORING, RunState.READY)

    store.tidings.add_seconds(NOON)

    assert len(store.tidings.of_offense(77)) == 1


def test_many_repeats_of_an_offense_are_one_note(store: Store, mapping: Mapping) -> None:
    for _ in range(5):
        repeat(store, mapping, 77)

    assert len(store.tidings.of_offense(77)) == 1


def test_a_note_says_probably_where_the_offense_is_not_sure(store: Store, mapping: Mapping) -> None:
    repeat(store, mapping, 77, by="probably")

    (note,) = store.tidings.due(NOON)

    assert note.text.endswith(f"(Probably this offense: another one fits as well.) {note.mark}")


def test_storms_of_one_rule_do_not_keep_its_next_triggers_waiting(
    store: Store, mapping: Mapping
) -> None:
    """What was looked for in vain comes after what was not looked for yet."""
    old = accept(store, make_trigger(mapping, detected_at=NOON), NOON).trigger_id
    (key,) = store.trigger_offenses.rules()
    store.trigger_offenses.looked(store.trigger_offenses.pending(key, limit=9))
    store.trigger_offenses.end_round()
    new = accept(store, make_trigger(mapping, detected_at=LATER), LATER).trigger_id

    found = store.trigger_offenses.pending(key, limit=9)

    assert [(each.trigger_id, each.looks) for each in found] == [(new, 0), (old, 1)]


@pytest.mark.parametrize(
    ("seconds", "of_its_run", "counts"), [(9, True, False), (11, True, True), (9, False, True)]
)
def test_a_burst_of_one_run_does_not_dispute_its_offense(
    store: Store, mapping: Mapping, seconds: int, of_its_run: bool, counts: bool
) -> None:
    """The stamps of a burst can't be told apart, and its run tells them all."""
    event_ms = int(NOON.timestamp() * 1000)
    run_id = store.runs.list()[0].id
    detected_at = NOON + timedelta(seconds=seconds)
    accept(store, make_trigger(mapping, detected_at=detected_at), NOON)

    asked = store.trigger_offenses.is_another(
        *([mapping.rule_id or 0], mapping.name, event_ms),
        until_ms=event_ms + 20_000,
        run_id=run_id if of_its_run else run_id + 1,
        event_ms=event_ms,
    )

    assert asked is counts


@pytest.mark.parametrize("by", ["found", "probably"])
def test_it_is_told_in_the_language_that_is_set_when_it_is_first_tried(
    store: Store, mapping: Mapping, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    run_id = repeat(store, mapping, 77, by=by)
    monkeypatch.setattr("app.store.settings.catalogue", lambda language: Brackets())

    (note,) = store.tidings.due(NOON)
    store.tidings.trying(note, due_at=NOON)
    monkeypatch.undo()

    text = note.text.removesuffix(f" {note.mark}")
    run = store.runs.get(run_id)
    names = (mapping.name, run.connection, run.job_name, run.kind.product, "UTC")
    assert "⟦repeat of run" in text
    assert "Probably" not in re.sub("⟦[^⟧]*⟧", "", text)
    rest = re.sub("⟦[^⟧]*⟧", " ", text)
    for name in names:
        rest = rest.replace(name, " ")
    assert re.findall("[A-Za-z]{2,}", rest) == []
    assert store.tidings.due(NOON)[0].text == note.text  # whatever is set since
