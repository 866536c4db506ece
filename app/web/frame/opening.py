# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Brings the store up to date beside the requests: a migration may take minutes, and waits for the
other process's. QRadar restarts an app whose /debug does not answer, in the middle of it.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from app.store import migrate as migrations
from app.store.migrate import MigrationFailed

logger = logging.getLogger(__name__)

AT_ONCE_S = 1.0  # callers wait in the socket's queue rather than get a 503
AGAIN_S = 60.0


class Opening(threading.Thread):
    """Migrates the store at ``path``, and tries again every minute while that fails."""

    def __init__(self, path: Path, migrate: Callable[[Path], object]) -> None:
        super().__init__(name="opening", daemon=True)
        self._path, self._migrate = path, migrate
        self._tried, self._stopping = threading.Event(), threading.Event()
        self._failure: str | None = None

    def begin(self) -> "Opening":
        """Start, and give it the moment that it usually takes."""
        self.start()
        self._tried.wait(AT_ONCE_S)
        return self

    @property
    def preparing(self) -> bool:
        """Whether it is not known yet if the store can be used."""
        return not self._tried.is_set()

    @property
    def failure(self) -> str | None:
        """Why the store can't be used; None: it can, or the first try is under way."""
        return self._failure

    def stop(self) -> None:
        """Try no more."""
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._migrate(self._path)
            except (MigrationFailed, OSError) as error:
                logger.error("the store can't be used: %s", error)
                # Usually a note beside the file tells; not when the folder can't be written.
                self._failure = migrations.failure(self._path) or str(error)
                self._tried.set()
                self._stopping.wait(AGAIN_S)
            else:
                self._failure = None
                self._tried.set()
                return
