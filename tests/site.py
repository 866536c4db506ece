# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages alone, served for a browser: the real app and store behind the simulated console.

QRadar's identity and CDM are fakes at the seam, so that a page is there in milliseconds and every
state can be shown at once.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from app import create_app
from app.framework.bulkhead import Bulkhead
from app.qradar.console import ConsoleClient
from app.qradar.identity import Caller
from app.restore.model import LogLine, Mode, RunState, Trigger
from app.store.database import Database
from app.store.migrate import migrate
from app.store.store import Store
from app.web.services import EXTENSION, Services
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
                for one in values[min(rule.arguments)] if rule.arguments & set(values) else [None]:
                    path = str(rule.rule)
                    for name in rule.arguments:
                        path = path.replace(f"<int:{name}>", str(one)).replace(f"<{name}>", "1")
                    if client.get(path).mimetype == "text/html":
                        found.append(path.removeprefix("/"))
        pages = [path for path in found if path != "debug"]
        return sorted({*pages, "mappings/new?connection=1", "nothing/here"})


@contextmanager
def running(folder: Path, text: str = "") -> Iterator[Site]:
    """Serve the app with a run in each state; ``text`` stands in for every value from outside."""
    path = folder / "store" / "safeguarded-restore.db"
    path.parent.mkdir()
    (folder / "manifest.json").write_text(json.dumps(_MANIFEST))
    migrate(path)
    with pytest.MonkeyPatch.context() as environment, ConsoleSimulator(jail="none") as console:
        for name, value in {
            "APP_ROOT": str(folder),
            "QRADAR_APP_ID": str(APP_ID),
            "QRADAR_CONSOLE_FQDN": "console.invalid",
            "QRADAR_CONSOLE_IP": "192.0.2.1",
        }.items():
            environment.setenv(name, value)
        client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
        cdm = FakeCdm(jobs=[job_entry("1044", text or "SQL clean-room restore")])
        cdm.jobs.append(job_entry("7", text or "Nightly copy", is_restore=False))
        services = Services(
            database_path=path,
            open_store=lambda: Store(Database(path)),
            secrets=FakeSecrets(),  # type: ignore[arg-type]
            identity=Everybody(text or "anna"),
            bulkhead=Bulkhead(6),
            cdm_client=cdm.client,  # type: ignore[arg-type]
            test_connection=cdm.test,
            fetch_certificate=cdm.certificate,
            make_script=lambda: "#!/bin/bash\n",
            console_api=client,
            version=_MANIFEST["version"],
            console="console.example",
        )
        app = create_app(services)
        assert app.extensions[EXTENSION] is services
        store = Store(Database(path))
        _fill(store, text)
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


def _fill(store: Store, text: str) -> None:
    now = datetime.now(UTC)
    store.settings.set_mode(Mode.ARMED, by=text or "anna", now=now)
    store.tokens.new(text or "event processors", by=text or "anna", now=now)
    store.heartbeats.beat("worker", now=now, pid=1)
    connection = store.connections.add(
        name=text or "prod", host="cdm.example", port=8443, username=text or "qradar-restore"
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
            fields={text[:60] or "username": text or "svc_payroll", "sourceip": "203.0.113.7"},
        )
        run = store.runs.add(trigger, mapping, connection, now=at)
        for step, state in enumerate(life, start=1):
            changes: dict[str, Any] = {"percent": 40} if state is RunState.RESTORING else {}
            if state is RunState.FAILED or text:
                changes["error"] = text or "CDM: the target host is not reachable."
            reason = text or f"CDM said so in step {step}."
            run = store.runs.record(
                run,
                state,
                reason,
                by=text or "engine",
                now=at + timedelta(minutes=4 * step),
                changes=changes,
            )
        store.runs.add_log(
            run.id,
            [LogLine(str(line), at, text or "INFO", text or f"Step {line}") for line in range(9)],
        )
