# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""In which order tests run where several workers share them.

pytest-xdist's ``worksteal`` gives each worker a block of what was collected, and takes from the end
of a block for a worker that has nothing left. So each block begins with its share of the long
tests: they wait more than they work, and one left for the end would hold up all the others.
"""

from collections.abc import Sequence
from typing import TypeVar

Test = TypeVar("Test")


def dealt(long: Sequence[Test], quick: Sequence[Test], workers: int) -> list[Test]:
    """Give all tests, the long ones (longest first) dealt out to the beginnings of the blocks."""
    found: list[Test] = []
    total, rest = len(long) + len(quick), list(quick)
    for worker in range(workers):
        mine = long[worker::workers]
        # As large as xdist makes the block; what does not fit goes on to the next one.
        room = max((total - len(found)) // (workers - worker) - len(mine), 0)
        found += [*mine, *rest[:room]]
        rest = rest[room:]
    return found + rest
