# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The lock that lets exactly one worker work."""

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.framework.stop import Stop

logger = logging.getLogger(__name__)


@contextmanager
def only_worker(path: Path, stopping: Stop) -> Iterator[bool]:
    """Hold the worker's lock; wait for it, saying so once a minute. False: told to stop first."""
    with path.open("w") as lock:
        said_at = -60.0
        while not stopping.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() - said_at >= 60.0:
                    said_at = time.monotonic()
                    logger.warning("another worker is at work; waiting for it to end")
                stopping.wait(0.2)
            else:
                yield True
                return
        yield False
