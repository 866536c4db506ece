# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""People, tokens and pages of the console simulator."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest

from tests.simulators.console import ConsoleSimulator
from tests.simulators_tests.console_client import Client, echo_app


@pytest.fixture
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as console:
        yield console


@pytest.fixture
def client(console: ConsoleSimulator) -> Client:
    return Client(console)


def form(user: str, password: str) -> bytes:
    return urlencode({"user": user, "password": password}).encode()


def test_the_form_gives_a_session_in_secure_cookies(
    console: ConsoleSimulator, client: Client
) -> None:
    assert b'name="password"' in client.get("/console/logon.jsp").body
    reply = client.post("/console/logon.jsp", body=form("analyst", "analyst-password"))
    assert (reply.status, reply.headers["Location"]) == (302, "/console/")
    sec, csrf = reply.headers.get_all("Set-Cookie", [])
    assert sec.startswith("SEC=")
    assert sec.endswith("; Path=/; Secure; HttpOnly")
    assert csrf.startswith("QRadarCSRF=")
    assert csrf.endswith("; Path=/; Secure")
    cookies = dict(pair.split(";")[0].split("=") for pair in (sec, csrf))
    assert b"analyst" in client.get("/console/", cookies=cookies).body
    assert client.get("/console/logout", cookies=cookies).status == 302
    assert client.get("/console/", cookies=cookies).headers["Location"] == "/console/logon.jsp"


def test_a_wrong_password_gives_no_session(client: Client) -> None:
    reply = client.post("/console/logon.jsp", body=form("analyst", "wrong"))
    assert reply.status == 401
    assert "Set-Cookie" not in reply.headers


def test_the_console_page_frames_the_apps_areas(console: ConsoleSimulator, client: Client) -> None:
    manifest = {
        "areas": [{"id": "runs", "text": "Restores & more", "url": "index"}],
        "configuration_pages": [{"text": "Set up", "url": "connections"}],
    }
    cookies = console.login("admin")
    assert b"No app is installed" in client.get("/console/", cookies=cookies).body
    with echo_app() as address:
        console.register_app(1001, "s", address=address, manifest=manifest)
        page = client.get("/console/?theme=dark", cookies=cookies).body.decode()
        source = "plugins/1001/app_proxy/index?ui=new&theme=dark"
        assert f'src="{source}"' in unescape(page)
        assert "Restores &amp; more" in page
        assert "app_proxy/connections?ui=new&theme=dark" in unescape(page)
        reply = client.get(f"/console/{source}", cookies=cookies)
        assert reply.json()["target"] == "/index?ui=new&theme=dark"


@pytest.mark.parametrize(
    ("name", "capabilities"),
    [
        ("admin", ["ADMIN"]),
        ("saasadmin", ["SAASADMIN"]),
        ("analyst", ["SEM", "SEM.VIEWRULES", "SEM.ASSIGNOFFENSE", "EventViewer"]),
        ("viewer", ["EventViewer"]),
        ("operator", ["SEM"]),
    ],
)
def test_each_user_sees_the_own_role(
    console: ConsoleSimulator, client: Client, name: str, capabilities: list[str]
) -> None:
    token = console.login(name)["SEC"]
    (user,) = client.get("/api/config/access/users?current_user=true", token=token).json()
    (role,) = client.get("/api/config/access/user_roles?current_user_role=true", token=token).json()
    assert (user["username"], user["user_role_id"]) == (name, role["id"])
    assert [item["name"] for item in role["capabilities"]] == capabilities


def test_an_authorized_service_is_no_user_but_has_a_role(
    console: ConsoleSimulator, client: Client
) -> None:
    token = console.add_service("mine", "restore operators")
    base = "/api/config/access"
    assert client.get(f"{base}/users?current_user=true", token=token).json() == []
    (role,) = client.get(f"{base}/user_roles?current_user_role=true", token=token).json()
    assert role["name"] == "Restore operators"
    (service,) = client.get(
        f"{base}/authorized_services?current_authorized_service=true", token=token
    ).json()
    assert (service["label"], service["user_role_id"]) == ("mine", role["id"])
    assert service["token"] is None
    assert service["expiration_date"] is None
    user = console.login("admin")["SEC"]
    query = "current_authorized_service=true"
    assert client.get(f"{base}/authorized_services?{query}", token=user).json() == []


def test_the_lists_are_whole_for_admin_and_the_own_entry_for_others(
    console: ConsoleSimulator, client: Client
) -> None:
    admin, analyst = console.login("admin")["SEC"], console.login("analyst")["SEC"]
    for what, least in (("users", 5), ("user_roles", 6), ("authorized_services", 2)):
        everything = client.get(f"/api/config/access/{what}", token=admin).json()
        assert len(everything) >= least
        own = client.get(f"/api/config/access/{what}", token=analyst).json()
        assert len(own) == (0 if what == "authorized_services" else 1)


def test_a_service_made_through_rest_shows_its_token_once(
    console: ConsoleSimulator, client: Client
) -> None:
    admin, path = console.login("admin")["SEC"], "/api/config/access/authorized_services"
    reply = client.post(path, token=admin, body={"label": "new", "user_role_id": 4})
    made = reply.json()
    assert reply.status == 201
    assert made["token"] == console.token("new")
    days = (made["expiration_date"] / 1000 - datetime.now(UTC).timestamp()) / 86400
    assert round(days, 3) == 30
    assert client.get(f"{path}/{made['id']}", token=admin).json()["token"] is None
    assert client.get("/api/system/about", token=made["token"]).status == 200
    past = client.post(f"{path}/{made['id']}", token=admin, body={"expiration_date": 1000})
    assert past.status == 201
    assert client.get("/api/system/about", token=made["token"]).status == 401
    assert client.call("DELETE", f"{path}/{made['id']}", token=admin).status == 204
    assert client.get(f"{path}/{made['id']}", token=admin).status == 404


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"label": "admin", "user_role_id": 4}, 95103008),
        ({"label": "restore-trigger", "user_role_id": 4}, 95103008),
        ({"label": "x" * 256, "user_role_id": 4}, 1005),
        ({"label": "x", "user_role_id": 99}, 1005),
        ({"label": "x", "user_role_id": 4, "expiration_date": "soon"}, 1005),
        ({"label": "x", "user_role_id": 2, "security_profile_id": 3}, 95103009),
        ({"label": "x", "user_role_id": 2, "tenant_id": 1}, 95103010),
    ],
)
def test_a_service_that_cannot_be_is_refused_with_its_code(
    console: ConsoleSimulator, client: Client, document: dict[str, object], code: int
) -> None:
    path, token = "/api/config/access/authorized_services", console.token("restore-service")
    reply = client.post(path, token=token, body=document)
    assert (reply.status, reply.json()["code"]) == (422, code)


def test_roles_and_tokens_may_need_a_deploy(console: ConsoleSimulator, client: Client) -> None:
    path, token = "/api/config/access/authorized_services", console.token("restore-service")
    role = console.identity.add_role("Fresh", "SEM", deployed=False)
    document = {"label": "new", "user_role_id": role.id, "expiration_date": None}
    assert client.post(path, token=token, body=document).json()["code"] == 95103005
    console.deploy()
    console.switches.tokens_need_deploy = True
    made = client.post(path, token=token, body=document).json()["token"]
    assert client.get("/api/system/about", token=made).status == 401
    console.deploy()
    assert client.get("/api/system/about", token=made).status == 200


def test_a_service_cannot_change_itself(console: ConsoleSimulator, client: Client) -> None:
    token = console.token("restore-service")
    path = "/api/config/access/authorized_services"
    (me,) = client.get(f"{path}?current_authorized_service=true", token=token).json()
    reply = client.post(f"{path}/{me['id']}", token=token, body={"label": "other"})
    assert (reply.status, reply.json()["code"]) == (422, 95104011)


def test_an_expired_token_is_as_good_as_none(console: ConsoleSimulator, client: Client) -> None:
    token = console.add_service("old", "Admin", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    reply = client.get("/api/system/about", token=token)
    assert (reply.status, reply.json()["http_response"]["code"]) == (401, 401)
    console.expire_service("old", datetime.now(UTC) + timedelta(days=1))
    assert client.get("/api/system/about", token=token).status == 200


def test_bad_tokens_lock_the_calling_host_out(console: ConsoleSimulator, client: Client) -> None:
    console.switches.lockout_after = 3
    good = console.token("restore-service")
    for _ in range(3):
        assert client.get("/api/system/about", token="bad").json()["code"] == 18
    reply = client.get("/api/system/about", token=good)
    assert (reply.status, reply.json()["code"]) == (401, 24)
    console.identity.unlock()
    assert client.get("/api/system/about", token=good).status == 200


def test_a_good_token_forgets_the_bad_ones(console: ConsoleSimulator, client: Client) -> None:
    console.switches.lockout_after = 2
    good = console.token("restore-service")
    for token in ("bad", good, "bad", good):
        client.get("/api/system/about", token=token)
    assert client.get("/api/system/about", token=good).status == 200


@pytest.mark.parametrize(
    ("sent", "query"),
    [
        ("appContext", "appContext=1"),
        ("context", "context=1"),
        ("both", "appContext=1&context=1"),
        ("none", ""),
    ],
)
def test_an_offense_has_the_fragments_and_buttons_of_the_apps(
    console: ConsoleSimulator, client: Client, sent: str, query: str
) -> None:
    """They are called as QRadar calls them, by the page's script (qradar §8, §13)."""
    console.switches.button_argument = sent
    find = {"name": "find", "method": "GET", "url": "/offense_restores"}
    manifest = {
        "rest_methods": [find | {"argument_names": ["appContext", "context"]}],
        "page_scripts": [
            {"app_name": "SEM", "page_id": "OffenseSummary", "scripts": ["static/button.js"]},
            {"app_name": "SEM", "page_id": "OffenseList", "scripts": ["static/other.js"]},
        ],
        "fragments": [
            {"app_name": "SEM", "page_id": "OffenseSummary", "rest_endpoint": "offense_fragment"},
            {"app_name": "SEM", "page_id": "OffenseList", "rest_endpoint": "elsewhere"},
        ],
        "gui_actions": [
            {
                "text": "Restores",
                "groups": ["OffenseSummaryToolbar"],
                "rest_method": "find",
                "javascript": "open(result.url)",
            }
        ],
    }
    console.register_app(1001, "safeguarded-restore", address=("127.0.0.1", 9), manifest=manifest)
    page = "/console/do/sem/offensesummary?appName=Sem&pageId=OffenseSummary&summaryId="
    cookies = console.login("analyst")
    assert client.get(f"{page}1", cookies=cookies).status == 404
    number = console.fire_rule(7, "<i>rule</i>", event={"sourceip": "::1"}).wait_for_offense()
    body = unescape(client.get(f"{page}{number}", cookies=cookies).body.decode())
    assert 'data-fragment="/console/plugins/1001/app_proxy/offense_fragment/1"' in body
    assert "elsewhere" not in body
    assert f'data-call="/console/plugins/1001/app_proxy/offense_restores?{query}"' in body
    assert '<script src="/console/plugins/1001/app_proxy/static/button.js">' in body
    assert "other.js" not in body
    assert 'data-then="open(result.url)"' in body
    assert client.get(f"{page}1").status == 302, "somebody who is not logged in"


def test_a_page_without_a_script_of_the_app_gives_no_app_context(
    console: ConsoleSimulator, client: Client
) -> None:
    names = ["appContext", "context"]
    manifest = {
        "rest_methods": [{"name": "f", "method": "GET", "url": "/f", "argument_names": names}],
        "gui_actions": [
            {
                "text": "Restores",
                "groups": ["OffenseSummaryToolbar"],
                "rest_method": "f",
                "javascript": "open(result.url)",
            }
        ],
    }
    console.switches.button_argument = "both"
    console.register_app(1001, "safeguarded-restore", address=("127.0.0.1", 9), manifest=manifest)
    number = console.fire_rule(7, "rule", event={"sourceip": "::1"}).wait_for_offense()
    page = f"/console/do/sem/offensesummary?summaryId={number}"
    body = client.get(page, cookies=console.login("analyst")).body.decode()
    assert f'data-call="/console/plugins/1001/app_proxy/f?context={number}"' in body
