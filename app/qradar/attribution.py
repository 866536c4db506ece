# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which of a rule's offenses an event belongs to, judged by time alone.

A rule's share in an offense has a first and a last event. QRadar may stamp them seconds after the
event that set the rule off, and the share appears up to two minutes later (qradar §5.5). A
share that covers the event is its own. Else the nearest is, unless another trigger of the rule has
the better claim to it: the share's first event is that of the last trigger before it.
"""

from collections.abc import Callable, Sequence

from app.qradar.offenses import Contribution

AROUND_MS = 5 * 60 * 1000
"""No share further away than this is an event's."""
_EXACT_MS = 1000  # a time may have been cut to the second on its way
_ALIKE_MS = 10_000  # stamps that came late by this much more or less can't be told apart
_TRIED = 8  # shares, the nearest first

IsAnothers = Callable[[int, int], bool]
"""Whether another trigger of the rule tells of an event after the one time and until the other."""


def distance(share: Contribution, at_ms: int) -> int:
    """How far an event is from a share, in ms; 0 within it.

    A share that had ended before the event is most likely an older attack's: it counts as twice as
    far away.
    """
    return max(share.first_ms - at_ms, 2 * (at_ms - share.last_ms), 0)


def fitting(
    at_ms: int, shares: Sequence[Contribution], *, settled: bool, is_anothers: IsAnothers
) -> Sequence[Contribution]:
    """Give the shares that fit an event best, all of them equally well.

    Until the event's own share must be there (``settled``) only those that cover it: one that comes
    near may be another event's.
    """
    near = sorted(shares, key=lambda share: distance(share, at_ms))
    covering = [share for share in near if distance(share, at_ms) <= _EXACT_MS]
    if covering:
        return _as_near(covering, at_ms, _cut_ms(at_ms))
    if not settled:
        return []
    near = [share for share in near[:_TRIED] if distance(share, at_ms) <= AROUND_MS]
    return _as_near(
        [share for share in near if not _is_anothers(share, at_ms, is_anothers)], at_ms, _ALIKE_MS
    )


def _as_near(shares: Sequence[Contribution], at_ms: int, slack: int) -> Sequence[Contribution]:
    """Those of ``shares``, the nearest first, that are as near as the nearest."""
    return [
        share for share in shares if distance(share, at_ms) <= distance(shares[0], at_ms) + slack
    ]


def _cut_ms(time_ms: int) -> int:
    """How much may have been cut off a time: one of full seconds tells no more than the second."""
    return 0 if time_ms % 1000 else _EXACT_MS


def _is_anothers(share: Contribution, at_ms: int, is_anothers: IsAnothers) -> bool:
    if at_ms < share.first_ms:
        return is_anothers(at_ms, share.first_ms + _cut_ms(share.first_ms))
    return is_anothers(share.first_ms - AROUND_MS, at_ms - 1)
