# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may do what: default deny, the caller as the console says, CSRF, headers, cookies."""

import html
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app.qradar.identity import Right
from app.restore.model import Mode
from app.store import migrate
from app.store.copies import keep_copy
from app.web.frame import access
from app.web.services import OUTBOUND_CALLS
from tests.web.conftest import (
    ADMIN,
    ANALYST,
    NAMELESS,
    NOBODY,
    SERVICE,
    TRIGGER_SERVICE,
    World,
)

ROOT = Path(__file__).parents[2]


def url(rule: Rule) -> str:
    return re.sub(r"<[^>]*>", "1", rule.rule)


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})


def ask(client: FlaskClient, rule: Rule, method: str) -> int:
    json = {} if rule.rule.startswith("/api") and method == "POST" else None
    data = {"a": "b"} if json is None and method == "POST" else None
    return client.open(url(rule), method=method, json=json, data=data).status_code


def test_every_view_declares_a_right_or_is_public(world: World) -> None:
    with world.app.app_context():
        for rule in world.app.url_map.iter_rules():
            declared = access.right_of(rule.endpoint)
            assert (declared is None) == (rule.endpoint in access.PUBLIC), rule


def test_nobody_gets_in_without_the_right(world: World) -> None:
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint in access.PUBLIC:
            continue
        for method in methods(rule):
            assert ask(world.client(), rule, method) == 401, rule
            assert ask(world.client("unknown"), rule, method) == 401, rule
            for token in (NOBODY, TRIGGER_SERVICE):
                assert ask(world.client(token), rule, method) == 403, rule


def test_an_analyst_may_only_look(world: World) -> None:
    with world.app.app_context():
        rules = [(one, access.right_of(one.endpoint)) for one in world.app.url_map.iter_rules()]
    for rule, right in rules:
        if right is not None and right is not Right.VIEW:
            for method in methods(rule):
                assert ask(world.client(ANALYST), rule, method) == 403, rule


def test_what_changes_something_is_never_a_get(world: World) -> None:
    with world.app.app_context():
        for rule in world.app.url_map.iter_rules():
            if access.right_of(rule.endpoint) is Right.OPERATE:
                assert methods(rule) == ["POST"]


def test_a_view_without_a_right_cannot_be_reached(world: World) -> None:
    world.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = world.client(ADMIN).get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_headers_of_the_proxy_prove_nothing(world: World) -> None:
    headers = {"QRadarUser": "admin", "QRadarUserRole": "Admin", "X-Console-Host": "console"}
    assert world.client().get("/", headers=headers).status_code == 401


def test_the_missing_right_is_named(world: World) -> None:
    page = world.client(ANALYST).get("/settings")
    assert page.status_code == 403
    assert "right to administer" in page.text
    answer = world.client(ANALYST).get("/api/v1/config")
    assert answer.json["error"]["code"] == "forbidden"


def test_the_token_may_come_as_header_or_cookie(world: World) -> None:
    assert world.client().get("/", headers={"SEC": ADMIN}).status_code == 200
    assert world.client(ADMIN).get("/").status_code == 200


def test_a_console_that_is_down_is_explained(world: World) -> None:
    world.identity.down = True
    page = world.client(ADMIN).get("/")
    assert page.status_code == 503
    assert "who you are" in page.text
    assert "Retry-After" in page.headers
    answer = world.client(ADMIN).get("/api/v1/runs")
    assert answer.json["error"]["code"] == "console_unavailable"
    assert world.client().get("/debug").text == "Pong!"


def test_writes_ask_the_console_afresh(world: World) -> None:
    client = world.client(ADMIN)
    client.get("/")
    client.post("/settings/mode", data={"mode": "armed"})
    assert world.identity.asked == [False, True]


def test_a_write_without_its_csrf_token_changes_nothing(world: World) -> None:
    client = world.client(ADMIN)
    client.get("/settings")
    for token in (None, "", "wrong", "x.y.z"):
        data = {"mode": "armed"} | ({} if token is None else {"csrf_token": token})
        answer = client.post("/settings/mode", data=data)
        assert answer.status_code == 403
        assert "Load the page again" in answer.text
    assert world.store.settings.mode == "disarmed"
    foreign = world.csrf(world.client(ADMIN))
    assert (
        client.post("/settings/mode", data={"mode": "armed", "csrf_token": foreign}).status_code
        == 403
    )


def test_the_token_of_a_page_works_for_its_form(world: World) -> None:
    client = world.client(ADMIN)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', client.get("/settings").text)[0]
    answer = client.post("/settings/mode", data={"mode": "armed", "csrf_token": token})
    assert answer.status_code == 303
    assert world.store.settings.mode == "armed"


def test_a_csrf_token_is_worth_nothing_with_another_callers_qradar_token(world: World) -> None:
    """Nothing is gained by planting an analyst's cookie and token in another's browser."""
    client = world.client(ANALYST)
    token = world.csrf(client)
    client.set_cookie("SEC", ADMIN)
    for headers in ({}, {"X-CSRFToken": token}):
        answer = client.post(
            "/settings/mode", data={"mode": "armed", "csrf_token": token}, headers=headers
        )
        assert answer.status_code == 403
        assert "CSRF" in answer.text
    assert world.store.settings.mode is Mode.DISARMED

    own = world.csrf(client)
    answer = client.post("/settings/mode", data={"mode": "armed", "csrf_token": own})
    assert answer.status_code == 303
    assert world.store.settings.mode is Mode.ARMED


@pytest.mark.parametrize(
    "path",
    [
        *("/runs//1", "/runs/", "/api//v1/runs", "/static//app.css"),
        *("/runs/1/", "/debug/", "/connections//new", "/settings/"),
    ],
)
def test_no_address_is_redirected_to_wherever_host_says(world: World, path: str) -> None:
    answer = world.client(ADMIN).open(
        path=path, headers={"Host": "evil.example", "X-Console-Host": "evil.example"}
    )
    assert answer.status_code in {200, 404}
    assert "Location" not in answer.headers


def test_only_a_named_service_is_excused_from_csrf(world: World) -> None:
    """A caller whose name the console does not tell may be somebody's browser."""
    data = {"mode": "armed"}
    assert world.client(NAMELESS).post("/settings/mode", data=data).status_code == 403
    assert world.client(SERVICE).post("/settings/mode", data=data).status_code == 303


def test_the_session_cookie_is_for_this_app_and_out_of_reach(world: World) -> None:
    cookie = world.client(ADMIN).get("/api/v1/csrf").headers["Set-Cookie"]
    assert cookie.startswith("session-1234=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax"):
        assert word in cookie


def test_the_session_key_outlives_a_restart_and_is_private(world: World) -> None:
    from app import create_app

    assert create_app(world.services).config["SECRET_KEY"] == world.app.config["SECRET_KEY"]
    file = world.path.with_name("session-key")
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("path", ["/", "/runs", "/debug", "/nothing", "/api/v1/runs", "/api/v1/x"])
def test_every_answer_has_the_security_headers(world: World, path: str) -> None:
    headers = world.client(ADMIN).get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "X-Frame-Options" not in headers


def test_pages_have_no_inline_script_or_style(world: World) -> None:
    world.add_mapping(world.add_connection())
    client = world.client(ADMIN)
    for path in ("/", "/runs", "/connections", "/connections/new", "/mappings/1", "/settings"):
        text = client.get(path).text
        assert not re.search(r"<style|style=|<script(?![^>]* src=)|\son\w+=", text), path


def test_an_unusable_store_is_told_everywhere_but_debug_stays(world: World) -> None:
    reason = "The store could not be migrated: no such table: runs"
    migrate._note(world.path).write_text(reason)
    page = world.client(ADMIN).get("/")
    assert page.status_code == 503
    assert reason in page.text
    assert reason not in world.client().get("/").text
    answer = world.client().post("/api/v1/triggers", data={"request_id": "req-00001"})
    assert answer.status_code == 503
    assert answer.json["error"]["code"] == "store_unusable"
    assert "Retry-After" in answer.headers
    assert world.client().get("/debug").text == "Pong!"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no database" * 1000, "The app's database is damaged: file is not a database."),
        (None, "The app was set up here, but its database is gone or empty."),
    ],
)
def test_a_store_that_breaks_while_it_is_used_is_told_with_its_copies(
    world: World, content: bytes | None, told: str
) -> None:
    """ "Try again in a moment" would be a lie: only a copy helps, or a new beginning."""
    copy = keep_copy(world.path)
    client = world.client(ADMIN)
    assert client.get("/").status_code == 200
    for file in world.path.parent.glob(f"{world.path.name}*"):
        if file != copy:
            file.unlink()
    if content is not None:
        world.path.write_bytes(content)
    page = client.get("/")
    assert page.status_code == 503
    said = html.unescape(page.text)
    assert told in said
    assert f"ut a copy back ({copy.name} of" in said
    assert told not in html.unescape(world.client().get("/").text)
    answer = world.client().post(
        "/api/v1/triggers", data={"token": "t" * 43, "request_id": "r" * 8}
    )
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "store_unusable")
    assert told not in answer.json["error"]["message"]


def test_outbound_calls_may_hold_half_the_threads() -> None:
    conf = (ROOT / "container" / "conf" / "gunicorn.conf.py").read_text()
    assert f"threads = {2 * OUTBOUND_CALLS}\n" in conf


def test_a_page_that_finds_no_place_says_busy_at_once(world: World) -> None:
    world.add_connection()
    places = world.services.bulkhead._places
    assert places.acquire(blocking=False)
    assert places.acquire(blocking=False)
    page = world.client(ADMIN).get("/mappings/new")
    assert page.status_code == 503
    assert "busy" in page.text
    assert page.headers["Retry-After"] == "5"


def test_a_crash_is_told_without_its_details(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("secret inner words")

    world.app.testing = False
    monkeypatch.setattr("app.web.status.overview.read_health", crash)
    page = world.client(ADMIN).get("/")
    assert page.status_code == 500
    assert "secret inner words" not in page.text
    assert "Traceback" not in page.text
