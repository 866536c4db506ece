# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A web app on a real temporary store; QRadar's identity and CDM are fakes at the seam."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.framework.bulkhead import Bulkhead
from app.qradar.caller import Caller
from app.qradar.console import ConsoleAnswer, ConsoleUnavailable
from app.qradar.identity import NotAuthenticated, Silence
from app.remote.told import JobEntry, Step
from app.remote.trust import ServerCertificate
from app.restore.model import CdmConnection, CopyManagerError, Mapping, Mode
from app.restore.model.copies import Copy, Which
from app.store.database import Database
from app.store.store import Store
from app.web.frame.throttle import Throttle
from app.web.services import Services
from tests.factories import copy_of, put_store
from tests.framework.conftest import forget_qpylib_state

ADMIN, ANALYST, OPERATOR = "admin-token", "analyst-token", "operator-token"
NOBODY, SERVICE, TRIGGER_SERVICE = "nobody-token", "service-token", "trigger-service-token"
NAMELESS = "nameless-token"
COPIED_AT = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def _caller(name: str, kind: Any, *capabilities: str, role: str = "Role") -> Caller:
    return Caller(name, kind, frozenset(capabilities), frozenset({role}))


class FakeIdentity:
    """Knows a few tokens; can be down."""

    def __init__(self) -> None:
        self.down = self.full = False
        self.silent: Silence | None = None
        self.asked: list[bool] = []
        self.callers = {
            ADMIN: _caller("anna", "user", "ADMIN", role="Admin"),
            ANALYST: _caller("otto", "user", "SEM"),
            OPERATOR: _caller("olga", "user", "SEM", role="Storage operators"),
            NOBODY: _caller("nils", "user", "ASSETS"),
            SERVICE: _caller("automation", "service", "ADMIN"),
            TRIGGER_SERVICE: _caller("trigger", "service", "SEM"),
            NAMELESS: _caller("", "service", "ADMIN"),
        }

    def who(self, token: str | None, fresh: bool = False, *, source: str = "") -> Caller:
        self.asked.append(fresh)
        if self.down:
            raise ConsoleUnavailable("The console does not answer in time.", cause="Overloaded.")
        if token not in self.callers:
            raise NotAuthenticated("The request carries no QRadar token.")
        return self.callers[token]

    def room(self, token: str, source: str) -> AbstractContextManager[None]:
        if self.full:
            raise NotAuthenticated("QRadar was not asked.", retry_after=600)
        return nullcontext()

    def silence(self) -> Silence | None:
        return self.silent


class SilentConsole:
    """A console whose REST API does not answer."""

    def request(self, method: str, path: str, **_rest: object) -> ConsoleAnswer:
        raise ConsoleUnavailable("The console does not answer in time.", cause="Overloaded.")


class FakeSecrets:
    """Passwords in memory."""

    def __init__(self, kept: dict[str, str] | None = None) -> None:
        self.kept = kept or {}

    def get(self, label: str) -> str:
        return self.kept[label]

    def put(self, label: str, text: str) -> None:
        self.kept[label] = text

    def drop(self, label: str) -> None:
        self.kept.pop(label, None)


@dataclass
class FakeCdm:
    """The CDM behind every connection: what it answers, and what it was asked."""

    jobs: list[JobEntry] = field(default_factory=list)
    error: CopyManagerError | None = None
    copies: dict[str, Copy | CopyManagerError] = field(default_factory=dict)  # by job id
    asked: list[str] = field(default_factory=list)
    closed: int = 0
    steps: list[Step] = field(
        default_factory=lambda: [
            Step("name", True, 3, "The name resolves."),
            Step("port", False, 4000, "No answer.", "A firewall.", "Open port 8443."),
        ]
    )

    def client(self, connection: CdmConnection, password: str) -> "FakeClient":
        self.asked.append(f"client for {connection.name} with a password of {len(password)}")
        return FakeClient(self)

    def test(self, connection: CdmConnection, password: str) -> list[Step]:
        self.asked.append(f"test of {connection.name}")
        return self.steps

    def certificate(self, host: str, port: int, proxy: str | None = None) -> ServerCertificate:
        self.asked.append(f"certificate of {host}:{port}")
        if self.error:
            raise self.error
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return ServerCertificate(
            "CN=<b>cdm</b>", "CN=Storage CA", at, at + timedelta(days=365), "ab" * 32, "PEM"
        )


@dataclass
class FakeClient:
    cdm: FakeCdm

    def jobs(self) -> list[JobEntry]:
        self.cdm.asked.append("jobs")
        if self.cdm.error:
            raise self.cdm.error
        return self.cdm.jobs

    def copy_to_restore(
        self, job_id: str, *, policy_id: str | None = None, within: float = 10.0
    ) -> Copy:
        self.cdm.asked.append(f"copy of {job_id}")
        found = self.cdm.copies.get(
            job_id, copy_of(Which.LATEST, COPIED_AT, "Daily", None, ("SALES",))
        )
        if isinstance(found, CopyManagerError):
            raise found
        return found

    def close(self) -> None:
        self.cdm.closed += 1


def job_entry(job_id: str, name: str, *, is_restore: bool = True, **fields: Any) -> JobEntry:
    kind = "recovery" if is_restore else "protection"
    entry = JobEntry(job_id, name, kind, "application", "IDLE", None, None, "", is_restore)
    return replace(entry, **fields)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


# How a sentence that is answered as the store keeps it would look in JSON, in HTML and in CSV.
_STORED = (b'{\\"message\\":', b"{&#34;message&#34;:", b'{""message"":')


class ReadingClient(FlaskClient):
    """A browser that looks through whatever it is answered."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().open(*args, **kwargs)
        if not answer.is_streamed:
            assert not [one for one in _STORED if one in answer.data], "a sentence as stored"
        return answer


@dataclass
class World:
    """Everything a test of the web process has in its hands."""

    app: Flask
    store: Store
    services: Services
    identity: FakeIdentity
    secrets: FakeSecrets
    cdm: FakeCdm
    clock: Clock
    path: Path

    def client(self, token: str | None = None) -> FlaskClient:
        """A browser that is signed in to QRadar with ``token``."""
        client = self.app.test_client()
        if token:
            client.set_cookie("SEC", token)
        return client

    def csrf(self, client: FlaskClient) -> str:
        answer = client.get("/api/v1/csrf")
        assert answer.status_code == 200, answer.text
        return str(answer.json["csrf_token"])

    def submit(self, client: FlaskClient, path: str, **fields: str) -> Any:
        """Send a page's form, with its token."""
        return client.post(path, data={**fields, "csrf_token": self.csrf(client)})

    def add_connection(self, name: str = "prod", host: str = "cdm.example") -> CdmConnection:
        self.secrets.kept[f"label-{name}"] = "pass-Word-7!"
        return self.store.connections.add(
            name=name, host=host, port=8443, username="restorer", secret_label=f"label-{name}"
        )

    def add_mapping(self, connection: CdmConnection, **columns: Any) -> Mapping:
        values: dict[str, Any] = {
            "name": "SQL attack",
            "rule_id": 100231,
            "rule_name": "Attack on SQL",
            "connection_id": connection.id,
            "job_id": "1044",
            "job_name": "SQL clean-room restore",
            "cooldown_s": 900,
            "enabled": 1,
        }
        return self.store.mappings.add(**(values | columns))

    def arm(self) -> None:
        self.store.settings.set_mode(Mode.ARMED, by="test", now=self.clock())


@pytest.fixture
def app_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "store").mkdir()
    (tmp_path / "manifest.json").write_text(json.dumps({"version": "9.8.7", "name": "Test"}))
    monkeypatch.setenv("APP_ROOT", str(tmp_path))
    monkeypatch.setenv("QRADAR_APP_ID", "1234")
    monkeypatch.setenv("QRADAR_CONSOLE_FQDN", "console.invalid")
    monkeypatch.setenv("QRADAR_CONSOLE_HOSTNAME", "console.example")
    monkeypatch.setenv("QRADAR_CONSOLE_IP", "192.0.2.1")
    forget_qpylib_state(monkeypatch)
    return tmp_path


@pytest.fixture
def world(app_root: Path) -> Iterator[World]:
    path = app_root / "store" / "safeguarded-restore.db"
    put_store(path)
    identity, secrets, cdm, clock = FakeIdentity(), FakeSecrets(), FakeCdm(), Clock()
    services = Services(
        database_path=path,
        open_store=lambda: Store(Database(path)),
        secrets=secrets,  # type: ignore[arg-type]
        identity=identity,
        bulkhead=Bulkhead(2),
        cdm_client=cdm.client,  # type: ignore[arg-type]
        test_connection=cdm.test,
        fetch_certificate=cdm.certificate,
        make_script=lambda: "#!/bin/bash\n",
        console_api=SilentConsole(),
        version="9.8.7",
        console="console.example",
        clock=clock,
        bad_tokens=Throttle(burst=3, per_second=0, monotonic=lambda: 0.0),
    )
    app = create_app(services)
    app.testing = True
    app.test_client_class = ReadingClient
    store = Store(Database(path))
    yield World(app, store, services, identity, secrets, cdm, clock, path)
    store.close()
    services.store.close()
