# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console simulator's REST API: versions, lists, errors, and its endpoints."""

import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.simulators.console import ConsoleSimulator
from tests.simulators_tests.console_client import Client


@pytest.fixture
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as console:
        yield console


@pytest.fixture
def client(console: ConsoleSimulator) -> Client:
    return Client(console)


ACTIONS = "/api/analytics/custom_actions"
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def token(console: ConsoleSimulator) -> str:
    return console.token("restore-service")


def test_versions_are_offered_deprecated_and_removed(client: Client, token: str) -> None:
    versions = client.get("/api/help/versions", token=token).json()
    states = {item["version"]: (item["deprecated"], item["removed"]) for item in versions}
    assert states["29.0"] == states["27.0"] == (False, False)
    assert states["26.0"] == (True, False)
    assert states["5.1"] == (True, True)


@pytest.mark.parametrize(
    ("version", "status", "deprecated"),
    [("29.0", 200, None), ("21.0", 200, "true"), ("5.1", 422, None), ("30.0", 422, None)],
)
def test_the_version_header_is_honoured(
    client: Client, token: str, version: str, status: int, *, deprecated: str | None
) -> None:
    reply = client.get("/api/system/about", token=token, headers={"Version": version})
    assert (reply.status, reply.headers["Deprecated"]) == (status, deprecated)


def test_an_older_console_offers_older_versions() -> None:
    with ConsoleSimulator(api_version="21.0") as console:
        client, token = Client(console), console.token("restore-service")
        about = client.get("/api/system/about", token=token, headers={"Version": "26.0"})
        assert about.status == 422


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nowhere", 404, 1002),
        ("DELETE", "/api/system/about", 405, 1005),
        ("GET", "/api/siem/offenses/99", 404, 1002),
        ("GET", "/api/siem/offenses?filter=nonsense%20here", 422, 1010),
        ("GET", "/api/siem/offense_types?sort=nonsense", 422, 1030),
    ],
)
def test_errors_have_the_consoles_shape(
    client: Client, token: str, method: str, path: str, *, status: int, code: int
) -> None:
    reply = client.call(method, path, token=token)
    error = reply.json()
    assert (reply.status, error["http_response"]["code"]) == (status, status)
    assert error["code"] == code
    assert error.keys() == {"http_response", "code", "description", "details", "message"}


@pytest.mark.parametrize(
    ("user", "path", "status"),
    [
        ("viewer", "/api/siem/offenses", 403),
        ("operator", "/api/siem/offenses", 200),
        ("operator", "/api/analytics/rules", 403),
        ("saasadmin", f"{ACTIONS}/actions", 403),
        ("viewer", "/api/system/about", 200),
    ],
)
def test_endpoints_ask_for_capabilities(
    console: ConsoleSimulator, client: Client, user: str, path: str, *, status: int
) -> None:
    assert client.get(path, token=console.login(user)["SEC"]).status == status


def test_lists_are_cut_by_range(console: ConsoleSimulator, client: Client, token: str) -> None:
    for number in range(1, 8):
        console.add_rule(number, f"Rule {number}")
    reply = client.get("/api/analytics/rules", token=token, headers={"Range": "items=2-3"})
    assert [row["id"] for row in reply.json()] == [3, 4]
    assert reply.headers["Content-Range"] == "items 2-3/7"
    reply = client.get("/api/analytics/rules", token=token, headers={"Range": "items=5-99"})
    assert reply.headers["Content-Range"] == "items 5-6/7"
    reply = client.get("/api/analytics/rules", token=token, headers={"Range": "pages=1"})
    assert reply.status == 416


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("id=2", [2]),
        ("id>1 and id<=3", [2, 3]),
        ("(id = 1 or id = 4) and enabled = true", [1]),
        ("not id in (1, 2)", [3, 4]),
        ('name = "SQL attack 3"', [3]),
        ("name like '%attack 4'", [4]),
        ('name ilike "sql%" and origin!=USER', [2]),
        ("linked_rule_identifier is not null", [2]),
    ],
)
def test_filters_are_understood(
    console: ConsoleSimulator, client: Client, token: str, text: str, *, ids: list[int]
) -> None:
    console.add_rule(1, "SQL attack 1")
    console.add_rule(2, "SQL attack 2", origin="OVERRIDE", linked_rule_identifier="SYSTEM-1")
    console.add_rule(3, "SQL attack 3")
    console.add_rule(4, "SQL attack 4", enabled=False)
    rows = client.get(f"/api/analytics/rules?filter={quote(text)}&fields=id", token=token).json()
    assert rows == [{"id": number} for number in ids]


def test_a_rule_shows_fourteen_fields_and_never_its_action(
    console: ConsoleSimulator, client: Client, token: str
) -> None:
    console.add_rule(100231, "SQL attack", action=101)
    row = client.get("/api/analytics/rules/100231", token=token).json()
    assert len(row) == 14
    assert "action" not in row
    changed = client.post(
        "/api/analytics/rules/100231",
        token=token,
        body={"enabled": False},
        headers={"fields": "enabled"},
    )
    assert changed.json() == {"enabled": False}
    assert client.post("/api/analytics/rules/9", token=token, body={}).status == 404
    assert client.get("/api/analytics/rules?sort=%2Bid", token=token).status == 422


def test_offenses_are_found_by_rule_and_by_contribution(
    console: ConsoleSimulator, client: Client, token: str
) -> None:
    console.switches.offense_delay = 0.01
    for at, source in ((5000, "10.0.0.1"), (3000, "10.0.0.1"), (4000, "10.0.0.2")):
        event = {"starttime": at, "sourceip": source}
        console.fire_rule(7, "SQL attack", event=event).wait_for_offense()
    console.fire_rule(8, "Other", event={"starttime": 1, "sourceip": "10.0.0.2"}).wait_for_offense()
    found = client.get(
        "/api/siem/offenses?filter=rules%20contains%20id%3D8&fields=id,rules(id)", token=token
    )
    assert found.json() == [{"id": 2, "rules": [{"id": 7}, {"id": 8}]}]
    rows = client.get(
        "/api/analytics/rules_offense_contributions"
        f"?filter={quote('rule_id=7 and last_event >= 4000')}&sort=-last_event",
        token=token,
    ).json()
    assert [(row["offense_id"], row["first_event"], row["last_event"]) for row in rows] == [
        (1, 3000, 5000),
        (2, 4000, 4000),
    ]
    console.store.close(1)
    again = console.fire_rule(7, event={"sourceip": "10.0.0.1"})
    assert again.wait_for_offense() == 3


@pytest.mark.parametrize(
    ("text", "status"),
    [("x" * 2000, 201), ("x" * 2001, 422), ("x" * 1990 + "\U0001f512" * 6, 422), ("", 422)],
)
def test_a_note_has_a_limit_in_utf_16_units(
    console: ConsoleSimulator, client: Client, token: str, text: str, *, status: int
) -> None:
    console.switches.offense_delay = 0.0
    number = console.fire_rule(7, "SQL").wait_for_offense()
    notes = f"/api/siem/offenses/{number}/notes"
    reply = client.post(f"{notes}?note_text={quote(text)}", token=token)
    assert reply.status == status
    if status == 201:
        assert client.get(notes, token=token).json() == [reply.json()]
        assert console.notes[1][0]["note_text"] == text


def test_a_note_must_fit_the_request_line(
    console: ConsoleSimulator, client: Client, token: str
) -> None:
    note = quote("ä" * 1500)
    assert client.post(f"/api/siem/offenses/1/notes?note_text={note}", token=token).status == 414
    short = client.post("/api/siem/offenses/1/notes?note_text=a+b", token=token)
    assert (short.status, short.json()["code"]) == (404, 1002)


def test_scripts_and_actions_are_made_changed_and_deleted(
    console: ConsoleSimulator, client: Client, token: str
) -> None:
    (bash,) = client.get(f"{ACTIONS}/interpreters?filter=name%3DBash", token=token).json()
    named = {**OCTETS, "file_name": "x.sh"}
    made = client.post(f"{ACTIONS}/scripts", token=token, headers=named, body=b"echo\r\n")
    assert (made.status, made.json()["file_name"]) == (201, "x.sh")
    script = made.json()["id"]
    assert console.custom_actions.scripts[script].content == b"echo\r\n"
    parameters = [
        {"name": "token", "parameter_type": "fixed", "encrypted": True, "value": "s3cr3t"},
        {"name": "src", "parameter_type": "dynamic", "encrypted": False, "value": "sourceip"},
    ]
    document = {"name": "Start", "interpreter": bash["id"], "script": script}
    document["parameters"] = parameters
    reply = client.post(f"{ACTIONS}/actions", token=token, body=document)
    action = reply.json()
    assert reply.status == 201
    assert b"s3cr3t" not in reply.body + client.get(f"{ACTIONS}/actions", token=token).body
    busy = client.call("DELETE", f"{ACTIONS}/scripts/{script}", token=token)
    assert (busy.status, busy.json()["code"]) == (422, 1005)
    changed = client.post(
        f"{ACTIONS}/actions/{action['id']}",
        token=token,
        body={**document, "id": action["id"], "name": "Other"},
    )
    assert (changed.status, changed.json()["name"]) == (200, "Other")
    replaced = client.post(f"{ACTIONS}/scripts/{script}", token=token, headers=OCTETS, body=b"#")
    assert replaced.status == 200
    assert client.call("DELETE", f"{ACTIONS}/actions/{action['id']}", token=token).status == 204
    assert client.call("DELETE", f"{ACTIONS}/scripts/{script}", token=token).status == 204
    gone = client.post(f"{ACTIONS}/scripts/{script}", token=token, headers=OCTETS, body=b"#")
    assert (gone.status, gone.json()["code"]) == (404, 1002)
    wrong = client.post(f"{ACTIONS}/scripts", token=token, body=b"#")
    assert wrong.status == 415


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Taken"},
        {"interpreter": 99},
        {"script": 99},
        {"parameters": None},
        {"parameters": [{"name": "a", "parameter_type": "dynamic", "value": "no_such_column"}]},
        {"parameters": [{"name": "a", "parameter_type": "FIXED", "value": "x"}]},
        {
            "parameters": [
                {"name": "a", "parameter_type": "fixed", "encrypted": "true", "value": "x"}
            ]
        },
        {
            "parameters": [
                {"name": "a", "parameter_type": "dynamic", "encrypted": True, "value": "qid"}
            ]
        },
        {
            "parameters": [
                {"name": "a", "parameter_type": "fixed", "value": "x"},
                {"name": "a", "parameter_type": "fixed", "value": "y"},
            ]
        },
    ],
)
def test_an_action_that_cannot_be_is_refused(
    console: ConsoleSimulator, client: Client, token: str, wrong: dict[str, object]
) -> None:
    script = console.custom_actions.put_script(b"#")
    good = {"name": "Taken", "interpreter": 1, "script": script.id, "parameters": []}
    console.custom_actions.put_action(good)
    reply = client.post(f"{ACTIONS}/actions", token=token, body={**good, "name": "New", **wrong})
    assert (reply.status, reply.json()["code"]) == (422, 1005)


def test_a_deploy_runs_once_and_only_when_something_is_staged(
    console: ConsoleSimulator, client: Client, token: str
) -> None:
    path, body = "/api/staged_config/deploy_status", {"type": "INCREMENTAL"}
    console.switches.deploy_seconds = 0.1
    nothing = client.post(path, token=token, body=body)
    assert (nothing.status, nothing.json()["code"]) == (409, 1002)
    script = console.custom_actions.put_script(b"#")
    console.custom_actions.put_action(
        {"name": "a", "interpreter": 1, "script": script.id, "parameters": []}
    )
    started = client.post(path, token=token, body=body)
    assert (started.status, started.json()["status"]) == (200, "INITIALIZING")
    assert client.post(path, token=token, body=body).status == 409
    deadline = time.monotonic() + 5
    while client.get(path, token=token).json()["status"] != "COMPLETE":
        assert time.monotonic() < deadline
    while console.custom_actions.staged:
        assert time.monotonic() < deadline
    assert client.post(path, token=token, body={"type": "SOME"}).status == 422


def test_the_console_tells_about_apps_services_hosts_and_columns(
    console: ConsoleSimulator, client: Client, token: str
) -> None:
    manifest = {
        "uuid": "u",
        "resources": {"memory": 300},
        "services": [{"version": "1.0", "endpoints": [{"name": "t", "path": "/api/v1/triggers"}]}],
    }
    console.register_app(1001, "sr", address=("127.0.0.1", 1), manifest=manifest)
    (app,) = client.get("/api/gui_app_framework/applications", token=token).json()
    assert app["application_state"]["memory"] == 300
    one = client.get("/api/gui_app_framework/applications/1001", token=token)
    assert one.json()["manifest"] == manifest
    assert client.get("/api/gui_app_framework/applications/7", token=token).status == 404
    (service,) = client.get("/api/gui_app_framework/named_services", token=token).json()
    path = "/console/plugins/1001/app_proxy:sr/api/v1/triggers"
    assert service["endpoints"][0]["path"] == path
    hosts = client.get("/api/config/deployment/hosts?fields=hostname", token=token).json()
    assert hosts == [{"hostname": "console"}, {"hostname": "ep1"}]
    columns = client.get("/api/ariel/databases/events?fields=columns(name)", token=token).json()
    assert {"name": "sourceip"} in columns["columns"]
    about = client.get("/api/system/about", token=token).json()
    assert about["external_version"] == "7.6.0.0"
