# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What QRadar's classic pages show of ours: harmless wherever it is put."""

import re

import pytest

from app.restore.model import RunState
from tests.web.conftest import ANALYST, World
from tests.web.test_pages import HOSTILE, fill, links
from tests.web.test_runs_api import make_run, to_state

PATHS = ("/offense_fragment/77", "/dashboard_item")
UNREADABLE = ("x", "0", "undefined", "[object Object]", "javascript:alert(1)", "9" * 40)


def html_of(world: World, path: str) -> str:
    answer = world.client(ANALYST).get(path)
    assert answer.status_code == 200
    document = answer.json
    return str(document["html"] if "html" in document else document["HTML"])


def test_an_offense_shows_its_restores_only(world: World) -> None:
    make_run(world, 1, offense_id=77)
    make_run(world, 2, offense_id=78)
    shown = html_of(world, "/offense_fragment/77")
    assert "Run 1" in shown
    assert "Run 2" not in shown
    assert html_of(world, "/offense_fragment/79").count("No restore belongs to this offense") == 1


def test_the_dashboard_shows_the_last_runs_and_where_the_rest_is(world: World) -> None:
    for number in range(1, 8):
        make_run(world, number)
    document = world.client(ANALYST).get("/dashboard_item").json
    assert set(document) == {"id", "title", "HTML"}
    assert re.findall(r"Run (\d)", document["HTML"]) == ["7", "6", "5", "4", "3"]
    assert "All restores" in document["HTML"]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_from_outside_becomes_markup(world: World, path: str) -> None:
    fill(world, HOSTILE)
    world.store.runs.note(world.store.runs.get(1), offense_id=77)
    shown = html_of(world, path)
    assert "Run 1" in shown
    assert "<script" not in shown
    assert links(shown).foreign == []
    assert len(shown) < 10_000


@pytest.mark.parametrize("path", PATHS)
def test_nothing_can_clash_with_the_page_around_it(world: World, path: str) -> None:
    to_state(world, make_run(world, 1, offense_id=77), RunState.STARTING, RunState.RESTORING)
    shown = html_of(world, path)
    assert 'rules="rows"' in shown, "decent without any style"
    assert not re.search(r"<(style|script|link|iframe)|\b(style|id|on\w+)=", shown)
    for classes in re.findall(r'class="([^"]*)"', shown):
        assert all(one.startswith("safeguarded-restore") for one in classes.split())


def test_links_lead_to_the_app_from_any_page_of_the_console(world: World) -> None:
    make_run(world, 1, offense_id=77)
    answer = world.client(ANALYST).get(
        "/offense_fragment/77", headers={"X-Console-Host": "console.example"}
    )
    target = "https://console.example/console/plugins/1234/app_proxy/runs/1"
    assert links(answer.json["html"]).found == [target]


@pytest.mark.parametrize("given", ["77", " 77 ", "[77]", '["77","78"]', "77,78"])
@pytest.mark.parametrize("name", ["appContext", "context"])
def test_the_toolbar_button_leads_to_the_restores_of_the_offense(
    world: World, name: str, given: str
) -> None:
    for other in ({}, {"appContext": "", "context": "undefined"}):
        query = {**other, name: given}
        answer = world.client(ANALYST).get("/offense_restores", query_string=query)
        assert answer.json["url"].endswith("/app_proxy/runs?offense_id=77")


@pytest.mark.parametrize("given", ["", *UNREADABLE])
def test_without_an_offense_the_button_leads_to_a_page_that_says_so(
    world: World, given: str
) -> None:
    make_run(world, 1, offense_id=77)
    client = world.client(ANALYST)
    url = client.get("/offense_restores", query_string={"appContext": given}).json["url"]
    page = client.get(url.partition("/app_proxy")[2])
    assert page.status_code == 200
    assert "No offense was given." in page.text
    assert "Run 1" not in page.text


@pytest.mark.parametrize("given", UNREADABLE)
def test_an_unreadable_offense_shows_nobodys_restores(world: World, given: str) -> None:
    make_run(world, 1, offense_id=77)
    make_run(world, 2)
    shown = html_of(world, f"/offense_fragment/{given}")
    assert "No offense was given." in shown
    assert "Run" not in shown
