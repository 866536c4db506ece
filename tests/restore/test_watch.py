# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The offense watch: nothing skipped, nothing twice, and who is left alone."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.configuration.saving import save_mapping
from app.restore import triggers
from app.restore.model import Decision, Mapping, Mode, Outcome, Watch
from app.restore.watch import GRACE_LOOKS, look
from app.restore.watched import WatchedOffense, WatchState
from app.store import Database, Store
from app.store.qradar import Rule
from tests.factories import make_connection, make_mapping, make_store, make_trigger

RULE, OVERRIDE, OTHER_RULE = 100_231, 100_999, 7
THEIR_NOON = 1_790_000_000_000
OUR_NOON = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)
"""Years away from QRadar's: the two clocks are never compared."""
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


@dataclass(frozen=True)
class Share:
    rule_id: int
    offense_id: int
    first_ms: int
    last_ms: int
    rule_name: str = "SQL attack"


@dataclass(frozen=True)
class Offense:
    id: int
    start_ms: int
    updated_ms: int
    persisted_ms: int
    rule_ids: frozenset[int]
    log_sources: tuple[str, ...] = ("FlashSystem",)
    is_open: bool = True


class Away(Exception):
    """The console does not answer."""


@dataclass
class Console:
    """QRadar's offenses, by its own clock."""

    clock_ms: int = THEIR_NOON
    offenses: dict[int, Offense] = field(default_factory=dict)
    shares: dict[tuple[int, int], Share] = field(default_factory=dict)
    is_away: bool = False
    next_id: int = 1
    now_ms: int | None = None

    def happen(
        self,
        *,
        rule: int = RULE,
        offense: int | None = None,
        ago: int = 0,
        contributes: bool = True,
        log_sources: tuple[str, ...] = ("FlashSystem",),
    ) -> int:
        """An event of the rule, ``ago`` ms in the past, is persisted now; gives its offense."""
        at, number = self.clock_ms - ago, offense or self.next_id
        self.next_id = max(self.next_id, number + 1)
        old = self.offenses.get(number) or Offense(
            number, at, at, at, frozenset(), log_sources=log_sources
        )
        self.offenses[number] = replace(
            old,
            updated_ms=max(old.updated_ms, at),
            persisted_ms=self.clock_ms,
            rule_ids=old.rule_ids | {rule},
        )
        if contributes:
            share = self.shares.get((rule, number)) or Share(rule, number, at, at)
            first, last = min(share.first_ms, at), max(share.last_ms, at)
            self.shares[rule, number] = replace(share, first_ms=first, last_ms=last)
        return number

    def changed(
        self, rule_ids: Sequence[int], *, since_ms: int, above: int | None
    ) -> Sequence[Offense]:
        self._answer()
        return [
            offense
            for offense in self.offenses.values()
            if not offense.rule_ids.isdisjoint(rule_ids)
            and (offense.persisted_ms >= since_ms or (above is not None and offense.id > above))
        ]

    def open(self, rule_ids: Sequence[int]) -> Sequence[Offense]:
        self._answer()
        every = self.offenses.values()
        return [one for one in every if one.is_open and not one.rule_ids.isdisjoint(rule_ids)]

    def contributions(
        self, rule_ids: Iterable[int], *, offense_ids: Iterable[int]
    ) -> Sequence[Share]:
        self._answer()
        rules, numbers = set(rule_ids), set(offense_ids)
        return [
            share
            for share in self.shares.values()
            if share.rule_id in rules and share.offense_id in numbers
        ]

    def _answer(self) -> None:
        if self.is_away:
            raise Away
        self.now_ms = self.clock_ms // 1000 * 1000  # as the Date header tells it


class World:
    """A store with a watched mapping, a console, and both clocks in the test's hand."""

    def __init__(self, folder: Path, watch: Watch = Watch.ACT) -> None:
        self.path = folder / "store.db"
        self.store: Store = make_store(folder)
        self.now = OUR_NOON
        self.console = Console()
        self.connection = make_connection(self.store)
        self.mapping: Mapping = make_mapping(
            self.store,
            self.connection,
            rule_id=RULE,
            rule_name="SQL attack",
            watch=str(watch),
            watch_since="2031-05-01T12:00:00.000Z",
            cooldown_s=0,
        )
        self.rearm()

    def arm(self, mode: Mode = Mode.ARMED) -> None:
        self.store.settings.set_mode(mode, by="anna", now=self.now)

    def rearm(self) -> None:
        self.arm(Mode.DISARMED)
        self.arm()

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.console.clock_ms += int(seconds * 1000)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            with suppress(Away):
                look(self.store, self.console, self.now)
            self.pass_time(15)

    def settle(self) -> None:
        """Look until everything that has happened so far is judged."""
        self.look(GRACE_LOOKS + 1)

    def restart(self) -> None:
        self.store.close()
        self.store = Store(Database(self.path))

    def call(self, *, ago: int = 0, rule: int = RULE, **values: object) -> Decision:
        """The custom action's trigger arrives for an event ``ago`` ms in the past."""
        at = datetime.fromtimestamp((self.console.clock_ms - ago) / 1000, UTC)
        trigger = make_trigger(rule_id=rule, received_at=self.now, detected_at=at, **values)
        return triggers.accept(self.store, trigger, self.now)

    def switch(self, watch: Watch) -> None:
        """An administrator chooses what the watch does."""
        self.mapping = save_mapping(
            self.store,
            {"watch": str(watch)},
            mapping_id=self.mapping.id,
            by="anna",
            now=self.now,
        )

    def made(self) -> list[str]:
        """The request ids of the triggers that the watch made, oldest first."""
        found = self.store.triggers.recent(500)
        return [one.request_id for one in reversed(found) if one.request_id.startswith("offense-")]

    def pair(self, offense: int) -> WatchedOffense | None:
        return self.store.watch.get(self.mapping.id, offense)

    def state(self, offense: int) -> WatchState | None:
        pair = self.pair(offense)
        return None if pair is None else pair.state

    def expected(self, *offenses: int) -> list[str]:
        return [f"offense-{number}-{self.mapping.id}" for number in offenses]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.look()
    yield world
    world.store.close()


# --- acting -------------------------------------------------------------------------------------


def test_an_offense_without_a_trigger_starts_a_restore_once(world: World) -> None:
    world.pass_time(60)
    offense = world.console.happen(ago=20 * SECOND)

    world.settle()
    world.settle()

    assert world.made() == world.expected(offense)
    (run,) = world.store.runs.list()
    assert (run.offense_id, run.source, run.rule_id) == (offense, "offense_watch", RULE)
    assert world.state(offense) is WatchState.TRIGGERED


def test_a_custom_action_gets_a_minute_to_arrive(world: World) -> None:
    world.pass_time(60)
    offense = world.console.happen()
    world.look(GRACE_LOOKS - 1)
    assert world.made() == []

    world.call(ago=45 * SECOND)
    world.settle()

    assert world.made() == []
    assert world.state(offense) is WatchState.COVERED


def test_both_paths_together_start_one_restore(world: World) -> None:
    """The custom action's call comes when the watch has just acted: it joins that run."""
    world.pass_time(60)
    world.console.happen()
    world.settle()

    decision = world.call(ago=2 * MINUTE)

    assert decision.outcome is Outcome.ALREADY_RUNNING
    assert len(world.store.runs.list()) == 1


@pytest.mark.parametrize(("off_by", "covers"), [(4 * MINUTE, True), (6 * MINUTE, False)])
def test_a_trigger_covers_an_offense_within_five_minutes_around_its_events(
    world: World, off_by: int, covers: bool
) -> None:
    world.pass_time(3600)
    world.mapping = world.store.mappings.change(world.mapping.id, cooldown_s=0)
    offense = world.console.happen()
    world.call(ago=off_by)

    world.settle()

    assert (world.state(offense) is WatchState.COVERED) is covers


def test_another_rules_trigger_covers_nothing(world: World) -> None:
    make_mapping(world.store, world.connection, rule_id=OTHER_RULE, job_id="2000")
    world.pass_time(60)
    offense = world.console.happen()
    world.call(rule=OTHER_RULE)

    world.settle()

    assert world.made() == world.expected(offense)


def test_a_call_that_names_the_mapping_covers(world: World) -> None:
    world.pass_time(60)
    offense = world.console.happen()
    world.call(rule=0, mapping=world.mapping.name)

    world.settle()

    assert world.state(offense) is WatchState.COVERED


def test_a_trigger_that_was_refused_while_disarmed_covers_nothing_after_arming(
    world: World,
) -> None:
    """The attack goes on, and the response limiter keeps the custom action silent."""
    world.arm(Mode.DISARMED)
    world.pass_time(60)
    offense = world.console.happen()
    assert world.call().outcome is Outcome.DISARMED
    world.pass_time(60)
    world.arm()
    world.pass_time(60)
    world.console.happen(offense=offense)

    world.settle()

    assert world.made() == world.expected(offense)


def test_each_mapping_of_a_rule_family_gets_its_own_trigger(world: World) -> None:
    other = make_mapping(
        world.store,
        world.connection,
        rule_id=OTHER_RULE,
        job_id="2000",
        watch="act",
        watch_since="2031-05-01T12:00:00.000Z",
    )
    world.pass_time(60)
    offense = world.console.happen()
    world.console.happen(rule=OTHER_RULE, offense=offense)

    world.settle()

    assert sorted(world.made()) == sorted(
        [*world.expected(offense), f"offense-{offense}-{other.id}"]
    )


def test_the_override_of_a_system_rule_is_watched_with_it(world: World) -> None:
    rules = [
        Rule(RULE, "SQL attack", identifier="original"),
        Rule(OVERRIDE, "SQL attack", identifier="copy", linked_identifier="original"),
    ]
    world.store.qradar.keep_rules(rules, now=world.now)
    world.pass_time(60)
    offense = world.console.happen(rule=OVERRIDE)

    world.settle()

    assert world.made() == world.expected(offense)


# --- from when on -------------------------------------------------------------------------------


def test_it_begins_at_now(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.pass_time(3600)
    world.rearm()
    world.console.happen(ago=10 * MINUTE)
    world.settle()

    assert world.made() == []
    world.store.close()


def test_an_old_offense_whose_rule_fires_again_counts(world: World) -> None:
    world.console.happen(ago=HOUR)
    world.settle()
    assert world.made() == []

    world.console.happen(offense=1)
    world.settle()

    assert world.made() == world.expected(1)


def test_while_disarmed_nothing_starts_and_arming_begins_anew(world: World) -> None:
    world.arm(Mode.DISARMED)
    world.pass_time(60)
    missed = world.console.happen()
    world.settle()
    world.pass_time(600)
    world.arm()
    world.pass_time(60)
    caught = world.console.happen()

    world.settle()

    assert world.made() == world.expected(caught)
    assert world.state(missed) is None


def test_armed_while_the_console_is_away_it_begins_at_the_arming(world: World) -> None:
    """Not at the first answer: what happened since must not be skipped."""
    world.arm(Mode.DISARMED)
    world.console.is_away = True
    world.pass_time(60)
    world.console.happen()
    world.pass_time(60)
    world.arm()
    world.pass_time(600)
    since = world.console.happen()
    world.look(20)
    world.console.is_away = False

    world.settle()

    assert world.made() == world.expected(since)


def test_a_mapping_that_is_disabled_or_not_watched_is_left_alone(world: World) -> None:
    world.switch(Watch.OFF)
    world.pass_time(60)
    world.console.happen()
    world.settle()
    world.switch(Watch.ACT)
    world.store.mappings.change(world.mapping.id, enabled=0)
    world.pass_time(60)
    world.console.happen()
    world.settle()

    assert world.made() == []


# --- outages, restarts, clocks --------------------------------------------------------------------


def test_offenses_of_an_hour_without_a_console_are_found_afterwards(world: World) -> None:
    world.console.is_away = True
    offenses = []
    for _ in range(6):
        world.pass_time(600)
        offenses.append(world.console.happen(ago=SECOND))
        world.look(2)
    world.console.is_away = False

    world.settle()
    world.settle()

    assert world.made() == world.expected(*offenses)
    assert len(world.store.runs.list()) == 1  # the job can't run twice at a time


def test_a_restart_changes_nothing(world: World) -> None:
    world.pass_time(60)
    offense = world.console.happen()
    for _ in range(GRACE_LOOKS + 2):
        world.look()
        world.restart()
    second = world.console.happen()
    world.restart()
    world.settle()

    assert world.made() == world.expected(offense, second)


def test_an_offense_that_is_made_late_is_not_overlooked(world: World) -> None:
    """An event processor was cut off for two hours; what it saw is persisted now."""
    world.pass_time(3 * 3600)
    world.console.happen(rule=OTHER_RULE)
    world.settle()
    offense = world.console.happen(ago=2 * HOUR)

    world.settle()

    assert world.made() == world.expected(offense)


@pytest.mark.parametrize("hours", [-26, -1, 1, 26])
def test_qradars_clock_may_step(world: World, hours: int) -> None:
    world.pass_time(60)
    first = world.console.happen()
    world.settle()
    world.console.clock_ms += hours * HOUR
    second = world.console.happen()
    world.settle()
    world.console.happen(offense=first, ago=SECOND)
    third = world.console.happen()
    world.settle()

    assert world.made() == world.expected(first, second, third)


@pytest.mark.parametrize("hours", [-26, -1, 1, 26])
def test_our_clock_may_step(world: World, hours: int) -> None:
    world.pass_time(60)
    first = world.console.happen()
    world.look(2)
    world.now += timedelta(hours=hours)
    world.settle()
    world.rearm()
    world.console.happen(ago=10 * MINUTE)
    world.pass_time(60)
    second = world.console.happen()
    world.settle()

    assert world.made() == world.expected(first, second)


def test_a_look_that_breaks_off_misses_nothing(world: World) -> None:
    world.pass_time(60)
    offense = world.console.happen()
    original = world.console.contributions

    def broken(*_: object, **__: object) -> Sequence[Share]:
        raise Away

    world.console.contributions = broken  # type: ignore[method-assign]
    world.look(30)
    world.console.contributions = original  # type: ignore[method-assign]
    world.settle()

    assert world.made() == world.expected(offense)


# --- rules of type OFFENSE ------------------------------------------------------------------------


def test_an_offense_rule_that_contributes_nothing_is_found_by_the_offense(world: World) -> None:
    world.pass_time(60)
    offense = world.console.happen(contributes=False)

    world.settle()

    assert world.made() == world.expected(offense)


def test_an_old_offense_that_an_offense_rule_newly_lists_counts(world: World) -> None:
    world.console.happen(rule=OTHER_RULE, ago=HOUR)
    world.settle()

    world.console.happen(offense=1, contributes=False)
    world.settle()

    assert world.made() == world.expected(1)


def test_what_an_offense_rule_listed_before_the_beginning_does_not(world: World) -> None:
    world.arm(Mode.DISARMED)
    offense = world.console.happen(contributes=False, ago=HOUR)
    world.pass_time(60)
    world.arm()
    world.look()

    world.pass_time(60)
    world.console.happen(rule=OTHER_RULE, offense=offense)
    world.settle()

    assert world.made() == []
    assert world.state(offense) is WatchState.BEFORE


# --- telling only ---------------------------------------------------------------------------------


def test_notify_tells_and_starts_nothing(world: World) -> None:
    world.switch(Watch.NOTIFY)
    world.look()
    world.pass_time(60)
    offense = world.console.happen()
    world.settle()

    assert world.made() == []
    (shown,) = world.store.watch.in_state(WatchState.SHOWN)
    assert (shown.offense_id, shown.rule_name) == (offense, "SQL attack")


def test_notify_tells_while_disarmed_too(world: World) -> None:
    world.switch(Watch.NOTIFY)
    world.arm(Mode.DISARMED)
    world.look()
    world.pass_time(60)
    offense = world.console.happen()
    world.settle()

    assert world.state(offense) is WatchState.SHOWN


def test_a_late_trigger_takes_the_notice_back(world: World) -> None:
    world.switch(Watch.NOTIFY)
    world.look()
    world.pass_time(60)
    offense = world.console.happen()
    world.settle()
    assert world.state(offense) is WatchState.SHOWN

    world.call(ago=2 * MINUTE)
    world.look()

    assert world.state(offense) is WatchState.COVERED


def test_a_notice_that_was_dismissed_does_not_come_back(world: World) -> None:
    world.switch(Watch.NOTIFY)
    world.look()
    world.pass_time(60)
    offense = world.console.happen()
    world.settle()
    assert world.store.watch.dismiss(world.mapping.id, offense, now=world.now)
    assert not world.store.watch.dismiss(world.mapping.id, offense, now=world.now)

    world.console.happen(offense=offense)
    world.settle()

    assert world.state(offense) is WatchState.DISMISSED


def test_from_notify_to_act_it_begins_at_now(world: World) -> None:
    world.switch(Watch.NOTIFY)
    world.look()
    world.pass_time(60)
    told = world.console.happen()
    silent = world.console.happen(contributes=False)
    world.settle()
    world.pass_time(600)
    world.switch(Watch.ACT)
    world.settle()
    assert world.made() == []

    world.console.happen(offense=told)
    world.console.happen(rule=OTHER_RULE, offense=silent)
    world.settle()

    assert world.made() == world.expected(told)


# --- ourselves ------------------------------------------------------------------------------------


def test_an_offense_made_of_our_own_events_starts_nothing(world: World) -> None:
    world.pass_time(60)
    own = ("Universal LEEF @ safeguarded-restore", "Custom Rule Engine-8 :: console")
    world.console.happen(log_sources=own)

    world.settle()

    assert world.made() == []


def test_a_look_with_nothing_new_writes_nothing(world: World) -> None:
    """Every commit wakes all lanes."""
    world.pass_time(60)
    world.console.happen()
    world.settle()
    other = Store(Database(world.path))
    before = other.data_version()

    world.look(3)

    assert other.data_version() == before
    other.close()


# --- any order of things --------------------------------------------------------------------------

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("attack"), st.integers(0, 90)),
        st.tuples(st.just("again"), st.integers(0, 90)),
        st.tuples(st.just("look"), st.integers(1, 6)),
        st.tuples(st.just("away"), st.integers(1, 400)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("their clock"), st.integers(-8000, 8000)),
        st.tuples(st.just("our clock"), st.integers(-8000, 8000)),
    ),
    max_size=25,
)


@given(EVENTS)
@settings(max_examples=80, deadline=None)
def test_whatever_happens_each_offense_is_met_once(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, int]]
) -> None:
    """Attacks, outages, restarts and stepping clocks in any order: one trigger for each offense."""
    world = World(tmp_path_factory.mktemp("watch"))
    world.look()
    # So that no clock, however often it is set back, comes near the beginning again: what QRadar
    # then calls "before" could not be told from what was.
    world.pass_time(30 * 8000)
    world.look()
    attacks: list[int] = []
    for what, number in events:
        if what == "attack":
            world.pass_time(100)
            attacks.append(world.console.happen(ago=number * SECOND))
        elif what == "again" and attacks:
            world.console.happen(offense=attacks[number % len(attacks)])
        elif what == "look":
            world.look(number)
        elif what == "away":
            world.console.is_away = True
            world.look(2)
            world.pass_time(number * 10)
            world.console.is_away = False
        elif what == "restart":
            world.restart()
        elif what == "their clock":
            world.look()
            world.console.clock_ms += number * SECOND
        elif what == "our clock":
            world.now += timedelta(seconds=number)
    world.settle()
    world.settle()

    try:
        assert sorted(world.made()) == sorted(world.expected(*attacks))
    finally:
        world.store.close()
