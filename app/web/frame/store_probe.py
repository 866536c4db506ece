# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether the store can be written, known by writing to it: what a trigger would find."""

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app.store.database import Database, StoreBroken, StoreBusy
from app.store.store import Store

KEPT_S = 5.0  # an answer is good for so long, however many ask
PATIENCE_MS = 250  # somebody who looks at a page does not wait for another writer
HELD_LONG_S = 60.0  # another writer for so long is no passing one: triggers give up after 5 s


class StoreProbe:
    """Writes the web process's sign of life, at most once in `KEPT_S` seconds; for any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked_at, self._written_at = -KEPT_S, monotonic()
        self._problem: str | None = None

    def problem(self, path: Path, now: datetime) -> str | None:
        """Why the store at ``path`` can't be written; None: it can.

        Another process's lock is none, unless nothing could be written for a minute.
        """
        if self._lock.acquire(blocking=False):  # whoever comes meanwhile gets the last answer
            try:
                if self._monotonic() - self._looked_at >= KEPT_S:
                    self._problem = self._write(path, now)
                    self._looked_at = self._monotonic()
            finally:
                self._lock.release()
        return self._problem

    def _write(self, path: Path, now: datetime) -> str | None:
        store = Store(Database(path, patience_ms=PATIENCE_MS))
        try:
            store.heartbeats.beat("web", now=now, pid=os.getpid())
        except StoreBroken as error:
            return str(error)
        except StoreBusy as error:
            silent = self._monotonic() - self._written_at
            return str(error) if silent >= HELD_LONG_S else None
        finally:
            store.close()
        self._written_at = self._monotonic()
        return None
