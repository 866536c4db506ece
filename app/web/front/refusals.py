# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Tells of refused requests in the log, without letting them push everything else out of it."""

import logging
from collections import Counter

A_LINE_EVERY_S = 60.0
_MOST_PEERS = 5


class Refusals:
    """The first is told at once, the rest in one line a minute: how many, of what, from whom.

    Nothing that was sent is quoted: the broken line of a request may be the one with a token.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._not_before = 0.0
        self._reasons: Counter[str] = Counter()
        self._peers: Counter[str] = Counter()

    def note(self, peer: str, reason: str, now: float) -> None:
        """Count one; ``now`` is monotonic."""
        self._reasons[reason] += 1
        if peer in self._peers or len(self._peers) < 1000:
            self._peers[peer] += 1
        self.tell(now)

    def tell(self, now: float) -> None:
        """Write the line if there is something to say and the last one is long enough ago."""
        if now < self._not_before or not self._reasons:
            return
        self._not_before = now + A_LINE_EVERY_S
        total = sum(self._reasons.values())
        reasons = ", ".join(f"{reason} ({count})" for reason, count in self._reasons.most_common())
        peers = ", ".join(
            f"{peer} ({count})" for peer, count in self._peers.most_common(_MOST_PEERS)
        )
        more = "" if len(self._peers) <= _MOST_PEERS else f" and {len(self._peers) - 5} more"
        self._log.warning("Refused requests: %d. Why: %s. From: %s%s", total, reasons, peers, more)
        self._reasons.clear()
        self._peers.clear()
