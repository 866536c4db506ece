# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker's care for the store: its marks, its copies, and the whole audit trail once a day.

The commit of a mark also brings a long ``-wal`` into the main file: others leave that to it.
"""

import logging
from datetime import datetime, timedelta
from pathlib import Path

from app.store.copies import KEPT, CopyFailed, keep_copy
from app.store.database import KEEPERS_PAGES, Database, StoreBusy
from app.store.marks import mark_files
from app.store.store import Store

logger = logging.getLogger(__name__)

MARK_EVERY_S = 5.0
COPY_EVERY = timedelta(days=1)
SETTLED_S = 30.0  # after a change of the configuration others mostly follow
AGAIN_S = 300.0  # after a copy, or a try at one


class Keeper:
    """Work of a lane of its own: a copy may take minutes, and nobody waits for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store = Store(Database(path, wal_pages=KEEPERS_PAGES))
        self._seen: int | None = None  # the last change of the configuration that is in the copy
        self._changed_at: float | None = None
        self._not_before = 0.0

    def turn(self, now: datetime, tick: float) -> float:
        """Mark the store and copy it if it is time; give the seconds until the next turn."""
        try:
            self._store.marks.make(now, files=mark_files(self._path))
            if tick >= self._not_before and self._is_time(now, tick):
                self._not_before = tick + AGAIN_S
                self._copy(now)
        except StoreBusy as error:
            logger.warning("the store can't be marked: %s", error)
        return MARK_EVERY_S

    def close(self) -> None:
        self._store.close()

    def _is_time(self, now: datetime, tick: float) -> bool:
        newest = self._path.with_name(f"{self._path.name}.{KEPT[0]}")
        last = self._store.audit.last_change(after=self._seen or 0)
        if not newest.exists() or self._seen is None:
            return True  # after a start nobody knows what the copy there holds
        if abs(now.timestamp() - newest.stat().st_mtime) >= COPY_EVERY.total_seconds():
            return True
        if last is None:
            self._changed_at = None
            return False
        self._changed_at = self._changed_at or tick
        return tick - self._changed_at >= SETTLED_S

    def _copy(self, now: datetime) -> None:
        change = self._store.audit.last_change(after=self._seen or 0)
        try:
            file = keep_copy(self._path)
        except CopyFailed as error:
            logger.error("%s The copies made before are kept.", error)
            return
        self._seen, self._changed_at = change or self._seen or 0, None
        sound = self._store.audit.verify()
        self._store.marks.note_audit(sound=sound, now=now)
        if not sound:
            logger.error("the audit trail does not verify: rows of it were changed or taken out")
        logger.info("the store was copied to %s", file.name)
