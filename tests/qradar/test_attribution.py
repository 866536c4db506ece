# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which of a rule's offenses an event belongs to, judged by time."""

from collections.abc import Sequence

import pytest

from app.qradar.attribution import AROUND_MS, fitting
from app.qradar.offenses import Contribution

EVENT = 1_764_000_000_123  # ms; not of a full second: it was not cut


def share(number: int, first_s: float, last_s: float | None = None) -> Contribution:
    """A rule's share, its times in seconds from the event."""
    first = EVENT + round(first_s * 1000)
    last = first if last_s is None else EVENT + round(last_s * 1000)
    return Contribution(7, "rule", number, first, last)


def fit(
    *shares: Contribution,
    settled: bool = True,
    others_s: Sequence[float] = (),
    at_ms: int = EVENT,
) -> list[int]:
    """The offenses that fit; ``others_s``: the rule's other triggers, in seconds from the event."""
    others = [EVENT + round(each * 1000) for each in others_s]

    def is_anothers(after_ms: int, until_ms: int) -> bool:
        return any(after_ms < other <= until_ms for other in others)

    fits = fitting(at_ms, shares, settled=settled, is_anothers=is_anothers)
    return sorted(each.offense_id for each in fits)


def test_a_share_that_covers_the_event_is_its_own_at_once() -> None:
    assert fit(share(1, -60, 60), share(2, 5), settled=False) == [1]
    assert fit(share(1, 0.9), settled=False) == [1]


def test_one_that_only_comes_near_is_taken_when_the_own_would_be_there() -> None:
    assert fit(share(1, 5), settled=False) == []
    assert fit(share(1, 5)) == [1]


def test_the_nearest_in_time_is_taken_and_not_the_newest() -> None:
    assert fit(share(1, 5), share(2, 65), share(3, 125)) == [1]
    assert fit(share(3, 65), share(1, 25), share(2, -200)) == [1]


@pytest.mark.parametrize("delay", [5, 45, 59, 61, 90, 119])
def test_a_rule_that_fires_each_minute_and_stamps_late_keeps_its_offenses_apart(
    delay: int,
) -> None:
    """Each share is that of the last trigger before it; the first event's own is missing, too."""
    fires = (0, 60, 120, 180)
    shares = [share(number, fire + delay) for number, fire in enumerate(fires, 1)]
    if delay < 60:
        assert fit(*shares, others_s=fires[1:]) == [1]
    assert fit(*shares[1:], others_s=fires[1:]) == []


def test_an_older_attacks_offense_counts_twice_as_far_and_not_at_all_if_its_trigger_is_known() -> (
    None
):
    assert fit(share(1, -20), share(2, 60)) == [1]
    assert fit(share(1, -40), share(2, 60)) == [2]
    assert fit(share(1, -20), others_s=[-23]) == []
    assert fit(share(1, -20), others_s=[-20 - AROUND_MS // 1000 - 1]) == [1]


def test_shares_that_fit_alike_are_all_given() -> None:
    assert fit(share(1, 0), share(2, 0), share(3, 0.5)) == [1, 2]
    assert fit(share(1, 5), share(2, 14), share(3, 16)) == [1, 2]


def test_a_time_that_was_cut_to_the_second_tells_no_more_than_the_second() -> None:
    cut = EVENT // 1000 * 1000
    assert fit(share(1, 0), share(2, 0.4), at_ms=cut) == [1, 2]


def test_a_stamp_that_was_cut_to_the_second_is_not_before_its_event() -> None:
    """The share is the other trigger's, whose event is some ms after it."""
    cut = Contribution(7, "rule", 1, EVENT // 1000 * 1000 + 60_000, EVENT // 1000 * 1000 + 60_000)
    assert fit(cut, others_s=[60.2]) == []


def test_what_is_too_far_away_is_nobodys() -> None:
    assert fit(share(1, AROUND_MS / 1000)) == [1]
    assert fit(share(1, AROUND_MS / 1000 + 1)) == []


def test_a_share_covers_an_event_within_a_second_and_not_beyond() -> None:
    assert fit(share(1, 1.0), settled=False) == [1]
    assert fit(share(1, 1.001), settled=False) == []
    assert fit(share(1, -5, -0.5), settled=False) == [1]
    assert fit(share(1, -5, -0.501), settled=False) == []


def test_shares_within_ten_seconds_of_the_nearest_fit_alike_and_others_do_not() -> None:
    assert fit(share(1, 5), share(2, 15), share(3, 15.001)) == [1, 2]


def test_of_shares_that_cover_an_event_a_millisecond_tells() -> None:
    assert fit(share(1, -1, 1), share(2, 0.001)) == [1]
    cut = EVENT // 1000 * 1000
    begun = Contribution(7, "rule", 1, cut, cut)
    late = [Contribution(7, "rule", n, cut + n, cut + n) for n in (1000, 1001)]
    assert fit(begun, *late, at_ms=cut) == [1, 1000]


def test_the_event_itself_is_no_other_triggers() -> None:
    for first_s in (5, -20):
        assert fit(share(1, first_s), others_s=[0]) == [1]
    assert fit(share(1, 5), others_s=[0.001]) == []
    assert fit(share(1, -20), others_s=[-0.001]) == []


def test_a_late_stamp_belongs_to_a_trigger_of_the_same_millisecond() -> None:
    assert fit(share(1, 5), others_s=[5]) == []
    assert fit(share(1, 5), others_s=[5.001]) == [1]


def test_an_older_share_may_be_a_triggers_of_five_minutes_before_it() -> None:
    around_s = AROUND_MS / 1000
    assert fit(share(1, -20), others_s=[-20 - around_s]) == [1]
    assert fit(share(1, -20), others_s=[-20 - around_s + 0.001]) == []


def test_no_more_than_the_eight_nearest_are_tried() -> None:
    shares = [share(number, 5 + 10 * number) for number in range(1, 10)]
    asked: list[int] = []

    def is_anothers(_after_ms: int, until_ms: int) -> bool:
        asked.append(until_ms)
        return True

    assert fitting(EVENT, shares[::-1], settled=True, is_anothers=is_anothers) == []
    assert asked == [each.first_ms for each in shares[:8]]
