# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Whichever copy comes up, and whatever is wrong with a mapping's job, can be said in any language.

Beside `test_run_words`, whose scenes have the usual copy.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.configuration.kinds import Kind
from app.configuration.mapping import CopyCheck
from app.message import Message
from app.restore import not_started
from app.restore.copy_gate import doubtful
from app.restore.drift import drift_of
from app.restore.model import MANUAL, Mode, RestoreJob, Run, RunState
from app.restore.model.copies import ClockOffset, Copy, SeenCopy, Which
from app.restore.model.recovery_point import copy_sentence, copy_words
from tests.factories import NOON, copy_of, run_of
from tests.restore.test_run_words import Heard, leaked, set_mode, turns
from tests.restore.world import World

NAMES = (Kind.CDM.product, "SafeguardedHourly", "Nov 15", "SALES", "h", "UTC")
UNREAD = (Which.UNKNOWN, Which.LATEST)  # of these it is always said why
PROBLEM = Message("CDM did not tell it in time.")


def copies() -> Iterator[Copy]:
    """A copy of each kind, made before, about at and after `NOON`."""
    for which in Which:
        yield copy_of(which, name="Nov 15", problem=PROBLEM)
        yield copy_of(which, name="Nov 15")
        for hours in (-3, 0, 3):
            for clock in (None, ClockOffset(2.0, 1.0)):
                for sources in (("SALES",), ("SALES", "HR")):
                    at = NOON + timedelta(hours=hours)
                    made = copy_of(which, at, "SafeguardedHourly", "Nov 15", sources)
                    yield replace(made, clock=clock)
        yield copy_of(which, NOON, name="Nov 15", problem=PROBLEM)


def runs_with(copy: Copy) -> Iterator[Run]:
    run = run_of(
        3,
        detected_at=NOON,
        copy=SeenCopy(copy, NOON, max_age_h=1),
    )
    for state in (RunState.READY, RunState.RESTORING, RunState.QUEUED):
        yield replace(run, state=state)
    yield replace(run, state=RunState.COMPLETED, ready_at=NOON)
    yield replace(run, detected_at=None, source=MANUAL)


def test_no_word_about_a_copy_goes_past_the_catalogues() -> None:
    told = {str(copy) for copy in copies() if copy.problem or copy.which not in UNREAD}
    for copy in copies():
        for run in runs_with(copy):
            told |= {text for of in (copy_words, copy_sentence, doubtful) if (text := of(run))}

    assert len(told) > 50
    assert {text: rest for text in told if (rest := leaked(text, *NAMES))} == {}


def test_no_word_about_a_job_that_has_changed_goes_past_the_catalogues(world: World) -> None:
    job = world.cdm.job(world.mapping.job_id)
    changed: list[RestoreJob | None] = [None, replace(job, is_restore=False)]
    changed.append(replace(job, name="PENDING"))

    told = [drift_of(world.mapping, one) or "" for one in changed]

    assert all(told)
    assert [leaked(text) for text in told] == [""] * 3


@pytest.mark.parametrize("case", ["asked", "observed", "asked twice", "hangs"])
def test_no_word_of_a_question_or_of_a_wait_goes_past_the_catalogues(
    world: World, case: str
) -> None:
    heard = Heard(world)
    if case != "hangs":
        world.store.mappings.change(world.mapping.id, copy_check=CopyCheck.ASK)
    if case == "observed":
        set_mode(Mode.OBSERVE)(world)
    world.cdm.copy = copy_of(Which.UNKNOWN, problem=PROBLEM)
    run_id = world.trigger().run_id or 0
    if case == "hangs":
        not_started.note_silence(world.store, world.connection.id, 60.0, world.now)
        world.pass_time(600)
        not_started.tell_offenses(world.store, world.now)
        heard.words += [note.text for note in world.store.notes.for_run(run_id)]
        heard.words.append(world.store.connections.contact(world.connection.id).error or "")
    turns(world, 3)
    if case == "asked twice":
        world.trigger()
        turns(world, 3)

    connection = world.connection
    names = (connection.host, world.mapping.name, connection.name, connection.kind.product)
    assert any(str(PROBLEM) in word for word in heard.words) is (case != "hangs")
    assert {word: rest for word in heard.words if (rest := leaked(word, *names))} == {}
