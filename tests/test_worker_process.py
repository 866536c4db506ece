# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The worker as a process of its own: signals, the lock, taking over from one that was killed."""

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.store import Database
from tests.world import wait_for

pytestmark = pytest.mark.processes

REPOSITORY = Path(__file__).resolve().parents[1]
SOON = 20.0  # far more than anything here takes, should the machine be busy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "log").mkdir()
    (tmp_path / "manifest.json").write_text(
        json.dumps({"name": "Safeguarded Restore", "version": "1.2.3", "log_level": "INFO"})
    )
    return tmp_path


@contextmanager
def process(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "APP_ROOT": str(root),
        "QRADAR_APP_ID": "1051",
        "QRADAR_APP_UUID": "7c0ffee0-1111-2222-3333-444455556666",
        "QRADAR_CONSOLE_FQDN": "console.example",
        "QRADAR_CONSOLE_IP": "192.0.2.10",
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "app.worker"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **environment,
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)]),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait(SOON)


def beat(root: Path) -> int | None:
    """The process id of the worker that last showed a sign of life."""
    path = root / "store" / "safeguarded-restore.db"
    if not path.exists():
        return None
    database = Database(path)
    try:
        row = database.execute("SELECT pid FROM heartbeats WHERE process = 'worker'").fetchone()
        return None if row is None else int(row["pid"])
    except sqlite3.OperationalError:
        return None  # not migrated yet
    finally:
        database.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_soon_and_well_when_it_is_told_to(root: Path, number: int) -> None:
    with process(root) as worker:
        wait_for(lambda: beat(root) == worker.pid)
        worker.send_signal(number)
        assert worker.wait(SOON) == 0


def test_a_worker_ends_while_it_waits_for_the_lock(root: Path) -> None:
    with (root / "store" / "worker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with process(root) as worker:
            logs = root / "store" / "log"
            wait_for(
                lambda: any("another worker" in file.read_text() for file in logs.glob("*log*"))
            )
            assert worker.poll() is None
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(SOON) == 0
    assert beat(root) is None


def test_a_second_worker_takes_over_when_the_first_is_killed(root: Path) -> None:
    with process(root) as first:
        wait_for(lambda: beat(root) == first.pid)
        with process(root) as second:
            first.kill()
            wait_for(lambda: beat(root) == second.pid)
            second.send_signal(signal.SIGTERM)
            assert second.wait(SOON) == 0
