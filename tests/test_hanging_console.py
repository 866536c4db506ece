# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A QRadar console that hangs, with the worker's real threads: restores go on."""

import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from app.framework.stop import Stop
from app.qradar.lane import Work
from app.restore import triggers
from app.restore.model import RunState
from app.store import Store
from app.worker.lanes import utc_now
from app.worker.main import Worker
from tests.factories import make_connection, make_mapping, make_store, make_trigger
from tests.restore.fake_cdm import FakeCdm

SOON = 20.0  # far more than anything here takes, should the machine be busy


class Hanging:
    """The console's work, which does not come back before it is let go."""

    def __init__(self) -> None:
        self.hangs, self.let_go = threading.Event(), threading.Event()

    def turn(self, now: datetime, tick: float) -> float:
        self.hangs.set()
        self.let_go.wait(SOON)
        return 3600.0

    def close(self) -> None:
        pass


class Cdm:
    """One CDM for every lane."""

    def __init__(self) -> None:
        self.cdm = FakeCdm()

    def client_for(self, connection_id: int) -> FakeCdm:
        return self.cdm

    def close(self) -> None:
        pass


def test_a_hanging_console_delays_no_restore(tmp_path: Path) -> None:
    store, hanging, cdm, stopping = make_store(tmp_path), Hanging(), Cdm(), Stop()
    mapping = make_mapping(store, make_connection(store))

    def clients(_store: Store) -> Cdm:
        return cdm

    def qradar(_database: Path) -> Sequence[Work]:
        return [hanging]

    path = store.runs._db.path
    worker = Worker(path, stopping, clients=clients, qradar=qradar, certificates=lambda _path: [])
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        assert hanging.hangs.wait(SOON)
        run_id = triggers.accept(store, make_trigger(mapping), utc_now()).run_id
        assert run_id is not None
        until = time.monotonic() + SOON
        while store.runs.get(run_id).state is not RunState.RESTORING:
            assert time.monotonic() < until, "the restore waits for the console"
            time.sleep(0.005)
        assert not hanging.let_go.is_set()
    finally:
        hanging.let_go.set()
        stopping.set()
        thread.join(SOON)
        store.close()
    assert not thread.is_alive()
