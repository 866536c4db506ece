# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker's turns at the console: outages, refused tokens, and that they are not hammered."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.qradar.console import ConsoleRefused
from app.qradar.duties import Duties, TokenUnreadable
from app.qradar.lane import SideLane
from app.qradar.offenses import Offenses
from app.store import Database
from app.store.attacks import Attacks
from app.store.audit import Audit
from app.store.notes import Notes
from app.store.qradar import QRadar
from app.store.refused_asks import RefusedAsks
from app.store.tidings import Tidings
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
)
from tests.simulators.console import ConsoleSimulator, PathSwitch

LABEL = "qradar-1"


@pytest.fixture(scope="module")
def simulator() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as simulator:
        yield simulator


@pytest.fixture
def console(simulator: ConsoleSimulator) -> ConsoleSimulator:
    calm(simulator)
    return simulator


@dataclass
class Kept:
    """The store, as far as the duties call it."""

    qradar: QRadar
    notes: Notes
    tidings: Tidings
    trigger_offenses: TriggerOffenses
    refused_asks: RefusedAsks

    def close(self) -> None:
        """The test closes it."""


class Shift:
    """Duties at a console, with both clocks in the test's hand."""

    def __init__(self, console: ConsoleSimulator, folder: Path) -> None:
        self.console, self.store = console, make_store(folder)
        self.db = Database(folder / "store.db")
        audit = Audit(self.db)
        notes = Notes(self.db, audit)
        attacks = Attacks(self.db, audit, notes)
        self.kept = Kept(
            *(QRadar(self.db, audit), notes),
            *(
                Tidings(self.db, audit),
                TriggerOffenses(self.db, audit, attacks),
                RefusedAsks(self.db),
            ),
        )
        self.tokens = {LABEL: console.token("restore-service")}
        self.looks: list[float] = []
        self.watch: Callable[[Offenses, datetime], None] = lambda offenses, now: None
        self.tick, self.now = 0.0, NOON
        self.start_anew()

    def start_anew(self) -> None:
        """The worker's process, with all that it remembered gone."""
        self.duties = Duties(
            self.kept,
            client_of(self.console, timeout=1.0),
            self.secret,
            watch=self.look,
            watch_every_s=15.0,
        )

    def secret(self, label: str) -> str:
        if label not in self.tokens:
            raise TokenUnreadable("The stored service token can't be read.")
        return self.tokens[label]

    def look(self, offenses: Offenses, now: datetime) -> None:
        self.looks.append(self.tick)
        self.watch(offenses, now)

    def store_token(self, label: str | None = LABEL) -> None:
        self.kept.qradar.set_token(label, name=None, expires_at=None, by="anna", now=self.now)

    def note(self, offense_id: int) -> int:
        """A run whose offense is known, and a note that waits for it."""
        connection = make_connection(self.store)
        mapping = make_mapping(self.store, connection)
        run_id = self.store.runs.add(make_trigger(mapping), mapping, connection, now=self.now).id
        self.kept.notes.found(run_id, offense_id, now=self.now)
        self.kept.notes.add(run_id, "started", "one", now=self.now)
        return run_id

    def run(self, seconds: float) -> int:
        """Let time pass as the lane would; give the number of turns."""
        until, turns = self.tick + seconds, 0
        while self.tick < until:
            nap = max(self.duties.turn(self.now, self.tick), 0.05)
            self.tick, self.now = self.tick + nap, self.now + timedelta(seconds=nap)
            turns += 1
        return turns

    @property
    def error(self) -> str | None:
        return self.kept.qradar.console().contact_error


@pytest.fixture
def shift(console: ConsoleSimulator, tmp_path: Path) -> Iterator[Shift]:
    shift = Shift(console, tmp_path)
    yield shift
    shift.duties.close()
    shift.store.close()
    shift.db.close()


def test_without_a_service_token_nothing_is_asked(shift: Shift) -> None:
    shift.note(1)

    shift.run(60)

    assert shift.console.requests == []


def test_with_a_token_the_rules_are_read_its_end_is_known_and_the_watch_looks(
    shift: Shift,
) -> None:
    rule = new_rule(shift.console)
    ends = at(now_ms() // 1000 * 1000 + 86_400_000)
    shift.console.expire_service("restore-service", ends)
    shift.store_token()

    shift.run(61)

    kept = shift.kept.qradar
    assert kept.rule(rule.id) is not None
    assert kept.console().token_name == "restore-service"
    assert kept.console().token_expires_at == ends
    assert kept.console().contact_at is not None
    assert shift.error is None
    assert len(shift.looks) == 5
    assert len(calls(shift.console, path="/api/analytics/rules")) == 1
    shift.run(600)
    assert len(calls(shift.console, path="/api/analytics/rules")) == 2


def test_a_token_without_admin_does_all_but_list_the_rules(shift: Shift) -> None:
    offense_id = contribute(shift.console, new_rule(shift.console), now_ms())
    shift.tokens[LABEL] = shift.console.token("restore-trigger")
    shift.store_token()
    shift.note(offense_id)

    shift.run(20)

    assert len(notes_of(shift.console, offense_id)) == 1
    assert shift.error is None
    assert shift.kept.qradar.console().rules_at is None


def test_notes_of_an_hour_without_a_console_land_afterwards_once_each(shift: Shift) -> None:
    offense_id = contribute(shift.console, new_rule(shift.console), now_ms())
    shift.store_token()
    shift.run(20)
    shift.console.switches.down = True
    for _ in range(6):
        shift.note(offense_id)
        shift.run(600)
    assert shift.error is not None
    assert len(shift.console.requests) < 400
    shift.console.switches.down = False

    shift.run(660)

    assert len(notes_of(shift.console, offense_id)) == 6
    assert len(set(notes_of(shift.console, offense_id))) == 6
    assert shift.error is None


def test_a_refused_token_is_shown_and_not_hammered(shift: Shift) -> None:
    """QRadar locks a host out that shows it bad tokens."""
    shift.tokens[LABEL] = "11111111-2222-3333-4444-555555555555"
    shift.store_token()
    shift.note(1)

    shift.run(3600)

    assert len(shift.console.requests) <= 6
    assert "does not accept the service token" in str(shift.error)


def test_a_worker_that_starts_anew_does_not_show_a_refused_token_again(shift: Shift) -> None:
    shift.tokens[LABEL] = "11111111-2222-3333-4444-555555555555"
    shift.store_token()
    shift.note(1)
    shift.run(1)
    shift.console.requests.clear()

    for _ in range(5):
        shift.start_anew()
        shift.run(100)
    assert shift.console.requests == []
    shift.run(110)
    assert len(shift.console.requests) == 1


def test_a_lock_out_is_told_as_what_it_is_and_its_end_is_noticed_soon(shift: Shift) -> None:
    offense_id = contribute(shift.console, new_rule(shift.console), now_ms())
    shift.console.switches.lockout_after = 1
    client = client_of(shift.console)
    with pytest.raises(ConsoleRefused):
        client.request("GET", "/api/siem/offenses", sec="11111111-2222-3333-4444-555555555555")
    shift.store_token()
    shift.note(offense_id)

    shift.run(3600)

    assert "QRadar has locked this app's host out after failed log-ins" in str(shift.error)
    assert "Login Host Whitelist" in str(shift.error)
    assert "service token" not in str(shift.error)
    assert len(shift.console.requests) <= 32
    shift.console.identity.unlock()
    shift.run(130)
    assert len(notes_of(shift.console, offense_id)) == 1
    assert shift.error is None


def test_another_token_is_tried_at_once(shift: Shift) -> None:
    offense_id = contribute(shift.console, new_rule(shift.console), now_ms())
    shift.tokens["bad"] = "11111111-2222-3333-4444-555555555555"
    shift.store_token("bad")
    shift.note(offense_id)
    shift.run(10)
    assert notes_of(shift.console, offense_id) == []

    shift.store_token()
    shift.run(40)

    assert len(notes_of(shift.console, offense_id)) == 1
    assert shift.error is None


def test_a_token_that_cant_be_read_is_shown(shift: Shift) -> None:
    shift.store_token("lost")

    shift.run(10)

    assert "can't be read" in str(shift.error)
    assert shift.console.requests == []


def test_a_refused_watch_holds_up_no_note(shift: Shift) -> None:
    offense_id = contribute(shift.console, new_rule(shift.console), now_ms())

    def refused(offenses: Offenses, now: datetime) -> None:
        raise ConsoleRefused(422, 1010, "filter can't be read")

    shift.watch = refused
    shift.store_token()
    shift.note(offense_id)
    shift.run(60)
    shift.note(offense_id)
    shift.run(60)

    assert len(notes_of(shift.console, offense_id)) == 2
    assert len(shift.looks) == 1


def test_a_role_without_offenses_is_explained(shift: Shift) -> None:
    shift.console.add_role("Nothing")
    shift.tokens[LABEL] = shift.console.add_service("nothing", "Nothing")
    shift.store_token()
    shift.note(1)

    shift.run(30)

    assert "Its role needs Offenses" in str(shift.error)


def test_a_hanging_console_ends_a_turn_by_its_time_limit(shift: Shift) -> None:
    shift.console.switches.paths = {"/api/": PathSwitch(hang=True)}
    shift.store_token()

    shift.run(1)

    assert "does not answer in time" in str(shift.error)
    shift.console.switches.paths = {}


# --- the lane -----------------------------------------------------------------------------------


class Job:
    """Work that a lane does."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.closed = fails, False
        self.turned = threading.Event()

    def turn(self, now: datetime, tick: float) -> float:
        self.turned.set()
        if self.fails:
            raise ZeroDivisionError
        return 60.0

    def close(self) -> None:
        self.closed = True


def test_work_that_fails_stops_neither_the_lane_nor_the_other_work() -> None:
    bad, good = Job(fails=True), Job()
    lane = SideLane("test", lambda: [bad, good], lambda: NOON)
    lane.start()
    assert good.turned.wait(5)
    for job in (bad, good):
        job.turned.clear()

    lane.wake()

    assert bad.turned.wait(5)
    assert good.turned.wait(5)
    lane.stop()
    lane.join(5)
    assert not lane.is_alive()
    assert bad.closed
    assert good.closed
