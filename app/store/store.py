# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The store as one object: a class for each subject over one connection."""

from contextlib import AbstractContextManager

from app.store.attacks import Attacks
from app.store.audit import Audit
from app.store.connections import Connections
from app.store.database import Database
from app.store.happenings import Happenings
from app.store.history import History
from app.store.mappings import Mappings
from app.store.marks import Marks
from app.store.notes import Notes
from app.store.qradar import QRadar
from app.store.refused_asks import RefusedAsks
from app.store.runs import Runs
from app.store.seen_copies import SeenCopies
from app.store.settings import Heartbeats, Settings, TriggerTokens
from app.store.starts import Starts
from app.store.statistics import Statistics
from app.store.tidings import Tidings
from app.store.trigger_offenses import TriggerOffenses
from app.store.triggers import Triggers
from app.store.unread_logs import UnreadLogs
from app.store.watch import WatchMemory


class Store:
    """One thread's view of the store."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.audit = Audit(db)
        self.marks = Marks(db)
        self.connections = Connections(db)
        self.mappings = Mappings(db)
        self.settings = Settings(db, self.audit)
        self.tokens = TriggerTokens(db, self.audit)
        self.triggers = Triggers(db)
        self.notes = Notes(db, self.audit)
        self.attacks = Attacks(db, self.audit, self.notes)
        self.runs = Runs(db, self.audit, self.notes, self.attacks)
        self.starts = Starts(db)
        self.tidings = Tidings(db, self.audit)
        self.trigger_offenses = TriggerOffenses(db, self.audit, self.attacks)
        self.unread_logs = UnreadLogs(db)
        self.seen_copies = SeenCopies(db)
        self.heartbeats = Heartbeats(db)
        self.qradar = QRadar(db, self.audit)
        self.refused_asks = RefusedAsks(db)
        self.watch = WatchMemory(db)
        self.happenings = Happenings(db)
        self.history = History(db)
        self.statistics = Statistics(db)

    def transaction(self) -> AbstractContextManager[None]:
        """Hold the write lock for a block; see `Database.transaction`."""
        return self._db.transaction()

    def data_version(self) -> int:
        """A number that changes when another connection has committed."""
        return self._db.data_version()

    def close(self) -> None:
        self._db.close()
