# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How long pages take with 100,000 runs and 1,000,000 triggers, as far as our own code matters.

Who calls is answered at once, as the minute's cache does; the rest is as it ships: templates,
queries, checks. The runs are written straight into SQLite, over the last 400 days.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from flask.testing import FlaskClient

from app.framework.bulkhead import Bulkhead
from app.qradar.caller import Caller
from app.qradar.console import ConsoleUnavailable
from app.restore.model import RunState
from app.store import Database, Store
from app.store.migrate import migrate
from app.store.times import to_text

RUNS, DAYS, JOBS = 100_000, 400, 40
TRIGGERS_A_RUN = 10  # each with a row in the audit trail, of the kind that runs leave there
ROUNDS = 15
PAGE_MS, FILTER_MS = 100.0, 300.0

_STATES = [RunState.COMPLETED] * 80 + [RunState.FAILED] * 12 + [RunState.CANCELLED] * 8
_COLUMNS = (
    *("state", "state_since", "connection_id", "connection", "host", "port", "mapping_id"),
    *("mapping", "job_id", "job_name", "source", "rule_id", "rule_name", "offense_id"),
    *("detected_at", "received_at", "sent_at", "started_at", "ready_at", "ended_at", "repeats"),
    *("error", "job_session_id", "cdm_status", "percent", "evidence"),
)

Timed = tuple[str, list[float], float]


def measure(runs: int = RUNS, rounds: int = ROUNDS) -> list[Timed]:
    """Seconds of each round for each page, with the limit for the median in ms."""
    with TemporaryDirectory() as folder, _environment(Path(folder)):
        path = Path(folder) / "store" / "safeguarded-restore.db"
        migrate(path)
        now = datetime.now(UTC)
        seed(path, runs, now)
        seed_triggers(path, runs, now)
        client = _client(path)
        return [
            (name, [_timed(client, query) for _ in range(rounds)], limit)
            for name, query, limit in _pages(now, runs)
        ]


def _pages(now: datetime, runs: int) -> Iterator[tuple[str, str, float]]:
    always = f"from={now - timedelta(days=DAYS + 1):%Y-%m-%d}"
    yield f"overview, {runs:,} runs", "/", PAGE_MS
    yield f"history, {runs:,} runs", "/runs", PAGE_MS
    yield "history, its last page", "/runs?after=1", PAGE_MS
    yield f"set-up, {runs * TRIGGERS_A_RUN:,} triggers", "/set-up", PAGE_MS
    yield "settings", "/settings", PAGE_MS
    yield "health", "/api/v1/health", PAGE_MS
    yield f"diagnostics, {runs * TRIGGERS_A_RUN:,} triggers", "/diagnostics", FILTER_MS
    for what, query in (
        ("a rare state", "state=needs_decision&state=starting"),
        ("several states", "state=failed&state=cancelled"),
        ("a mapping", "mapping=Mapping 7"),
        ("a connection and a state", "connection=cdm-1&state=failed"),
        ("a time", f"from={now - timedelta(days=200):%Y-%m-%d}&to={now:%Y-%m-%d}"),
        ("all times", always),
        ("a common word", "q=SQL"),
        ("a word that is nowhere", "q=nowhere"),
        ("a word that is nowhere, all times", f"q=nowhere&{always}"),
        ("a common word, all times", f"q=SQL&{always}"),
    ):
        yield f"history filtered by {what}", f"/runs?{query}", FILTER_MS


def seed(path: Path, runs: int, now: datetime) -> None:
    """Write ``runs`` runs of the last `DAYS` days into the store."""
    chance = random.Random(4)  # noqa: S311 - the same runs every time, nothing secret
    database = Database(path)
    rows = (_row(number, runs, now, chance) for number in range(runs))
    marks = ", ".join("?" * len(_COLUMNS))
    with database.transaction():
        database.connection.executemany(
            f"INSERT INTO runs ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608 - our own names
            rows,
        )
    database.close()


def seed_triggers(path: Path, runs: int, now: datetime) -> None:
    """Write `TRIGGERS_A_RUN` triggers for each run, the last ones of now, and their audit rows."""
    store = Store(Database(path))
    number = runs * TRIGGERS_A_RUN
    gap = timedelta(days=DAYS) / max(number, 1)
    with store.transaction():
        store.runs._db.execute_many(
            "INSERT INTO triggers (request_id, received_at, outcome, message, run_id, mapping,"
            " rule_id, rule_name, event_at) VALUES (?,?,?,?,?,?,?,?,?)",
            (
                (
                    *(f"bench-{each:09}", to_text(now - gap * (number - each)), "already_running"),
                    *(
                        "Run is under way already.",
                        each // TRIGGERS_A_RUN + 1,
                        "Mapping 7",
                        100_007,
                    ),
                    *("Attack on SQL database 7", to_text(now - gap * (number - each))),
                )
                for each in range(number)
            ),
        )
        for each in range(min(number, 50_000)):
            store.audit.append("rule", "run new -> queued", f"run {each}", "triggered", now=now)
    store.close()


def _row(number: int, runs: int, now: datetime, chance: random.Random) -> tuple[object, ...]:
    at = now - timedelta(days=DAYS) * (1 - number / runs)
    state, job = chance.choice(_STATES), chance.randint(1, JOBS)
    done = at + timedelta(seconds=chance.randint(60, 3600))
    ready = to_text(done) if state is RunState.COMPLETED else None
    error = "CDM says that the copy could not be mounted" if state is RunState.FAILED else None
    connection = job % 4 + 1
    return (
        *(state, to_text(done), connection, f"cdm-{connection}", f"cdm-{connection}.example"),
        *(8443, job, f"Mapping {job}", str(1000 + job), f"SQL clean-room restore {job}"),
        *("custom_action", 100_000 + job, f"Attack on SQL database {job}", number // 3),
        *(to_text(at), to_text(at), to_text(at), to_text(at), ready, to_text(done)),
        *(chance.randint(0, 5), error, str(1_600_000_000_000 + number), "COMPLETED", 100),
        "answered",
    )


def _client(path: Path) -> FlaskClient:
    from app import create_app  # its environment stands only now
    from app.web.services import Services

    anna = Caller("anna", "user", frozenset({"ADMIN"}), frozenset({"Admin"}))
    unused: Any = None
    silent = SimpleNamespace(request=_no_console)
    services = Services(
        database_path=path,
        open_store=lambda: Store(Database(path)),
        secrets=unused,
        identity=SimpleNamespace(who=lambda *_, **__: anna, silence=lambda: None),
        bulkhead=Bulkhead(2),
        cdm_client=unused,
        test_connection=unused,
        fetch_certificate=unused,
        make_script=lambda: "",
        console_api=silent,
        version="bench",
        console="console.invalid",
    )
    client = create_app(services).test_client()
    client.set_cookie("SEC", "bench")
    return client


def _no_console(*_: object, **__: object) -> None:
    raise ConsoleUnavailable("The console is not asked here.")


def _timed(client: FlaskClient, query: str) -> float:
    begun = time.perf_counter()
    answer = client.get(query)
    seconds = time.perf_counter() - begun
    if answer.status_code != 200:
        raise RuntimeError(f"{query} was answered with {answer.status}")
    return seconds


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """What the app needs to start, and nothing of it afterwards."""
    before = dict(os.environ)
    if find_spec("qpylib") is None:
        sys.path.append(str(Path(__file__).parent / "standins"))
    (folder / "store").mkdir()
    (folder / "manifest.json").write_text('{"version": "1.0.0", "name": "Bench"}')
    os.environ.update(
        APP_ROOT=str(folder), QRADAR_APP_ID="1", QRADAR_CONSOLE_FQDN="console.invalid"
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
