# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Restores that people start by hand: the cool-down is all they skip (architecture §5)."""

from datetime import timedelta

import pytest

from app.configuration.checks import InvalidField
from app.restore import actions, by_hand
from app.restore.model import Decision, Mode, Outcome, Phase, Refused, RunState, Unknown
from tests.factories import NOON
from tests.restore.world import World

S = RunState


def start(world: World, request_id: str = "manual-0001", **values: object) -> Decision:
    wish = {"mapping": world.mapping.name, "reason": "the pool is back"} | values
    return by_hand.start(world.store, **wish, request_id=request_id, by="ann", now=world.now)


def end(world: World, phase: Phase = Phase.COMPLETED) -> None:
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", phase)
    world.go_on(S.COMPLETED, S.FAILED, S.CANCELLED)


def give_up(world: World, *, lost: bool) -> None:
    """A start whose answer was lost, or a session that vanished, which a person gives up."""
    if lost:
        world.cdm.fail("start", Unknown("lost"))
    world.start_run()
    if not lost:
        run = world.go_on(S.RESTORING)
        world.cdm.vanish(run.job_session_id or "")
    world.go_on(S.NEEDS_DECISION)
    actions.resolve(world.store, 1, "give_up", None, by="ann", now=world.now)


def test_one_that_meets_a_cool_down_is_no_attack_that_met_it(world: World) -> None:
    give_up(world, lost=True)
    assert start(world).outcome is Outcome.COOLING_DOWN
    assert not world.store.attacks.met_cooling()
    world.trigger()
    assert world.store.attacks.met_cooling()


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED])
def test_it_does_not_wait_for_the_cool_down(world: World, phase: Phase) -> None:
    world.start_run()
    end(world, phase)
    assert world.trigger().outcome is Outcome.COOLING_DOWN
    decision = start(world)
    assert (decision.outcome, decision.run_id) == (Outcome.ACCEPTED, 2)
    made = world.store.runs.transitions(2)[0]
    assert (made.by, made.reason) == ("ann", "started by hand: the pool is back")
    kept = world.store.triggers.get(decision.trigger_id)
    assert (kept.source, kept.fields) == (
        "manual",
        {"started_by": "ann", "reason": "the pool is back"},
    )
    world.go_on(S.RESTORING)
    assert world.cdm.starts == 2


def test_the_same_wish_is_one_run_however_often_it_comes(world: World) -> None:
    start(world)
    end(world, Phase.FAILED)
    again = start(world)
    assert (again.outcome, again.run_id) == (Outcome.DUPLICATE, 1)
    assert len(world.store.runs.list()) == 1
    assert start(world, "manual-0002").outcome is Outcome.ACCEPTED


def test_single_flight_holds(world: World) -> None:
    world.ready()
    world.pass_time(3600)
    decision = start(world)
    assert (decision.outcome, decision.run_id) == (Outcome.ALREADY_RUNNING, 1)
    assert world.store.attacks.open() == []


@pytest.mark.parametrize(
    ("mode", "outcome"), [(Mode.DISARMED, Outcome.DISARMED), (Mode.OBSERVE, Outcome.OBSERVED)]
)
def test_the_mode_holds(world: World, mode: Mode, outcome: Outcome) -> None:
    world.store.settings.set_mode(mode, by="ann", now=world.now)
    assert start(world).outcome is outcome
    world.turn(1)
    assert world.cdm.starts == 0


def test_a_dry_run_by_hand_is_made_though_one_was_of_late(world: World) -> None:
    world.store.settings.set_mode(Mode.OBSERVE, by="ann", now=world.now)
    world.trigger()
    assert start(world, "manual-0001").run_id == 1  # it is still at work
    world.go_on(S.OBSERVED)
    assert world.trigger().run_id == 1
    assert start(world, "manual-0002").run_id == 2


def test_a_disabled_mapping_and_one_that_is_not_there_start_nothing(world: World) -> None:
    assert start(world, mapping="nowhere").outcome is Outcome.UNMATCHED
    world.store.mappings.change(world.mapping.id, enabled=False)
    assert start(world, "manual-0002").outcome is Outcome.MAPPING_DISABLED


def test_approval_holds(world: World) -> None:
    world.store.mappings.change(world.mapping.id, needs_approval=True)
    decision = start(world)
    assert decision.outcome is Outcome.AWAITING_APPROVAL
    assert world.run().state is S.AWAITING_APPROVAL


def test_after_three_failures_a_person_is_not_asked_once_more(world: World) -> None:
    for number in range(3):
        world.cdm.fail("start", Refused("no"))
        start(world, f"manual-000{number}")
        world.go_on(S.FAILED)
    assert start(world, "manual-0009").outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("cooldown_s", [0, 900, 1800])
@pytest.mark.parametrize("lost", [True, False])
def test_it_waits_where_the_last_start_is_unknown(
    world: World, lost: bool, cooldown_s: int
) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=cooldown_s)
    give_up(world, lost=lost)
    decision = start(world)
    assert (decision.outcome, decision.run_id) == (Outcome.COOLING_DOWN, 1)
    assert "was given up, look into CDM" in decision.message
    last = world.store.starts.last(world.connection.id, world.mapping.job_id)
    assert last is not None
    world.now = last.at + timedelta(seconds=max(cooldown_s, 900), milliseconds=-1)
    assert start(world, "manual-0002").outcome is Outcome.COOLING_DOWN
    world.pass_time(0.001)
    assert start(world, "manual-0003").outcome is Outcome.ACCEPTED


def test_it_says_nothing_of_quiet_and_of_attacks(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    world.start_run()
    end(world)
    world.pass_time(800)
    world.store.settings.set_mode(Mode.DISARMED, by="ann", now=world.now)
    start(world)
    world.store.settings.set_mode(Mode.ARMED, by="ann", now=world.now)
    world.pass_time(200)
    assert world.trigger().message.startswith("New attack in the cool-down")


def test_over_a_new_attack_it_is_of_that_attack_and_ends_it(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    world.start_run()
    end(world)
    world.pass_time(901)
    world.trigger(offense_id=77)
    noticed = world.now
    world.pass_time(60)
    start(world)
    run = world.run(2)
    assert (run.detected_at, run.offense_id) == (noticed, 77)
    world.go_on(S.RESTORING)
    assert world.store.attacks.open() == []


@pytest.mark.parametrize(("by", "offense_id"), [("found", 78), ("probably", None)])
def test_over_an_attack_whose_offense_was_found_later_it_is_of_that_offense(
    world: World, by: str, offense_id: int | None
) -> None:
    """What only probably is its offense is looked for again: its notes are to say so, too."""
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    world.start_run()
    end(world)
    world.pass_time(901)
    trigger_id = world.trigger().trigger_id
    world.store.trigger_offenses.found([(trigger_id, 78, by)], now=world.now)
    start(world)
    assert world.run(2).offense_id == offense_id
    search = world.store.notes.open_search(2)
    assert search is not None
    assert search.claimed == offense_id


def test_another_jobs_attack_is_no_matter(world: World) -> None:
    world.ready()
    world.pass_time(901)
    world.trigger()
    world.store.mappings.change(world.mapping.id, job_id="2000")
    start(world)
    assert world.run(2).detected_at is None


@pytest.mark.parametrize("request_id", ["12345678", "x" * 64, "A-Z.a_z9"])
def test_the_longest_and_the_shortest_are_taken(world: World, request_id: str) -> None:
    decision = start(world, request_id, reason="x" * 500)
    assert decision.outcome is Outcome.ACCEPTED
    assert world.store.triggers.get(decision.trigger_id).request_id == request_id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("mapping", value) for value in (None, "", 7, "x" * 101)),
        *(("reason", value) for value in (None, " ", "a\nb", "x" * 501)),
        *(
            ("request_id", value)
            for value in (None, "", "1234567", "x" * 65, "no blanks", "ümläut-1")
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_nothing_is_kept(
    world: World, field: str, value: object
) -> None:
    wish = {"mapping": world.mapping.name, "reason": "x", "request_id": "manual-0001"}
    with pytest.raises(InvalidField) as wrong:
        by_hand.start(world.store, **wish | {field: value}, by="ann", now=NOON)
    assert wrong.value.field == field
    assert world.store.triggers.recent() == []
