# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The outbox of offense notes: order, dueness, giving up; and the runs whose offense is sought."""

from collections.abc import Iterator
from datetime import timedelta
from gettext import NullTranslations
from pathlib import Path

import pytest

from app.languages import catalogue, languages
from app.message import Message
from app.restore.notes import as_posted
from app.store import Database
from app.store.audit import Audit
from app.store.notes import Notes
from app.store.store import Store
from tests.factories import NOON, make_connection, make_mapping, make_store, make_trigger
from tests.restore.test_run_words import Brackets


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def notes(store: Store, tmp_path: Path) -> Iterator[Notes]:
    db = Database(tmp_path / "store.db")
    yield Notes(db, Audit(db))
    db.close()


def add_run(store: Store, **values: object) -> int:
    """A run of a job of its own; its offense, if one is given, is known for sure."""
    if "offense_id" in values:
        values["source"] = "offense_watch"
    connection = make_connection(store)
    mapping = make_mapping(store, connection)
    return store.runs.add(make_trigger(mapping, **values), mapping, connection, now=NOON).id


def test_each_note_carries_a_mark_of_its_own_at_its_end(store: Store, notes: Notes) -> None:
    run_id = add_run(store)
    notes.found(run_id, 77, now=NOON)
    for text in ("one", "two"):
        notes.add(run_id, "started", text, now=NOON)

    (first,) = notes.due(NOON)
    second = notes.for_run(run_id)[-1]

    assert first.text == f"one {first.mark}"
    assert first.mark != second.mark
    assert first.mark.startswith(f"[SR-{run_id}-")


def test_nothing_is_due_before_the_offense_is_known(store: Store, notes: Notes) -> None:
    run_id = add_run(store)
    notes.begin_search(run_id, now=NOON)
    notes.add(run_id, "started", "one", now=NOON)
    assert notes.due(NOON) == []

    notes.found(run_id, 77, now=NOON)

    assert [note.offense_id for note in notes.due(NOON)] == [77]
    assert store.runs.get(run_id).offense_id == 77
    assert notes.searches_due(NOON) == []


def test_the_notes_of_one_run_leave_in_their_order_and_hold_up_no_other_run(
    store: Store, notes: Notes
) -> None:
    first, second = add_run(store, offense_id=1), add_run(store, offense_id=2)
    for run_id in (first, second):
        notes.add(run_id, "started", "one", now=NOON)
        notes.add(run_id, "ready", "two", now=NOON)
    stuck = notes.due(NOON)[0]
    notes.trying(stuck, due_at=NOON + timedelta(minutes=1))
    notes.posted(notes.due(NOON)[0], now=NOON)

    assert [(note.run_id, note.kind) for note in notes.due(NOON)] == [(second, "ready")]

    notes.posted(stuck, now=NOON)
    assert [(note.run_id, note.kind) for note in notes.due(NOON)] == [
        (first, "ready"),
        (second, "ready"),
    ]


def test_a_time_beyond_the_largest_gap_is_a_clock_that_stepped(store: Store, notes: Notes) -> None:
    run_id = add_run(store, offense_id=1)
    notes.add(run_id, "started", "one", now=NOON)
    yesterday = NOON - timedelta(days=1)

    assert len(notes.due(yesterday)) == 1
    assert notes.next_due(yesterday) == yesterday
    assert notes.due(NOON - timedelta(minutes=5)) == []


def test_one_note_that_qradar_does_not_take_is_given_up_alone(store: Store, notes: Notes) -> None:
    run_id = add_run(store, offense_id=1)
    notes.add(run_id, "started", "one", now=NOON)
    notes.add(run_id, "ready", "two", now=NOON)

    notes.give_up_one(notes.due(NOON)[0], "no", now=NOON)

    assert [note.kind for note in notes.due(NOON)] == ["ready"]
    assert notes.for_run(run_id)[0].error == "no"
    assert store.audit.recent(1)[0].action == "run.notes_given_up"


def test_a_search_that_is_given_up_takes_the_notes_along_the_later_ones_too(
    store: Store, notes: Notes
) -> None:
    run_id = add_run(store)
    notes.begin_search(run_id, now=NOON)
    notes.add(run_id, "started", "one", now=NOON)
    assert notes.search_of(run_id) == "It is looked for."

    notes.give_up_search(run_id, "No offense was found.", now=NOON)
    notes.add(run_id, "ready", "two", now=NOON)

    assert notes.search_of(run_id) == "No offense was found."
    assert {note.error for note in notes.for_run(run_id)} == {"No offense was found."}
    assert all(note.given_up_at for note in notes.for_run(run_id))
    assert notes.next_due(NOON) is None


def test_a_search_takes_the_mappings_rule_where_the_trigger_told_none(
    store: Store, notes: Notes
) -> None:
    connection = make_connection(store)
    mapping = make_mapping(store, connection, rule_id=4242)
    trigger = make_trigger(mapping=mapping.name, rule_id=None)
    run_id = store.runs.add(trigger, mapping, connection, now=NOON).id
    notes.begin_search(run_id, now=NOON)
    notes.begin_search(run_id, now=NOON)

    assert [search.rule_id for search in notes.searches_due(NOON)] == [4242]


def test_an_answered_look_that_found_nothing_is_counted(store: Store, notes: Notes) -> None:
    run_id = add_run(store)
    notes.begin_search(run_id, now=NOON)

    notes.look_again(run_id, due_at=NOON + timedelta(seconds=5))

    assert notes.searches_due(NOON) == []
    assert notes.next_due(NOON) == NOON + timedelta(seconds=5)
    assert [search.attempts for search in notes.searches_due(NOON + timedelta(seconds=5))] == [1]


# --- in which language ----------------------------------------------------------------------------

WORDS = Message("the copy is ready")
PLAIN = "the copy is ready"


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    """English has no catalogue; any other language brackets its words."""

    def words(language: str) -> NullTranslations:
        return NullTranslations() if language == "en" else Brackets()

    monkeypatch.setattr("app.store.settings.catalogue", words)


def known_run(store: Store, notes: Notes, *, by: str = "found") -> int:
    run_id = add_run(store)
    notes.begin_search(run_id, now=NOON)
    notes.found(run_id, 77, now=NOON, by=by)
    return run_id


@pytest.mark.usefixtures("bracketed")
def test_a_note_is_sent_in_the_language_that_is_set_then(store: Store, notes: Notes) -> None:
    notes.add(known_run(store, notes), "ready", WORDS, now=NOON)
    store.settings.set("language", "xx", by="ann", now=NOON)

    (note,) = notes.due(NOON)

    assert note.text == f"{WORDS.said(Brackets())} {note.mark}"
    assert "⟦" in note.text


@pytest.mark.usefixtures("bracketed")
def test_a_note_that_may_stand_in_the_offense_stays_as_it_was_sent(
    store: Store, notes: Notes
) -> None:
    run_id = known_run(store, notes)
    notes.add(run_id, "ready", WORDS, now=NOON)
    (before,) = notes.for_run(run_id)
    (sent,) = notes.due(NOON)

    notes.trying(sent, due_at=NOON)
    store.settings.set("language", "xx", by="ann", now=NOON)

    assert isinstance(before.text, Message)  # until then a page says it in its reader's language
    assert notes.due(NOON)[0].text == sent.text == f"{PLAIN} {sent.mark}"
    assert notes.for_run(run_id)[0].text == sent.text
    assert [before.with_mark, notes.for_run(run_id)[0].with_mark] == [sent.text] * 2


@pytest.mark.usefixtures("bracketed")
def test_a_doubt_about_the_offense_is_said_before_the_mark(store: Store, notes: Notes) -> None:
    run_id = known_run(store, notes, by="probably")
    notes.add(run_id, "ready", WORDS, now=NOON)
    doubt = "(Probably this offense: another one fits as well.)"

    assert notes.due(NOON)[0].text == f"{PLAIN} {doubt} {notes.due(NOON)[0].mark}"
    assert notes.for_run(run_id)[0].with_mark == notes.due(NOON)[0].text
    store.settings.set("language", "xx", by="ann", now=NOON)
    assert f"⟧ ⟦{doubt}" in notes.due(NOON)[0].text


@pytest.mark.parametrize("by", ["found", "probably"])
def test_a_note_that_version_1_0_0_left_has_its_mark_once(
    store: Store, notes: Notes, by: str
) -> None:
    run_id = known_run(store, notes, by=by)
    notes.add(run_id, "ready", WORDS, now=NOON)
    mark = notes.for_run(run_id)[0].mark
    store._db.execute("UPDATE offense_notes SET text = ?", (f"of old {mark}",))

    doubt = " (Probably this offense: another one fits as well.)" if by == "probably" else ""
    assert notes.due(NOON)[0].text == f"of old{doubt} {mark}"


@pytest.mark.parametrize("language", languages())
def test_what_stands_behind_a_note_leaves_it_shorter_than_qradar_takes(language: str) -> None:
    text = as_posted("x" * 5000, "[SR-1000000-100-abcd]", catalogue(language), probably=True)

    assert len(text) <= 2000
