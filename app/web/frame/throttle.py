# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A bound on the rate of something unwanted."""

import threading
import time
from collections.abc import Callable


class Throttle:
    """A bucket of ``burst`` allowances, refilled by ``per_second``.

    It counts bad trigger tokens of all callers together: behind QRadar's proxy all have one
    address.
    """

    def __init__(
        self,
        burst: int = 20,
        per_second: float = 1.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst, self._per_second, self._monotonic = burst, per_second, monotonic
        self._left, self._at = float(burst), monotonic()
        self._lock = threading.Lock()

    def allow(self) -> bool:
        """Take one allowance; False when there is none left just now."""
        with self._lock:
            now = self._monotonic()
            self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
