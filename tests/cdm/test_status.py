# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The status words of cdm §4."""

import pytest

from app.cdm.status import is_busy, phase
from app.restore.model import Phase

RUNNING = (
    "ACTIVE RUNNING WAITING HELD CANCELLING CANCELING STOPPING PAUSED PAUSING SUSPENDED SUSPENDING"
)
ENDED = {
    "COMPLETED": Phase.COMPLETED,
    "PARTIAL": Phase.PARTIAL,
    "SKIPPED": Phase.PARTIAL,
    "FAILED": Phase.FAILED,
    "ABORTED": Phase.FAILED,
    "STOPPED": Phase.FAILED,
    "CANCELLED": Phase.CANCELLED,
    "CANCELED": Phase.CANCELLED,
}


@pytest.mark.parametrize("word", RUNNING.split())
def test_words_for_not_over_are_running_even_with_an_end(word: str) -> None:
    assert phase(word) is Phase.RUNNING
    assert phase(word, ended=True) is Phase.RUNNING


@pytest.mark.parametrize(("word", "meaning"), ENDED.items())
def test_words_for_the_end_have_their_verdict(word: str, meaning: Phase) -> None:
    assert phase(word) is meaning


@pytest.mark.parametrize(
    "word", ["RESOURCE ACTIVE", "RESOURCE_ACTIVE", " resource  active ", "Resource Active"]
)
def test_spelling_does_not_matter(word: str) -> None:
    assert phase(word) is Phase.READY


@pytest.mark.parametrize("word", ["UNKNOWN", "IDLE", "", "RESOURCE", "DONE", "COMPLETED OK"])
def test_a_word_that_is_not_in_the_table_is_unknown(word: str) -> None:
    assert phase(word) is Phase.UNKNOWN


def test_pending_right_after_the_start_is_running() -> None:
    assert phase("PENDING") is Phase.RUNNING
    assert phase("PENDING", results="Not active yet") is Phase.RUNNING


def test_pending_is_mounted_once_it_ran_or_ended_or_says_so() -> None:
    assert phase("PENDING", was_running=True) is Phase.READY
    assert phase("PENDING", ended=True) is Phase.READY
    assert phase("PENDING", results="IV test active") is Phase.READY
    assert phase("PENDING", results="IV test Active.") is Phase.READY


def test_having_run_before_changes_no_other_word() -> None:
    assert phase("RUNNING", was_running=True) is Phase.RUNNING
    assert phase("WAITING", was_running=True) is Phase.RUNNING


@pytest.mark.parametrize(
    "word",
    [*RUNNING.split(), "PENDING", "RESOURCE ACTIVE", "resource_active", "NEVER SEEN", "UNKNOWN"],
)
def test_a_job_is_busy_unless_its_word_says_it_is_free(word: str) -> None:
    assert is_busy(word)


@pytest.mark.parametrize("word", ["IDLE", "idle ", "", "COMPLETED", "FAILED", "CANCELLED"])
def test_a_job_that_is_idle_or_shows_an_ended_session_is_free(word: str) -> None:
    assert not is_busy(word)
