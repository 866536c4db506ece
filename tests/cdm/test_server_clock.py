# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How far CDM's clock is ahead of ours, by the dates of its answers."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from app.cdm.client import CdmClient
from app.remote.server_clock import ServerClock
from app.restore.model.copies import ClockOffset, Which
from tests.simulators.cdm import CdmSimulator

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Answers:
    """A server whose clock is ahead, and whose answers take their time."""

    def __init__(self) -> None:
        self.now = NOON
        self.clock = ServerClock(lambda: self.now)

    def answer(self, date: str | None, *, takes: float) -> ClockOffset | None:
        asked_at = self.now
        self.now += timedelta(seconds=takes)
        self.clock.note(date, asked_at)
        return self.clock.offset


@pytest.fixture
def answers() -> Answers:
    return Answers()


def test_the_offset_lies_within_the_way_and_the_second_that_a_date_is_cut_to(
    answers: Answers,
) -> None:
    offset = answers.answer("Tue, 24 Nov 2026 12:10:01 GMT", takes=2.0)
    assert offset == ClockOffset(600.5, 1.5)


def test_a_clock_behind_ours_is_ahead_by_less_than_nothing(answers: Answers) -> None:
    assert answers.answer("Tue, 24 Nov 2026 11:00:00 GMT", takes=0.0) == ClockOffset(-3599.5, 0.5)


@pytest.mark.parametrize("date", [None, "", "yesterday", "24.11.2026 12:00", "1", "\xff"])
def test_what_is_no_date_says_nothing(answers: Answers, date: str | None) -> None:
    assert answers.answer(date, takes=0.0) is None


def test_the_most_exact_of_the_last_ten_minutes_counts(answers: Answers) -> None:
    exact = answers.answer("Tue, 24 Nov 2026 12:00:00 GMT", takes=0.0)
    assert answers.answer("Tue, 24 Nov 2026 12:00:30 GMT", takes=60.0) == exact
    answers.now += timedelta(minutes=8)
    assert answers.answer("Tue, 24 Nov 2026 12:12:00 GMT", takes=60.0) == ClockOffset(150.5, 30.5)


def test_copies_are_told_with_the_clock_of_the_cdm_that_lists_them(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.world.clock = lambda: time.time() + 600
    copy = client.copy_to_restore(job_id)
    assert copy.clock is not None
    assert abs(copy.clock.ahead_s - 600) <= copy.clock.within_s
    assert copy.clock.within_s < 60


def test_copies_from_after_the_start_are_not_those_that_came_up(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    times = [
        {"protectionTime": int((NOON + timedelta(hours=h)).timestamp() * 1000)} for h in (1, 3)
    ]
    cdm.switches.copies = times
    assert client.copy_to_restore(job_id).made_at == NOON + timedelta(hours=3)
    before = client.copy_to_restore(job_id, until=NOON + timedelta(hours=1))
    assert before.made_at == NOON + timedelta(hours=1)
    gone = client.copy_to_restore(job_id, until=NOON)
    assert (gone.which, gone.made_at) == (Which.LATEST, None)
    assert gone.problem == "CDM lists no copy from before the start any more."
