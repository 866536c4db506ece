# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Offenses at the wire: a run's offense is found, and its notes land there, each once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.qradar.console import ConsoleRefused, ConsoleUnavailable
from app.qradar.finding import GAPS_S, find_due
from app.qradar.outbox import post_due
from app.qradar.rules import list_rules
from app.restore.notes import shortened
from app.store import Database, Store
from app.store.attacks import Attacks
from app.store.audit import Audit
from app.store.notes import Notes
from app.store.qradar import QRadar
from app.store.trigger_offenses import TriggerOffenses
from tests.factories import NOON, make_connection, make_mapping, make_store, make_trigger
from tests.qradar.consoles import (
    at,
    calls,
    calm,
    client_of,
    contribute,
    new_rule,
    notes_of,
    now_ms,
    offenses_of,
)
from tests.simulators.console import ConsoleSimulator, PathSwitch
from tests.simulators.console.offenses import Rule

MINUTE_MS = 60_000
NOTES = "/api/siem/offenses"


@pytest.fixture(scope="module")
def simulator() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as simulator:
        yield simulator


@pytest.fixture
def console(simulator: ConsoleSimulator) -> ConsoleSimulator:
    calm(simulator)
    return simulator


class Desk:
    """A store with what is needed of it here, and our clock, which is not QRadar's."""

    def __init__(self, folder: Path) -> None:
        self.store: Store = make_store(folder)
        self.db = Database(folder / "store.db")
        audit = Audit(self.db)
        self.notes, self.qradar = Notes(self.db, audit), QRadar(self.db, audit)
        attacks = Attacks(self.db, audit, self.notes)
        self.others = TriggerOffenses(self.db, audit, attacks)
        self.now: datetime = NOON

    def add_run(self, rule: Rule | None, event_ms: int | None, **values: object) -> int:
        """A run of a job of its own, whose offense is looked for."""
        connection = make_connection(self.store)
        rule_id = None if rule is None else rule.id
        mapping = make_mapping(self.store, connection, rule_id=None, rule_name=None)
        detected_at = None if event_ms is None else at(event_ms)
        trigger = make_trigger(mapping, rule_id=rule_id, detected_at=detected_at, **values)
        run_id = self.store.runs.add(trigger, mapping, connection, now=self.now).id
        self.notes.begin_search(run_id, now=self.now)
        return run_id

    def add_noted_run(self, offense_id: int, *texts: str) -> int:
        """A run whose offense is known, with notes in the outbox."""
        run_id = self.add_run(None, None, offense_id=offense_id)
        self.notes.found(run_id, offense_id, now=self.now)
        for text in texts:
            self.notes.add(run_id, "started", text, now=self.now)
        return run_id

    def find(self, console: ConsoleSimulator, seconds: float = 0.0) -> None:
        self.now += timedelta(seconds=seconds)
        find_due(self.notes, self.others, self.qradar, offenses_of(console), self.now)

    def post(self, console: ConsoleSimulator, seconds: float = 0.0) -> None:
        self.now += timedelta(seconds=seconds)
        post_due(self.notes, offenses_of(console), self.now)

    def offense_of(self, run_id: int) -> int | None:
        return self.store.runs.get(run_id).offense_id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.store.close()
    desk.db.close()


# --- finding ------------------------------------------------------------------------------------


def test_the_offense_is_found_once_it_is_there(console: ConsoleSimulator, desk: Desk) -> None:
    """It appears up to two minutes after the event; looks in between find nothing."""
    rule, event = new_rule(console), now_ms()
    run_id = desk.add_run(rule, event)
    for gap in (0, *GAPS_S[:4]):
        desk.find(console, gap)
    assert desk.offense_of(run_id) is None

    offense_id = contribute(console, rule, event)
    desk.find(console, GAPS_S[4])

    assert desk.offense_of(run_id) == offense_id
    assert desk.notes.searches_due(desk.now + timedelta(hours=1)) == []


def test_the_looks_come_at_growing_gaps_and_end_after_ten_minutes(
    console: ConsoleSimulator, desk: Desk
) -> None:
    rule = new_rule(console)
    run_id = desk.add_run(rule, now_ms())
    seconds = 0
    while desk.notes.search_of(run_id) == "It is looked for.":
        desk.find(console, 1)
        seconds += 1
        assert seconds < 700

    assert 590 <= seconds <= 610
    assert len(calls(console, path="/api/analytics")) == len(GAPS_S) + 1
    assert desk.notes.search_of(run_id) == "No offense of this rule was found within ten minutes."


def test_while_the_console_is_away_nothing_is_given_up(
    console: ConsoleSimulator, desk: Desk
) -> None:
    rule, event = new_rule(console), now_ms()
    run_id = desk.add_run(rule, event)
    console.switches.down = True
    for _ in range(60):
        with pytest.raises(ConsoleUnavailable):
            desk.find(console, 60)
    console.switches.down = False
    offense_id = contribute(console, rule, event)

    desk.find(console)

    assert desk.offense_of(run_id) == offense_id


def test_of_several_offenses_the_one_that_covers_the_event_is_taken(
    console: ConsoleSimulator, desk: Desk
) -> None:
    rule, event = new_rule(console), now_ms()
    contribute(console, rule, event - 3 * MINUTE_MS)
    covering = contribute(console, rule, event - MINUTE_MS, source=f"s-{rule.id}")
    contribute(console, rule, event + MINUTE_MS, source=f"s-{rule.id}")
    contribute(console, rule, event + 2 * MINUTE_MS)
    run_id = desk.add_run(rule, event)

    desk.find(console)

    assert desk.offense_of(run_id) == covering


def test_an_offense_that_only_comes_near_must_wait_until_a_better_one_would_be_there(
    console: ConsoleSimulator, desk: Desk
) -> None:
    """The last attack's offense is there at once, this one's in a minute."""
    rule, event = new_rule(console), now_ms()
    near = contribute(console, rule, event - MINUTE_MS)
    run_id = desk.add_run(rule, event)
    late = desk.add_run(rule, event - 30_000)
    desk.find(console)
    assert desk.offense_of(run_id) is None

    own = contribute(console, rule, event)
    for gap in GAPS_S[:8]:
        desk.find(console, gap)

    assert desk.offense_of(run_id) == own
    assert desk.offense_of(late) in {near, own}


def test_the_newest_of_several_that_cover_is_taken_and_an_open_one_first(
    console: ConsoleSimulator, desk: Desk
) -> None:
    rule, event = new_rule(console), now_ms()
    contribute(console, rule, event)
    newer = contribute(console, rule, event)
    closed = contribute(console, rule, event)
    console.store.close(closed)
    run_id = desk.add_run(rule, event)

    desk.find(console)

    assert desk.offense_of(run_id) == newer


def test_another_rules_offense_is_not_taken(console: ConsoleSimulator, desk: Desk) -> None:
    rule, other, event = new_rule(console), new_rule(console), now_ms()
    contribute(console, other, event)
    run_id = desk.add_run(rule, event)

    desk.find(console)

    assert desk.offense_of(run_id) is None


def test_the_override_of_a_rule_counts_as_the_rule(console: ConsoleSimulator, desk: Desk) -> None:
    rule = new_rule(console, identifier=f"i-{now_ms()}", origin="SYSTEM")
    override = new_rule(console, linked_rule_identifier=rule.identifier, origin="OVERRIDE")
    sec = console.token("restore-service")
    desk.qradar.keep_rules(list_rules(client_of(console), sec), now=NOON)
    event = now_ms()
    offense_id = contribute(console, override, event)
    run_id = desk.add_run(rule, event)

    desk.find(console)

    assert desk.offense_of(run_id) == offense_id


def test_a_trigger_that_names_no_rule_is_given_up_at_once(
    console: ConsoleSimulator, desk: Desk
) -> None:
    run_id = desk.add_run(None, now_ms())

    desk.find(console)

    assert "named no rule" in str(desk.notes.search_of(run_id))


# --- posting ------------------------------------------------------------------------------------


def test_notes_land_in_their_order(console: ConsoleSimulator, desk: Desk) -> None:
    offense_id = contribute(console, new_rule(console), now_ms())
    run_id = desk.add_noted_run(offense_id, "one", "two")

    desk.post(console)
    desk.post(console)

    assert notes_of(console, offense_id) == [note.text for note in desk.notes.for_run(run_id)]
    assert all(note.posted_at for note in desk.notes.for_run(run_id))


def test_a_note_whose_answer_was_lost_is_not_posted_again(
    console: ConsoleSimulator, desk: Desk
) -> None:
    offense_id = contribute(console, new_rule(console), now_ms())
    run_id = desk.add_noted_run(offense_id, "one")
    console.switches.paths = {NOTES: PathSwitch(lost=True, methods="POST")}
    with pytest.raises(ConsoleUnavailable):
        desk.post(console)
    console.switches.paths = {}
    assert len(notes_of(console, offense_id)) == 1

    desk.post(console, 1)
    assert len(calls(console, "POST")) == 1  # not due yet: the lost request may still be at work
    desk.post(console, 30)

    assert len(notes_of(console, offense_id)) == 1
    assert len(calls(console, "POST")) == 1
    (note,) = desk.notes.for_run(run_id)
    assert note.posted_at is not None
    assert (note.attempts, note.error) == (2, None)


def test_our_death_after_sending_does_not_post_it_again(
    console: ConsoleSimulator, desk: Desk
) -> None:
    offense_id = contribute(console, new_rule(console), now_ms())
    run_id = desk.add_noted_run(offense_id, "one")
    (note,) = desk.notes.due(desk.now)
    assert note.run_id == run_id
    desk.notes.trying(note, due_at=desk.now)
    offenses_of(console).add_note(offense_id, note.text)

    desk.post(console)

    assert len(notes_of(console, offense_id)) == 1


def test_the_mark_is_found_among_hundreds_of_notes(console: ConsoleSimulator, desk: Desk) -> None:
    offense_id = contribute(console, new_rule(console), now_ms())
    run_id = desk.add_noted_run(offense_id, "one")
    (note,) = desk.notes.due(desk.now)
    assert note.run_id == run_id
    console.store.add_note(offense_id, note.text, "us")
    for number in range(450):
        console.store.add_note(offense_id, f"somebody's note {number}", "anna")
    console.notes[offense_id].append(console.notes[offense_id].pop(0))

    desk.post(console)

    assert len(notes_of(console, offense_id)) == 451


def test_the_longest_note_fits_the_request_line(console: ConsoleSimulator, desk: Desk) -> None:
    offense_id = contribute(console, new_rule(console), now_ms())
    texts = [shortened(letter * 5000) for letter in ("漢", "👩\u200d🚒", "x", "%", "é\n")]
    desk.add_noted_run(offense_id, *texts)

    for _ in texts:
        desk.post(console)

    assert len(notes_of(console, offense_id)) == len(texts)


def test_an_offense_that_is_gone_ends_it_with_a_word(console: ConsoleSimulator, desk: Desk) -> None:
    run_id = desk.add_noted_run(999_999, "one", "two")

    desk.post(console)

    notes = desk.notes.for_run(run_id)
    assert all(note.given_up_at for note in notes)
    assert "Offense 999999 is gone" in str(notes[0].error)
    assert desk.notes.due(desk.now + timedelta(hours=1)) == []


def test_a_note_that_qradar_refuses_is_given_up_and_the_next_one_posted(
    console: ConsoleSimulator, desk: Desk
) -> None:
    offense_id = contribute(console, new_rule(console), now_ms())
    run_id = desk.add_noted_run(offense_id, "one", "two")
    # as if it had been sent before; what is sent anew is cut to what QRadar takes
    desk.db.execute("UPDATE offense_notes SET text = ?, attempts = 1 WHERE id = 1", ("x" * 3000,))

    desk.post(console)
    desk.post(console)

    first, second = desk.notes.for_run(run_id)
    assert first.given_up_at is not None
    assert "longer than 2000" in str(first.error)
    assert second.posted_at is not None


def test_a_refused_token_ends_the_round(console: ConsoleSimulator, desk: Desk) -> None:
    offense_id = contribute(console, new_rule(console), now_ms())
    run_id = desk.add_noted_run(offense_id, "one")
    desk.add_noted_run(offense_id, "one")
    console.expire_service("restore-service", at(now_ms() - 1000))
    try:
        with pytest.raises(ConsoleRefused):
            desk.post(console)
    finally:
        console.expire_service("restore-service", at(now_ms() + 10**9))

    assert len(calls(console, path=NOTES)) <= 1
    assert desk.notes.for_run(run_id)[0].posted_at is None
