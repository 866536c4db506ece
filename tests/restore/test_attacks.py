# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A new attack that can start nothing is never swallowed in silence (architecture §4)."""

from collections.abc import Callable

import pytest

from app.restore import actions
from app.restore.attacks import NoSuchAttack
from app.restore.model import Decision, Mode, Outcome, Phase, RunState, Unreachable
from app.restore.triggers import accept
from app.store import Store
from app.store.database import StoreBusy
from app.store.triggers import FLOOD, KEPT_A_MINUTE, ReceivedTrigger
from tests.factories import make_connection, make_mapping, make_trigger
from tests.restore.world import KillableDatabase, World

S = RunState


def undecided(world: World) -> None:
    """The job was renamed in CDM: run 1 needs a decision."""
    world.start_run()
    world.cdm.change_job(name="renamed")
    world.go_on(S.NEEDS_DECISION)


def contact_lost(world: World) -> None:
    world.restoring()
    world.cdm.down = Unreachable("no route")
    world.turn(10)
    assert world.run().contact_lost_since is not None


def queued_and_lost(world: World) -> None:
    world.start_run()
    world.cdm.down = Unreachable("no route")
    world.turn()


def held_by_cdm(world: World) -> None:
    run = world.restoring()
    world.cdm.become(run.job_session_id or "", Phase.RUNNING, status="HELD")
    world.turn(10)


def unknown_word(world: World) -> None:
    run = world.restoring()
    world.cdm.become(run.job_session_id or "", Phase.UNKNOWN)
    world.turn(10)


def cleaning_up(world: World) -> None:
    world.ready()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    assert world.run().state is S.CLEANING_UP


def mounted(world: World) -> None:
    world.ready()


def blocked(world: World) -> None:
    world.cdm.add_session(Phase.READY)
    world.start_run()
    world.turn()


def clean_up(world: World) -> None:
    """Bring a mounted run to its end."""
    cleaning_up(world)
    world.cdm.become(world.run().job_session_id or "", Phase.COMPLETED)
    world.go_on(S.COMPLETED)


HOLDERS = [
    (undecided, "waits for a person's decision"),
    (contact_lost, "is lost: how far run 1 is can't be told"),
    (queued_and_lost, "is lost: run 1 of job SQL clean-room restore can't start."),
    (held_by_cdm, "as HELD"),
    (unknown_word, "as PONDERING"),
    (cleaning_up, "is being cleaned up"),
    (mounted, "is still mounted"),
    (blocked, "can't start"),
]


@pytest.mark.parametrize("cooldown_s", [0, 900, 1200])
@pytest.mark.parametrize(("holder", "words"), HOLDERS)
def test_what_comes_after_a_quiet_time_is_a_new_attack_whatever_holds_the_job(
    world: World, holder: Callable[[World], None], words: str, cooldown_s: int
) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=cooldown_s)
    holder(world)
    last = world.now
    repeat = world.trigger()
    assert repeat.outcome is Outcome.ALREADY_RUNNING
    assert "New attack" not in repeat.message
    world.pass_time(max(cooldown_s, 900) - 0.001)
    world.store.attacks.note_trigger(world.connection.id, world.mapping.job_id, now=last)
    assert "New attack" not in world.trigger().message
    assert world.store.attacks.open() == []
    world.store.attacks.note_trigger(world.connection.id, world.mapping.job_id, now=last)
    world.pass_time(0.001)
    decision = world.trigger()
    assert decision.outcome is Outcome.ALREADY_RUNNING
    assert decision.message.startswith("New attack while ")
    assert words in decision.message
    (attack,) = world.store.attacks.open()
    assert (attack.run_id, attack.trigger_id, attack.at, attack.why) == (
        1,
        decision.trigger_id,
        world.now,
        decision.message,
    )
    assert (attack.job_name, attack.mapping, attack.connection) == (
        world.mapping.job_name,
        world.mapping.name,
        world.connection.name,
    )
    assert attack.start_possible_at is None
    assert world.run().new_attack


def test_a_restore_on_its_way_answers_the_attack_itself(world: World) -> None:
    world.restoring()
    world.turn(901)
    assert world.trigger().outcome is Outcome.ALREADY_RUNNING
    assert world.store.attacks.open() == []


def test_a_run_that_waits_for_its_turn_or_told_of_something_small_is_on_its_way(
    world: World,
) -> None:
    world.start_run()
    world.pass_time(901)
    world.trigger()
    run = world.go_on(S.RESTORING)
    world.store.runs.note(run, error="The cancel was not confirmed.")
    world.pass_time(901)
    world.trigger()
    assert world.store.attacks.open() == []


def test_only_what_a_rule_asks_for_in_vain_is_counted(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    clean_up(world)
    world.pass_time(901)
    world.trigger()
    manual = {"source": "manual", "mapping": world.mapping.name}
    world.trigger(**manual)
    world.trigger(**manual)
    world.trigger(source="simulation")
    assert world.store.attacks.open()[0].triggers == 1
    world.trigger()
    assert world.store.attacks.open()[0].triggers == 2
    actions.ACTIONS["cancel"].do(world.store, 2, by="ann", now=world.now)
    world.pass_time(7200)
    assert world.trigger().outcome is Outcome.ACCEPTED
    assert world.store.attacks.open()[0].triggers == 2


def test_the_newest_of_several_jobs_stands_first(world: World) -> None:
    other = make_mapping(world.store, world.connection, job_id="2000")
    world.cdm.add_job("2000")
    blocked(world)
    world.cdm.add_session(Phase.READY, job_id="2000")
    world.trigger(other)
    world.turn(1)
    world.pass_time(901)
    world.trigger(other)
    world.trigger()
    assert [one.job_id for one in world.store.attacks.open()] == [world.mapping.job_id, "2000"]


def test_another_offense_is_a_new_attack_once_the_cool_down_is_over(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=600)
    assert world.trigger(offense_id=7).outcome is Outcome.ACCEPTED
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", Phase.READY)
    world.go_on(S.READY)
    assert world.trigger(offense_id=8).outcome is Outcome.ALREADY_RUNNING
    assert world.store.attacks.open() == []
    world.pass_time(600)
    world.trigger()
    for offense in (7, 8):  # both belong to the run by now
        world.trigger(offense_id=offense, fields={"offense_id": str(offense)})
    assert world.store.attacks.open() == []
    world.trigger(offense_id=9, fields={"offense_id": "9"})
    assert [one.offense_id for one in world.store.attacks.open()] == [9]


def test_an_offense_that_a_swallowed_trigger_named_is_tied_to_the_run(world: World) -> None:
    world.ready()
    world.trigger(offense_id=8, fields={"offense_id": "8"})
    world.trigger(fields={"offense_id": "none"})
    world.pass_time(890)
    world.trigger()
    world.pass_time(30)
    world.trigger(offense_id=8, fields={"offense_id": "8"})
    assert world.store.attacks.open() == []
    world.trigger(offense_id=9, fields={"offense_id": "9"})
    assert [one.offense_id for one in world.store.attacks.open()] == [9]


def test_its_offense_is_the_one_that_its_trigger_is_known_to_belong_to_by_now(world: World) -> None:
    mounted(world)
    world.pass_time(901)
    trigger_id = world.trigger(offense_id=8).trigger_id
    offenses = world.store.trigger_offenses

    def known() -> tuple[int | None, str | None]:
        (attack,) = world.store.attacks.open()
        return attack.offense_id, attack.offense_by

    assert known() == (8, "caller")
    (key,) = offenses.rules()
    (pending,) = offenses.pending(key, limit=2)
    offenses.reject_claim(pending, now=world.now)
    assert known() == (None, None)
    offenses.found([(trigger_id, 9, "probably")], now=world.now)
    assert known() == (9, "probably")
    assert [one.offense_id for one in world.store.attacks.open_of_offense(9)] == [9]
    assert world.store.attacks.open_of_offense(8) == []


def test_an_offense_that_was_found_for_a_swallowed_trigger_is_tied_to_its_run_alone(
    world: World,
) -> None:
    other = make_mapping(world.store, world.connection, job_id="2000")
    world.cdm.add_job("2000")
    mounted(world)
    swallowed = world.trigger()
    world.trigger(other)
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", Phase.READY)
    world.go_on(S.READY)
    world.store.trigger_offenses.found([(swallowed.trigger_id, 8, "found")], now=world.now)
    world.pass_time(600)
    world.trigger()
    world.trigger(other)
    world.pass_time(400)
    world.trigger(offense_id=8)
    assert world.store.attacks.open() == []
    world.trigger(other, offense_id=8)
    assert [one.job_id for one in world.store.attacks.open()] == ["2000"]


def quick(world: World, *, own: int | None = 7) -> None:
    """A mounted copy of offense 7, whose rule still fires; nothing cools down."""
    world.store.mappings.change(world.mapping.id, cooldown_s=0)
    mounted(world)
    if own is not None:
        world.store.notes.found(1, own, now=world.now)
    world.pass_time(60)


def find(world: World, *known: tuple[Decision, int]) -> list[int | None]:
    """Find offenses of triggers; give those of the new attacks that are open then."""
    found = [(decision.trigger_id, offense, "found") for decision, offense in known]
    world.store.trigger_offenses.found(found, now=world.now)
    return [one.offense_id for one in world.store.attacks.open()]


def test_another_offense_that_is_found_later_is_a_new_attack_as_at_its_receipt(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    quick(world)
    decision, came_at = world.trigger(), world.now
    assert "New attack" not in decision.message
    world.trigger()
    world.trigger(source="manual", mapping=world.mapping.name)
    world.pass_time(120)
    assert world.store.attacks.open() == []
    with caplog.at_level("WARNING", logger="app.store.trigger_offenses"):
        assert find(world, (decision, 8)) == [8]
    (attack,) = world.store.attacks.open()
    assert (attack.at, attack.run_id, attack.triggers) == (came_at, 1, 2)
    assert attack.why.startswith("New attack while run 1 is still mounted: ")
    assert (attack.mapping, attack.answering_run_id) == (world.mapping.name, None)
    assert caplog.messages == [f"trigger {decision.trigger_id}: {attack.why}"]
    assert world.run().new_attack
    assert "new_attack" in [note.kind for note in world.store.notes.for_run(1)]
    (tiding,) = world.store.tidings.due(world.now)
    assert tiding.offense_id == 8
    assert "NEW ATTACK while run 1 is still mounted" in tiding.text


def test_an_offense_that_is_found_later_is_none_where_it_would_not_have_been_one(
    world: World,
) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=600)
    world.restoring()
    world.store.notes.found(1, 7, now=world.now)
    on_its_way = world.trigger()
    world.cdm.become(world.run().job_session_id or "", Phase.READY)
    world.go_on(S.READY)
    cooling = world.trigger()
    own_user = world.trigger(fields={"username": "safeguarded-restore"})
    world.pass_time(600)
    tied, also_tied = world.trigger(), world.trigger()
    assert find(world, (on_its_way, 8), (cooling, 9), (own_user, 10), (tied, 7)) == []
    assert find(world, (also_tied, 9)) == []


def test_of_those_found_at_once_the_ones_that_came_first_are_judged_first(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=0)
    world.restoring()
    world.store.notes.found(1, 7, now=world.now)
    on_its_way = world.trigger()
    world.cdm.become(world.run().job_session_id or "", Phase.READY)
    world.go_on(S.READY)
    assert find(world, (world.trigger(), 8), (on_its_way, 8)) == []


def test_while_nothing_is_tied_to_the_run_what_is_found_may_be_its_own(world: World) -> None:
    quick(world, own=None)
    first, second = world.trigger(), world.trigger()
    assert find(world, (first, 8)) == []
    assert find(world, (first, 9)) == []  # what is known of a trigger stays
    assert find(world, (second, 9)) == [9]


def test_one_that_is_open_or_was_acknowledged_since_is_enough(world: World) -> None:
    quick(world)
    first, second = world.trigger(), world.trigger()
    world.pass_time(901)
    world.trigger()
    assert find(world, (first, 8)) == [None]
    world.store.attacks.acknowledge(1, by="ann", now=world.now)
    world.pass_time(1)
    assert find(world, (second, 9)) == []
    assert find(world, (world.trigger(), 10)) == [10]


def test_what_is_found_after_the_run_has_ended_is_none(world: World) -> None:
    quick(world)
    decision = world.trigger()
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    world.cdm.become(world.run().job_session_id or "", Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert find(world, (decision, 8)) == []


@pytest.mark.parametrize(("state", "attacks"), [(S.STARTING, 1), (S.RESTORING, 0)])
def test_a_start_that_was_sent_since_answers_one_that_is_found_later(
    world: World, state: RunState, attacks: int
) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=0)
    queued_and_lost(world)
    world.store.notes.found(1, 7, now=world.now)
    decision = world.trigger()
    world.cdm.down = None
    world.turn(60)
    assert world.run().state is S.STARTING
    world.go_on(state)
    assert len(find(world, (decision, 8))) == attacks
    world.go_on(S.RESTORING)
    assert world.store.attacks.open() == []
    assert len(world.store.attacks.of_run(1)) == attacks


def test_in_the_cool_down_after_a_clean_up_it_says_when_the_next_start_is_possible(
    world: World,
) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    clean_up(world)
    assert world.trigger().message.startswith("Run 1 started job")
    met = world.store.attacks.last_trigger(world.connection.id, world.mapping.job_id)
    assert met is not None
    assert (met.cooling_at, met.cooling_run_id) == (world.now, 1)
    assert world.store.attacks.open() == []
    world.pass_time(900)
    decision = world.trigger()
    assert decision.outcome is Outcome.COOLING_DOWN
    (attack,) = world.store.attacks.open()
    last = world.store.starts.last(world.connection.id, world.mapping.job_id)
    assert last is not None
    assert attack.start_possible_at is not None
    assert (attack.start_possible_at - last.at).total_seconds() == 7200
    assert attack.start_possible_at.strftime("%H:%M:%S UTC") in decision.message
    assert not world.run().new_attack  # it is over: nothing is to be cleaned up there


def test_one_is_open_for_each_job_and_counts_what_comes_meanwhile(world: World) -> None:
    other = make_mapping(world.store, make_connection(world.store))
    mounted(world)
    world.pass_time(901)
    first = world.trigger()
    world.trigger()
    world.pass_time(901)
    world.trigger()
    world.trigger(other)
    (attack,) = world.store.attacks.open()
    assert (attack.trigger_id, attack.triggers) == (first.trigger_id, 3)


def test_it_is_told_in_the_log_the_audit_and_the_offense_of_the_run(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    mounted(world)
    world.pass_time(901)
    with caplog.at_level("WARNING", logger="app.restore.triggers"):
        world.trigger()
        world.trigger()
    (attack,) = world.store.attacks.open()
    assert caplog.messages == [f"trigger 2: {attack.why}"]
    told = [one for one in world.store.audit.recent() if one.action == "attack.noticed"]
    assert [(one.by, one.detail) for one in told] == [("app", attack.why)]
    kinds = [note.kind for note in world.store.notes.for_run(1)]
    assert kinds.count("new_attack") == 1


def test_in_a_flood_the_trigger_that_raises_one_is_kept_whole(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=0)
    mounted(world)
    for _ in range(KEPT_A_MINUTE):
        world.trigger(token="rules")

    def attack(offense: int) -> ReceivedTrigger:
        fields = {"offense_id": str(offense), "username": "eve"}
        decision = world.trigger(token="rules", offense_id=offense, fields=fields)
        assert decision.message.startswith("New attack while ")
        return world.store.triggers.get(decision.trigger_id)

    first, second = attack(8), attack(9)
    assert [one.trigger_id for one in world.store.attacks.open()] == [first.id]
    assert (first.not_kept, first.fields["username"]) == (None, "eve")
    assert first.message.startswith("New attack while ")
    assert (second.not_kept, second.fields) == (FLOOD, {"offense_id": "9"})


def test_what_could_not_be_kept_is_not_told_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(point: str) -> None:
        if point == "before a commit":
            raise StoreBusy("disk full")

    mounted(world)
    world.pass_time(901)
    store = Store(KillableDatabase(world.path, fail))
    with caplog.at_level("INFO", logger="app.restore.triggers"), pytest.raises(StoreBusy):
        accept(store, make_trigger(world.mapping), world.now)
    store.close()
    assert caplog.messages == []
    assert world.store.attacks.open() == []


def test_a_person_acknowledges_it_once_by_name(world: World) -> None:
    mounted(world)
    world.pass_time(901)
    world.trigger()
    (attack,) = world.store.attacks.open()
    done = world.store.attacks.acknowledge(attack.id, by="ann", now=world.now)
    assert (done.acknowledged_by, done.acknowledged_at, done.ended_at) == (
        "ann",
        world.now,
        world.now,
    )
    assert world.store.attacks.open() == []
    assert not world.run().new_attack
    assert world.store.attacks.acknowledge(attack.id, by="bob", now=world.now) == done
    said = [one for one in world.store.audit.recent() if one.action == "attack.acknowledged"]
    assert [one.by for one in said] == ["ann"]
    assert world.store.attacks.of_run(1) == [done]
    with pytest.raises(NoSuchAttack):
        world.store.attacks.acknowledge(99, by="ann", now=world.now)


def test_after_an_acknowledgement_only_another_quiet_time_makes_a_new_one(world: World) -> None:
    mounted(world)
    world.pass_time(901)
    world.trigger()
    world.store.attacks.acknowledge(1, by="ann", now=world.now)
    world.pass_time(899)
    world.trigger()
    assert world.store.attacks.open() == []
    world.pass_time(901)
    world.trigger()
    assert [one.id for one in world.store.attacks.open()] == [2]
    assert len([n for n in world.store.notes.for_run(1) if n.kind == "new_attack"]) == 2


def test_a_restore_that_is_started_since_ends_it(world: World) -> None:
    queued_and_lost(world)
    world.pass_time(901)
    world.trigger()
    assert len(world.store.attacks.open()) == 1
    world.cdm.down = None
    world.turn(60)
    assert world.run().state is S.STARTING
    assert len(world.store.attacks.open()) == 1
    world.go_on(S.RESTORING)
    assert world.store.attacks.open() == []
    (attack,) = world.store.attacks.of_run(1)
    assert (attack.acknowledged_by, attack.answering_run_id) == (None, 1)
    assert attack.ended_at is not None
    assert not world.run().new_attack
    said = [one for one in world.store.audit.recent() if one.action == "attack.ended"]
    assert [one.detail for one in said] == ["run 1 restores"]


def test_a_start_from_before_that_is_only_found_again_does_not(world: World) -> None:
    world.start_run()
    world.turn()
    assert world.run().state is S.STARTING
    world.cdm.down = Unreachable("no route")
    world.turn(10)
    world.pass_time(901)
    world.trigger()
    world.cdm.down = None
    world.go_on(S.RESTORING)
    assert len(world.store.attacks.open()) == 1


def test_a_simulation_is_no_attack(world: World) -> None:
    mounted(world)
    world.pass_time(901)
    world.trigger(source="simulation")
    assert world.store.attacks.open() == []
    world.trigger()
    assert len(world.store.attacks.open()) == 1


def test_a_disarmed_app_and_a_disabled_mapping_are_told_apart(world: World) -> None:
    world.store.settings.set_mode(Mode.DISARMED, by="ann", now=world.now)
    assert world.trigger().outcome is Outcome.DISARMED
    world.store.mappings.change(world.mapping.id, enabled=False)
    assert world.trigger().outcome is Outcome.MAPPING_DISABLED
    assert world.store.attacks.open() == []


def switch(world: World, mode: Mode) -> None:
    world.store.settings.set_mode(mode, by="ann", now=world.now)


@pytest.mark.parametrize(("holder", "words"), HOLDERS)
def test_while_disarmed_nothing_is_an_attack_and_the_first_once_armed_is(
    world: World, holder: Callable[[World], None], words: str
) -> None:
    holder(world)
    world.pass_time(901)
    switch(world, Mode.DISARMED)
    for _ in range(2):
        decision = world.trigger()
        assert (decision.outcome, decision.run_id) == (Outcome.ALREADY_RUNNING, 1)
        assert decision.message.endswith(" The app is disarmed: it starts nothing.")
        assert "New attack" not in decision.message
    assert world.store.attacks.open() == []
    switch(world, Mode.ARMED)
    assert words in world.trigger().message
    assert [one.triggers for one in world.store.attacks.open()] == [1]


def test_while_disarmed_the_answer_says_so_in_a_cool_down_too(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    clean_up(world)
    world.pass_time(901)
    switch(world, Mode.DISARMED)
    decision = world.trigger()
    assert (decision.outcome, decision.run_id) == (Outcome.COOLING_DOWN, 1)
    assert decision.message.endswith(" The app is disarmed: it starts nothing.")
    decision = world.trigger(source="manual")
    assert (decision.outcome, decision.run_id) == (Outcome.DISARMED, None)
    assert decision.message.startswith("The app is disarmed: nothing was started.")
    assert world.store.attacks.open() == []
    assert world.run().repeats == 1
    switch(world, Mode.ARMED)
    assert world.trigger().message.startswith("New attack in the cool-down after run 1")


def test_while_observing_a_mounted_copy_is_told_of_without_a_promise(world: World) -> None:
    mounted(world)
    world.pass_time(901)
    switch(world, Mode.OBSERVE)
    decision = world.trigger()
    (attack,) = world.store.attacks.open()
    assert decision.message == f"{attack.why} The app only observes: it starts nothing."
    assert "run 1 is still mounted" in attack.why
    assert attack.start_possible_at is None
    world.pass_time(1)
    assert world.trigger().message == (
        f"Run 1 of job {world.mapping.job_name} is ready. The app only observes: it starts nothing."
    )


def test_while_observing_a_cool_down_promises_nothing_and_mutes_nothing(world: World) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=7200)
    clean_up(world)
    job = (world.connection.id, world.mapping.job_id)
    world.pass_time(901)
    switch(world, Mode.OBSERVE)
    before = world.store.attacks.last_trigger(*job)
    decision = world.trigger()
    assert (decision.outcome, decision.run_id) == (Outcome.COOLING_DOWN, 1)
    assert decision.message == (
        f"Run 1 started job {world.mapping.job_name} a short while ago."
        " The app only observes: it starts nothing."
    )
    assert world.run().repeats == 1
    assert world.store.attacks.open() == []
    assert world.store.attacks.last_trigger(*job) == before
    switch(world, Mode.ARMED)
    assert world.trigger().message.startswith("New attack in the cool-down after run 1")


def test_the_request_that_comes_twice_is_no_sign_of_another_attack(world: World) -> None:
    mounted(world)
    world.pass_time(901)
    world.trigger(request_id="the-same-request")
    world.trigger(request_id="the-same-request")
    assert world.store.attacks.open()[0].triggers == 1


def test_a_clock_that_was_set_back_does_not_mute_the_next_attack(world: World) -> None:
    mounted(world)
    world.pass_time(-86400)
    world.trigger()
    assert world.store.attacks.open() == []
    world.pass_time(900)
    world.trigger()
    assert len(world.store.attacks.open()) == 1


def test_any_mapping_of_the_job_keeps_it_from_being_quiet(world: World) -> None:
    other = make_mapping(world.store, world.connection)
    mounted(world)
    world.pass_time(600)
    world.trigger(other)
    world.pass_time(600)
    world.trigger()
    assert world.store.attacks.open() == []
