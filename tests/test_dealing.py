# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""No long test is left for the end, when most workers have nothing to do."""

import pytest

from tests.dealing import dealt


def blocks(tests: list[str], workers: int) -> list[list[str]]:
    """What each worker is given at the beginning, as xdist's ``worksteal`` does it."""
    found = []
    for left in range(workers, 0, -1):
        number = len(tests) // left
        found.append(tests[:number])
        tests = tests[number:]
    return found


def test_each_block_begins_with_its_share_of_the_long_tests_longest_first() -> None:
    quick = [f"quick-{number}" for number in range(20)]

    shared = blocks(dealt(["1", "2", "3", "4", "5"], quick, 3), 3)

    assert [block[:3] for block in shared] == [
        ["1", "4", "quick-0"],
        ["2", "5", "quick-6"],
        ["3", "quick-12", "quick-13"],
    ]


@pytest.mark.parametrize(("long", "quick"), [(0, 0), (1, 0), (7, 0), (7, 1), (0, 7), (3, 50)])
@pytest.mark.parametrize("workers", [1, 2, 4, 9])
def test_none_is_lost_or_doubled(long: int, quick: int, workers: int) -> None:
    numbers = list(range(long + quick))

    assert sorted(dealt(numbers[:long], numbers[long:], workers)) == numbers
