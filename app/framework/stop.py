# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How a process is told to stop."""

import os
import select
from contextlib import suppress


class Stop:
    """A flag that a signal handler may set.

    `threading.Event` takes a lock to be set, and the handler runs in the very thread that may just
    be holding it to wait: then neither goes on. A pipe has no such lock.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def set(self, *_: object) -> None:
        """Say that it is time to stop; also as a signal handler."""
        with suppress(BlockingIOError):
            os.write(self._write, b"!")

    def is_set(self) -> bool:
        return self.wait(0.0)

    def wait(self, timeout: float) -> bool:
        """Wait for so many seconds at most; say whether it is time to stop."""
        return bool(select.select([self._read], [], [], timeout)[0])
