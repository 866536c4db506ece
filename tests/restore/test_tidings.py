# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What offenses are told whose triggers made no run: the sentences."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from gettext import NullTranslations

import pytest

from app.message import Message
from app.restore.model import Outcome, RunState
from app.restore.notes import LONGEST, as_posted
from app.restore.tidings import attack_text, first_text, second_text, what_came_of
from tests.factories import NOON, run_of

RUN = run_of(
    3,
    offense_id=12,
    job_session_id="4711",
)


@dataclass(frozen=True)
class Trigger:
    outcome: Outcome = Outcome.ALREADY_RUNNING
    message: str = "It is so."
    received_at: datetime = NOON
    mapping: str | None = "SQL attack"
    cooling_until: datetime | None = None


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.READY, "repeat of run 3, the copy is ready"),
        (RunState.RESTORING, "repeat of run 3, the copy is being restored"),
        (RunState.NEEDS_DECISION, "repeat of run 3, which needs a person to decide"),
        (RunState.QUEUED, "repeat of run 3, which has not started yet"),
    ],
)
def test_a_repeat_says_of_which_run_and_where_that_is(state: RunState, words: str) -> None:
    assert what_came_of(Trigger(), replace(RUN, state=state)) == words


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_has_words(state: RunState) -> None:
    assert what_came_of(Trigger(), replace(RUN, state=state)).startswith("repeat of run 3, ")


def test_a_failure_says_why() -> None:
    failed = replace(RUN, state=RunState.FAILED, error="CTGGA2398: pool is full.")

    words = "repeat of run 3, which has FAILED: CTGGA2398: pool is full"
    assert what_came_of(Trigger(), failed) == words


def test_lost_contact_is_not_hidden() -> None:
    lost = replace(RUN, state=RunState.RESTORING, contact_lost_since=NOON)

    assert what_came_of(Trigger(), lost).endswith("(no contact with CDM since 12:00 UTC)")


@pytest.mark.parametrize(
    ("outcome", "message", "words"),
    [
        (Outcome.DISARMED, "…", "not started: the app is disarmed"),
        (Outcome.MAPPING_DISABLED, "…", "not started: mapping SQL attack is disabled"),
        (Outcome.UNMATCHED, "No mapping for rule id 5.", "not started: No mapping for rule id 5"),
    ],
)
def test_without_a_run_it_says_why(outcome: Outcome, message: str, words: str) -> None:
    assert what_came_of(Trigger(outcome, message), None) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4500, " until 13:15 UTC"), (86_400, " until 2026-11-25 12:00 UTC"), (None, "")],
)
def test_a_cool_down_says_until_when(seconds: int | None, words: str) -> None:
    until = None if seconds is None else NOON + timedelta(seconds=seconds)
    trigger = Trigger(Outcome.COOLING_DOWN, cooling_until=until)

    assert what_came_of(trigger, RUN) == f"not started: cooling down{words} after run 3"


def test_the_notes_say_where_the_copy_is() -> None:
    first = first_text(Trigger(), RUN, now=NOON)
    second = second_text(RUN, now=NOON + timedelta(minutes=5))

    assert first.startswith("Safeguarded restore, 2026-11-24 12:00:00 UTC: repeat of run 3, the")
    assert second.startswith("Safeguarded restore, 2026-11-24 12:05:00 UTC: run 3, of which")
    for word in ("SQL clean-room restore", "prod", "4711", "offense 12"):
        assert word in first
        assert word in second


def test_a_new_attack_is_told_as_one() -> None:
    why = Message("New attack {how}", how="while run 3 is still mounted.")
    text = attack_text(why, RUN, now=NOON)

    assert "UTC: NEW ATTACK while run 3 is still mounted." in text


def test_no_text_is_longer_than_a_note() -> None:
    failed = replace(RUN, state=RunState.FAILED, error="x" * 5000)

    text = first_text(Trigger(), failed, now=NOON)

    posted = as_posted(text, "", NullTranslations(), probably=False)
    assert LONGEST - 10 < len(posted) <= LONGEST + 1
