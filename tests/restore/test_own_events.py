# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Our own events in QRadar's log never feed a loop, and nobody hides behind their name."""

import pytest

from app.qradar.leef import event_of
from app.restore import actions
from app.restore.model import Decision, Mapping, Mode, Outcome, Phase, Refused, RunState
from tests.factories import make_connection, make_mapping
from tests.restore.world import World

S = RunState
OURS = "safeguarded-restore"


def know(world: World, sources: tuple[int, ...] = (162,), qids: tuple[int, ...] = (2001,)) -> None:
    world.store.settings.keep_own_events(sources, qids)


def event(world: World, of: Mapping | None = None, /, **fields: str) -> Decision:
    return world.trigger(of, fields={"username": OURS} | fields)


# --- what is ours -----------------------------------------------------------------------------


def test_an_event_of_our_log_source_with_our_event_id_starts_nothing(world: World) -> None:
    know(world)
    decision = event(world, log_source_id="162", qid="2001")
    assert decision.outcome is Outcome.UNMATCHED
    assert "written by this app itself" in decision.message
    assert world.store.runs.list() == []


def test_it_is_ours_whatever_user_it_names(world: World) -> None:
    know(world)
    assert event(world, username="x", log_source_id=" 162 ", qid="2001").run_id is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"log_source_id": "162"},
        {"qid": "2001"},
        {"log_source_id": "162", "qid": "2002"},
        {"log_source_id": "163", "qid": "2001"},
        {"log_source_id": "2001", "qid": "162"},
        {"log_source_id": "one", "qid": "2001"},
        {"log_source_id": "9" * 5000, "qid": "2001"},
        {"log_source_id": "\uff11\uff16\uff12", "qid": "2001"},
        {"log_source_id": "\u00b2", "qid": "2001"},
    ],
)
def test_one_of_both_is_not_enough_to_hide(world: World, fields: dict[str, str]) -> None:
    know(world)
    decision = event(world, **fields)
    assert decision.outcome is Outcome.ACCEPTED
    assert "may be the app's own" in decision.message


def test_while_nothing_is_known_nothing_is_ours(world: World) -> None:
    assert event(world, log_source_id="162", qid="2001").outcome is Outcome.ACCEPTED


def test_what_is_set_counts_beside_what_the_console_told(world: World) -> None:
    know(world, (1,), (2,))
    for key, numbers in (("own_log_sources", [162]), ("own_qids", [2001])):
        world.store.settings.set(key, numbers, by="ann", now=world.now)
    for source, qid in (("162", "2001"), ("1", "2"), ("1", "2001")):
        assert event(world, log_source_id=source, qid=qid).outcome is Outcome.UNMATCHED


def test_another_user_is_no_matter(world: World) -> None:
    decision = event(world, username="sapservice")
    assert "may be the app's own" not in decision.message


# --- what only may be -------------------------------------------------------------------------


def fail(world: World) -> None:
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", Phase.FAILED)
    world.go_on(S.FAILED)


@pytest.mark.parametrize("name", [OURS, f" {OURS} ", "Safeguarded-Restore"])
@pytest.mark.parametrize(("cooldown_s", "most"), [(0, 900), (900, 900), (1800, 1800)])
def test_after_a_failure_it_waits_for_the_full_cool_down(
    world: World, name: str, cooldown_s: int, most: int
) -> None:
    world.store.mappings.change(world.mapping.id, cooldown_s=cooldown_s)
    world.start_run()
    fail(world)
    decision = event(world, username=name)
    assert (decision.outcome, decision.run_id) == (Outcome.COOLING_DOWN, 1)
    assert "may be the app's own" in decision.message
    ended_at = world.run().ended_at
    assert ended_at is not None
    world.pass_time(most - 0.001 - (world.now - ended_at).total_seconds())
    assert event(world, username=name).outcome is Outcome.COOLING_DOWN
    world.pass_time(0.001)
    assert event(world, username=name).outcome is Outcome.ACCEPTED


def test_it_waits_from_the_end_of_a_restore_too(world: World) -> None:
    """A copy that was mounted for days and is cleaned up is told of in QRadar's log."""
    world.ready()
    world.pass_time(86400)
    actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)
    world.turn(1)
    world.cdm.become(world.run().job_session_id or "", Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert event(world).outcome is Outcome.COOLING_DOWN
    assert world.trigger().outcome is Outcome.ACCEPTED


def test_another_jobs_failure_is_waited_for_too(world: World) -> None:
    other = make_mapping(world.store, make_connection(world.store), cooldown_s=0)
    world.start_run()
    fail(world)
    assert event(world, other).outcome is Outcome.COOLING_DOWN
    assert world.trigger(other).outcome is Outcome.ACCEPTED


def test_after_three_failures_it_asks_a_person_once_the_cool_down_is_over(world: World) -> None:
    for _ in range(3):
        world.cdm.fail("start", Refused("no"))
        assert world.trigger().outcome is Outcome.ACCEPTED
        world.go_on(S.FAILED)
        world.pass_time(241)
    assert event(world).outcome is Outcome.COOLING_DOWN
    world.pass_time(900)
    assert event(world).outcome is Outcome.AWAITING_APPROVAL


def test_a_clock_that_was_set_back_does_not_hold_it(world: World) -> None:
    other = make_mapping(world.store, make_connection(world.store))
    world.start_run()
    fail(world)
    world.pass_time(-86400)
    assert event(world, other).outcome is Outcome.ACCEPTED


def test_what_was_just_told_is_no_new_attack_and_mutes_none(world: World) -> None:
    world.start_run()
    world.pass_time(3600)
    run = world.go_on(S.RESTORING)
    world.cdm.become(run.job_session_id or "", Phase.READY)
    world.go_on(S.READY)
    assert "New attack" not in event(world).message  # RESTORE_READY
    assert world.trigger().message.startswith("New attack while run 1 is still mounted")
    world.store.attacks.acknowledge(1, by="ann", now=world.now)
    world.pass_time(899)
    assert "New attack" not in event(world).message  # NEW_ATTACK_ACKNOWLEDGED
    world.pass_time(2)
    assert "New attack" in event(world).message


def test_the_end_of_a_restore_that_was_just_told_is_no_new_attack(world: World) -> None:
    world.ready()
    world.pass_time(86400)
    world.cdm.become(world.run().job_session_id or "", Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    decision = event(world)
    assert decision.outcome is Outcome.COOLING_DOWN
    assert "New attack" not in decision.message


def test_what_became_of_a_start_long_ago_and_was_just_told_is_no_new_attack(world: World) -> None:
    run = world.restoring()
    world.pass_time(3600)
    world.cdm.become(run.job_session_id or "", Phase.READY)
    world.go_on(S.READY)
    assert "New attack" not in event(world).message
    world.pass_time(900)
    assert "New attack" in event(world).message


def test_another_jobs_failure_that_was_just_told_is_no_new_attack(world: World) -> None:
    other = make_mapping(world.store, world.connection, job_id="2000")
    world.cdm.add_job("2000")
    world.ready()
    world.pass_time(3600)
    world.cdm.fail("start", Refused("no"))
    world.trigger(other)
    world.turn(1)
    assert world.run(2).state is S.FAILED
    assert "New attack" not in event(world).message
    world.pass_time(900)
    assert "New attack" in event(world).message


@pytest.mark.parametrize(("qid", "told"), [("2001", []), ("2002", ["TRIGGER_REJECTED"])])
def test_that_our_own_event_was_refused_is_not_told_as_the_next_one(
    world: World, qid: str, told: list[str]
) -> None:
    know(world)
    world.store.happenings.begin()
    world.trigger(
        fields={"username": OURS, "log_source_id": "162", "qid": qid},
        rule_id=7,
        rule_name="Nobody has mapped this",
        remarks=("Unread: magnitude.",),
    )
    events = [event_of(one) for one in world.store.happenings.untold()]
    assert [one[0] for one in events if one is not None] == told


@pytest.mark.parametrize(("cooldown_s", "most"), [(0, 900), (1800, 1800)])
def test_in_mode_observe_it_is_observed_once_in_the_full_cool_down(
    world: World, cooldown_s: int, most: int
) -> None:
    """RESTORE_OBSERVED would else bring about the next dry run, with its RESTORE_OBSERVED."""
    world.store.mappings.change(world.mapping.id, cooldown_s=cooldown_s)
    world.store.settings.set_mode(Mode.OBSERVE, by="ann", now=world.now)
    assert world.trigger().run_id == 1
    world.turn()
    assert world.run().state is S.OBSERVED
    world.pass_time(most - 0.001)
    assert event(world).run_id == 1
    if not cooldown_s:
        assert world.trigger().run_id == 2
        world.turn()
        world.pass_time(most - 0.001)
    world.pass_time(0.001)
    assert event(world).run_id == (2 if cooldown_s else 3)


@pytest.mark.parametrize("cooldown_s", [0, 900])
@pytest.mark.parametrize("refused", [True, False])
def test_a_rule_that_matches_our_own_events_feeds_no_loop(
    world: World, cooldown_s: int, refused: bool
) -> None:
    """Each of our events fires both rules for a day; every start fails, some after an hour.

    That the first restore was asked for may start the other rule's job, in doubt, and that is all.
    """
    world.store.mappings.change(world.mapping.id, cooldown_s=cooldown_s)
    rules = [
        world.store.mappings.get(world.mapping.id),
        make_mapping(world.store, world.connection, job_id="2000", cooldown_s=cooldown_s),
    ]
    world.cdm.add_job("2000")
    if refused:
        world.cdm.fail("start", Refused("no"), times=1000)
    world.store.happenings.begin()
    world.trigger()
    for _ in range(24 * 60):
        world.turn(60)
        for session in list(world.cdm.shown.values()):
            if session.live and world.now.minute == 0:
                world.cdm.become(session.id, Phase.FAILED)
        told = world.store.happenings.untold(limit=1000)
        world.store.happenings.told(told)
        for one in told:
            if event_of(one) is not None:
                for mapping in rules:
                    event(world, mapping)
    assert world.cdm.count("start") == (1 if refused else 2)
