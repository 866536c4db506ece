# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""So many calls of the console a minute and no more, for work that can wait."""

from collections import deque
from typing import Any

from app.qradar.administrator import AsksConsole
from app.qradar.console import ConsoleAnswer

_MINUTE_S = 60.0


class Rationed:
    """A console whose calls are counted; whoever calls asks for `room` before."""

    def __init__(self, console: AsksConsole, most: int) -> None:
        self._console, self._most = console, most
        self._made: deque[float] = deque()
        self._tick = 0.0

    def room(self, tick: float) -> int:
        """How many calls are left at ``tick`` (monotonic, s); those that follow are made then."""
        self._tick = tick
        while self._made and self._made[0] <= tick - _MINUTE_S:
            self._made.popleft()
        return max(self._most - len(self._made), 0)

    def wait_s(self, room: int) -> float:
        """How long until there is ``room``, seen from the last time that it was asked for."""
        missing = room - (self._most - len(self._made))
        return 0.0 if missing <= 0 else self._made[missing - 1] + _MINUTE_S - self._tick

    def request(self, method: str, path: str, **more: Any) -> ConsoleAnswer:
        """Make a call and count it, whatever comes of it."""
        self._made.append(self._tick)
        return self._console.request(method, path, **more)
