# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console simulator's app proxy, at the wire."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.simulators.console import ConsoleSimulator
from tests.simulators_tests.console_client import BASE, Client, echo_app

MANIFEST = {
    "rest_methods": [
        {"name": "config", "method": "GET", "url": "/config", "required_capabilities": ["ADMIN"]}
    ]
}


@pytest.fixture
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator() as console, echo_app() as address:
        console.register_app(
            app_id=1001, service="safeguarded-restore", address=address, manifest=MANIFEST
        )
        yield console


@pytest.fixture
def client(console: ConsoleSimulator) -> Client:
    return Client(console)


@pytest.mark.parametrize(
    "prefix",
    [
        "/console/plugins/1001/app_proxy",
        "/console/plugins/1001/app_proxy:safeguarded-restore",
        "/console/plugins/app_proxy:1001:safeguarded-restore",
        "/console/plugins/app_proxy:safeguarded-restore",
    ],
)
def test_each_url_form_reaches_the_app_without_its_prefix(
    console: ConsoleSimulator, client: Client, prefix: str
) -> None:
    reply = client.call(
        "PUT",
        f"{prefix}/api/v1/runs/7%2F?q=a+b&q=%C3%A9",
        token=console.token("restore-trigger"),
        body=b"\x00k=v",
    )
    assert reply.status == 200
    seen = reply.json()
    assert (seen["method"], seen["target"]) == ("PUT", "/api/v1/runs/7%2F?q=a+b&q=%C3%A9")
    assert seen["body"] == "\x00k=v"


def test_the_bare_prefix_is_the_apps_root(console: ConsoleSimulator, client: Client) -> None:
    token = console.token("restore-trigger")
    assert client.get(f"{BASE}?theme=dark", token=token).json()["target"] == "/?theme=dark"


@pytest.mark.parametrize(
    "path", ["/1002/app_proxy/x", "/app_proxy:other/x", "/1001/app_proxy:other/x", "/app_proxy/x"]
)
def test_an_unknown_app_or_service_is_not_found(
    console: ConsoleSimulator, client: Client, path: str
) -> None:
    reply = client.get(f"/console/plugins{path}", token=console.token("restore-trigger"))
    assert reply.status == 404


def test_without_a_good_token_nothing_reaches_the_app(
    console: ConsoleSimulator, client: Client
) -> None:
    assert client.get(f"{BASE}/x").status == 401
    assert client.get(f"{BASE}/x", token="12345678-1234-1234-1234-123456789abc").status == 401
    assert [item.who for item in console.requests] == ["-", "-"]


def test_a_user_passes_with_the_cookies_or_with_the_header(
    console: ConsoleSimulator, client: Client
) -> None:
    cookies = console.login("analyst")
    by_cookie = client.get(f"{BASE}/x", cookies={**cookies, "theme": "dark"}).json()["headers"]
    assert by_cookie["cookie"].startswith(f"SEC={cookies['SEC']}; QRadarCSRF=")
    assert "sec" not in by_cookie
    by_header = client.get(f"{BASE}/x", token=cookies["SEC"]).json()["headers"]
    assert by_header["sec"] == cookies["SEC"]


@pytest.mark.parametrize(
    ("way", "header", "cookie"),
    [("header", True, False), ("cookie", False, True), ("both", True, True)],
)
def test_a_services_token_reaches_the_app_as_the_switch_says(
    console: ConsoleSimulator, client: Client, way: str, *, header: bool, cookie: bool
) -> None:
    console.switches.token_reaches_app = way
    token = console.token("restore-trigger")
    for arrives in ({"token": token}, {"cookies": {"SEC": token}}):
        headers = client.get(f"{BASE}/x", **arrives).json()["headers"]
        assert (headers.get("sec") == token) is header
        assert (headers.get("cookie") == f"SEC={token}") is cookie


def test_hop_by_hop_and_identity_headers_of_the_client_are_replaced(
    console: ConsoleSimulator, client: Client
) -> None:
    forged = {
        "X-Console-Host": "evil.example",
        "QRadarUser": "admin",
        "QRadarUserRole": "Admin",
        "X-Forwarded-For": "10.0.0.1",
        "Connection": "close, X-Secret",
        "X-Secret": "1",
        "Proxy-Authorization": "Basic eA==",
        "Host": "console.example",
        "X-Trigger-Token": "kept",
    }
    headers = client.get(f"{BASE}/x", token=console.login("viewer")["SEC"], headers=forged).json()[
        "headers"
    ]
    assert headers["x-console-host"] == "console.example"
    assert headers["qradaruser"] == "viewer"
    assert headers["qradaruserrole"] == "Viewers"
    assert headers["qradarsecurityprofile"] == "Admin"
    assert headers["x-trigger-token"] == "kept"
    assert {"x-forwarded-for", "x-secret", "proxy-authorization"}.isdisjoint(headers)


def test_the_apps_answer_passes_unchanged(console: ConsoleSimulator, client: Client) -> None:
    token = console.token("restore-trigger")
    reply = client.get(f"{BASE}/redirect", token=token)
    assert (reply.status, reply.headers["Location"]) == (302, "/runs/7")
    assert client.get(f"{BASE}/cookies", token=token).headers.get_all("Set-Cookie") == [
        "a=1",
        "b=2",
    ]
    head = client.call("HEAD", f"{BASE}/x", token=token)
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    console.switches.rewrite_location = True
    reply = client.get(f"{BASE}/redirect", token=token)
    assert reply.headers["Location"] == "/console/plugins/1001/app_proxy/runs/7"


def test_a_slow_app_is_a_504_and_an_absent_one_a_503(
    console: ConsoleSimulator, client: Client
) -> None:
    token = console.token("restore-trigger")
    console.switches.proxy_timeout = 0.1
    assert client.get(f"{BASE}/slow", token=token).status == 504
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    console.register_app(1001, "safeguarded-restore", address=address)
    reply = client.get(f"{BASE}/x", token=token)
    assert reply.status == 503
    assert reply.headers.get_content_type() == "text/html"


def test_an_app_that_hangs_up_is_a_502(console: ConsoleSimulator, client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
        console.register_app(1001, "safeguarded-restore", address=listener.getsockname())
        assert client.get(f"{BASE}/x", token=console.token("restore-trigger")).status == 502


@pytest.mark.parametrize(("length", "status"), [(8190, 200), (8191, 414)])
def test_the_request_line_has_a_limit(
    console: ConsoleSimulator, client: Client, length: int, status: int
) -> None:
    target = f"{BASE}/x?"
    target += "a" * (length - len(f"GET {target} HTTP/1.1"))
    assert client.get(target, token=console.token("restore-trigger")).status == status


def test_the_csrf_rule_asks_users_for_the_header_and_exempts_tokens(
    console: ConsoleSimulator, client: Client
) -> None:
    cookies = console.login("admin")
    assert client.post(f"{BASE}/x", cookies=cookies).status == 200
    console.switches.use_qradar_csrf = True
    assert client.get(f"{BASE}/x", cookies=cookies).status == 200
    assert client.post(f"{BASE}/x", cookies=cookies).status == 403
    wrong = {"QRadarCSRF": "wrong"}
    assert client.post(f"{BASE}/x", cookies=cookies, headers=wrong).status == 403
    right = {"QRadarCSRF": cookies["QRadarCSRF"]}
    assert client.post(f"{BASE}/x", cookies=cookies, headers=right).status == 200
    assert client.post(f"{BASE}/x", token=console.token("restore-trigger")).status == 200


def test_required_capabilities_count_only_where_the_switch_says(
    console: ConsoleSimulator, client: Client
) -> None:
    analyst, service = console.login("analyst"), console.token("restore-trigger")
    assert client.get(f"{BASE}/config", cookies=analyst).status == 200
    console.switches.enforce_capabilities = "users"
    assert client.get(f"{BASE}/config", cookies=analyst).status == 403
    assert client.get(f"{BASE}/config", cookies=console.login("admin")).status == 200
    assert client.get(f"{BASE}/config", token=service).status == 200
    assert client.get(f"{BASE}/undeclared", cookies=analyst).status == 200
    console.switches.enforce_capabilities = "all"
    assert client.get(f"{BASE}/config", token=service).status == 403


def test_the_first_app_with_the_service_answers_and_may_move(
    console: ConsoleSimulator, client: Client
) -> None:
    token = console.token("restore-trigger")
    console.apps.remove(1001)
    assert client.get(f"{BASE}/x", token=token).status == 404
    with echo_app() as address:
        console.register_app(1051, "safeguarded-restore", address=address)
        assert client.get(f"{BASE}/x", token=token).status == 200
