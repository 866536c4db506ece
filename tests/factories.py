# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Things that tests are made of, with defaults: a test names only what it is about."""

from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.restore.model import CdmConnection, Mapping, Mode, Run, RunState, Trigger
from app.restore.model.copies import Copy, SourceCopy, Which
from app.store import Database, Store
from app.store.migrate import migrate

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
JOB_ID, JOB_NAME = "1044", "SQL clean-room restore"

_numbers = count(1)


@cache
def _migrated_file() -> bytes:
    """Give the content of a migrated store; made once, for migrating takes its time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        migrate(path)
        return path.read_bytes()


def put_store(path: Path) -> None:
    """Put a migrated store at ``path``, as a process of the app leaves it that has started."""
    path.write_bytes(_migrated_file())
    migrate(path)  # nothing is pending: it gives the store its mark


def make_store(folder: Path, *, mode: Mode = Mode.ARMED, name: str = "store.db") -> Store:
    """Give a migrated store in ``folder``; it is armed unless another mode is asked for."""
    path = folder / name
    path.write_bytes(_migrated_file())
    db = Database(path)
    db.execute("PRAGMA synchronous = OFF")  # no test survives a power cut
    store = Store(db)
    store.settings.set_mode(mode, by="test", now=NOON)
    return store


def make_connection(store: Store, **columns: object) -> CdmConnection:
    """Add a CDM connection."""
    number = next(_numbers)
    defaults: dict[str, object] = {
        "name": f"cdm-{number}",
        "host": f"cdm-{number}.example",
        "port": 8443,
        "username": "qradar-restore",
    }
    return store.connections.add(**defaults | columns)


def make_mapping(
    store: Store, connection: CdmConnection | None = None, **columns: object
) -> Mapping:
    """Add a mapping to job `JOB_ID`, for a rule id of its own."""
    number = next(_numbers)
    defaults: dict[str, object] = {
        "name": f"mapping-{number}",
        "rule_id": 100_000 + number,
        "rule_name": f"Rule {number}",
        "connection_id": (connection or make_connection(store)).id,
        "job_id": JOB_ID,
        "job_name": JOB_NAME,
        "cooldown_s": 900,
    }
    return store.mappings.add(**defaults | columns)


def make_trigger(of: Mapping | None = None, /, **values: object) -> Trigger:
    """Make a trigger of a mapping's rule, with a request id of its own."""
    defaults: dict[str, object] = {
        "request_id": f"request-{next(_numbers):06}",
        "received_at": NOON,
        "rule_id": None if of is None else of.rule_id,
        "rule_name": None if of is None else of.rule_name,
    }
    return Trigger(**defaults | values)


def copy_of(
    which: Which,
    at: datetime | None = None,
    policy: str | None = None,
    name: str | None = None,
    sources: tuple[str, ...] = ("SALES",),
    problem: str | None = None,
) -> Copy:
    """Give a copy, all of whose sources' copies were made at the same time."""
    made = tuple(SourceCopy(source, at, policy) for source in sources)
    return Copy(which, made, name, problem)


def run_of(number: int, **columns: Any) -> Run:
    """Give a run, in no store, whose copy is up."""
    defaults: dict[str, Any] = {
        "state": RunState.READY,
        "connection_id": 1,
        "connection": "prod",
        "job_id": JOB_ID,
        "job_name": JOB_NAME,
        "received_at": NOON,
    }
    return Run(id=number, **defaults | columns)
