# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What comes of a trigger: every outcome, their order, and that one attack is one restore."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from app.restore import actions, triggers
from app.restore.model import (
    Busy,
    CopyManagerError,
    Decision,
    Mode,
    Outcome,
    Phase,
    RunState,
    Trigger,
    Unknown,
    Unreachable,
)
from app.store import Database, Store, StoreBusy
from app.store.qradar import Rule
from tests.factories import NOON, make_connection, make_mapping, make_trigger
from tests.restore.world import World


def runs(world: World) -> int:
    return len(world.store.runs.list())


def finish(world: World, phase: Phase = Phase.COMPLETED) -> None:
    """Let the newest run's job session end, and the run with it."""
    run = world.store.runs.list(limit=1)[0]
    world.cdm.become(run.job_session_id or "", phase)
    world.go_on(RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED)


def test_an_armed_mapping_accepts_and_makes_a_queued_run(world: World) -> None:
    decision = world.trigger(offense_id=77, detected_at=NOON - timedelta(seconds=9))
    run = world.run()
    assert (decision.outcome, decision.run_id) == (Outcome.ACCEPTED, run.id)
    assert run.state is RunState.QUEUED
    assert (run.job_id, run.mapping, run.connection) == (
        world.mapping.job_id,
        world.mapping.name,
        world.connection.name,
    )
    assert (run.offense_id, run.rule_id, run.rule_name) == (
        77,
        world.mapping.rule_id,
        world.mapping.rule_name,
    )
    assert run.detected_at == NOON - timedelta(seconds=9)
    assert run.received_at == NOON


def test_what_came_of_a_trigger_is_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """QRadar collects the log: an operator finds the trigger there by its request id."""
    with caplog.at_level("INFO", logger="app.restore.triggers"):
        decision = world.trigger(request_id="request-0001")
    assert caplog.messages == [f"trigger 1 (request-0001): accepted. {decision.message}"]


def test_every_answer_is_a_row_with_its_outcome_and_message(world: World) -> None:
    """I1: whatever the outcome, what was answered stands in the store."""
    for trigger in (make_trigger(), make_trigger(world.mapping), make_trigger(mapping="nowhere")):
        decision = triggers.accept(world.store, trigger, NOON)
        kept = world.store.triggers.find(trigger.request_id)
        assert kept is not None
        assert (kept.id, kept.outcome, kept.message, kept.run_id) == (
            decision.trigger_id,
            decision.outcome,
            decision.message,
            decision.run_id,
        )


def test_the_same_request_id_is_the_same_trigger_whatever_else_it_says(world: World) -> None:
    other = make_mapping(world.store, job_id="2000")
    first = world.trigger(request_id="twice-the-same")
    second = world.trigger(other, request_id="twice-the-same")
    assert (second.outcome, second.run_id) == (Outcome.DUPLICATE, first.run_id)
    assert "accepted" in second.message
    assert first.message in second.message
    assert second.trigger_id != first.trigger_id
    assert runs(world) == 1


def test_a_duplicate_is_counted_at_the_run_of_the_first(world: World) -> None:
    for _ in range(3):
        world.trigger(request_id="thrice-the-same")
    assert world.run().repeats == 2


def test_a_duplicate_repeats_the_first_outcome_after_the_third_time_too(world: World) -> None:
    world.trigger(request_id="thrice-the-same")
    second = world.trigger(request_id="thrice-the-same")
    assert world.trigger(request_id="thrice-the-same").message == second.message


@pytest.mark.parametrize(
    ("mode", "enabled", "outcome"),
    [
        (Mode.DISARMED, True, Outcome.DISARMED),
        (Mode.ARMED, False, Outcome.MAPPING_DISABLED),
        (Mode.DISARMED, False, Outcome.MAPPING_DISABLED),
    ],
)
def test_a_switch_that_says_no_makes_no_run(
    world: World, mode: Mode, enabled: bool, outcome: Outcome
) -> None:
    world.store.settings.set_mode(mode, by="test", now=NOON)
    world.store.mappings.change(world.mapping.id, enabled=enabled)
    decision = world.trigger()
    assert (decision.outcome, decision.run_id) == (outcome, None)
    assert runs(world) == 0


def test_a_duplicate_is_told_before_anything_else(world: World) -> None:
    world.trigger(request_id="before-all-else")
    world.store.settings.set_mode(Mode.DISARMED, by="test", now=NOON)
    world.store.mappings.change(world.mapping.id, enabled=False)
    assert world.trigger(request_id="before-all-else").outcome is Outcome.DUPLICATE


def test_running_is_told_before_cooling_down_and_cooling_down_before_disarmed(
    world: World,
) -> None:
    world.restoring()
    world.store.settings.set_mode(Mode.DISARMED, by="test", now=NOON)
    assert world.trigger().outcome is Outcome.ALREADY_RUNNING
    finish(world)
    assert world.trigger().outcome is Outcome.COOLING_DOWN
    world.pass_time(901)
    assert world.trigger().outcome is Outcome.DISARMED


def test_no_rule_and_no_mapping_is_a_connection_test(world: World) -> None:
    decision = triggers.accept(world.store, make_trigger(), NOON)
    assert (decision.outcome, decision.run_id) == (Outcome.TEST, None)
    assert "RULE_ID" not in decision.message
    assert [row.outcome for row in world.store.triggers.recent()] == [Outcome.TEST]
    assert runs(world) == 0


def test_a_connection_test_with_event_values_warns_that_the_rule_id_is_missing(
    world: World,
) -> None:
    trigger = make_trigger(fields={"source_ip": "192.0.2.1"})
    decision = triggers.accept(world.store, trigger, NOON)
    assert decision.outcome is Outcome.TEST
    assert "RULE_ID" in decision.message
    assert "mapping" in decision.message


def test_a_mapping_is_found_by_name_then_rule_id_then_linked_rule_then_rule_name(
    world: World,
) -> None:
    store = world.store
    by_name = make_mapping(store, job_id="1", rule_id=None, rule_name=None, name="by name")
    by_id = make_mapping(store, job_id="2", rule_id=7)
    linked = make_mapping(store, job_id="3", rule_id=9)
    by_rule_name = make_mapping(store, job_id="4", rule_id=None, rule_name="Attack")
    store.qradar.keep_rules(
        [
            Rule(8, "Attack", identifier="copy", linked_identifier="original"),
            Rule(9, "Attack", identifier="original", linked_identifier=None),
        ],
        now=NOON,
    )
    for values, expected in (
        ({"mapping": "by name", "rule_id": 7, "rule_name": "Attack"}, by_name),
        ({"rule_id": 7, "rule_name": "Attack"}, by_id),
        ({"rule_id": 8, "rule_name": "Attack"}, linked),
        ({"rule_id": 6, "rule_name": "Attack"}, by_rule_name),
        ({"rule_name": "Attack"}, by_rule_name),
    ):
        decision = triggers.accept(store, make_trigger(**values), NOON)
        assert decision.outcome in {Outcome.ACCEPTED, Outcome.ALREADY_RUNNING}
        assert store.runs.get(decision.run_id or 0).job_id == expected.job_id


@pytest.mark.parametrize(
    "values",
    [
        {"mapping": "nowhere", "rule_id": 7},
        {"rule_id": 6},
        {"rule_name": "attack"},
        {"rule_name": "Attack "},
    ],
)
def test_what_names_no_mapping_is_unmatched_and_says_what_was_asked(
    world: World, values: dict[str, object]
) -> None:
    """A name that is nearly right starts nothing: neither is a named mapping replaced by a rule."""
    make_mapping(world.store, rule_id=7)
    make_mapping(world.store, rule_id=None, rule_name="Attack", job_id="2")
    decision = triggers.accept(world.store, make_trigger(**values), NOON)
    assert decision.outcome is Outcome.UNMATCHED
    assert str(next(iter(values.values()))) in decision.message
    assert runs(world) == 0


def test_an_override_of_a_system_rule_is_found_from_either_side(world: World) -> None:
    make_mapping(world.store, rule_id=8)
    world.store.qradar.keep_rules(
        [
            Rule(8, "R", identifier="copy", linked_identifier="original"),
            Rule(9, "R", identifier="original", linked_identifier=None),
        ],
        now=NOON,
    )
    assert triggers.accept(world.store, make_trigger(rule_id=9), NOON).outcome is Outcome.ACCEPTED


def test_what_could_not_be_read_is_named_in_the_message(world: World) -> None:
    decision = world.trigger(remarks=("magnitude is not a number.",))
    assert decision.message.endswith("magnitude is not a number.")


def in_threads(world: World, requests: list[Trigger]) -> list[Decision]:
    barrier = Barrier(len(requests))

    def receive(trigger: Trigger) -> Decision:
        store = Store(Database(world.path))
        barrier.wait()
        try:
            return triggers.accept(store, trigger, NOON)
        finally:
            store.close()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(receive, requests))


def test_twenty_triggers_at_once_are_one_run_and_nineteen_explained(world: World) -> None:
    decisions = in_threads(world, [make_trigger(world.mapping) for _ in range(20)])
    outcomes = [decision.outcome for decision in decisions]
    assert outcomes.count(Outcome.ACCEPTED) == 1
    assert outcomes.count(Outcome.ALREADY_RUNNING) == 19
    assert {decision.run_id for decision in decisions} == {1}
    assert world.run().repeats == 19
    assert runs(world) == 1


def test_twenty_times_the_same_request_at_once_is_one_trigger_and_nineteen_duplicates(
    world: World,
) -> None:
    decisions = in_threads(world, [make_trigger(world.mapping, request_id="same-same")] * 20)
    outcomes = [decision.outcome for decision in decisions]
    assert outcomes.count(Outcome.ACCEPTED) == 1
    assert outcomes.count(Outcome.DUPLICATE) == 19
    assert runs(world) == 1


def test_two_rules_with_two_mappings_to_one_job_are_one_start(world: World) -> None:
    other = make_mapping(world.store, world.connection)
    first, second = world.trigger(), world.trigger(other)
    assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.ALREADY_RUNNING)
    assert second.run_id == first.run_id
    world.go_on(RunState.RESTORING)
    assert world.cdm.starts == 1


def test_the_same_job_id_on_two_connections_is_two_jobs(world: World) -> None:
    other = make_mapping(world.store, make_connection(world.store))
    assert world.trigger().outcome is Outcome.ACCEPTED
    assert world.trigger(other).outcome is Outcome.ACCEPTED


def test_the_cool_down_is_the_jobs_with_the_asking_mappings_value(world: World) -> None:
    patient = make_mapping(world.store, world.connection, cooldown_s=3600)
    eager = make_mapping(world.store, world.connection, cooldown_s=0)
    world.restoring()
    finish(world)
    world.pass_time(901)
    refused = world.trigger(patient)
    assert (refused.outcome, refused.run_id) == (Outcome.COOLING_DOWN, 1)
    assert world.trigger(eager).outcome is Outcome.ACCEPTED


def test_the_cool_down_counts_from_the_start_not_from_the_end(world: World) -> None:
    world.restoring()
    world.pass_time(890)
    finish(world)
    assert world.trigger().outcome is Outcome.COOLING_DOWN
    world.pass_time(30)
    assert world.trigger().outcome is Outcome.ACCEPTED


def test_a_run_that_never_started_does_not_count(world: World) -> None:
    world.start_run()
    world.store.settings.set_mode(Mode.DISARMED, by="test", now=NOON)
    world.go_on(RunState.CANCELLED)
    world.store.settings.set_mode(Mode.ARMED, by="test", now=NOON)
    assert world.trigger().outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("proof", [Unreachable("down"), Busy("running")])
def test_a_start_without_effect_does_not_count(world: World, proof: CopyManagerError) -> None:
    world.cdm.fail("start", proof)
    world.start_run()
    world.turn()
    actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)
    assert world.trigger().outcome is Outcome.ACCEPTED


def test_a_start_that_may_have_had_its_effect_counts(world: World) -> None:
    world.cdm.fail("start", Unknown("lost"))
    world.start_run()
    world.go_on(RunState.NEEDS_DECISION)
    actions.resolve(world.store, 1, "give_up", None, by="ann", now=world.now)
    assert world.trigger().outcome is Outcome.COOLING_DOWN


def test_a_last_start_in_the_future_counts_as_now(world: World) -> None:
    """Our clock was set back: the cool-down begins anew, and ends."""
    world.restoring()
    finish(world)
    world.pass_time(-86400)
    assert world.trigger().outcome is Outcome.COOLING_DOWN
    world.pass_time(899)
    assert world.trigger().outcome is Outcome.COOLING_DOWN
    world.pass_time(2)
    assert world.trigger().outcome is Outcome.ACCEPTED


def test_repeats_are_counted_at_the_run_that_swallowed_them(world: World) -> None:
    world.restoring()
    world.trigger()
    finish(world)
    world.trigger()
    assert world.run().repeats == 2
    kept = world.store.triggers.for_run(1)
    assert [row.outcome for row in kept] == [
        Outcome.ACCEPTED,
        Outcome.ALREADY_RUNNING,
        Outcome.COOLING_DOWN,
    ]


def test_a_trigger_after_the_cool_down_of_a_mounted_run_is_a_new_attack(world: World) -> None:
    world.ready()
    world.trigger()
    assert not world.run().new_attack
    world.pass_time(901)
    decision = world.trigger()
    assert decision.outcome is Outcome.ALREADY_RUNNING
    assert "New attack while run 1 is still mounted" in decision.message
    assert world.run().new_attack


def test_a_trigger_after_the_cool_down_of_a_run_still_restoring_is_no_new_attack(
    world: World,
) -> None:
    world.restoring()
    world.pass_time(901)
    world.trigger()
    assert not world.run().new_attack


def test_a_new_attack_is_seen_after_the_clock_was_set_back(world: World) -> None:
    world.ready()
    world.pass_time(-86400)
    world.trigger()
    world.pass_time(901)
    world.trigger()
    assert world.run().new_attack


def test_a_run_that_waits_for_a_person_is_live(world: World) -> None:
    world.start_run()
    world.cdm.change_job(is_restore=False)
    world.go_on(RunState.NEEDS_DECISION)
    decision = world.trigger()
    assert decision.outcome is Outcome.ALREADY_RUNNING
    assert decision.message.endswith("waits for a person's decision.")


def test_when_the_store_cannot_commit_nothing_is_kept(world: World) -> None:
    """The caller gets `StoreBusy`, and may come again with the same request id."""
    page_count = world.store.runs._db.execute("PRAGMA page_count").fetchone()[0]
    world.store.runs._db.execute(f"PRAGMA max_page_count = {page_count}")
    large = make_trigger(world.mapping, fields={"username": "x" * 60_000})
    with pytest.raises(StoreBusy):
        triggers.accept(world.store, large, NOON)
    assert (runs(world), len(world.store.triggers.recent())) == (0, 0)
    world.store.runs._db.execute("PRAGMA max_page_count = 1000000")
    assert triggers.accept(world.store, large, NOON).outcome is Outcome.ACCEPTED


def test_a_store_that_is_locked_is_busy_and_keeps_nothing(world: World) -> None:
    world.store.runs._db.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(world.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        world.trigger()
    other.execute("ROLLBACK")
    other.close()
    assert runs(world) == 0


def test_a_trigger_of_sixty_kilobytes_is_kept_whole(world: World) -> None:
    name = "ü\"'\n$()" * 10_000
    world.trigger(request_id="a-large-one", fields={"username": name})
    kept = world.store.triggers.find("a-large-one")
    assert kept is not None
    assert kept.fields["username"] == name


def test_the_run_keeps_its_own_copy_of_job_and_connection(world: World) -> None:
    run = world.start_run()
    world.store.mappings.change(world.mapping.id, name="renamed", job_name="renamed too")
    world.store.connections.change(world.connection.id, name="renamed as well")
    assert replace(world.run(), repeats=0) == run


@pytest.mark.parametrize(
    ("fields", "most"), [({}, 18), ({"rule_id": 5, "rule_name": "No such rule"}, 13)]
)
def test_what_a_storm_repeats_asks_the_store_little(
    world: World, fields: dict[str, object], most: int
) -> None:
    """One process writes for all that call: 21 statements a repeat held the others up."""
    world.start_run()
    asked: list[str] = []
    world.store.runs._db.connection.set_trace_callback(asked.append)
    world.trigger(token="test", **fields)
    world.store.runs._db.connection.set_trace_callback(None)
    assert len(asked) <= most, asked
