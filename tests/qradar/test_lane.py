# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A side lane that could not begin is begun again."""

import threading
from collections.abc import Sequence
from datetime import datetime

import pytest

from app.qradar import lane as module
from app.qradar.lane import SideLane, Work, gap_after
from tests.factories import NOON


class Once:
    """Work that tells that it was done."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def turn(self, now: datetime, tick: float) -> float:
        self.done.set()
        return 3600.0

    def close(self) -> None:
        pass


def test_a_lane_whose_construction_fails_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store, or a variable of QRadar's, may be there a moment later: notes must be posted."""
    gaps: list[int] = []
    monkeypatch.setattr(module, "gap_after", lambda failures: gaps.append(failures) or 0.0)
    work = Once()

    def make() -> Sequence[Work]:
        if len(gaps) < 3:
            raise KeyError("not there yet")
        return [work]

    lane = SideLane("test", make, lambda: NOON)
    lane.start()
    assert work.done.wait(20)
    lane.stop()
    lane.join(20)
    assert not lane.is_alive()
    assert gaps == [1, 2, 3]


def test_a_lane_that_never_begins_ends_when_it_is_told_to() -> None:
    tried = threading.Event()

    def make() -> Sequence[Work]:
        tried.set()
        raise KeyError("never there")

    lane = SideLane("test", make, lambda: NOON)
    lane.start()
    assert tried.wait(20)
    lane.stop()
    lane.join(20)
    assert not lane.is_alive()


def test_the_gap_grows_up_to_a_minute() -> None:
    assert [gap_after(failures) for failures in (1, 2, 3, 6, 7, 1000)] == [2, 4, 8, 60, 60, 60]
