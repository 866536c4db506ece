# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How often the console may be asked about tokens that turn out to be bad."""

from collections import deque


class FailedAsks:
    """Counts the tokens that the console refused, so that a flood of them ends here.

    Anybody who reaches the app's port may send tokens, and QRadar locks a host out that asks about
    too many bad ones (qradar-platform §3.4). So ten refusals a minute are enough, five of one
    source (peer address); then tokens that were never good are refused unasked until the minute is
    over. The compromise: a flood from one address locks out nobody at another; a flood from several
    locks out, while it lasts, those who have just signed in; none touches anybody whose token was
    good within the last half day, nor makes QRadar lock out the app. No flood comes through the
    console's proxy, which knows its callers. Asks that run at the same moment aren't counted yet:
    the bulkhead bounds them.
    """

    def __init__(self, limit: int = 10, per_source: int = 5, window: float = 60.0) -> None:
        self._limit, self._per_source, self._window = limit, per_source, window
        self._failures: deque[tuple[float, str]] = deque()

    def wait(self, now: float, source: str) -> float:
        """Seconds until an unknown token of ``source`` may be asked about, 0 for at once."""
        while self._failures and now - self._failures[0][0] >= self._window:
            self._failures.popleft()
        everybody = [at for at, _ in self._failures]
        own = [at for at, whose in self._failures if source and whose == source]
        blocking = [
            times[-limit]
            for times, limit in ((everybody, self._limit), (own, self._per_source))
            if len(times) >= limit
        ]
        return max((at + self._window - now for at in blocking), default=0.0)

    def add(self, now: float, source: str) -> None:
        """Count one refusal."""
        self._failures.append((now, source))
