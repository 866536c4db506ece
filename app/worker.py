# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker process: one lane (thread) for each CDM connection, woken by what others commit.

Exactly one worker is at work, held by a file lock. A second one waits for the lock instead of
leaving, so that supervisord never gives up on it while old and new container overlap in an upgrade.
"""

import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.cdm.client import CdmClient
from app.framework import logs, paths
from app.framework.secrets import SecretNotStored, Secrets, SecretUnreadable
from app.restore.engine import Engine
from app.restore.model import CdmConnection, CopyManagerError, LoginRefused
from app.store import Database, Store, StoreBusy
from app.store.migrate import MigrationFailed, migrate

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.02  # how often other processes' commits are looked for
BEAT_EVERY_S = 5.0
LONGEST_NAP_S = 5.0  # a lane looks at the clock this often, should it have stepped
CONTACT_EVERY_S = 300.0  # keeps the API session warm (idle for 45 min it ends, cdm-api §1)
GOODBYE_S = 5.0  # what lanes get to finish their step and log out of CDM


def utc_now() -> datetime:
    return datetime.now(UTC)


class Clients:
    """A lane's CDM client, made anew when the connection or its password has changed."""

    def __init__(self, store: Store, secrets: Secrets) -> None:
        self._store, self._secrets = store, secrets
        self._made: tuple[CdmConnection, CdmClient] | None = None

    def client_for(self, connection_id: int) -> CdmClient:
        """Give the client of a connection. Raises `LoginRefused` while there is no password."""
        connection = self._store.connections.get(connection_id)
        if self._made is None or self._made[0] != connection:
            self.close()
            password = self._password(connection)
            client = CdmClient(connection, password, system_ca=paths.system_ca_file())
            self._made = (connection, client)
        return self._made[1]

    def close(self) -> None:
        """Log out of CDM."""
        if self._made is not None:
            self._made[1].close()
            self._made = None

    def _password(self, connection: CdmConnection) -> str:
        advice = f"Enter it on the connections page ({connection.name})."
        if connection.secret_label is None:
            raise LoginRefused("The password for CDM is not set.", advice=advice)
        try:
            password = self._secrets.get(connection.secret_label)
        except (SecretNotStored, SecretUnreadable) as error:
            raise LoginRefused(
                "The stored password for CDM can't be read.", cause=str(error), advice=advice
            ) from error
        logs.mask(password)
        return password


class Lane(threading.Thread):
    """Moves the runs of one connection, so that a hanging CDM delays only its own."""

    def __init__(
        self, connection_id: int, database: Path, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        super().__init__(name=f"lane-{connection_id}", daemon=True)
        self.connection_id = connection_id
        self._database, self._clock = database, clock
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._contact_at = -CONTACT_EVERY_S

    def wake(self) -> None:
        """Look for work now: something was committed."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the step at hand, log out, end."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        store = Store(Database(self._database))
        clients = Clients(store, Secrets())
        engine = Engine(store, clients.client_for)
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                due_at = self._turn(engine, store, clients)
                self._wake.wait(self._nap(due_at))
        finally:
            clients.close()
            store.close()

    def _turn(self, engine: Engine, store: Store, clients: Clients) -> datetime | None:
        try:
            due_at = engine.work(self.connection_id, self._clock())
            if due_at is None and time.monotonic() - self._contact_at >= CONTACT_EVERY_S:
                self._contact_at = time.monotonic()
                self._keep_contact(store, clients)
            return due_at
        except LookupError:
            logger.info("connection %d is gone; its lane ends", self.connection_id)
            self._stopping.set()
        except StoreBusy as error:
            logger.warning("the store is busy: %s", error)
        return None

    def _keep_contact(self, store: Store, clients: Clients) -> None:
        """Ask CDM for the mapped jobs, so that trouble shows before an attack does."""
        mappings = store.mappings.for_connection(self.connection_id)
        if not mappings:
            return
        problem = None
        try:
            for job_id in {mapping.job_id for mapping in mappings}:
                clients.client_for(self.connection_id).job(job_id)
        except CopyManagerError as error:
            problem = str(error)
            logger.warning("connection %d: %s", self.connection_id, problem)
        store.connections.note_contact(self.connection_id, problem, now=self._clock())

    def _nap(self, due_at: datetime | None) -> float:
        if due_at is None:
            return LONGEST_NAP_S
        return min(max((due_at - self._clock()).total_seconds(), 0.0), LONGEST_NAP_S)


class Worker:
    """Keeps the lanes and wakes them."""

    def __init__(self, database: Path, stopping: threading.Event) -> None:
        self._database, self._stopping = database, stopping
        self._lanes: dict[int, Lane] = {}

    def work(self) -> None:
        """Work until told to stop."""
        store = Store(Database(self._database))
        seen, beaten_at = -1, -BEAT_EVERY_S
        while not self._stopping.wait(LOOK_EVERY_S):
            if time.monotonic() - beaten_at >= BEAT_EVERY_S:
                beaten_at = time.monotonic()
                self._beat(store)
                self._keep_lanes(store)
            version = store.data_version()
            if version != seen:
                seen = version
                self._keep_lanes(store)
                for lane in self._lanes.values():
                    lane.wake()
        self._say_goodbye()
        store.close()

    def _keep_lanes(self, store: Store) -> None:
        wanted = {connection.id for connection in store.connections.list()}
        for connection_id in wanted:
            lane = self._lanes.get(connection_id)
            if lane is None or not lane.is_alive():
                self._lanes[connection_id] = Lane(connection_id, self._database)
                self._lanes[connection_id].start()
        for connection_id in set(self._lanes) - wanted:
            self._lanes.pop(connection_id).stop()

    def _beat(self, store: Store) -> None:
        try:
            store.heartbeats.beat("worker", now=utc_now(), pid=os.getpid())
        except StoreBusy as error:
            logger.warning("the store is busy: %s", error)

    def _say_goodbye(self) -> None:
        for lane in self._lanes.values():
            lane.stop()
        until = time.monotonic() + GOODBYE_S
        for lane in self._lanes.values():
            lane.join(max(until - time.monotonic(), 0.0))


@contextmanager
def only_worker(path: Path, stopping: threading.Event) -> Iterator[bool]:
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


def migrated(database: Path, stopping: threading.Event) -> bool:
    """Bring the store up to date; a failing migration is tried again every minute."""
    while not stopping.is_set():
        try:
            migrate(database)
        except MigrationFailed:
            stopping.wait(60.0)
        else:
            return True
    return False


def main() -> int:
    """Run the worker until SIGTERM."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    logs.set_up("worker")
    database = paths.database_path()
    with only_worker(paths.store_dir() / "worker.lock", stopping) as at_work:
        if at_work and migrated(database, stopping):
            logger.info("worker at work")
            Worker(database, stopping).work()
    logger.info("worker ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
