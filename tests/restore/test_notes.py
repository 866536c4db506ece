# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The words of an offense's notes, and that QRadar takes any of them."""

from dataclasses import replace
from gettext import NullTranslations
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.message import Message
from app.restore.model import RunState
from app.restore.notes import (
    LONGEST,
    LONGEST_ENCODED,
    Note,
    as_posted,
    new_attack_note,
    note_of,
    shortened,
)
from tests.factories import NOON, run_of

MARK = "[SR-1]"
RUN = run_of(
    17,
    job_session_id="4711",
    cdm_status="RESOURCE ACTIVE",
)


def text_in(note: Note) -> str:
    """The note as it is sent, in English."""
    return as_posted(note.words, MARK, NullTranslations(), probably=False)


def text_of(state: RunState, before: RunState | None, reason: str = "CDM says so") -> str:
    note = note_of(before, replace(RUN, state=state), reason, now=NOON)
    assert note is not None
    return text_in(note)


def test_a_ready_note_says_where_the_copy_is() -> None:
    text = text_of(RunState.READY, RunState.RESTORING)

    assert text.startswith("Safeguarded restore, run 17, 2026-11-24 12:00:00 UTC: READY")
    for word in ("SQL clean-room restore", "prod", "4711", "RESOURCE ACTIVE", "cleaned up"):
        assert word in text


@pytest.mark.parametrize(
    ("state", "before", "kind"),
    [
        (RunState.RESTORING, RunState.STARTING, "started"),
        (RunState.READY, RunState.RESTORING, "ready"),
        (RunState.READY, RunState.CLEANING_UP, "still_mounted"),
        (RunState.COMPLETED, RunState.RESTORING, "completed"),
        (RunState.COMPLETED, RunState.CLEANING_UP, "cleaned_up"),
        (RunState.COMPLETED, RunState.READY, "cleaned_up"),
        (RunState.FAILED, RunState.RESTORING, "failed"),
        (RunState.CANCELLED, RunState.QUEUED, "cancelled"),
        (RunState.OBSERVED, RunState.QUEUED, "observed"),
        (RunState.NEEDS_DECISION, RunState.STARTING, "needs_decision"),
    ],
)
def test_what_an_analyst_wants_to_know_has_a_note(
    state: RunState, before: RunState, kind: str
) -> None:
    note = note_of(before, replace(RUN, state=state), "CDM says so", now=NOON)

    assert note is not None
    assert note.kind == kind


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.STARTING, RunState.CLEANING_UP])
def test_what_is_only_on_its_way_has_none(state: RunState) -> None:
    assert note_of(None, replace(RUN, state=state), "", now=NOON) is None


def test_a_failure_repeats_cdms_words_once() -> None:
    failed = replace(RUN, state=RunState.FAILED, error="CTGGA2398: pool is full")
    told = note_of(RunState.RESTORING, failed, "CTGGA2398: pool is full", now=NOON)
    added = note_of(RunState.RESTORING, failed, "CDM says FAILED", now=NOON)

    assert told is not None
    assert text_in(told).count("pool is full") == 1
    assert added is not None
    assert text_in(added).endswith(f"CDM says FAILED. CTGGA2398: pool is full {MARK}")


def test_warnings_are_not_hidden() -> None:
    partial = replace(RUN, state=RunState.COMPLETED, with_warnings=True, cdm_status="PARTIAL")
    note = note_of(RunState.RESTORING, partial, "", now=NOON)

    assert note is not None
    assert "with warnings" in text_in(note)


def test_a_new_attack_names_the_session_to_clean_up() -> None:
    ended = replace(RUN, state=RunState.COMPLETED)
    note = new_attack_note(
        RUN, Message("New attack {how}", how="while run 3 is still mounted: wait."), now=NOON
    )

    assert note.kind == "new_attack"
    assert "NEW ATTACK while run 3 is still mounted: wait." in text_in(note)
    assert "4711" in text_in(note)
    cooled = Message("New attack {how}", how="in a cool-down.")
    assert "4711" not in text_in(new_attack_note(ended, cooled, now=NOON))


def test_a_short_text_stays_as_it_is() -> None:
    assert shortened("Grüße 👋🏽\nzwei") == "Grüße 👋🏽\nzwei"


def test_a_cut_does_not_part_what_a_reader_sees_as_one_character() -> None:
    family, accented = "👩\u200d👩\u200d👧", "e\u0301"
    for units in range(8, 40):
        cut = shortened(family * 6, units=units).removesuffix(" …")
        assert cut == family * (len(cut) // len(family))
        cut = shortened(accented * 30, units=units).removesuffix(" …")
        assert cut == accented * (len(cut) // 2)


def test_control_characters_are_blanked_and_half_surrogates_replaced() -> None:
    assert shortened("a\x00b\x1b[31m\u2028c\nd\ud800") == "a b [31m c\nd?"


@given(st.text(max_size=4000))
def test_qradar_takes_any_text(text: str) -> None:
    short = shortened(text)

    assert len(short.encode("utf-16-le")) // 2 <= LONGEST
    assert len(quote_plus(short)) <= LONGEST_ENCODED


@pytest.mark.parametrize("letter", ["漢", "é", "👋", "%", " ", "a", "\n"])
def test_a_long_text_uses_what_there_is(letter: str) -> None:
    short = shortened("x" + letter * 5000 + "x")

    assert len(short.encode("utf-16-le")) // 2 > LONGEST * 0.95 or (
        len(quote_plus(short)) > LONGEST_ENCODED * 0.95 or not letter.strip()
    )
