# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which copy comes up, and how it stands to the detection."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.restore.copy_looks import EVERY_S, CopyLooks
from app.restore.model import MANUAL, Phase, Refused, RunState, Unknown
from app.restore.model.copies import ClockOffset, Copy, SeenCopy, SourceCopy, Which
from app.restore.model.recovery_point import Relation, copy_sentence, copy_words, recovery_point
from app.restore.reading import COPY_TRIES
from tests.factories import JOB_ID, NOON, copy_of, make_mapping
from tests.restore.world import World

S = RunState
SYNCHRONOUS = ClockOffset(0.0, 1.0)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def made(*ats: datetime, clock: ClockOffset | None = SYNCHRONOUS) -> Copy:
    sources = tuple(SourceCopy(f"DB{number}", at, "Daily") for number, at in enumerate(ats))
    return Copy(Which.LATEST, sources, clock=clock)


@pytest.mark.parametrize(
    ("copy", "relation", "age_s"),
    [
        (made(NOON - minutes(90)), Relation.BEFORE, 5400),
        (made(NOON + minutes(90)), Relation.AFTER, -5400),
        # the margin: a minute, and what CDM's clock was measured to, to either side
        (made(NOON - timedelta(seconds=61)), Relation.UNCLEAR, 61),
        (made(NOON - timedelta(seconds=62)), Relation.BEFORE, 62),
        (made(NOON + timedelta(seconds=61)), Relation.UNCLEAR, -61),
        (made(NOON + timedelta(seconds=62)), Relation.AFTER, -62),
        # of several, the oldest says how old, the newest whether it may hold the attack
        (made(NOON - minutes(600), NOON - minutes(10)), Relation.BEFORE, 36_000),
        (made(NOON - minutes(600), NOON + minutes(10)), Relation.AFTER, 36_000),
        # CDM's clock is ten minutes ahead: what it calls 12:05 was at 11:55
        (made(NOON + minutes(5), clock=ClockOffset(600.0, 1.0)), Relation.BEFORE, 300),
        (made(NOON - minutes(5), clock=ClockOffset(-600.0, 1.0)), Relation.AFTER, -300),
        (made(NOON - minutes(5), clock=ClockOffset(0.0, 300.0)), Relation.UNCLEAR, 300),
        (made(NOON - minutes(90), clock=None), Relation.UNCLEAR, 5400),
        (copy_of(Which.LATEST, problem="CDM does not tell."), Relation.UNKNOWN, None),
        (Copy(Which.LATEST, (SourceCopy("A", NOON), SourceCopy("B"))), Relation.UNKNOWN, None),
        (Copy(Which.UNKNOWN), Relation.UNKNOWN, None),
    ],
)
def test_a_copy_is_from_before_or_after_or_that_cant_be_told(
    copy: Copy, relation: Relation, age_s: float | None
) -> None:
    point = recovery_point(copy, detected_at=NOON, received_at=NOON)
    assert (point.relation, point.age_s) == (relation, age_s)


def test_what_lies_between_event_and_receipt_belongs_to_the_margin() -> None:
    copy = made(NOON - minutes(10))
    point = recovery_point(copy, detected_at=NOON, received_at=NOON + minutes(9))
    assert (point.relation, point.age_s) == (Relation.UNCLEAR, 600)
    point = recovery_point(copy, detected_at=NOON, received_at=NOON + minutes(8))
    assert point.relation is Relation.BEFORE
    assert recovery_point(copy, detected_at=None, received_at=NOON).age_s == 600


def test_it_is_read_right_after_the_start_as_of_when_cdm_began(world: World) -> None:
    world.cdm.copy = made(NOON - minutes(30))
    run = world.restoring()
    assert run.copy is not None
    world.turn(10)
    run = world.run()
    assert run.copy == SeenCopy(world.cdm.copy, run.copy.seen_at if run.copy else NOON)
    session = world.cdm.shown[run.job_session_id or ""]
    assert world.cdm.until == [session.start]


def test_a_run_begins_with_what_was_seen_before_and_keeps_it_where_cdm_tells_no_more(
    world: World,
) -> None:
    seen = SeenCopy(made(NOON - minutes(30)), NOON - minutes(4))
    world.store.seen_copies.note(world.connection.id, JOB_ID, seen)
    world.cdm.fail("copy_to_restore", Refused("no rights"), times=100)
    world.start_run()
    world.turn()
    assert (world.run().state, world.run().copy) == (S.STARTING, seen)
    world.go_on(S.RESTORING)
    for _ in range(10):
        world.turn(60)
    assert world.run().copy == seen
    assert world.cdm.count("copy_to_restore") == COPY_TRIES
    assert world.run().memory.copy_tries == COPY_TRIES


def test_what_is_read_after_the_start_replaces_what_was_seen_before(world: World) -> None:
    before = SeenCopy(made(NOON - minutes(300)), NOON - minutes(4))
    world.store.seen_copies.note(world.connection.id, JOB_ID, before)
    world.cdm.copy = made(NOON - minutes(30))
    world.restoring()
    world.turn(10)
    assert world.run().copy is not None
    assert world.run().copy.copy == world.cdm.copy  # type: ignore[union-attr]


def test_a_copy_that_cant_be_read_is_said_with_its_reason(world: World) -> None:
    world.cdm.fail("copy_to_restore", Unknown("CDM hangs."), times=2)
    world.cdm.copy = made(NOON - minutes(30))
    world.restoring()
    world.turn(10)
    assert str(copy_words(world.run())) == "a copy that is not known: CDM hangs."
    world.turn(60)
    world.turn(60)
    assert str(copy_words(world.run())).startswith("the copy of 2026-11-24 11:30 UTC")


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (
            made(NOON - minutes(372)),
            "the copy of 2026-11-24 05:48 UTC, 6 h 12 min before the detection",
        ),
        (
            made(NOON + minutes(3)),
            "the copy of 2026-11-24 12:03 UTC, 3 min AFTER the detection: it may hold the attack",
        ),
        (
            made(NOON),
            "the copy of 2026-11-24 12:00 UTC, made about when the attack was detected: whether"
            " before or after can't be told",
        ),
        (
            made(NOON - minutes(372), NOON - minutes(60)),
            "the copies of 2 sources, the oldest of 2026-11-24 05:48 UTC, 6 h 12 min before the"
            " detection",
        ),
        (
            made(NOON - minutes(372), NOON + minutes(60)),
            "the copies of 2 sources, the newest of 2026-11-24 13:00 UTC, 1 h AFTER the detection:"
            " it may hold the attack",
        ),
        (
            replace(made(NOON - minutes(372)), which=Which.PINNED),
            "the pinned copy of 2026-11-24 05:48 UTC, NOT the latest, 6 h 12 min before the"
            " detection",
        ),
        (
            copy_of(Which.PINNED, name="Nov 15"),
            "the pinned copy Nov 15, NOT the latest; its time is not known",
        ),
        (
            copy_of(Which.LATEST, problem="CDM says no."),
            "the latest copy; its time is not known: CDM says no.",
        ),
        (Copy(Which.MISSING), "no copy that CDM lists"),
        (Copy(Which.UNKNOWN), "a copy that is not known: CDM does not tell."),
    ],
)
def test_in_words_nothing_is_claimed_that_is_not_known(
    world: World, copy: Copy, words: str
) -> None:
    run = replace(world.start_run(), detected_at=NOON, received_at=NOON, copy=SeenCopy(copy, NOON))
    assert str(copy_words(run)) == words
    assert "safeguarded" not in words.lower()


def test_without_a_detection_it_is_told_from_when_it_was_asked_for(world: World) -> None:
    seen = SeenCopy(made(NOON - minutes(60)), NOON)
    run = replace(world.start_run(), source=MANUAL, detected_at=None, received_at=NOON, copy=seen)
    assert str(copy_words(run)) == "the copy of 2026-11-24 11:00 UTC, 1 h before it was asked for"


def test_the_sentence_says_how_far_it_has_come(world: World) -> None:
    world.cdm.copy = made(NOON - minutes(60))
    assert copy_sentence(world.start_run()) is None
    world.go_on(S.RESTORING)
    world.turn(10)
    assert str(copy_sentence(world.run())).startswith("Coming up: the copy of 2026-11-24 11:00 UTC")
    world.cdm.become(world.run().job_session_id or "", Phase.READY)
    world.go_on(S.READY)
    assert str(copy_sentence(world.run())).startswith("Up: the copy of")
    world.cdm.become(world.run().job_session_id or "", Phase.COMPLETED)
    world.go_on(S.COMPLETED)
    assert str(copy_sentence(world.run())).startswith("Was up: the copy of")


def test_the_offense_is_told_which_copy_is_up(world: World) -> None:
    world.cdm.copy = made(NOON - minutes(372))
    world.ready()
    (ready,) = [one.text for one in world.store.notes.for_run(1) if one.kind == "ready"]
    assert "It is the copy of 2026-11-24 05:48 UTC, 6 h 12 min before the detection." in ready


# --- while there is nothing else to do ------------------------------------------------------------


def look(world: World, looks: CopyLooks) -> None:
    looks.look(world.store, world.connection.id, lambda _: world.cdm, lambda: world.now)


def test_each_mapped_job_is_looked_at_every_five_minutes_one_at_a_time(world: World) -> None:
    make_mapping(world.store, world.connection, job_id="1050")
    make_mapping(world.store, world.connection, job_id="1050")
    looks = CopyLooks(lambda: world.steady)
    for _ in range(4):
        look(world, looks)
    assert world.cdm.calls == [("copy_to_restore", JOB_ID), ("copy_to_restore", "1050")]
    seen = world.store.seen_copies.find(world.connection.id, "1050")
    assert seen == SeenCopy(world.cdm.copy, world.now)
    world.pass_time(EVERY_S)
    look(world, looks)
    assert world.cdm.calls[2:] == [("copy_to_restore", JOB_ID)]


def test_no_copy_is_looked_at_while_a_restore_waits(world: World) -> None:
    world.start_run()
    look(world, CopyLooks(lambda: world.steady))
    assert world.cdm.calls == []


def test_a_job_whose_copy_cant_be_read_keeps_what_was_seen_and_no_other_waiting(
    world: World,
) -> None:
    make_mapping(world.store, world.connection, job_id="1050")
    seen = SeenCopy(made(datetime(2026, 11, 1, tzinfo=UTC)), NOON)
    world.store.seen_copies.note(world.connection.id, JOB_ID, seen)
    world.cdm.fail("copy_to_restore", Unknown("it hangs"))
    looks = CopyLooks(lambda: world.steady)
    look(world, looks)
    look(world, looks)
    assert world.store.seen_copies.find(world.connection.id, JOB_ID) == seen
    assert world.store.seen_copies.find(world.connection.id, "1050") is not None
