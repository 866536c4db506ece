# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages: what they show, what their forms do, and that nothing from outside breaks them."""

import html
import io
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from app.restore.model import LogLine, RunState, Unreachable
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
    assert "new attack while run 1 is still mounted" in page
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


CONNECTION = {
    "name": "prod",
    "host": "CDM.example",
    "port": "8443",
    "username": "restorer",
    "password": "pass-Word-7!",
    "trust": "system",
    "action": "save",
}


def test_a_connection_is_saved_and_its_password_never_shown(world: World) -> None:
    client = world.client(ADMIN)
    assert world.submit(client, "/connections/new", **CONNECTION).status_code == 303
    connection = world.store.connections.find("prod")
    assert connection is not None
    assert connection.host == "cdm.example"
    assert world.secrets.kept == {connection.secret_label: "pass-Word-7!"}
    for path in ("/connections", "/connections/1", "/", "/settings", "/api/v1/config"):
        assert "pass-Word-7!" not in client.get(path).text
    assert "A password is stored" in client.get("/connections/1").text


def test_an_empty_password_keeps_the_stored_one_unless_it_would_go_elsewhere(world: World) -> None:
    client = world.client(ADMIN)
    world.submit(client, "/connections/new", **CONNECTION)
    same = CONNECTION | {"password": "", "name": "production"}
    world.submit(client, "/connections/1", **same)
    connection = world.store.connections.get(1)
    assert connection.name == "production"
    assert connection.secret_label is not None
    world.submit(client, "/connections/1", **(same | {"host": "elsewhere.example"}))
    assert world.store.connections.get(1).secret_label is None
    assert world.secrets.kept == {}
    assert "password must be entered" in client.get("/connections/1").text


def test_every_bad_field_has_its_message_and_the_password_is_not_echoed(world: World) -> None:
    bad = CONNECTION | {"name": " ", "host": "http://127.0.0.1", "port": "0", "proxy": "u@p"}
    page = world.submit(world.client(ADMIN), "/connections/new", **bad)
    assert page.status_code == 200
    for words in ("Name must", "Address must", "Port must", "HTTP proxy must"):
        assert words in page.text
    assert "pass-Word-7!" not in page.text
    assert world.store.connections.list() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "::1", "2130706433"])
def test_this_machine_is_no_cdm(world: World, host: str) -> None:
    for action in ("save", "certificate"):
        fields = CONNECTION | {"host": host, "action": action}
        page = world.submit(world.client(ADMIN), "/connections/new", **fields)
        assert "Address" in page.text
    assert world.store.connections.list() == []
    assert world.cdm.asked == []


def test_the_certificate_is_shown_before_the_password_is_needed(world: World) -> None:
    client = world.client(ADMIN)
    fields = CONNECTION | {"password": "", "username": "", "name": "", "action": "certificate"}
    page = world.submit(client, "/connections/new", **fields)
    assert "ab" * 32 in page.text
    assert "CN=&lt;b&gt;cdm&lt;/b&gt;" in page.text
    assert world.cdm.asked == ["certificate of cdm.example:8443"]
    pinned = world.submit(
        client, "/connections/new", **(fields | {"action": "pin", "seen_sha256": "ab" * 32})
    )
    assert f'value="{"ab" * 32}"' in pinned.text
    assert 'value="fingerprint" checked' in re.sub(r" ?(id|name)=\"[^\"]*\"", "", pinned.text) or (
        re.search(r'<input checked[^>]*value="fingerprint"', pinned.text)
    )


def test_a_server_that_cannot_be_reached_is_explained(world: World) -> None:
    world.cdm.error = Unreachable("No connection.", cause="A firewall.", advice="Open 8443.")
    fields = CONNECTION | {"action": "certificate"}
    page = world.submit(world.client(ADMIN), "/connections/new", **fields).text
    assert all(words in page for words in ("No connection.", "A firewall.", "Open 8443."))


def test_a_ca_can_be_uploaded_as_a_file_and_is_checked(world: World) -> None:
    client = world.client(ADMIN)
    fields: dict[str, Any] = CONNECTION | {"trust": "ca", "csrf_token": world.csrf(client)}
    fields["ca_file"] = (io.BytesIO(b"no certificate \xff"), "ca.pem")
    page = client.post("/connections/new", data=fields, content_type="multipart/form-data")
    assert "CA certificate can" in html.unescape(page.text)
    assert world.store.connections.list() == []


def test_a_second_connection_to_the_same_server_is_refused(world: World) -> None:
    client = world.client(ADMIN)
    world.submit(client, "/connections/new", **CONNECTION)
    page = world.submit(client, "/connections/new", **(CONNECTION | {"name": "other"}))
    assert page.status_code == 200
    assert "already" in page.text
    assert len(world.store.connections.list()) == 1


def test_a_test_of_the_connection_shows_its_steps(world: World) -> None:
    world.add_connection()
    page = world.submit(world.client(ADMIN), "/connections/1/test").text
    for words in ("The name resolves.", "No answer.", "A firewall.", "Open port 8443."):
        assert words in page


def test_a_connection_without_password_cannot_be_tested(world: World) -> None:
    world.store.connections.add(name="bare", host="cdm.example", port=8443, username="u")
    page = world.submit(world.client(ADMIN), "/connections/1/test").text
    assert "No password is stored" in page
    assert world.cdm.asked == []


def test_a_connection_in_use_is_not_deleted(world: World) -> None:
    connection = world.add_connection()
    mapping = world.add_mapping(connection)
    client = world.client(ADMIN)
    assert world.submit(client, "/connections/1/delete").status_code == 303
    assert "uses connection prod" in client.get("/connections/1").text
    world.store.mappings.delete(mapping.id)
    assert world.submit(client, "/connections/1/delete").status_code == 303
    assert world.store.connections.list() == []
    assert world.secrets.kept == {}


MAPPING = {
    "name": "SQL attack",
    "connection": "1",
    "rule_id": "100231",
    "rule_name": "Attack on SQL",
    "job_id": "1044",
    "action_name": "",
    "cooldown_s": "900",
    "enabled": "y",
}


def test_a_mapping_is_made_from_the_live_list_of_jobs(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("2", "Backup", is_restore=False), job_entry("1044", "Clean room")]
    client = world.client(ADMIN)
    page = client.get("/mappings/new").text
    assert re.search(r'<option value="2" disabled>Backup', page)
    assert re.search(r'<option value="1044">Clean room', page)
    assert world.submit(client, "/mappings/new", **MAPPING).status_code == 303
    mapping = world.store.mappings.get(1)
    assert (mapping.job_name, mapping.rule_id, mapping.enabled) == ("Clean room", 100231, True)
    text = html.unescape(client.get("/mappings").text)
    assert "When rule Attack on SQL (id 100231) fires, start Clean room on prod" in text
    assert "at most once in 15 min." in text
    assert world.cdm.closed == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("job_id", "2", "must be a restore job"),
        ("job_id", "99", "must be one of the jobs"),
        ("job_id", "", "Restore job must be chosen"),
        ("cooldown_s", "-1", "Cool-down must"),
        ("rule_id", "abc", "Rule id must"),
        ("name", "", "Name must"),
    ],
)
def test_a_mapping_with_a_bad_field_is_not_saved(
    world: World, field: str, value: str, words: str
) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("2", "Backup", is_restore=False), job_entry("1044", "Clean room")]
    page = world.submit(world.client(ADMIN), "/mappings/new", **(MAPPING | {field: value}))
    assert page.status_code == 200
    assert words in page.text
    assert world.store.mappings.list() == []


def test_two_mappings_for_one_rule_are_refused(world: World) -> None:
    world.add_mapping(world.add_connection())
    world.cdm.jobs = [job_entry("1044", "Clean room")]
    fields = MAPPING | {"name": "other"}
    page = world.submit(world.client(ADMIN), "/mappings/new", **fields)
    assert page.status_code == 200
    assert "already" in page.text


def test_a_mapping_can_be_changed_while_cdm_is_silent_but_not_its_job(world: World) -> None:
    world.add_mapping(world.add_connection())
    world.cdm.error = Unreachable("No connection.", advice="Look at the network.")
    client = world.client(ADMIN)
    page = client.get("/mappings/1")
    assert "No connection." in page.text
    assert "SQL clean-room restore" in page.text
    changed = MAPPING | {"cooldown_s": "0"}
    del changed["enabled"]
    assert world.submit(client, "/mappings/1", **changed).status_code == 303
    mapping = world.store.mappings.get(1)
    assert (mapping.cooldown_s, mapping.enabled, mapping.job_id) == (0, False, "1044")
    page = world.submit(client, "/mappings/1", **(changed | {"job_id": "7"}))
    assert "while CDM does not answer" in page.text


def test_a_mapping_is_deleted(world: World) -> None:
    world.add_mapping(world.add_connection())
    assert world.submit(world.client(ADMIN), "/mappings/1/delete").status_code == 303
    assert world.store.mappings.list() == []


def test_several_connections_are_chosen_from_first(world: World) -> None:
    world.add_connection("one", "one.example")
    world.add_connection("two", "two.example")
    client = world.client(ADMIN)
    assert "Its jobs are listed in the next step" in client.get("/mappings/new").text
    assert "Connection: <strong" in client.get("/mappings/new?connection=2").text
    assert (
        world.submit(client, "/mappings/new", **(MAPPING | {"connection": "9"})).status_code == 400
    )


def test_arming_says_who_did_it(world: World) -> None:
    client = world.client(ADMIN)
    world.submit(client, "/settings/mode", mode="armed")
    assert "Set by anna" in client.get("/settings").text
    assert world.submit(client, "/settings/mode", mode="sometimes").status_code == 400


def test_a_trigger_token_is_shown_once_and_can_be_revoked(world: World) -> None:
    client = world.client(ADMIN)
    page = world.submit(client, "/settings/tokens", name="event processors").text
    token = re.findall(r'<pre id="new-token">([^<]+)</pre>', page)[0]
    assert world.store.tokens.is_valid(token)
    assert token not in client.get("/settings").text
    again = world.submit(client, "/settings/tokens", name="event processors").text
    assert "already" in again
    assert (
        world.submit(client, "/settings/tokens/revoke", name="event processors").status_code == 303
    )
    assert not world.store.tokens.is_valid(token)
    assert world.submit(client, "/settings/tokens/revoke", name="gone").status_code == 404


def test_the_settings_lead_to_the_custom_action(world: World) -> None:
    client = world.client(ADMIN)
    text = client.get("/settings").text
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
