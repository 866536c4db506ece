# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console client at the wire: whose authority, which version, whom it trusts."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.qradar.console import ConsoleClient, ConsoleRefused, ConsoleUnavailable
from tests.simulators import certs
from tests.simulators.console.server import Server
from tests.simulators.console.simulator import ConsoleSimulator
from tests.simulators.console.wire import Answer, Request, html_answer, json_answer, redirect

ME = "/api/config/access/users"


@pytest.fixture(scope="module")
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as simulator:
        yield simulator


@pytest.fixture
def client(console: ConsoleSimulator) -> Iterator[ConsoleClient]:
    client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
    yield client
    client.close()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> certs.Chain:
    return certs.chain(tmp_path_factory.mktemp("certs"), "console.example", ["127.0.0.1", "::1"])


Answering = Callable[[Callable[[Request], Answer]], ConsoleClient]


@pytest.fixture
def answering(chain: certs.Chain, tmp_path: Path) -> Iterator[Answering]:
    """A console that answers as a test says, and a client for it."""
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(chain.ca_bundle)
    stops: list[Callable[[], None]] = []

    def serve(answer: Callable[[Request], Answer]) -> ConsoleClient:
        server = Server(("127.0.0.1", 0), answer, cert=chain.leaf.cert, key=chain.leaf.key)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = ConsoleClient(f"127.0.0.1:{server.server_address[1]}", str(ca_file), timeout=1.0)
        stops.extend((client.close, server.shutdown, server.server_close, server.hang_up))
        return client

    yield serve
    for stop in stops:
        stop()


def ask(client: ConsoleClient) -> object:
    return client.request("GET", ME, sec=str(uuid4()), headers={"Version": "29.0"}).body


def test_each_request_carries_the_token_it_was_given(
    console: ConsoleSimulator, client: ConsoleClient
) -> None:
    names = [
        client.request("GET", ME, sec=console.login(user)["SEC"], params={"current_user": "true"})
        for user in ("analyst", "admin")
    ]

    assert [answer.body[0]["username"] for answer in names] == ["analyst", "admin"]


def test_without_a_token_qradar_refuses(client: ConsoleClient) -> None:
    with pytest.raises(ConsoleRefused) as refusal:
        client.request("GET", ME)

    assert (refusal.value.status, refusal.value.code) == (401, 18)
    assert "SEC" in str(refusal.value)


def test_a_write_carries_its_body_and_gives_the_answer(
    console: ConsoleSimulator, client: ConsoleClient
) -> None:
    token = console.token("restore-service")
    document = {"label": "written here", "user_role_id": 4, "security_profile_id": 1}

    made = client.request(
        "POST", "/api/config/access/authorized_services", sec=token, json=document
    )
    gone = client.request(
        "DELETE", f"/api/config/access/authorized_services/{made.body['id']}", sec=token
    )

    assert (made.status, made.body["label"]) == (201, "written here")
    assert (gone.status, gone.body) == (204, None)


def test_cookies_of_one_caller_never_travel_with_the_next(answering: Answering) -> None:
    seen: list[str | None] = []

    def answer(request: Request) -> Answer:
        seen.append(request.headers.get("Cookie"))
        return json_answer([], headers=[("Set-Cookie", "SEC=of-the-first; Path=/; Secure")])

    client = answering(answer)
    ask(client)
    ask(client)

    assert seen == [None, None]


def test_proxies_and_trust_of_the_environment_are_ignored(
    console: ConsoleSimulator, client: ConsoleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")

    assert client.request("GET", ME, sec=console.login("admin")["SEC"]).status == 200


def test_a_console_that_is_not_trusted_gets_no_token(
    console: ConsoleSimulator, chain: certs.Chain, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_text(chain.ca_bundle)
    client = ConsoleClient(f"localhost:{console.port}", str(other))
    before = len(console.requests)

    with pytest.raises(ConsoleUnavailable, match="not trusted.*certificate"):
        client.request("GET", ME, sec=console.login("admin")["SEC"])
    assert len(console.requests) == before
    client.close()


def test_a_missing_ca_file_is_named(console: ConsoleSimulator) -> None:
    client = ConsoleClient(f"localhost:{console.port}", "/nonexistent/ca.pem")

    with pytest.raises(ConsoleUnavailable, match="/nonexistent/ca.pem.*Restart the app"):
        client.request("GET", ME)
    client.close()


@pytest.mark.parametrize(
    ("newest", "chosen"), [("29.0", "29.0"), ("26.0", "26.0"), ("31.0", "29.0"), ("20.0", "20.0")]
)
def test_the_newest_version_that_both_know_is_used(newest: str, chosen: str) -> None:
    with ConsoleSimulator(jail="none", api_version=newest) as console:
        client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file))
        token = console.login("admin")["SEC"]
        for _ in range(2):
            client.request("GET", ME, sec=token)
        client.close()

    assert [each.headers.get("Version") for each in console.requests] == [None, chosen, chosen]


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (html_answer("starting", 503), "21.0"),
        (html_answer("log in"), "21.0"),
        (json_answer({"message": "no"}, 403), "21.0"),
        (json_answer([{"version": "29.0", "removed": True}]), "21.0"),
        (json_answer(["odd", {"version": 29}, {"version": "x.y"}, {"version": "27.0"}]), "27.0"),
        (json_answer([{"version": "9.1"}, {"version": "16.0"}, {"version": "3.0"}]), "16.0"),
    ],
)
def test_a_version_list_of_no_use_does_not_stop_requests(
    answering: Answering, answer: Answer, version: str
) -> None:
    asked: list[str | None] = []

    def serve(request: Request) -> Answer:
        if request.path == "/api/help/versions":
            return answer
        asked.append(request.headers.get("Version"))
        return json_answer([])

    answering(serve).request("GET", ME, sec=str(uuid4()))

    assert asked == [version]


def test_a_bad_token_is_sent_once_only(answering: Answering) -> None:
    """Each bad token counts towards a lock-out, so the version is not asked with one in vain."""
    paths: list[str] = []

    def serve(request: Request) -> Answer:
        paths.append(request.path)
        return json_answer({"code": 18, "message": "bad token"}, 401)

    with pytest.raises(ConsoleRefused):
        answering(serve).request("GET", ME, sec=str(uuid4()))
    assert len(paths) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (html_answer("<form>log in</form>"), "not JSON but text/html"),
        (Answer(200), "is empty"),
        (redirect("https://elsewhere.example/"), "redirect"),
        (html_answer("bad gateway", 502), "HTTP 502"),
        (json_answer({"message": "broken"}, 500), "HTTP 500"),
        (Answer(200, body=b"[" + b" " * 9_000_000 + b"]"), "larger than 8 MiB"),
    ],
)
def test_an_answer_that_means_nothing_is_explained(
    answering: Answering, answer: Answer, said: str
) -> None:
    with pytest.raises(ConsoleUnavailable, match=said):
        ask(answering(lambda _: answer))


@pytest.mark.parametrize("body", [b"<h1>no</h1>", b"[]", b'{"code": "x", "message": null}', b""])
def test_a_refusal_in_an_odd_shape_is_still_one(answering: Answering, body: bytes) -> None:
    with pytest.raises(ConsoleRefused) as refusal:
        ask(answering(lambda _: Answer(404, body=body)))

    assert (refusal.value.status, refusal.value.code) == (404, None)
    assert refusal.value.message


def test_redirects_are_not_followed(answering: Answering) -> None:
    paths: list[str] = []

    def serve(request: Request) -> Answer:
        paths.append(request.path)
        return redirect("/elsewhere")

    with pytest.raises(ConsoleUnavailable):
        ask(answering(serve))
    assert paths == [ME]


def test_a_hanging_console_ends_after_the_time_limit(answering: Answering) -> None:
    release = threading.Event()

    def hang(_: Request) -> Answer:
        release.wait(20)
        return json_answer([])

    client = answering(hang)
    with pytest.raises(ConsoleUnavailable, match="does not answer in time"):
        ask(client)
    release.set()


def test_a_read_is_repeated_when_its_kept_connection_was_closed_and_a_write_never(
    chain: certs.Chain, tmp_path: Path
) -> None:
    """Each connection answers one request, and is closed when the second has been read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain.leaf.cert, chain.leaf.key)
    (tmp_path / "ca.pem").write_text(chain.ca_bundle)
    arrived: list[bytes] = []

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                    arrived.append(connection.recv(4000).split(b" ")[0])
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
                    arrived.append(connection.recv(4000).split(b" ")[0])

        thread = threading.Thread(target=serve)
        thread.start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        client = ConsoleClient(address, str(tmp_path / "ca.pem"), timeout=5.0)
        ask(client)
        ask(client)
        with pytest.raises(ConsoleUnavailable, match="closed the connection"):
            client.request("POST", ME, sec="x", json={}, headers={"Version": "29.0"})
        client.close()
        thread.join(10)

    assert arrived == [b"GET", b"GET", b"GET", b"POST"]


def test_a_closed_port_and_an_unknown_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    closed, unknown = ConsoleClient(f"127.0.0.1:{port}", None), ConsoleClient("console", None)

    with pytest.raises(ConsoleUnavailable, match="connection was not made"):
        ask(closed)
    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    with pytest.raises(ConsoleUnavailable, match="name can't be resolved"):
        ask(unknown)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("console.example", "console.example"),
        ("console.example:8443", "console.example:8443"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ("2001:db8::1", "[2001:db8::1]"),
    ],
)
def test_addresses_of_both_kinds_are_understood(given: str, host: str) -> None:
    assert ConsoleClient(given, None).host == host


def test_a_path_is_never_taken_for_another_host() -> None:
    with pytest.raises(ValueError, match="absolute path"):
        ConsoleClient("console.example", None).request(
            "GET", "@evil.example/", headers={"Version": "29.0"}
        )


def test_a_token_that_is_no_header_value_is_not_sent() -> None:
    with pytest.raises(ConsoleUnavailable):
        ConsoleClient("127.0.0.1:9", None).request(
            "GET", ME, sec="a\r\nX-Other: b", headers={"Version": "29.0"}
        )
