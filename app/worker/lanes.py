# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A lane: the thread that moves the runs of one connection.

A CDM that hangs delays only its own.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from app.restore.copy_looks import CopyLooks
from app.restore.drift import look_at_jobs
from app.restore.engine import Engine
from app.restore.model import CopyManagerError
from app.restore.ports import ClientFor, CopyManager
from app.store import Database, Store, StoreBusy
from app.worker.clients import Clients, cdm_clients

logger = logging.getLogger(__name__)

TELL_EVERY_S = 5.0  # of a CDM that does not answer
LONGEST_NAP_S = 5.0  # a lane looks at the clock this often, should it have stepped
CONTACT_EVERY_S = 12.0  # trouble shows within half a minute; also keeps the API session warm
SILENT_AFTER_S = 8.0  # a call may take a minute, but pages tell of it long before


def utc_now() -> datetime:
    return datetime.now(UTC)


class Lane(threading.Thread):
    """Moves the runs of one connection, so that a hanging CDM delays only its own."""

    def __init__(
        self,
        connection_id: int,
        database: Path,
        *,
        clients: Callable[[Store], Clients] = cdm_clients,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(name=f"lane-{connection_id}", daemon=True)
        self.connection_id = connection_id
        self._database, self._clients, self._clock = database, clients, clock
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._contact_at = -CONTACT_EVERY_S
        self._copy_looks = CopyLooks(time.monotonic)
        # Told of by the worker's own thread: this one waits for the answer.
        self._busy_since: float | None = None
        self._told_at = -TELL_EVERY_S

    def wake(self) -> None:
        """Look for work now: something was committed."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the step at hand, log out, end."""
        self._stopping.set()
        self._wake.set()

    def silence(self) -> float | None:
        """Give for how long CDM has not answered; None: not long, or it was asked for just now."""
        since, now = self._busy_since, time.monotonic()
        if since is None or now - since < SILENT_AFTER_S or now - self._told_at < TELL_EVERY_S:
            return None
        self._told_at = now
        return now - since

    def run(self) -> None:
        store = Store(Database(self._database))
        clients = self._clients(store)
        client_for = partial(self._about_to_ask, clients)
        engine = Engine(store, client_for, time.monotonic)
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                due_at = self._turn(engine, store, client_for)
                self._busy_since = None
                self._wake.wait(self._nap(due_at))
        finally:
            clients.close()
            store.close()

    def _about_to_ask(self, clients: Clients, connection_id: int) -> CopyManager:
        self._busy_since = time.monotonic()  # many slow answers are no silence
        return clients.client_for(connection_id)

    def _turn(self, engine: Engine, store: Store, client_for: ClientFor) -> datetime | None:
        try:
            due_at = engine.work(self.connection_id, self._clock())
            at_rest = due_at is None or due_at > self._clock()
            if at_rest and time.monotonic() - self._contact_at >= CONTACT_EVERY_S:
                self._contact_at = time.monotonic()
                self._keep_contact(store, client_for)
            return due_at
        except StoreBusy as error:
            logger.warning("the store is busy: %s", error)
        except Exception:  # the rim: a lane that ends logs in anew, and its runs stand still
            logger.exception("connection %d: a turn failed", self.connection_id)
        return None

    def _keep_contact(self, store: Store, client_for: ClientFor) -> None:
        """Ask CDM for the mapped jobs, so that trouble shows before an attack does."""
        if not store.mappings.for_connection(self.connection_id):
            return
        problem = None
        try:
            look_at_jobs(store.mappings, store.runs, self.connection_id, client_for)
            self._copy_looks.look(store, self.connection_id, client_for, self._clock)
        except CopyManagerError as error:
            problem = str(error)
            logger.warning("connection %d: %s", self.connection_id, problem)
        store.connections.note_contact(self.connection_id, problem, now=self._clock())

    def _nap(self, due_at: datetime | None) -> float:
        contact_in = self._contact_at + CONTACT_EVERY_S - time.monotonic()
        nap = min(LONGEST_NAP_S, max(contact_in, 1.0))  # a turn that failed made no contact
        if due_at is not None:
            nap = min(nap, (due_at - self._clock()).total_seconds())
        return max(nap, 0.0)
