# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Every offense of an attack learns what came of its trigger, and no run's offense is mistaken.

The store, the duties at the console and the console are real; CDM's part is written into the store.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from app.qradar.duties import Duties
from app.qradar.telling import CALLS_A_MINUTE
from app.restore import triggers
from app.restore.model import Decision, Mapping, Mode, Outcome, RunState
from app.store import Database, Store
from tests.factories import NOON, make_connection, make_mapping, make_store, make_trigger
from tests.qradar.consoles import at, calm, client_of, contribute, new_rule, notes_of, now_ms
from tests.simulators.console import ConsoleSimulator, PathSwitch
from tests.simulators.console.offenses import Rule

NOTES = "/api/siem/offenses/"


@pytest.fixture(scope="module")
def simulator() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as simulator:
        yield simulator


@pytest.fixture
def console(simulator: ConsoleSimulator) -> ConsoleSimulator:
    calm(simulator)
    return simulator


class Desk:
    """The worker's duties at a console, with both clocks in the test's hand."""

    def __init__(self, console: ConsoleSimulator, folder: Path) -> None:
        self.console, self.folder = console, folder
        self.store: Store = make_store(folder)
        self.tick, self.now = 0.0, NOON
        self.connection = make_connection(self.store)
        self.store.qradar.set_token("label", name=None, expires_at=None, by="a", now=NOON)
        self.begin()

    def begin(self) -> None:
        """The worker's beginning, or its next one after a crash."""
        token = self.console.token("restore-service")
        self.duties = Duties(
            Store(Database(self.folder / "store.db")),
            client_of(self.console),
            lambda _label: token,
            watch=lambda _offenses, _now: None,
            watch_every_s=10**6,
        )

    def close(self) -> None:
        self.duties.close()
        self.store.close()

    def map(self, rule: Rule, **more: object) -> Mapping:
        values = {"rule_id": rule.id, "rule_name": rule.name, **more}
        return make_mapping(self.store, self.connection, **values)

    def call(self, mapping: Mapping, /, event_ms: int, **more: object) -> Decision:
        """The custom action's call."""
        values = {"received_at": self.now, "detected_at": at(event_ms), **more}
        return triggers.accept(self.store, make_trigger(mapping, **values), self.now)

    def start(self, mapping: Mapping, /, event_ms: int, **more: object) -> int:
        decision = self.call(mapping, event_ms, **more)
        assert decision.outcome is Outcome.ACCEPTED
        assert decision.run_id is not None
        return decision.run_id

    def move(self, run_id: int, *states: RunState, **changes: object) -> None:
        for state in states:
            run = self.store.runs.get(run_id)
            sent = {"sent_at": self.now} if state is RunState.STARTING else {}
            self.store.runs.record(run, state, "so", by="app", now=self.now, changes=sent | changes)

    def run(self, seconds: float) -> None:
        """Let time pass as the lane would."""
        until = self.tick + seconds
        while self.tick < until:
            nap = max(self.duties.turn(self.now, self.tick), 0.05)
            self.tick, self.now = self.tick + nap, self.now + timedelta(seconds=nap)

    def told(self, offense_id: int) -> list[str]:
        """What an offense's notes tell, without their beginning and their mark."""
        texts = [note.partition("UTC: ")[2] for note in notes_of(self.console, offense_id)]
        return [text.partition(" [SR-")[0] for text in texts]


@pytest.fixture
def desk(console: ConsoleSimulator, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(console, tmp_path)
    yield desk
    desk.close()


READY = (RunState.STARTING, RunState.RESTORING, RunState.READY)


def looked_for(desk: Desk) -> int:
    """How many triggers' offenses are looked for."""
    offenses = desk.store.trigger_offenses
    return sum(len(offenses.pending(key, limit=1000)) for key in offenses.rules())


def test_each_offense_of_an_attack_learns_twice_at_most_what_came_of_it(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    desk.move(run_id, RunState.STARTING, RunState.RESTORING)
    own = contribute(desk.console, rule, event)
    others = []
    for number in (1, 2):
        assert desk.call(mapping, event + number * 20_000).outcome is Outcome.ALREADY_RUNNING
        others.append(contribute(desk.console, rule, event + number * 20_000))

    desk.run(30)
    desk.move(run_id, RunState.READY)
    desk.run(30)
    desk.move(run_id, RunState.COMPLETED)
    desk.call(mapping, event + 20_000)
    desk.run(60)

    assert desk.store.runs.get(run_id).offense_id == own
    assert [text.partition(":")[0] for text in desk.told(own)] == ["started", "READY", "cleaned up"]
    for offense_id in others:
        first, second = desk.told(offense_id)
        assert first.startswith(f"repeat of run {run_id}, the copy is being restored (")
        assert second.startswith(f"run {run_id}, of which the trigger here was a repeat: the copy")
        assert "the copy is ready (" in second
        assert f"offense {own})" in second


def test_an_offense_that_is_told_late_is_told_once_how_it_stands_then(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    contribute(desk.console, rule, event)
    desk.call(mapping, event + 20_000)
    other = contribute(desk.console, rule, event + 20_000)
    desk.move(run_id, *READY)

    desk.run(60)

    (text,) = desk.told(other)
    assert text.startswith(f"repeat of run {run_id}, the copy is ready (")


def test_a_repeat_in_the_runs_own_offense_adds_nothing_there(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    desk.move(run_id, *READY)
    desk.call(mapping, event + 5_000)
    own = contribute(desk.console, rule, event, source=f"s-{rule.id}")
    contribute(desk.console, rule, event + 5_000, source=f"s-{rule.id}")

    desk.run(60)

    assert [text.partition(":")[0] for text in desk.told(own)] == ["started", "READY"]
    assert desk.store.tidings.of_offense(own) == []


def test_why_nothing_was_started_is_told_once_a_day(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    desk.store.settings.set_mode(Mode.DISARMED, by="anna", now=desk.now)
    offense_id = contribute(desk.console, rule, event)
    for _ in range(3):
        assert desk.call(mapping, event).outcome is Outcome.DISARMED
        desk.run(30)

    assert desk.told(offense_id) == ["not started: the app is disarmed."]

    desk.now += timedelta(days=1)
    desk.call(mapping, event)
    desk.run(30)

    assert desk.told(offense_id) == ["not started: the app is disarmed."] * 2


def test_a_cool_down_is_told_with_its_end(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule, cooldown_s=4500)
    run_id = desk.start(mapping, event)
    desk.move(run_id, RunState.STARTING, sent_at=NOON, cools_from=NOON, cools_order=1)
    desk.move(run_id, RunState.RESTORING, RunState.COMPLETED)
    contribute(desk.console, rule, event)
    desk.now += timedelta(minutes=1)
    assert desk.call(mapping, event + 60_000).outcome is Outcome.COOLING_DOWN
    other = contribute(desk.console, rule, event + 60_000)

    desk.run(60)

    (text,) = desk.told(other)
    assert text.startswith(f"not started: cooling down until 13:15 UTC after run {run_id} (")


def test_a_rule_that_no_mapping_knows_has_its_offense_told_so(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    desk.run(1)  # the rules are listed
    trigger = make_trigger(None, rule_id=rule.id, received_at=desk.now, detected_at=at(event))
    triggers.accept(desk.store, trigger, desk.now)
    for name in (None, rule.name):
        invented = make_trigger(None, rule_id=987_654, rule_name=name, received_at=desk.now)
        triggers.accept(desk.store, invented, desk.now)
    assert looked_for(desk) == 1
    offense_id = contribute(desk.console, rule, event)

    desk.run(40)

    (text,) = desk.told(offense_id)
    assert text.startswith(f"not started: No mapping for rule id {rule.id}")
    assert looked_for(desk) == 0


def test_a_new_attack_is_told_in_its_own_offense(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    contribute(desk.console, rule, event)
    desk.move(run_id, *READY)
    desk.call(mapping, event + 60_000)
    told_before = contribute(desk.console, rule, event + 60_000, source=f"t-{rule.id}")
    desk.run(60)
    desk.now += timedelta(hours=1)
    late = event + 3_600_000
    desk.call(mapping, late)
    attack = contribute(desk.console, rule, late)
    desk.run(60)

    (text,) = desk.told(attack)
    assert text.startswith(f"NEW ATTACK while run {run_id} is still mounted")

    desk.store.attacks.acknowledge(1, by="anna", now=desk.now)
    desk.now += timedelta(hours=1)
    later = event + 7_200_000
    desk.call(mapping, later)
    desk.console.store.contributions[rule.id, told_before]["last_event"] = later
    desk.run(60)

    first, second = desk.told(told_before)
    assert first.startswith(f"repeat of run {run_id}")
    assert second.startswith("NEW ATTACK")


def test_another_offense_that_is_found_once_nothing_cools_down_is_told_as_a_new_attack(
    desk: Desk,
) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule, cooldown_s=0)
    run_id = desk.start(mapping, event)
    desk.move(run_id, *READY)
    contribute(desk.console, rule, event)
    desk.run(30)
    desk.call(mapping, event + 60_000)
    other = contribute(desk.console, rule, event + 60_000)

    desk.run(30)

    (text,) = desk.told(other)
    assert text.startswith(f"NEW ATTACK while run {run_id} is still mounted")
    assert [one.offense_id for one in desk.store.attacks.open()] == [other]


# --- which offense ------------------------------------------------------------------------------


@pytest.mark.parametrize("delay", [0, 5_000, 45_000])
def test_a_rule_that_fires_again_a_minute_later_leaves_the_run_its_own_offense(
    desk: Desk, delay: int
) -> None:
    """It fired again before the first offense was attributed, and stamps come late (issue 8, 8)."""
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    desk.move(run_id, *READY)
    for minute in (1, 2, 3):
        desk.call(mapping, event + minute * 60_000)
    desk.run(20)
    offenses = [
        contribute(desk.console, rule, event + minute * 60_000 + delay) for minute in range(4)
    ]

    desk.run(400)

    assert desk.store.runs.get(run_id).offense_id == offenses[0]
    assert [text.partition(":")[0] for text in desk.told(offenses[0])] == ["started", "READY"]
    for offense_id in offenses[1:]:
        (text,) = desk.told(offense_id)
        assert text.startswith(f"repeat of run {run_id}, the copy is ready")
        assert "Probably" not in text


def test_a_later_triggers_offense_is_not_given_to_the_run_whose_own_is_not_there(
    desk: Desk,
) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    desk.move(run_id, *READY)
    desk.call(mapping, event + 60_000)
    later = contribute(desk.console, rule, event + 65_000)

    desk.run(700)

    assert desk.store.runs.get(run_id).offense_id is None
    (text,) = desk.told(later)
    assert text.startswith(f"repeat of run {run_id}")


def test_one_share_is_given_to_two_runs_only_if_it_covers_both(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    first = desk.start(desk.map(rule, job_id="1"), event)
    by_name = {"rule_id": None, "rule_name": None, "job_id": "2"}
    other = make_mapping(desk.store, desk.connection, **by_name)
    second = desk.start(other, event + 30_000, rule_id=rule.id, mapping=other.name)
    share = contribute(desk.console, rule, event + 33_000)

    desk.run(700)

    assert desk.store.runs.get(second).offense_id == share
    assert desk.store.runs.get(first).offense_id is None


def test_where_two_fit_alike_the_notes_say_probably(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    run_id = desk.start(desk.map(rule), event)
    desk.move(run_id, *READY)
    alike = [contribute(desk.console, rule, event) for _ in range(2)]

    desk.run(20)
    desk.move(run_id, RunState.COMPLETED)
    desk.run(5)

    run = desk.store.runs.get(run_id)
    assert run.offense_by == "probably"
    assert run.offense_id in alike
    texts = desk.told(run.offense_id)
    assert len(texts) == 3
    assert all(
        text.endswith("(Probably this offense: another one fits as well.)") for text in texts
    )


def test_of_two_that_fit_alike_each_of_two_triggers_is_given_its_own(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    desk.start(mapping, event - 3_600_000)
    for _ in range(2):
        assert desk.call(mapping, event).outcome is Outcome.ALREADY_RUNNING
    alike = [contribute(desk.console, rule, event) for _ in range(2)]

    desk.run(200)

    for offense_id in alike:
        (text,) = desk.told(offense_id)
        assert text.endswith("(Probably this offense: another one fits as well.)")


def test_of_two_that_fit_alike_the_one_of_the_events_source_is_surely_the_runs(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    source = f"10.0.{rule.id // 250 % 250}.{rule.id % 250}"
    run_id = desk.start(desk.map(rule), event, fields={"source_ip": source})
    own = contribute(desk.console, rule, event, source=source)
    contribute(desk.console, rule, event)

    desk.run(20)

    run = desk.store.runs.get(run_id)
    assert (run.offense_id, run.offense_by) == (own, "found")


# --- what the caller says -----------------------------------------------------------------------


def test_an_offense_of_another_rule_is_not_believed(desk: Desk) -> None:
    """Who holds a trigger token must not have notes posted anywhere (issue 8, 33)."""
    rule, event = new_rule(desk.console), now_ms()
    victim = contribute(desk.console, new_rule(desk.console), event)
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event, offense_id=victim)
    desk.call(mapping, event + 40_000, offense_id=victim)
    run = desk.store.runs.get(run_id)
    assert (run.offense_id, run.offense_by) == (victim, "caller")
    desk.move(run_id, *READY)
    own = contribute(desk.console, rule, event)
    repeat = contribute(desk.console, rule, event + 40_000)

    desk.run(400)

    assert desk.told(victim) == []
    assert desk.store.runs.get(run_id).offense_id == own
    assert [text.partition(":")[0] for text in desk.told(own)] == ["started", "READY"]
    assert len(desk.told(repeat)) == 1
    whats = [entry.detail for entry in desk.store.audit.recent(50)]
    assert len([what for what in whats if f"the caller named offense {victim}" in what]) == 2


@pytest.mark.parametrize("part", ["listed", "contributed"])
def test_an_offense_in_which_the_rule_has_a_part_is_believed(desk: Desk, part: str) -> None:
    """A rule of type OFFENSE contributes no events; a list of rules may lack one."""
    rule, event = new_rule(desk.console), now_ms()
    named, other = (contribute(desk.console, rule, event - 3_600_000) for _ in range(2))
    for number in (named, other):  # no time leads there
        if part == "listed":
            del desk.console.store.contributions[rule.id, number]
        else:
            desk.console.store.offenses[number]["rules"] = []
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event, offense_id=named)
    desk.call(mapping, event, offense_id=other)
    desk.move(run_id, *READY)

    desk.run(30)

    run = desk.store.runs.get(run_id)
    assert (run.offense_id, run.offense_by) == (named, "checked")
    assert len(desk.told(named)) == 2
    assert len(desk.told(other)) == 1


def test_without_a_rule_nobody_can_check_and_nothing_is_posted(desk: Desk) -> None:
    named = contribute(desk.console, new_rule(desk.console), now_ms())
    mapping = make_mapping(desk.store, desk.connection, rule_id=None, rule_name=None)
    run_id = desk.start(mapping, now_ms(), offense_id=named, mapping=mapping.name)
    desk.move(run_id, *READY)

    desk.run(60)

    assert desk.told(named) == []
    assert desk.store.runs.get(run_id).offense_by == "caller"
    assert "can't be checked" in str(desk.store.notes.search_of(run_id))


def test_the_watchs_own_triggers_need_no_check(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    offense_id = contribute(desk.console, rule, event - 3_600_000)
    mapping = desk.map(rule)
    desk.start(mapping, event)
    desk.call(mapping, event, offense_id=offense_id, source="offense_watch")
    desk.console.switches.paths = {"/api/analytics/": PathSwitch(status=500)}

    desk.run(1)

    assert [note.text for note in desk.store.tidings.of_offense(offense_id)] != []
    assert looked_for(desk) == 0


# --- many, and trouble --------------------------------------------------------------------------


def test_five_hundred_offenses_do_not_hold_up_ready(desk: Desk) -> None:
    """READY's note goes first; the others are told in their time, 60 calls a minute at most."""
    rule, event, source = new_rule(desk.console), now_ms(), "10.255.0.1"
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event, fields={"source_ip": source})
    desk.move(run_id, RunState.STARTING, RunState.RESTORING)
    own = contribute(desk.console, rule, event, source=source)
    others = []
    for number in range(500):
        desk.call(mapping, event + number)
        others.append(contribute(desk.console, rule, event + number))
    desk.run(20)
    assert 0 < len([number for number in others if desk.told(number)]) < 100
    desk.console.requests.clear()

    desk.move(run_id, RunState.READY)
    desk.run(0.05)

    assert desk.told(own)[-1].startswith("READY")
    made: list[float] = []
    while desk.store.tidings.next_due(desk.now) is not None and desk.tick < 3600:
        before = len(desk.console.api_calls)
        desk.run(0.05)
        calls = [one.path for one in desk.console.api_calls[before:]]
        made += [desk.tick] * len([path for path in calls if "analytics/rules?" not in path])
    minutes = [sum(1 for one in made if start <= one < start + 60) for start in made]
    assert max(minutes) <= CALLS_A_MINUTE
    for offense_id in others:
        texts = desk.told(offense_id)
        assert texts[-1].count("the copy is ready") == 1, texts
        assert len(texts) <= 2


def test_the_searches_of_one_rule_are_one_call_a_round(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    contribute(desk.console, rule, event)
    desk.run(20)
    desk.console.requests.clear()
    for number in range(50):
        desk.call(mapping, event + 60_000 + number)
    assert run_id

    desk.run(60)

    asked = [one for one in desk.console.api_calls if "contributions" in one.path]
    assert 3 <= len(asked) <= 5


def test_a_console_that_is_away_and_a_crash_lose_nothing(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    desk.move(run_id, *READY)
    contribute(desk.console, rule, event)
    desk.call(mapping, event + 20_000)
    other = contribute(desk.console, rule, event + 20_000)
    desk.console.switches.down = True
    desk.run(1800)
    desk.duties.close()
    desk.begin()
    desk.console.switches.down = False

    desk.run(120)

    assert len(desk.told(other)) == 1


def test_a_note_whose_answer_was_lost_is_not_posted_again(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    desk.store.settings.set_mode(Mode.DISARMED, by="anna", now=desk.now)
    offense_id = contribute(desk.console, rule, event)
    desk.call(mapping, event)
    desk.console.switches.paths = {NOTES: PathSwitch(lost=True, methods="POST")}
    desk.run(20)
    desk.console.switches.paths = {}

    desk.run(120)

    assert len(desk.told(offense_id)) == 1
    (note,) = desk.store.tidings.of_offense(offense_id)
    assert note.posted_at is not None


def test_an_offense_that_is_gone_ends_its_notes_and_nobody_elses(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    desk.move(run_id, RunState.STARTING, RunState.RESTORING)
    contribute(desk.console, rule, event)
    gone, other = [], []
    for offenses, number in ((gone, 1), (other, 2)):
        desk.call(mapping, event + number * 20_000)
        offenses.append(contribute(desk.console, rule, event + number * 20_000))
    del desk.console.store.notes[gone[0]]

    desk.run(60)
    desk.move(run_id, RunState.READY)
    desk.run(60)

    (note,) = desk.store.tidings.of_offense(gone[0])
    assert note.given_up_at is not None
    assert "is gone" in str(note.error)
    assert len(desk.told(other[0])) == 2


def test_what_is_not_found_in_ten_minutes_is_looked_for_no_more(desk: Desk) -> None:
    rule = new_rule(desk.console)
    mapping = desk.map(rule)
    desk.store.settings.set_mode(Mode.DISARMED, by="anna", now=desk.now)
    desk.call(mapping, now_ms())
    desk.run(590)
    assert looked_for(desk) == 1

    desk.run(60)

    assert looked_for(desk) == 0
    looks = [one for one in desk.console.api_calls if "contributions" in one.path]
    assert 40 <= len(looks) <= 43


def test_a_refused_search_holds_up_no_note_of_a_run(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    own = contribute(desk.console, rule, event)
    run_id = desk.start(mapping, event)
    desk.move(run_id, RunState.STARTING, RunState.RESTORING)
    desk.run(10)
    desk.call(mapping, event + 20_000)
    desk.console.switches.paths = {"/api/analytics/": PathSwitch(status=422)}
    desk.run(30)
    desk.move(run_id, RunState.READY)
    desk.run(30)
    desk.console.switches.paths = {}

    assert len(desk.told(own)) == 2
    refused = [one for one in desk.console.api_calls if "contributions" in one.path]
    assert all(one is not other for one, other in pairwise(refused))
    assert len(refused) <= 3


def test_an_offense_that_the_caller_named_may_show_the_rule_a_little_later(desk: Desk) -> None:
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    named = [contribute(desk.console, new_rule(desk.console), event, source=s) for s in "ab"]
    run_id = desk.start(mapping, event, offense_id=named[0])
    desk.call(mapping, event, offense_id=named[1])
    desk.run(40)
    assert desk.told(named[1]) == []
    for source in "ab":
        contribute(desk.console, rule, event - 3_600_000, source=source)

    desk.run(90)

    assert desk.store.runs.get(run_id).offense_id == named[0]
    assert len(desk.told(named[1])) == 1


def test_a_run_whose_offense_is_found_by_its_repeat_tells_there_itself(desk: Desk) -> None:
    """The run's next look is a minute away; its offense must not be told that it is a repeat."""
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    desk.move(run_id, *READY)
    desk.run(62)
    desk.call(mapping, event + 60_000)
    own = contribute(desk.console, rule, event, source=f"s-{rule.id}")
    contribute(desk.console, rule, event + 60_000, source=f"s-{rule.id}")

    desk.run(30)

    assert desk.store.runs.get(run_id).offense_id == own
    assert [text.partition(":")[0] for text in desk.told(own)] == ["started", "READY"]


def test_a_worker_that_is_woken_without_end_keeps_to_its_calls(desk: Desk) -> None:
    """A storm's commits wake it after each turn."""
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    desk.store.settings.set_mode(Mode.DISARMED, by="anna", now=desk.now)
    for number in range(CALLS_A_MINUTE + 10):
        desk.call(mapping, event + number)
        contribute(desk.console, rule, event + number)
    desk.duties.turn(desk.now, 0.0)  # its own work: the list of rules
    desk.console.requests.clear()

    for turn in range(300):
        desk.duties.turn(desk.now, turn / 10)

    assert 40 < len(desk.console.api_calls) <= CALLS_A_MINUTE


def test_a_burst_with_late_stamps_leaves_the_run_its_offense(desk: Desk) -> None:
    """Its own repeat is nearer to the stamp than the run's event; both are the run's."""
    rule, event = new_rule(desk.console), now_ms()
    mapping = desk.map(rule)
    run_id = desk.start(mapping, event)
    desk.move(run_id, *READY)
    desk.call(mapping, event + 2_000)
    own = contribute(desk.console, rule, event + 3_001)

    desk.run(200)

    assert desk.store.runs.get(run_id).offense_id == own
    assert desk.told(own)[-1].startswith("READY")
