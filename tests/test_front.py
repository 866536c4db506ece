# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The real web process against slow, silent, broken and too many peers, over raw sockets.

A trigger counts as answered only within the time that the script waits for it.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.web.front import room
from tests.simulators.console import ConsoleSimulator
from tests.web_process import (
    CONSOLE_PEER,
    OTHER_PEER,
    SCRIPT_WAITS_S,
    WebProcess,
    post,
    read_all,
    status_of,
)
from tests.world import wait_for

pytestmark = pytest.mark.processes
SLOW_PEER = "127.0.0.9"
MANY = 60  # more than twice the threads, and what one peer may hold
FORM = b"token=x&request_id=slow-0001"
ECHO = """
import os, time
def app(environ, start_response):
    body = environ["wsgi.input"].read()
    while environ["PATH_INFO"] == "/slow" and not os.path.exists(__file__ + ".go-on"):
        time.sleep(0.05)
    size = int(environ["QUERY_STRING"] or 0)
    said = f'{environ["REQUEST_METHOD"]} {environ["SCRIPT_NAME"]}|{environ["PATH_INFO"]} '
    said = f'{said}{environ["REMOTE_ADDR"]} {len(body)} {environ["wsgi.url_scheme"]}\\n'
    content = said.encode() + b"x" * size
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
"""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    with WebProcess(tmp_path_factory.mktemp("web")) as process:
        process.set_up()
        yield process


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """The same front before a WSGI app that tells what it was given."""
    folder = tmp_path_factory.mktemp("echo")
    (folder / "echo_app.py").write_text(ECHO)
    with WebProcess(folder, app="echo_app:app", pythonpath=str(folder)) as process:
        yield process


# --- slow ones ----------------------------------------------------------------------------------


SLOW = {
    "silent": (b"", b""),
    "header by header": (b"POST /api/v1/triggers HTTP/1.1\r\n", b"X-More: 1\r\n"),
    "body byte by byte": (post("/api/v1/triggers", FORM[:4], length=5000), b"a"),
    "chunk by chunk": (
        b"POST /api/v1/triggers HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\na\r\n",
    ),
    "reads nothing": (b"GET /static/app.css HTTP/1.1\r\n\r\n" * 400, b""),
}


@pytest.mark.parametrize("kind", SLOW)
def test_slow_connections_hold_up_nobody(web: WebProcess, kind: str) -> None:
    """While they go on, the health check and triggers are answered, from wherever they come."""
    start, drop = SLOW[kind]
    with ExitStack() as stack:
        slow = [stack.enter_context(web.connect(SLOW_PEER)) for _ in range(MANY)]
        for connection in slow:
            connection.sendall(start)
        for number in range(8):
            for connection in slow:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(drop)
            for peer in (CONSOLE_PEER, OTHER_PEER, SLOW_PEER):
                health = web.ask(b"GET /debug HTTP/1.1\r\n\r\n", peer, SCRIPT_WAITS_S)
                assert status_of(health) == 200
                request_id = f"{kind.replace(' ', '-')}-{number}-{peer}"
                assert web.trigger(request_id, peer) == 202


def test_connections_reopened_all_the_time_hold_up_nobody(web: WebProcess) -> None:
    """Two hundred at a time: what is silent makes room for whoever speaks, from there too."""
    with ExitStack() as stack:
        for number in range(4):
            for _ in range(200):
                stack.enter_context(web.connect(SLOW_PEER))
            for peer in (CONSOLE_PEER, OTHER_PEER, SLOW_PEER):
                assert web.trigger(f"reopened-{number}-{peer}", peer) == 202


def test_a_request_that_trickles_in_is_ended_at_its_deadline(web: WebProcess) -> None:
    """Each byte comes in time, the whole does not."""
    with web.connect() as connection:
        connection.sendall(post("/api/v1/triggers", b"", length=60))
        ended = threading.Event()

        def go_on() -> None:
            while not ended.wait(0.5):
                with contextlib.suppress(OSError):
                    connection.sendall(b"a")

        dripping = threading.Thread(target=go_on)
        dripping.start()
        answer = read_all(connection)
        ended.set()
        dripping.join()

    assert status_of(answer) == 408


def test_the_consoles_connections_are_counted_apart(web: WebProcess) -> None:
    with ExitStack() as stack:
        consoles = [stack.enter_context(web.connect(CONSOLE_PEER)) for _ in range(150)]
        for each in consoles:
            each.sendall(b"GET /debug HTTP/1.1\r\n")
        others = [stack.enter_context(web.connect()) for _ in range(room.EACH_OTHER + 10)]
        for each in others[-room.EACH_OTHER :]:
            each.sendall(b"GET /debug HTTP/1.1\r\n\r\n")
            assert status_of(each.recv(1000)) == 200
        # The ten that were there longest had to go.
        assert [each.recv(1) for each in others[:10]] == [b""] * 10
        for each in consoles:
            each.sendall(b"\r\n")
            assert status_of(each.recv(1000)) == 200


def test_a_reader_that_comes_back_gets_the_whole_answer(echo: WebProcess) -> None:
    with echo.connect() as connection:
        connection.sendall(b"GET /?5000000 HTTP/1.1\r\n\r\n")
        for _ in range(5):
            assert status_of(echo.ask(b"GET / HTTP/1.1\r\n\r\n")) == 200
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).endswith(b"x" * 5_000_000)


# --- HTTP as it was -----------------------------------------------------------------------------


def test_requests_in_a_row_are_answered_in_their_order(echo: WebProcess) -> None:
    chunked = b"POST /three HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    row = (
        b"GET /one HTTP/1.1\r\n\r\n" + post("/two", b"abcde") + chunked + b"GET /4 HTTP/1.0\r\n\r\n"
    )

    said = [line for line in echo.ask(row).split(b"\n") if line.startswith((b"GET", b"POST"))]

    assert [line.split(b" ")[1:4:2] for line in said] == [
        *([b"|/one", b"0"], [b"|/two", b"5"], [b"|/three", b"2"], [b"|/4", b"0"]),
    ]


def test_a_connection_is_kept_where_http_says_so(echo: WebProcess) -> None:
    for request, kept in (
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ):
        with echo.connect() as connection:
            connection.sendall(request)
            first = connection.recv(10_000)
            assert (b"Connection: keep-alive" in first) is kept, request
            if kept:
                connection.sendall(request)
            assert (status_of(connection.recv(10_000)) == 200) is kept, request


def test_leave_is_given_to_send_the_body(echo: WebProcess) -> None:
    with echo.connect() as connection:
        connection.sendall(post("/", b"", "Expect: 100-continue", length=3))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        answer = connection.recv(1000)
        assert status_of(answer) == 200
        assert b" 3 http\n" in answer


def test_nothing_that_comes_along_says_what_it_is_to_be_taken_for(echo: WebProcess) -> None:
    hostile = (
        b"GET /a/b HTTP/1.1\r\nSCRIPT_NAME: /a\r\nPATH_INFO: /c\r\nScript-Name: /a\r\n"
        b"X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Ssl: on\r\n\r\n"
    )
    for peer in (CONSOLE_PEER, "127.0.0.1"):
        assert f"GET |/a/b {peer} 0 http\n".encode() in echo.ask(hostile, peer)


def test_the_server_names_the_app_and_no_product_of_others(
    web: WebProcess, echo: WebProcess
) -> None:
    for answer in (web.ask(b"GET /debug HTTP/1.1\r\n\r\n"), echo.ask(b"rubbish\r\n\r\n")):
        assert answer.count(b"\r\nServer: ") == 1
        assert b"\r\nServer: Safeguarded restore\r\n" in answer
        assert b"gunicorn" not in answer.lower()


def test_what_is_under_way_is_answered_when_the_process_is_told_to_stop(tmp_path: Path) -> None:
    (tmp_path / "echo_app.py").write_text(ECHO)
    with (
        WebProcess(tmp_path, app="echo_app:app", pythonpath=str(tmp_path)) as process,
        process.connect() as working,
        process.connect() as kept,
        process.connect() as slow,
    ):
        kept.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert status_of(kept.recv(1000)) == 200
        slow.sendall(b"GET / HTTP/1.1\r\n")
        working.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        process.terminate()
        wait_for(lambda: "Handling signal: term" in process.logs())
        time.sleep(0.3)  # the worker is told after that line
        (tmp_path / "echo_app.py.go-on").touch()
        answer = read_all(working)
        slow.sendall(b"\r\n")
        late = read_all(slow)

    assert status_of(answer) == 200
    assert b"Connection: close" in answer
    assert status_of(late) == 200


@pytest.mark.parametrize("path", ["/runs//1", "//evil.example/runs", "/debug//", "/static//a"])
def test_no_address_leads_out(web: WebProcess, path: str) -> None:
    answer = web.ask(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode())

    assert status_of(answer) == 404
    assert b"\r\nLocation:" not in answer


# --- broken ones --------------------------------------------------------------------------------


def test_of_a_body_that_was_cut_off_nothing_is_done(web: WebProcess) -> None:
    meant = f"token={web.trigger_token}&request_id=cut-off-001&rule_id=1002345".encode()
    cut = meant[:-4]
    head = (
        b"POST /api/v1/triggers HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"%x\r\n%s\r\n" % (len(cut), cut)
    for request in (
        post("/api/v1/triggers", cut, length=len(meant)),
        head + chunk,
        head + chunk + b"0\r\n",
        head + chunk[:-20],
        head + chunk + b"4\r\n23",
    ):
        answer = web.ask(request, CONSOLE_PEER)
        assert status_of(answer) == 400, request
        assert b'"code":"cut_off"' in answer or b'"code":"bad_framing"' in answer

    whole = web.ask(post("/api/v1/triggers", meant), CONSOLE_PEER)
    assert b'"outcome":"unmatched"' in whole


def test_of_a_body_that_was_cut_off_before_the_console_nothing_is_done(
    tmp_path: Path, web: WebProcess
) -> None:
    body = f"token={web.trigger_token}&request_id=cut-off-002&rule_id=100".encode()
    with ConsoleSimulator(jail="none") as console:
        console.register_app(1001, "restore", address=("127.0.0.1", web.port))
        head = post(
            "/console/plugins/app_proxy:restore/api/v1/triggers",
            body,
            f"SEC: {console.token('restore-trigger')}",
            length=len(body) + 4,
        )
        trusting = ssl.create_default_context(cafile=str(console.ca_file))
        with (
            socket.create_connection(("127.0.0.1", console.port), 30) as raw,
            trusting.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(head)
            # The answer comes after our end of the connection, and so too late for TLS.
            with contextlib.suppress(ssl.SSLError):
                connection.unwrap()
        wait_for(lambda: console.open_connections == 0)
    whole = web.ask(post("/api/v1/triggers", body + b"2345"), CONSOLE_PEER)
    assert b'"outcome":"unmatched"' in whole


def test_a_body_that_is_too_large_is_told_as_such_at_once(web: WebProcess) -> None:
    head = b"POST /api/v1/triggers HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    for request in (
        post("/api/v1/triggers", b"a", length=70_000),
        post("/api/v1/triggers", b"a" * 70_000),
        head + b"fffff\r\na",
        head + b"8000\r\n" + b"a" * 0x8000 + b"\r\n8001\r\n",
    ):
        with web.connect() as connection:
            connection.sendall(request)
            answer = read_all(connection)
        assert status_of(answer) == 413, request[:100]
        assert b'"code":"too_large"' in answer


def test_rubbish_is_refused_without_filling_the_log(web: WebProcess) -> None:
    rubbish = {
        b"\r\n\r\n": 400,
        b"GET\r\n\r\n": 400,
        b"GET / HTTP/1.1\r\nno colon s3cret\r\n\r\n": 400,
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": 400,
        b"GET / HTTP/1.1": 400,
        b"GET / HTTP/9.9\r\n\r\n": 400,
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n": 400,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 400,
        b"GET /%s HTTP/1.1\r\n\r\n" % (b"x" * 9000): 414,
        b"GET / HTTP/1.1\r\nA: %s\r\n\r\n" % (b"x" * 9000): 431,
        b"GET / HTTP/1.1\r\n%s" % (b"A: b\r\n" * 20_000): 431,
        b"GET / HTTP/1.1\r\nExpect: 200-ok\r\n\r\n": 417,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n": 400,
        b"POST /api/v1/triggers HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n": 400,
    }
    before = len(web.logs())
    for _ in range(30):
        for request, status in rubbish.items():
            assert status_of(web.ask(request)) == status, request[:60]

    said = web.logs()[before:]
    assert len(said) < 2000
    assert "s3cret" not in said
    assert "Traceback" not in said
