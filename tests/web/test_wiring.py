# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The web process as QRadar starts it: services from the environment, whatever is missing there."""

import fcntl
import html
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.framework.bulkhead import Bulkhead
from app.store import migrate
from app.web.frame import opening
from app.web.frame.problems import Problem
from app.web.frame.throttle import Throttle
from app.web.services import EXTENSION
from app.web.set_up.script import make_script
from tests.simulators.console.simulator import ConsoleSimulator


def close_store(app: Flask) -> None:
    app.extensions[EXTENSION].store.close()


def test_the_app_starts_with_what_qradar_sets(app_root: Path) -> None:
    app = create_app()
    assert app.test_client().get("/debug").text == "Pong!"
    assert app.test_client().get("/").status_code == 401
    assert app.test_client().post("/api/v1/triggers", data={"a": "b"}).status_code == 401
    assert app.extensions[EXTENSION].version == "9.8.7"
    close_store(app)


def test_the_app_starts_even_if_qradar_sets_next_to_nothing(
    app_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QRADAR_APP_ID", "QRADAR_CONSOLE_FQDN", "QRADAR_CONSOLE_IP"):
        monkeypatch.delenv(name)
    (app_root / "manifest.json").unlink()
    app = create_app()
    assert app.test_client().get("/debug").status_code == 200
    close_store(app)


@pytest.mark.parametrize("demo", [True, False])
def test_everything_that_connects_to_cdm_is_guarded_but_in_the_demo(
    app_root: Path, monkeypatch: pytest.MonkeyPatch, *, demo: bool
) -> None:
    if demo:
        monkeypatch.setenv("QRADAR_APPFW_SDK", "true")
    app = create_app()
    made = app.extensions[EXTENSION]
    for handed in (made.cdm_client, made.test_connection, made.fetch_certificate):
        assert handed.keywords["guard"] is made.guard
    assert (made.guard is None) is demo
    if not demo:
        assert made.guard.problem({"host": "192.0.2.1"})  # what QRadar calls the console
    close_store(app)


def test_a_host_header_that_cant_be_read_refuses_nobody(app_root: Path) -> None:
    """Werkzeug would have no routes then, not even for the page that tells of it."""
    app = create_app()
    client = app.test_client()
    odd = {"Host": "console.ex\x9cample"}
    assert client.get("/debug", headers=odd).status_code == 200
    assert client.get("/runs", headers=odd).status_code == 401
    assert client.get("/nowhere", headers=odd).status_code == 404
    assert client.post("/api/v1/triggers", data={"a": "b"}, headers=odd).status_code == 401
    close_store(app)


def test_a_broken_database_leaves_debug_up_and_refuses_triggers(app_root: Path) -> None:
    database = app_root / "store" / "safeguarded-restore.db"
    database.write_bytes(b"this is no database" * 1000)
    client = create_app().test_client()
    assert client.get("/debug").status_code == 200
    assert client.get("/").status_code == 503
    answer = client.post("/api/v1/triggers", data={"request_id": "req-00001"})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_a_migration_under_way_leaves_debug_up_and_says_so(app_root: Path) -> None:
    """The worker's may hold the lock for minutes: QRadar would restart the app in the middle."""
    with (app_root / "store" / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        app = create_app()
        client = app.test_client()
        assert client.get("/debug").status_code == 200
        client.set_cookie("SEC", "somebody")
        for path in ("/", "/api/v1/runs", "/api/v1/health"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "is being brought up to date" in html.unescape(answer.text)
        answer = client.post("/api/v1/triggers", data={"request_id": "req-00001"})
        assert answer.status_code == 503
        assert answer.json["error"]["code"] == "preparing"
        assert answer.headers["Retry-After"] == "5"
    app.extensions[EXTENSION].opening.join(20)
    assert client.post("/api/v1/triggers", data={"a": "b"}).status_code == 401
    close_store(app)


def test_what_could_not_be_migrated_is_tried_again(
    app_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker tries again too: a disk that was full for a while must not keep pages away."""
    tries: list[Path] = []

    def fail_once(path: Path) -> int:
        tries.append(path)
        if len(tries) == 1:
            raise migrate.MigrationFailed("the disk is full")
        return migrate.migrate(path)

    monkeypatch.setattr("app.web.wiring.migrate", fail_once)
    monkeypatch.setattr(opening, "AGAIN_S", 0.0)
    app = create_app()
    app.extensions[EXTENSION].opening.join(20)
    assert app.extensions[EXTENSION].failure() is None
    assert app.test_client().get("/").status_code == 401
    close_store(app)


def test_a_note_that_cannot_be_written_is_not_needed(
    app_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> int:
        raise migrate.MigrationFailed("the disk is full")

    monkeypatch.setattr("app.web.wiring.migrate", fail)
    app = create_app()
    assert app.extensions[EXTENSION].failure() == "the disk is full"
    assert app.test_client().get("/").status_code == 503


def test_the_script_holds_the_consoles_issuers(
    app_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConsoleSimulator(jail="none") as console:
        monkeypatch.setenv("QRADAR_CONSOLE_FQDN", f"localhost:{console.port}")
        script = make_script(Bulkhead(1), str(console.ca_file))
        assert script.startswith("#!")
        assert script.count("BEGIN CERTIFICATE") >= 2
        with pytest.raises(Problem) as raised:
            make_script(Bulkhead(1), None)
    assert raised.value.status == 503
    assert "CA" in raised.value.advice
    with pytest.raises(Problem):
        make_script(Bulkhead(1), str(console.ca_file))


def test_a_throttle_refills() -> None:
    now = [0.0]
    throttle = Throttle(burst=2, per_second=0.5, monotonic=lambda: now[0])
    assert [throttle.allow() for _ in range(3)] == [True, True, False]
    now[0] = 2.0
    assert [throttle.allow() for _ in range(2)] == [True, False]
