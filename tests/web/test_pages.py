# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages: what they show, what their forms do, and that nothing from outside breaks them."""

import html
import re
from collections.abc import Sequence
from datetime import timedelta
from html.parser import HTMLParser
from sqlite3 import Cursor

import pytest

from app.restore.model import LogLine, RunState, Trigger
from app.restore.triggers import accept
from app.store.database import Database
from tests.web.conftest import ADMIN, ANALYST, World, job_entry
from tests.web.test_runs_api import make_run, to_state

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\u202e" + "x" * 10_000
PAGES = ("/", "/index", "/runs", "/runs/1", "/connections", "/connections/1", "/connections/new")
MORE = ("/mappings", "/mappings/1", "/mappings/new", "/settings")


class Links(HTMLParser):
    """Collects where a page points to, and the elements that only a hostile value could bring."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src", "action"} and value is not None:
                self.found.append(value)
            if name.startswith("on"):
                self.foreign.append(f"{tag} {name}")
        if tag == "img":
            self.foreign.append(tag)


def links(page: str) -> Links:
    parser = Links()
    parser.feed(page)
    return parser


def fill(world: World, text: str = "plain") -> None:
    """A connection, a mapping, a run with a log line, a trigger, a token, all with ``text``."""
    world.arm()
    token = world.store.tokens.new(text, by=text, now=world.clock())
    connection = world.add_connection(name=text)
    world.store.connections.note_contact(connection.id, text, now=world.clock())
    world.add_mapping(connection, name=text, rule_name=text, job_name=text)
    world.client().post(
        "/api/v1/triggers",
        data={"request_id": "req-00001", "rule_id": "100231", text[:50]: text, "username": text},
        headers={"X-Trigger-Token": token},
    )
    run = world.store.runs.get(1)
    run = world.store.runs.record(
        run, RunState.STARTING, text, by=text, now=world.clock(), changes={"error": text}
    )
    world.store.runs.record(
        run, RunState.NEEDS_DECISION, text, by=text, now=world.clock(), changes={"blocked_by": text}
    )
    world.store.runs.add_log(1, [LogLine("1", None, text, text)])
    world.cdm.jobs = [job_entry("1044", text), job_entry("1", text, is_restore=False)]


@pytest.mark.parametrize("path", [*PAGES, *MORE])
def test_no_value_from_outside_becomes_markup(world: World, path: str) -> None:
    fill(world, HOSTILE)
    page = world.client(ADMIN).get(path)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "49" not in re.sub(r"\d{3,}", "", page.text) or "{{7*7}}" in html.unescape(page.text)
    assert links(page.text).foreign == []


@pytest.mark.parametrize("path", [*PAGES, *MORE, "/nothing/at/all"])
def test_every_link_leads_to_a_page_wherever_the_app_is_mounted(world: World, path: str) -> None:
    """Links are relative, so that they hold behind each form of the proxy's address."""
    fill(world)
    client = world.client(ADMIN)
    page = client.get(path).text
    depth = path.count("/") - 1
    for target in links(page).found:
        if target.startswith("#"):
            continue
        assert not target.startswith(("/", "http")), target
        up = re.match(r"(\.\./)*", target)
        assert up is not None
        assert len(up[0]) // 3 == depth, target
        below = target[len(up[0]) :].removeprefix("./")
        if not below.startswith("settings/start_restore"):
            with client.get(f"/{below}") as answer:
                assert answer.status_code in {200, 405}, target


@pytest.mark.parametrize("path", PAGES)
def test_a_redirect_names_the_address_the_browser_knows(world: World, path: str) -> None:
    client = world.client(ADMIN)
    token = world.csrf(client)
    answer = client.post(
        "/settings/mode",
        data={"mode": "armed", "csrf_token": token},
        headers={"X-Console-Host": "console.example"},
    )
    assert answer.status_code == 303
    address = "https://console.example/console/plugins/1234/app_proxy/settings"
    assert answer.headers["Location"] == address


def test_the_theme_of_the_first_address_is_kept(world: World) -> None:
    client = world.client(ADMIN)
    assert "data-theme" not in client.get("/").text
    assert 'data-theme="dark"' in client.get("/index?ui=new&theme=dark").text
    assert 'data-theme="dark"' in client.get("/runs").text
    assert 'data-theme="light"' in client.get("/?theme=light").text
    assert 'data-theme="light"' in client.get("/?theme=<x>").text


def test_the_overview_of_a_fresh_app_says_what_to_do(world: World) -> None:
    text = world.client(ADMIN).get("/").text
    assert "Disarmed" in text
    assert "Before a rule can start a restore" in text
    assert "Worker not seen" in text
    assert "right to administer" in world.client(ANALYST).get("/").text


def test_a_storm_does_not_push_the_trigger_that_started_a_run_off_the_overview(
    world: World,
) -> None:
    world.arm()
    world.add_mapping(world.add_connection())
    for number in range(30):
        trigger = Trigger(f"request-{number:04}", world.clock(), rule_id=100231)
        accept(world.store, trigger, world.clock())
    text = world.client(ANALYST).get("/").text.partition("Recent triggers")[2]
    text = text.partition("Ended recently")[0]
    assert text.count("already running") == 1
    assert "× 29" in text
    assert text.count("restore requested") == 1


def test_the_overview_tells_first_what_needs_a_person_and_each_run_once(world: World) -> None:
    fill(world)
    connection = world.store.connections.get(1)
    trigger = Trigger("request-0002", world.clock(), rule_id=9)
    world.add_mapping(connection, name="other", rule_id=9, job_id="9")
    accept(world.store, trigger, world.clock())
    text = world.client(ANALYST).get("/").text
    assert text.index("<h2>Needs a person</h2>") < text.index('class="strip"')
    assert text.count('data-key="run-2"') == 1
    assert "No restore has ended yet." in text
    run = world.store.runs.get(2)
    world.store.runs.record(run, RunState.CANCELLED, "over", by="ann", now=world.clock())
    ended = world.client(ANALYST).get("/").text.partition("Ended recently")[2]
    assert re.findall(r'data-key="run-(\d+)"', ended) == ["2"]


def test_what_was_only_asked_for_is_not_green(world: World) -> None:
    fill(world)
    table = world.client(ANALYST).get("/").text.partition("Recent triggers")[2]
    before = table.partition("restore requested")[0]
    assert before.rpartition("cds--tag cds--tag--")[2].startswith("blue")


def test_the_overview_explains_triggers_that_started_nothing(world: World) -> None:
    fill(world)
    token = world.store.tokens.new("another", by="test", now=world.clock())
    world.client().post(
        "/api/v1/triggers",
        data={"request_id": "req-00002", "rule_id": "100231"},
        headers={"X-Trigger-Token": token},
    )
    text = world.client(ANALYST).get("/").text
    assert "already running" in text
    assert "waits for a person" in html.unescape(text)
    assert "Needs a person" in text


def test_an_analyst_sees_no_way_into_the_configuration(world: World) -> None:
    page = world.client(ANALYST).get("/runs").text
    assert "Connections" not in links(page).found
    assert not any(target.startswith(("settings", "mappings")) for target in links(page).found)


def test_the_runs_page_keeps_its_filter_over_pages(world: World) -> None:
    for number in range(1, 4):
        make_run(world, number)
    page = world.client(ANALYST).get("/runs?limit=2&state=queued&q=").text
    targets = [html.unescape(target) for target in links(page).found]
    assert "runs?state=queued&limit=2&before=2" in targets or (
        "runs?limit=2&state=queued&before=2" in targets
    )
    assert "api/v1/runs.csv?state=queued" in targets


def test_a_runs_page_tells_where_it_is_and_what_can_be_done(world: World) -> None:
    run = to_state(world, make_run(world), RunState.STARTING, RunState.RESTORING, RunState.READY)
    world.store.runs.note(run, new_attack=True)
    page = world.client(ADMIN).get("/runs/1").text
    assert "ready in the clean room" in page
    assert "new attack while run 1 holds the job" in page
    assert "Clean up: SQL clean-room restore" in page
    assert "what was found in it is gone" in page
    page = world.client(ANALYST).get("/runs/1").text
    assert "right to operate" in page
    assert "<form" not in page


def test_lost_contact_is_told(world: World) -> None:
    run = to_state(world, make_run(world), RunState.STARTING, RunState.RESTORING)
    world.store.runs.note(run, contact_lost_since=world.clock())
    world.clock.now += timedelta(minutes=90)
    assert "lost 1 h 30 min ago" in world.client(ANALYST).get("/runs/1").text


def test_the_buttons_of_a_run_do_what_they_say(world: World) -> None:
    make_run(world)
    client = world.client(ADMIN)
    answer = world.submit(client, "/runs/1/cancel")
    assert answer.status_code == 303
    assert "Run 1 is cancelled" in client.get("/runs/1").text
    again = world.submit(client, "/runs/1/cancel")
    assert again.status_code == 409
    assert "cancelled" in again.text


def test_a_decision_can_be_made_on_the_page(world: World) -> None:
    to_state(world, make_run(world), RunState.NEEDS_DECISION)
    client = world.client(ADMIN)
    assert "CDM job session id" in client.get("/runs/1").text
    answer = world.submit(client, "/runs/1/resolve", decision="started", job_session_id=" 4711 ")
    assert answer.status_code == 303
    (request,) = world.store.runs.requests(1)
    assert (request.decision, request.job_session_id, request.by) == ("started", "4711", "anna")


def test_arming_says_who_did_it(world: World) -> None:
    client = world.client(ADMIN)
    world.submit(client, "/settings/mode", mode="armed")
    assert "Set by anna" in client.get("/settings").text
    assert world.submit(client, "/settings/mode", mode="sometimes").status_code == 400


def test_a_trigger_token_is_shown_once_and_can_be_revoked(world: World) -> None:
    client = world.client(ADMIN)
    page = world.submit(client, "/settings/tokens", name="event processors").text
    token = re.findall(r'<pre id="new-token">([^<]+)</pre>', page)[0]
    assert world.store.tokens.name_of(token)
    assert token not in client.get("/settings").text
    again = world.submit(client, "/settings/tokens", name="event processors").text
    assert "already" in again
    assert (
        world.submit(client, "/settings/tokens/revoke", name="event processors").status_code == 303
    )
    assert not world.store.tokens.name_of(token)
    assert world.submit(client, "/settings/tokens/revoke", name="gone").status_code == 404


def test_the_settings_lead_to_the_custom_action(world: World) -> None:
    client = world.client(ADMIN)
    assert "set-up" in links(client.get("/settings").text).found
    text = client.get("/set-up").text
    assert "console.example" in text
    assert text.index("starttime") > text.index("<code>token</code></td>")
    script = client.get("/settings/start_restore.sh")
    assert script.text.startswith("#!/bin/bash")
    assert "start_restore.sh" in script.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "path", ["/connections/9", "/mappings/9", "/connections/99999999999999999999"]
)
def test_what_is_not_there_is_404(world: World, path: str) -> None:
    page = world.client(ADMIN).get(path)
    assert page.status_code == 404
    assert "What happened" in page.text


def test_more_mappings_ask_the_store_no_more_for_the_overview_but_for_their_rules(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    execute = Database.execute

    def count(self: Database, sql: str, parameters: Sequence[object] = ()) -> Cursor:
        asked.append(sql)
        return execute(self, sql, parameters)

    connection = world.add_connection()
    world.store.qradar.keep_rules([], now=world.clock())
    numbers = []
    for number in range(1, 12):
        world.add_mapping(connection, name=f"m{number}", rule_id=number, job_id=str(number))
        if number in {1, 11}:
            client = world.client(ADMIN)
            client.get("/")
            monkeypatch.setattr(Database, "execute", count)
            client.get("/")
            monkeypatch.setattr(Database, "execute", execute)
            numbers.append(len([sql for sql in asked if "FROM console_rules" not in sql]))
            asked.clear()
    assert numbers[0] == numbers[1]
