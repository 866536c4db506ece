# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker process: one lane (thread) for each CDM connection, woken by what others commit.

Exactly one worker is at work, held by a file lock. A second one waits for the lock instead of
leaving, so that supervisord never gives up on it while old and new container overlap in an upgrade.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from app.cdm.client import CdmClient
from app.cdm.ends import Ends
from app.cdm.guard import Guard
from app.framework import logs, paths
from app.framework.console_peers import ConsoleAddresses
from app.framework.only_worker import only_worker
from app.framework.secrets import SecretNotStored, Secrets, SecretUnreadable
from app.framework.stop import Stop
from app.qradar.console import ConsoleClient
from app.qradar.console_end import ConsoleEnd
from app.qradar.duties import Duties, TokenUnreadable
from app.qradar.lane import SideLane, Work
from app.qradar.leef import Teller
from app.restore import not_started, watch
from app.restore.drift import look_at_jobs
from app.restore.engine import Engine
from app.restore.model import CdmConnection, CopyManagerError, LoginRefused
from app.restore.ports import ClientFor, CopyManager
from app.store import Database, Store, StoreBusy
from app.store.keeping import Keeper
from app.store.migrate import MigrationFailed, migrate

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.02  # how often other processes' commits are looked for
BEAT_EVERY_S = 5.0
LONGEST_NAP_S = 5.0  # a lane looks at the clock this often, should it have stepped
CONTACT_EVERY_S = 12.0  # trouble shows within half a minute; also keeps the API session warm
SILENT_AFTER_S = 8.0  # a call may take a minute, but pages tell of it long before
GOODBYE_S = 5.0  # what lanes get to finish their step and log out of CDM


def utc_now() -> datetime:
    return datetime.now(UTC)


@cache
def cdm_guard() -> Guard | None:
    """What keeps all lanes from being sent to this app's own host."""
    return None if paths.is_demo() else Guard(ConsoleAddresses())


class CopyManagers(Protocol):
    """What a lane gets its copy manager from, and closes at its end."""

    def client_for(self, connection_id: int) -> CopyManager: ...
    def close(self) -> None: ...


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
            ca, version = paths.system_ca_file(), paths.app_version()
            made = CdmClient(connection, password, system_ca=ca, version=version, guard=cdm_guard())
            self._made = (connection, made)
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


def cdm_clients(store: Store) -> CopyManagers:
    """Give a lane's clients of the real CDM servers."""
    return Clients(store, Secrets())


class Lane(threading.Thread):
    """Moves the runs of one connection, so that a hanging CDM delays only its own."""

    def __init__(
        self,
        connection_id: int,
        database: Path,
        *,
        clients: Callable[[Store], CopyManagers] = cdm_clients,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(name=f"lane-{connection_id}", daemon=True)
        self.connection_id = connection_id
        self._database, self._clients, self._clock = database, clients, clock
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._contact_at = -CONTACT_EVERY_S
        # Told of by the worker's own thread: this one waits for the answer.
        self._busy_since: float | None = None
        self._told_at = -BEAT_EVERY_S

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
        if since is None or now - since < SILENT_AFTER_S or now - self._told_at < BEAT_EVERY_S:
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

    def _about_to_ask(self, clients: CopyManagers, connection_id: int) -> CopyManager:
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


def qradar_work(database: Path) -> Sequence[Work]:
    """Give the work of QRadar's lane, on a store and a console client of its own."""
    store, secrets = Store(Database(database)), Secrets()
    console = ConsoleClient(paths.console_fqdn(), paths.system_ca_file(), timeout=10.0)

    def token(label: str) -> str:
        try:
            return secrets.get(label)
        except (SecretNotStored, SecretUnreadable) as error:
            raise TokenUnreadable(
                f"The stored service token can't be read ({error}). Enter it on the settings page."
            ) from error

    teller = Teller(
        store.happenings,
        lambda: store.settings.leef,
        address=paths.console_address(),
        version=paths.app_version(),
    )
    look = partial(watch.look, store)
    duties = Duties(store, console, token, watch=look, watch_every_s=watch.LOOK_EVERY_S)
    return [teller, duties, ConsoleEnd(store.qradar, console.host, paths.system_ca_file())]


def certificate_work(database: Path) -> Sequence[Work]:
    """Give the work of the lane that looks at the CDMs' certificates."""
    return [Ends(Store(Database(database)), paths.system_ca_file(), guard=cdm_guard())]


class Worker:
    """Keeps the lanes and wakes them."""

    def __init__(
        self,
        database: Path,
        stopping: Stop,
        *,
        clients: Callable[[Store], CopyManagers] = cdm_clients,
        qradar: Callable[[Path], Sequence[Work]] = qradar_work,
        certificates: Callable[[Path], Sequence[Work]] = certificate_work,
    ) -> None:
        self._database, self._stopping, self._clients = database, stopping, clients
        self._lanes: dict[int, Lane] = {}
        self._qradar = SideLane("qradar", partial(qradar, database), utc_now)
        self._looks = SideLane("certificates", partial(certificates, database), utc_now)
        self._keeping = SideLane("store", lambda: [Keeper(database)], utc_now)
        self._seen, self._beaten_at = -1, -BEAT_EVERY_S

    def work(self) -> None:
        """Work until told to stop."""
        store = Store(Database(self._database))
        self._qradar.start()
        self._looks.start()
        self._keeping.start()
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self._look_around(store)
            except Exception as error:  # the rim: without this loop nothing is ever started
                trace = not isinstance(error, StoreBusy)
                logger.warning("the store can't be used: %s", error, exc_info=trace)
                self._stopping.wait(1.0)
        self._say_goodbye()
        store.close()

    def _look_around(self, store: Store) -> None:
        version = store.data_version()
        if version != self._seen:
            self._keep_lanes(store)
            for lane in self._lanes.values():
                lane.wake()
            self._qradar.wake()
            self._seen = version  # only now: what was not passed on is looked at again
        for lane in self._lanes.values():
            if (silent_s := lane.silence()) is not None:
                not_started.note_silence(store, lane.connection_id, silent_s, utc_now())
        if time.monotonic() - self._beaten_at >= BEAT_EVERY_S:
            self._beaten_at = time.monotonic()
            self._keep_lanes(store)
            not_started.tell_offenses(store, utc_now())
            store.heartbeats.beat("worker", now=utc_now(), pid=os.getpid())

    def _keep_lanes(self, store: Store) -> None:
        wanted = {connection.id for connection in store.connections.list()}
        for connection_id in wanted:
            lane = self._lanes.get(connection_id)
            if lane is None or not lane.is_alive():
                lane = Lane(connection_id, self._database, clients=self._clients)
                self._lanes[connection_id] = lane
                lane.start()
        for connection_id in set(self._lanes) - wanted:
            self._lanes.pop(connection_id).stop()

    def _say_goodbye(self) -> None:
        sides = [self._qradar, self._looks, self._keeping]
        lanes: list[Lane | SideLane] = [*self._lanes.values(), *sides]
        for lane in lanes:
            lane.stop()
        until = time.monotonic() + GOODBYE_S
        for lane in lanes:
            lane.join(max(until - time.monotonic(), 0.0))


def migrated(database: Path, stopping: Stop) -> bool:
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
    stopping = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopping.set)
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
