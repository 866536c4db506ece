# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How many connections the front keeps open for whom, and which one has to make room.

QRadar's proxy brings all users and all triggers from the console's address; the raw port can be
reached past it (qradar §2.5). Where the container's host hides the callers' addresses
behind its own, nobody looks like the console: all then share one place, which is why that of any
other peer too is above what the console needs at a time (the storm of ``bench`` is 50 clients).
"""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

CONSOLE = 256
EACH_OTHER = 64
ALL_OTHERS = 256
UNSENT_BYTES = 32 * 1024 * 1024  # of all answers together that nobody has fetched yet


class Held(Protocol):
    """A connection, as far as room is concerned."""

    @property
    def peer(self) -> str: ...
    @property
    def busy(self) -> bool: ...  # its request is being answered
    @property
    def deadline(self) -> float: ...
    @property
    def unsent(self) -> int: ...


Connection = TypeVar("Connection", bound=Held)


def in_the_way(
    peer: str, held: Iterable[Connection], is_console: Callable[[str], bool]
) -> tuple[bool, Connection | None]:
    """Whether there is room for one more of ``peer``, and which connection must go for it.

    A request that has arrived whole is never cut off. Of the others that one goes whose time is up
    first: he who is silent makes room for him who speaks.
    """
    if is_console(peer):
        return _room([each for each in held if is_console(each.peer)], CONSOLE)
    others = [each for each in held if not is_console(each.peer)]
    its_own = [each for each in others if each.peer == peer]
    if len(its_own) >= EACH_OTHER:
        return _room(its_own, EACH_OTHER)
    return _room(others, ALL_OTHERS)


def _room(held: list[Connection], limit: int) -> tuple[bool, Connection | None]:
    if len(held) < limit:
        return True, None
    first = first_to_go(held)
    return first is not None, first


def first_to_go(held: Iterable[Connection]) -> Connection | None:
    """Of the connections whose request is not being answered, the one whose time is up first."""
    return min(
        (each for each in held if not each.busy), key=lambda each: each.deadline, default=None
    )


def too_much_unsent(held: Iterable[Connection]) -> Connection | None:
    """The slowest reader, while more than `UNSENT_BYTES` wait to be fetched."""
    waiting = [each for each in held if each.unsent]
    if sum(each.unsent for each in waiting) <= UNSENT_BYTES:
        return None
    return first_to_go(waiting)
