# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""QRadar's side from end to end: a note lands on the offense; an hour without a console is made up.

The hour is one of virtual time, ours; the console at the wire has its own, which goes on as ever.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from app.configuration.saving import save_mapping
from app.qradar.duties import Duties
from app.restore import triggers, watch
from app.restore.model import Mapping, Outcome, Phase, RunState
from app.restore.watched import WatchState
from tests.factories import make_mapping, make_trigger
from tests.qradar.consoles import at, client_of, contribute, new_rule, notes_of, now_ms
from tests.restore.fake_cdm import FakeCdm
from tests.restore.world import World as Heart
from tests.simulators.console import ConsoleSimulator
from tests.simulators.console.offenses import Rule
from tests.world import World, wait_for

MakeWorld = Callable[..., World]


@pytest.fixture
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as simulator:
        yield simulator


class Hour:
    """The worker's two kinds of lanes, turn by turn: the engine's and QRadar's."""

    def __init__(self, console: ConsoleSimulator, folder: Path) -> None:
        self.console, self.heart = console, Heart(folder)
        self.store, self.tick = self.heart.store, 0.0
        self.cdm: FakeCdm = self.heart.cdm
        store = self.store
        store.qradar.set_token("label", name=None, expires_at=None, by="anna", now=self.heart.now)
        self.duties = Duties(
            store,
            client_of(console, timeout=1.0),
            lambda _label: console.token("restore-service"),
            watch=partial(watch.look, store),
            watch_every_s=watch.LOOK_EVERY_S,
        )

    def close(self) -> None:
        self.duties.close()
        self.heart.close()

    def add_mapping(self, rule: Rule, job_id: str, mode: str) -> Mapping:
        mapping = make_mapping(
            self.store,
            self.heart.connection,
            rule_id=rule.id,
            rule_name=rule.name,
            job_id=job_id,
            cooldown_s=0,
        )
        now = self.heart.now
        return save_mapping(self.store, {"watch": mode}, mapping_id=mapping.id, by="anna", now=now)

    def pass_time(self, seconds: float) -> None:
        until = self.tick + seconds
        while self.tick < until:
            self.heart.engine.work(self.heart.connection.id, self.heart.now)
            nap = min(max(self.duties.turn(self.heart.now, self.tick), 0.5), 5.0)
            self.tick += nap
            self.heart.now += timedelta(seconds=nap)

    def call(self, mapping: Mapping, event_ms: int) -> int:
        """The custom action's trigger; gives the run it makes."""
        trigger = make_trigger(mapping, received_at=self.heart.now, detected_at=at(event_ms))
        decision = triggers.accept(self.store, trigger, self.heart.now)
        assert decision.outcome is Outcome.ACCEPTED
        assert decision.run_id is not None
        return decision.run_id

    def kinds(self, offense_id: int) -> list[str]:
        """What the notes on an offense tell, by their first words."""
        texts = [note.partition("UTC: ")[2] for note in notes_of(self.console, offense_id)]
        return [re.split(r"[ :]", text)[0].lower() for text in texts]


@pytest.fixture
def hour(console: ConsoleSimulator, tmp_path: Path) -> Iterator[Hour]:
    hour = Hour(console, tmp_path)
    yield hour
    hour.close()


def test_an_hour_without_a_console_is_made_up(console: ConsoleSimulator, hour: Hour) -> None:
    """Restores go on; notes land once each; each offense starts or shows at most one restore."""
    rules = [new_rule(console) for _ in range(3)]
    called = hour.add_mapping(rules[0], "1044", "act")
    silent = hour.add_mapping(rules[1], "2000", "act")
    shown = hour.add_mapping(rules[2], "3000", "notify")
    hour.pass_time(60)
    console.switches.down = True
    event = now_ms()
    run_id = hour.call(called, event)
    offense = contribute(console, rules[0], event)
    hour.pass_time(300)
    session = hour.store.runs.get(run_id).job_session_id
    assert hour.store.runs.get(run_id).state is RunState.RESTORING
    assert session is not None
    hour.cdm.become(session, Phase.READY)
    unserved = contribute(console, rules[1], now_ms())
    told = [contribute(console, rules[2], now_ms()) for _ in range(2)]
    hour.pass_time(3300)
    assert hour.store.runs.get(run_id).state is RunState.READY
    assert hour.store.runs.get(run_id).offense_id is None
    assert notes_of(console, offense) == []

    console.switches.down = False
    hour.pass_time(1500)

    assert hour.store.runs.get(run_id).offense_id == offense
    assert hour.kinds(offense) == ["started", "ready"]
    runs = hour.store.runs.list()
    assert Counter(run.mapping for run in runs) == {called.name: 1, silent.name: 1}
    made = next(run for run in runs if run.mapping == silent.name)
    assert (made.source, made.offense_id) == ("offense_watch", unserved)
    assert len(notes_of(console, unserved)) == 1  # what came of it: this CDM knows one job only
    notices = hour.store.watch.in_state(WatchState.SHOWN)
    assert {(pair.mapping_id, pair.offense_id) for pair in notices} == {
        (shown.id, number) for number in told
    }
    pair = hour.store.watch.get(called.id, offense)
    assert pair is not None
    assert pair.state is WatchState.COVERED

    hour.pass_time(3600)

    assert hour.kinds(offense) == ["started", "ready"]
    assert len(hour.store.runs.list()) == 2
    for number in (offense, unserved, *told):
        texts = notes_of(console, number)
        assert len(set(texts)) == len(texts)


def test_a_whole_life_is_told_on_the_offense(console: ConsoleSimulator, hour: Hour) -> None:
    rule = new_rule(console)
    mapping = hour.add_mapping(rule, "1044", "off")
    event = now_ms()
    run_id = hour.call(mapping, event)
    offense = contribute(console, rule, event)
    hour.pass_time(30)
    session = hour.store.runs.get(run_id).job_session_id
    assert session is not None
    hour.cdm.become(session, Phase.READY)
    hour.pass_time(900)  # so long without a trigger, and the next one is a new attack
    triggers.accept(
        hour.store,
        make_trigger(mapping, received_at=hour.heart.now, detected_at=at(event)),
        hour.heart.now,
    )
    triggers.accept(
        hour.store,
        make_trigger(mapping, received_at=hour.heart.now, detected_at=at(event)),
        hour.heart.now,
    )
    hour.pass_time(30)
    hour.cdm.become(session, Phase.COMPLETED)
    hour.pass_time(240)

    assert hour.kinds(offense) == ["started", "ready", "new", "cleaned"]


# --- the app in its container -----------------------------------------------------------------


@pytest.mark.processes
def test_a_rule_fires_and_the_offense_is_told_where_the_copy_is(make_world: MakeWorld) -> None:
    world = make_world(restore_seconds=1.0)
    world.console.switches.offense_delay = 3.0
    store_service_token(world)
    world.install_action()

    firing = world.fire()
    offense_id = firing.wait_for_offense()
    assert offense_id is not None

    notes = wait_for(
        lambda: [n for n in notes_of(world.console, offense_id) if "READY" in n], seconds=60
    )
    (run,) = world.runs()
    assert run["offense_id"] == offense_id
    assert f"run {run['id']}," in notes[0]
    assert "prod" in notes[0]
    kept = world.run(run["id"])["notes"]
    assert [note["text"] for note in kept] == notes_of(world.console, offense_id)
    assert all(note["posted_at"] for note in kept)
    secret = world.console.token("restore-service")
    for file in world.store.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file.name


def store_service_token(world: World) -> None:
    """What an administrator does on the settings page."""
    with world.session("admin") as session:
        page = session.get(world.url("settings"), timeout=30)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found is not None
        answer = session.post(
            world.url("settings/service-token"),
            data={"token": world.console.token("restore-service"), "csrf_token": found[1]},
            headers={"Referer": world.url("settings")},
            timeout=30,
            allow_redirects=False,
        )
        assert answer.status_code == 303
        assert "restore-service" in session.get(world.url("settings"), timeout=30).text


@pytest.mark.processes
def test_the_offense_of_a_repeat_learns_what_came_of_it(make_world: MakeWorld) -> None:
    """Two sources, two offenses, one restore; both name it, as notes and on the summary page."""
    world = make_world(restore_seconds=1.0)
    world.console.switches.offense_delay = 2.0
    store_service_token(world)
    world.install_action()

    first = world.fire()
    assert first.wait() is not None
    second = world.fire(sourceip="203.0.113.8")
    offense_id = second.wait_for_offense()
    assert offense_id is not None
    assert offense_id != first.wait_for_offense()

    (text,) = wait_for(lambda: notes_of(world.console, offense_id), seconds=60)[:1]
    (run,) = world.runs()
    assert f"repeat of run {run['id']}, " in text
    assert run["offense_id"] == first.offense_id
    with world.session("analyst") as session:
        shown = session.get(world.url(f"offense_fragment/{offense_id}"), timeout=30).json()["html"]
    assert f"repeat of run {run['id']}, " in shown
    assert "No restore" not in shown
