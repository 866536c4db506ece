# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Mode observe and simulations: everything but the start is done, and nobody stands in the way."""

import pytest

from app.restore.model import (
    SIMULATION,
    Busy,
    Mode,
    NotFound,
    Outcome,
    Phase,
    Refused,
    Run,
    RunState,
    Unreachable,
)
from tests.factories import make_mapping
from tests.restore.world import World


def switch(world: World, mode: Mode) -> None:
    world.store.settings.set_mode(mode, by="ann", now=world.now)


def simulate(world: World) -> Run:
    """Give the run of a simulation, after one turn."""
    decision = world.trigger(source=SIMULATION, fields={"simulated_by": "ann"})
    assert decision.run_id is not None, decision.message
    world.turn()
    return world.store.runs.get(decision.run_id)


def starts(world: World) -> int:
    return len(world.cdm.ours)


# --- mode observe -------------------------------------------------------------------------------


def test_in_mode_observe_all_but_the_start_is_done(world: World) -> None:
    switch(world, Mode.OBSERVE)
    decision = world.trigger()
    assert decision.outcome is Outcome.OBSERVED
    world.turn()
    run = world.run()
    assert (run.state, run.error, run.ended_at) == (RunState.OBSERVED, None, world.now)
    assert world.states() == ["queued", "observed"]
    assert "could be started now" in world.store.runs.transitions(1)[-1].reason
    assert starts(world) == 0


def test_the_offense_hears_that_it_was_only_observed(world: World) -> None:
    switch(world, Mode.OBSERVE)
    world.trigger(offense_id=77)
    world.turn()
    (note,) = world.store.notes.for_run(1)
    assert "observed only, nothing was started" in note.text


def test_a_storm_in_mode_observe_is_one_dry_run_for_the_cool_down(world: World) -> None:
    switch(world, Mode.OBSERVE)
    first = world.trigger()
    at_work = world.trigger()
    world.turn()
    after = world.trigger()
    assert [one.run_id for one in (at_work, after)] == [first.run_id] * 2
    assert (at_work.outcome, after.outcome) == (Outcome.OBSERVED, Outcome.OBSERVED)
    assert world.run().repeats == 2
    world.pass_time(world.mapping.cooldown_s)
    assert world.trigger().run_id == 2


def test_after_the_second_observation_that_one_counts(world: World) -> None:
    switch(world, Mode.OBSERVE)
    for number in (1, 2):
        assert world.trigger().run_id == number
        world.turn()
        world.pass_time(899)
        assert world.trigger().run_id == number
        world.pass_time(1)
    assert world.trigger().run_id == 3
    assert [run.repeats for run in world.store.runs.list()] == [0, 1, 1]


def test_an_observation_ahead_of_our_clock_stands_for_nothing(world: World) -> None:
    switch(world, Mode.OBSERVE)
    world.trigger()
    world.turn()
    world.pass_time(-1)
    assert world.trigger().run_id == 2


def test_once_armed_what_was_observed_stands_in_nobodys_way(world: World) -> None:
    """The dry run can't be finished yet, and a real attack comes."""
    switch(world, Mode.OBSERVE)
    world.trigger()
    switch(world, Mode.ARMED)
    decision = world.trigger()
    assert (decision.outcome, decision.run_id) == (Outcome.ACCEPTED, 2)
    world.go_on(RunState.RESTORING)
    assert starts(world) == 1
    assert world.run(1).state is RunState.OBSERVED


def test_what_was_answered_observed_is_never_started(world: World) -> None:
    switch(world, Mode.OBSERVE)
    world.trigger()
    switch(world, Mode.ARMED)
    world.turn()
    assert (world.run().state, starts(world)) == (RunState.OBSERVED, 0)


def test_a_run_accepted_before_the_switch_to_observe_is_only_observed(world: World) -> None:
    world.start_run()
    switch(world, Mode.OBSERVE)
    world.turn()
    assert (world.run().state, starts(world)) == (RunState.OBSERVED, 0)


def test_the_switch_is_obeyed_in_the_last_moment_before_the_start(world: World) -> None:
    world.start_run()
    world.cdm.hook = lambda point: (
        switch(world, Mode.OBSERVE) if point == "plan_start answered" else None
    )
    world.turn()
    assert (world.run().state, starts(world)) == (RunState.OBSERVED, 0)


def test_disarmed_in_between_it_is_cancelled(world: World) -> None:
    switch(world, Mode.OBSERVE)
    world.trigger()
    switch(world, Mode.DISARMED)
    world.turn()
    assert world.run().state is RunState.CANCELLED


# --- simulations --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(Mode))
def test_a_simulation_takes_every_step_but_the_start_in_any_mode(world: World, mode: Mode) -> None:
    switch(world, mode)
    run = simulate(world)
    assert (run.state, run.source, run.dry_run) == (RunState.OBSERVED, SIMULATION, True)
    assert starts(world) == 0
    first, last = world.store.runs.transitions(run.id)
    assert (first.by, first.reason[:12]) == ("ann", "simulated as")
    assert (
        "could be started now; it would bring up the latest copy, of 2026-11-24 02:15:00 UTC,"
        " made by policy Daily" in last.reason
    )
    said = world.store.triggers.recent(1)[0].message
    assert ("a real trigger would start nothing" in said) is (mode is not Mode.ARMED)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (Unreachable("CDM is gone."), "The app would try again for an hour: CDM is gone."),
        (Busy("It is busy."), "The run would wait for 15 minutes, then ask a person: It is busy."),
        (Refused("No such action."), "The run would fail: No such action."),
        (NotFound("What job?"), "A person would have to decide: CDM has no job"),
    ],
)
def test_a_simulation_tells_at_once_what_a_real_run_would_meet(
    world: World, trouble: Exception, said: str
) -> None:
    world.cdm.fail("plan_start", trouble)  # type: ignore[arg-type]
    run = simulate(world)
    assert run.state is RunState.OBSERVED
    assert (run.error or "").startswith(said)


def test_a_real_run_does_not_spend_time_on_looking_at_copies_before_its_start(
    world: World,
) -> None:
    world.restoring()
    verbs = [verb for verb, _ in world.cdm.calls]
    assert "copy_to_restore" not in verbs[: verbs.index("start")]


def test_a_simulation_meets_a_mounted_copy_of_somebody_else(world: World) -> None:
    world.cdm.add_session(Phase.READY)
    run = simulate(world)
    assert "not ours and still open in CDM" in (run.error or "")


def test_a_renamed_job_is_found_by_a_simulation(world: World) -> None:
    world.cdm.change_job(name="Something else")
    assert "it is now named Something else" in (simulate(world).error or "")


def test_a_simulation_neither_counts_nor_shows_anywhere_else(world: World) -> None:
    """No repeat on the run it meets, no "new attack", no cool-down, no note, no offense search."""
    world.ready()
    world.pass_time(world.mapping.cooldown_s + 1)
    before = world.run()
    decision = world.trigger(source=SIMULATION)
    assert (decision.outcome, decision.run_id) == (Outcome.ALREADY_RUNNING, None)
    assert "Run 1" in decision.message
    assert world.run() == before

    other = make_mapping(world.store, world.connection, job_id="2000")
    world.cdm.add_job("2000", other.job_name)
    decision = world.trigger(other, source=SIMULATION)
    world.turn()
    assert world.store.notes.for_run(decision.run_id or 0) == []
    assert world.store.notes.search_of(decision.run_id or 0) is None
    assert world.trigger(other).outcome is Outcome.ACCEPTED


def test_a_simulation_within_the_cool_down_says_so(world: World) -> None:
    world.restoring()
    world.cdm.become(world.run().job_session_id or "", Phase.COMPLETED)
    world.go_on(RunState.COMPLETED)
    decision = world.trigger(source=SIMULATION)
    assert (decision.outcome, decision.run_id) == (Outcome.COOLING_DOWN, None)
    assert world.run().repeats == 0


def test_a_simulation_of_a_disabled_mapping_says_so(world: World) -> None:
    world.store.mappings.change(world.mapping.id, enabled=False)
    assert world.trigger(source=SIMULATION).outcome is Outcome.MAPPING_DISABLED


def test_a_simulation_says_that_a_person_would_be_asked(world: World) -> None:
    world.store.mappings.change(world.mapping.id, needs_approval=True)
    run = simulate(world)
    assert run.state is RunState.OBSERVED
    assert "first wait for a person to approve" in world.store.triggers.recent(1)[0].message


def test_while_a_simulation_is_at_work_an_attack_is_not_swallowed(world: World) -> None:
    world.trigger(source=SIMULATION)
    assert world.trigger().outcome is Outcome.ACCEPTED
    world.go_on(RunState.RESTORING)
    assert starts(world) == 1


def test_a_real_caller_can_not_pass_for_the_person_of_a_simulation(world: World) -> None:
    world.trigger(fields={"simulated_by": "root"})
    assert world.store.runs.transitions(1)[0].by == "rule"
