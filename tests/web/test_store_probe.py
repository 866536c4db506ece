# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Health tells by a real write whether the store can be written."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app import create_app
from app.web.frame.store_probe import HELD_LONG_S, KEPT_S, StoreProbe
from tests.web.conftest import ADMIN, ANALYST, World


class Monotonic:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def probe(monotonic: Monotonic) -> StoreProbe:
    return StoreProbe(monotonic)


@pytest.fixture
def writable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Once the list is empty SQLite can open files for reading only."""
    state = [True]
    really = sqlite3.connect

    def connect(address: str, **options: Any) -> sqlite3.Connection:
        return really(address.replace("mode=rw", "mode=rw" if state else "mode=ro"), **options)

    monkeypatch.setattr(sqlite3, "connect", connect)
    yield state
    monkeypatch.undo()


def test_health_tells_that_nothing_can_be_written_and_when_it_is_over(
    world: World, probe: StoreProbe, monotonic: Monotonic, writable: list[bool]
) -> None:
    world.store.heartbeats.beat("worker", now=world.clock(), pid=1)
    app = create_app(replace(world.services, _probe=probe))
    client = app.test_client()
    client.set_cookie("SEC", ANALYST)

    def health() -> Any:
        return client.get("/api/v1/health").json

    assert (health()["store"], health()["status"]) == ({"ok": True, "error": None}, "ok")
    assert "Nothing can be written" not in client.get("/").text
    writable.clear()
    monotonic.now += KEPT_S
    told = health()
    assert told["status"] == "degraded"
    assert told["store"] == {"ok": False, "error": "attempt to write a readonly database"}
    assert "Nothing can be written to the database: attempt to write" in client.get("/").text
    writable.append(True)
    monotonic.now += KEPT_S
    assert (health()["store"], health()["status"]) == ({"ok": True, "error": None}, "ok")


@pytest.mark.parametrize("path", ["/", "/runs", "/settings", "/help"])
def test_every_page_tells_that_nothing_can_be_written_and_nothing_that_is_not_so(
    world: World, probe: StoreProbe, writable: list[bool], path: str
) -> None:
    """The worker can't leave a sign of life then, so nothing is known of it; no trigger is kept."""
    world.arm()
    world.add_mapping(world.add_connection())
    world.store.tokens.new("event processors", by="anna", now=world.clock())
    world.store.heartbeats.beat("worker", now=world.clock(), pid=1)
    world.clock.now += timedelta(minutes=1)
    app = create_app(replace(world.services, _probe=probe))
    client = app.test_client()
    client.set_cookie("SEC", ADMIN)
    writable.clear()
    page = client.get(path).text
    assert page.count("Nothing can be written to the database: attempt to write") == 1
    assert "Triggers are refused and nothing is started until that is over" in page
    assert "triggers are kept" not in page
    assert "Rules start restores." not in page
    assert ("What rules ask for is refused: nothing" in page) is (path == "/")
    assert ("whether it is at work can&#39;t be seen" in page) is (path == "/")


def test_polling_does_not_write_each_time(
    world: World, probe: StoreProbe, monotonic: Monotonic
) -> None:
    first = world.clock()
    for _ in range(100):
        assert probe.problem(world.path, world.clock()) is None
        world.clock.now += timedelta(seconds=1)
    assert world.store.heartbeats.all()["web"][0] == first
    monotonic.now += KEPT_S
    probe.problem(world.path, world.clock())
    assert world.store.heartbeats.all()["web"][0] == world.clock()


def test_another_writer_is_no_problem_before_it_has_written_for_a_minute(
    world: World, probe: StoreProbe, monotonic: Monotonic
) -> None:
    other = sqlite3.connect(world.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert probe.problem(world.path, world.clock()) is None
    monotonic.now += HELD_LONG_S
    assert probe.problem(world.path, world.clock()) == "database is locked"
    other.execute("ROLLBACK")
    other.close()
    monotonic.now += KEPT_S
    assert probe.problem(world.path, world.clock()) is None
