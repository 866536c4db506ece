# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a page says when a part or a neighbour of the app does not answer, and how it refreshes."""

from datetime import timedelta

import pytest

from app.qradar.console import ConsoleUnavailable
from app.qradar.identity import Silence
from app.restore.model import Run, RunState, Trigger
from tests.web.conftest import ADMIN, ANALYST, World

REFRESH = {"X-Refresh": "1"}


def silence(world: World) -> None:
    error = ConsoleUnavailable("The console answered HTTP 500.", cause="It may be starting.")
    world.identity.silent = Silence(error, 20.0)


@pytest.fixture
def run(world: World) -> Run:
    mapping = world.add_mapping(world.add_connection())
    connection = world.store.connections.get(mapping.connection_id)
    trigger = Trigger("request-0001", world.clock(), rule_id=100231)
    return world.store.runs.add(trigger, mapping, connection, now=world.clock())


# --- sentences --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/1", "/settings", "/help"])
def test_a_silent_console_is_told_on_every_page(world: World, run: Run, path: str) -> None:
    client = world.client(ADMIN)
    assert "QRadar does not answer:" not in client.get(path).text
    silence(world)
    page = client.get(path).text
    words = "QRadar does not answer: The console answered HTTP 500. It may be starting."
    assert page.count(words) == 1
    assert "Last answer: 20 s ago." in page


@pytest.mark.parametrize("path", ["/", "/runs/1"])
def test_a_worker_that_is_away_is_told_wherever_progress_is_shown(
    world: World, run: Run, path: str
) -> None:
    client = world.client(ANALYST)
    world.store.heartbeats.beat("worker", now=world.clock(), pid=1)
    assert "The worker is not running" not in client.get(path).text
    world.clock.now += timedelta(seconds=21)
    page = client.get(path).text
    assert page.count("The worker is not running") == 1
    bad = 'class="cds--tile bad"' if path == "/" else "cds--inline-notification--error"
    assert bad in page.partition("The worker is not running")[0][-900:]


def test_the_page_of_an_open_run_tells_that_its_cdm_is_away(world: World, run: Run) -> None:
    client = world.client(ANALYST)
    world.store.connections.note_contact(run.connection_id, "CDM is away.", now=world.clock())
    assert "CDM is away. Last answer: never." in client.get("/runs/1").text
    assert "CDM is away." not in client.get("/runs").text
    world.store.runs.record(run, RunState.CANCELLED, "over", by="ann", now=world.clock())
    assert "CDM is away." not in client.get("/runs/1").text


# --- refreshing -------------------------------------------------------------------------------


def test_a_refresh_is_told_a_problem_as_a_page_that_is_a_success(world: World) -> None:
    world.identity.down = True
    client = world.client(ANALYST)
    answer = client.get("/", headers=REFRESH)
    assert answer.status_code == 200
    assert '<div id="live" data-problem' in answer.text
    assert "The console does not answer in time." in answer.text
    assert client.get("/").status_code == 503


def test_nothing_but_a_page_that_refreshes_is_told_so(world: World) -> None:
    world.identity.down = True
    client = world.client(ADMIN)
    assert client.post("/settings/mode", data={"mode": "armed"}, headers=REFRESH).status_code == 503
    assert client.get("/api/v1/runs", headers=REFRESH).status_code == 503


@pytest.mark.parametrize(("path", "again"), [("/", True), ("/nothing", False)])
def test_a_page_that_may_come_back_asks_again_by_itself(
    world: World, path: str, again: bool
) -> None:
    world.identity.down = True
    page = world.client(ANALYST).get(path).text
    assert ('data-refresh="5"' in page) is again
    assert ("This page comes by itself once it can be shown" in page) is again


def test_a_page_says_of_when_it_is(world: World) -> None:
    page = world.client(ANALYST).get("/").text
    assert "What is shown here is what was known at 2026-11-24 08:00:00 UTC." in page
