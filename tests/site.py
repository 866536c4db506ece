# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages alone, served for a browser: the real app and store behind the simulated console.

QRadar's identity and CDM are fakes at the seam, so that a page is there in milliseconds and every
state can be shown at once.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from app import create_app
from app.framework.bulkhead import Bulkhead
from app.qradar.caller import Caller
from app.qradar.console import ConsoleClient
from app.remote.trust import ServerCertificate
from app.restore.model import LogLine, Mode, RunState, Trigger
from app.restore.model.copies import SourceCopy, Which
from app.store.database import Database
from app.store.store import Store
from app.web.services import EXTENSION, Services
from tests import site_content
from tests.factories import copy_of, put_store
from tests.framework.conftest import forget_qpylib_state
from tests.root_logger import own_log_handlers
from tests.simulators.console import ConsoleSimulator
from tests.web.conftest import FakeCdm, FakeSecrets, job_entry

APP_ID = 1001
HOSTILE = "<b>bold</b>\"'`{{7*7}}\u202egnp.exe \u05d0\u05d1 " + "x" * 10_000
_MANIFEST = json.loads((Path(__file__).parents[1] / "manifest.json").read_text())
_LIVES = {
    "mounted": (RunState.STARTING, RunState.RESTORING, RunState.READY),
    "failed": (RunState.STARTING, RunState.FAILED),
    "undecided": (RunState.STARTING, RunState.NEEDS_DECISION),
    "restoring": (RunState.STARTING, RunState.RESTORING),
    "queued": (),
    "done": (RunState.STARTING, RunState.RESTORING, RunState.COMPLETED),
}


class Everybody:
    """An identity in which each token is an administrator's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def who(self, _token: str | None, _fresh: bool = False, *, source: str = "") -> Caller:
        return Caller(self.name, "user", frozenset({"ADMIN"}), frozenset({"Admin"}))

    def room(self, _token: str, _source: str) -> AbstractContextManager[None]:
        return nullcontext()

    def silence(self) -> None:
        """The console answers."""


@dataclass
class Site:
    """The console with the app in it."""

    console: ConsoleSimulator
    store: Store
    services: Services
    app: Any

    def url(self, path: str) -> str:
        return f"{self.console.url}/console/plugins/{APP_ID}/app_proxy/{path}"

    def pages(self) -> list[str]:
        """Every address that answers with a page, read from the app's routes."""
        values = {"run_id": range(1, len(_LIVES) + 1), "connection_id": [1], "mapping_id": [1]}
        found = []
        with self.app.test_client() as client:
            client.set_cookie("SEC", "any")
            for rule in self.app.url_map.iter_rules():
                if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
                    continue
                for one in values[min(rule.arguments)] if rule.arguments & set(values) else [1]:
                    path = str(rule.rule)
                    for name in rule.arguments:
                        path = path.replace(f"<int:{name}>", str(one)).replace(f"<{name}>", "1")
                    if client.get(path).mimetype == "text/html":
                        found.append(path.removeprefix("/"))
        pages = [path for path in found if path != "debug"]
        more = {"mappings/new?connection=1", "mappings/new?connection=1&rule_q=", "nothing/here"}
        return sorted({*pages, *more})


@contextmanager
def running(folder: Path, text: str = "", *, past: int = 0) -> Iterator[Site]:
    """Serve the app with a run in each state; ``text`` stands in for every value from outside.

    ``past`` is how many days of history there are before it.
    """
    path = folder / "store" / "safeguarded-restore.db"
    path.parent.mkdir()
    (folder / "manifest.json").write_text(json.dumps(_MANIFEST))
    put_store(path)
    with (
        pytest.MonkeyPatch.context() as environment,
        ConsoleSimulator(jail="none") as console,
        own_log_handlers(),
    ):
        for name, value in {
            "APP_ROOT": str(folder),
            "QRADAR_APP_ID": str(APP_ID),
            "QRADAR_CONSOLE_FQDN": "console.invalid",
            "QRADAR_CONSOLE_IP": "192.0.2.1",
        }.items():
            environment.setenv(name, value)
        forget_qpylib_state(environment)
        client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
        cdm = FakeCdm()
        _fill_cdm(cdm, text)
        services = Services(
            database_path=path,
            open_store=lambda: Store(Database(path)),
            secrets=FakeSecrets({"prod": "pass-Word-7!"}),  # type: ignore[arg-type]
            identity=Everybody(text or "anna"),
            bulkhead=Bulkhead(6),
            cdm_client=cdm.client,  # type: ignore[arg-type]
            test_connection=cdm.test,
            fetch_certificate=partial(_certificate, cdm, text),
            make_script=lambda: "#!/bin/bash\n",
            console_api=client,
            version=_MANIFEST["version"],
            console="console.example",
        )
        app = create_app(services)
        assert app.extensions[EXTENSION] is services
        store = Store(Database(path))
        site_content.fill_console(console, text)
        site_content.fill_past(store, past)
        _fill(store, text)
        site_content.fill_qradar(store, text)
        site_content.fill_runs(store, text)
        site_content.fill_logs(folder, text)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        console.register_app(
            APP_ID, "safeguarded-restore", address=("127.0.0.1", server.port), manifest=_MANIFEST
        )
        yield Site(console, store, services, app)
        server.shutdown()
        thread.join()
        server.server_close()
        client.close()
        store.close()


def _certificate(
    cdm: FakeCdm, text: str, host: str, port: int, proxy: str | None = None
) -> ServerCertificate:
    """Whoever made the server's certificate chose the names in it."""
    shown = cdm.certificate(host, port, proxy)
    return replace(shown, subject=text or "CN=cdm.example", issuer=text or "CN=Storage CA")


def _fill_cdm(cdm: FakeCdm, text: str) -> None:
    """Jobs of every kind, with copies of every kind."""
    at = datetime.now(UTC)
    databases = ("SALES", "HR", "ERP", "CRM", "LOGS")
    copies = {
        "1044": copy_of(Which.LATEST, at, "SafeguardedHourly", sources=("SALES",)),
        "1045": copy_of(
            Which.PINNED, at - timedelta(days=9), "SafeguardedDaily", "Nov 15", ("ERP",)
        ),
        "1046": copy_of(Which.LATEST, at, "SafeguardedDaily", sources=databases),
        "1047": copy_of(Which.MISSING, sources=("HR",)),
        "1048": copy_of(Which.UNKNOWN, problem="CDM refuses to show the policy of this job."),
    }
    for (job_id, copy), name, status in zip(
        copies.items(),
        ("SQL clean-room restore", "ERP of last week", "All databases", "HR database", "Payroll"),
        ("COMPLETED", "RESOURCE ACTIVE", "FAILED", "PARTIAL", None),
        strict=True,
    ):
        entry = job_entry(job_id, text or name, last_run=at if status else None)
        cdm.jobs.append(replace(entry, last_status=status and (text or status), description=text))
        hostile = {"sources": (SourceCopy(text, at, text),), "name": text, "problem": text}
        cdm.copies[job_id] = replace(copy, **hostile) if text else copy
    cdm.jobs.append(job_entry("7", text or "Nightly copy", is_restore=False, last_run=at))


def _fill(store: Store, text: str) -> None:
    now = datetime.now(UTC)
    store.settings.set_mode(Mode.ARMED, by=text or "anna", now=now)
    store.tokens.new(text or "event processors", by=text or "anna", now=now)
    store.heartbeats.beat("worker", now=now, pid=1)
    connection = store.connections.add(
        name=text or "prod",
        host="cdm.example",
        port=8443,
        username=text or "qradar-restore",
        secret_label="prod",
    )
    store.connections.note_contact(connection.id, text or None, now=now)
    for number, (name, life) in enumerate(_LIVES.items(), start=1):
        at = now - timedelta(hours=number)
        mapping = store.mappings.add(
            name=f"{text}{number}" if text else f"SQL attack, {name}",
            rule_id=100230 + number,
            rule_name=f"{text}{number}" if text else f"Attack on the payroll database {number}",
            connection_id=connection.id,
            job_id=str(1043 + number),
            job_name=text or "SQL clean-room restore",
            cooldown_s=900,
        )
        trigger = Trigger(
            f"request-{number:04}",
            at,
            rule_id=mapping.rule_id,
            rule_name=mapping.rule_name,
            detected_at=at - timedelta(seconds=3),
        )
        run = store.runs.add(trigger, mapping, connection, now=at)
        for step, state in enumerate(life, start=1):
            moved = at + timedelta(minutes=4 * step)
            changes: dict[str, Any] = {}
            if state is RunState.RESTORING:
                changes.update(percent=40, started_at=moved)
            if state is RunState.READY:
                changes["ready_at"] = moved
            if state is RunState.FAILED or text:
                changes["error"] = text or "CDM: the target host is not reachable."
            reason = text or f"CDM said so in step {step}."
            run = store.runs.record(
                run,
                state,
                reason,
                by=text or "engine",
                now=moved,
                changes=changes,
            )
        store.runs.add_log(
            run.id,
            [LogLine(str(line), at, text or "INFO", text or f"Step {line}") for line in range(9)],
        )
