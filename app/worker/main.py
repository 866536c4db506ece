# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker process: one lane (thread) for each CDM connection, woken by what others commit.

Exactly one worker is at work, held by a file lock. A second one waits for the lock instead of
leaving, so that supervisord never gives up on it while old and new container overlap in an upgrade.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from app.framework import logs, paths
from app.framework.only_worker import only_worker
from app.framework.secrets import SecretNotStored, Secrets, SecretUnreadable
from app.framework.stop import Stop
from app.message import Message
from app.qradar.console import ConsoleClient
from app.qradar.console_end import ConsoleEnd
from app.qradar.duties import Duties, TokenUnreadable
from app.qradar.lane import SideLane, Work
from app.qradar.leef import Teller
from app.restore import not_started, watch
from app.store import Database, Store, StoreBusy
from app.store.keeping import Keeper
from app.store.migrate import MigrationFailed, migrate
from app.worker.certificates import Ends
from app.worker.clients import Clients, cdm_clients, cdm_guard
from app.worker.lanes import Lane, utc_now

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.02  # how often other processes' commits are looked for
BEAT_EVERY_S = 5.0
GOODBYE_S = 5.0  # what lanes get to finish their step and log out of CDM


def qradar_work(database: Path) -> Sequence[Work]:
    """Give the work of QRadar's lane, on a store and a console client of its own."""
    store, secrets = Store(Database(database)), Secrets()
    console = ConsoleClient(paths.console_fqdn(), paths.system_ca_file(), timeout=10.0)

    def token(label: str) -> str:
        try:
            return secrets.get(label)
        except (SecretNotStored, SecretUnreadable) as error:
            raise TokenUnreadable(
                Message(
                    "The stored service token can't be read ({why}). Enter it on the settings"
                    " page.",
                    why=error,
                )
            ) from error

    teller = Teller(
        store.happenings,
        lambda: store.settings.values().leef,
        words=lambda: store.settings.words,
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
        clients: Callable[[Store], Clients] = cdm_clients,
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
