# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults of the wire that need a server scripted byte by byte, and the limits on an answer."""

import json
import ssl
import threading
import time
import zlib
from collections.abc import Callable

import pytest
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from app.cdm import client as module
from app.cdm import job_log
from app.cdm.client import CdmClient
from app.remote import http
from app.remote.exchange import get_retries
from app.remote.failures import NoAnswer
from app.restore.model import (
    CdmConnection,
    CopyManagerError,
    NothingSent,
    Trust,
    Unknown,
)
from tests.cdm.wire import ScriptedServer, read_head
from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import Certificate

MakeClient = Callable[..., CdmClient]
Script = Callable[[ssl.SSLSocket, int], None]
JOB = {"id": "1", "name": "restore", "type": "recovery", "status": "IDLE"}


def answer(body: object, *headers: str, raw: bytes | None = None) -> bytes:
    data = json.dumps(body).encode() if raw is None else raw
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(data)}", *headers, "", ""]
    return "\r\n".join(head).encode() + data


def client_for(
    server: ScriptedServer, certificate: Certificate, timeouts: tuple[float, float] = (2.0, 5.0)
) -> CdmClient:
    target = CdmConnection(
        id=1,
        name="x",
        host="127.0.0.1",
        port=server.port,
        username="u",
        trust=Trust.CA,
        ca_pem=certificate.pem,
    )
    return CdmClient(target, "p", system_ca=None, timeouts=timeouts)


def test_a_kept_alive_connection_that_dies_under_the_start_is_not_its_connection(
    certificate: Certificate,
) -> None:
    """CDM closes idle connections just as the next request goes out: that may not hit a start."""
    seen: list[tuple[int, str]] = []

    def script(sock: ssl.SSLSocket, number: int) -> None:
        for count in range(1, 100):
            head = read_head(sock)
            line = head.split(b"\r\n")[0].decode()
            seen.append((number, line))
            if line.startswith("POST") and count > 1:
                return  # the request is read, its effect unknown, and the connection ends
            sock.sendall(answer({"sessionid": "s1"} if "/session" in line else JOB))

    with ScriptedServer(certificate, script) as server, client_for(server, certificate) as client:
        client.job("1")
        client.plan_start("1", None).send()
        client.job("1")
        client.plan_start("1", None).send()
    starts = [n for n, line in seen if "action=start" in line]
    assert len(starts) == len(set(starts)) == 2


def test_a_start_whose_connection_ends_is_not_sent_again_on_another(
    certificate: Certificate,
) -> None:
    starts = 0

    def script(sock: ssl.SSLSocket, number: int) -> None:
        nonlocal starts
        while True:
            head = read_head(sock)
            if b"action=start" in head:
                starts += 1
                return
            sock.sendall(answer({"sessionid": "s1"} if b"POST" in head else JOB))

    with ScriptedServer(certificate, script) as server, client_for(server, certificate) as client:
        plan = client.plan_start("1", None)
        with pytest.raises(Unknown):
            plan.send()
    assert starts == 1


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_drips_is_cut_off_when_its_whole_time_is_over(
    certificate: Certificate, part: str
) -> None:
    """The read time-out begins anew with every byte; the total does not."""
    done = threading.Event()

    def script(sock: ssl.SSLSocket, number: int) -> None:
        while True:
            head = read_head(sock)
            if b"GET" not in head:
                sock.sendall(answer({"sessionid": "s1"}))
                continue
            whole = answer(JOB, *[f"X-{n}: y" for n in range(50)])
            start = whole.index(b"\r\n\r\n") + 4 if part == "body" else 0
            sock.sendall(whole[:start])
            for byte in whole[start:]:
                if done.wait(0.1):
                    return
                sock.sendall(bytes([byte]))

    with ScriptedServer(certificate, script) as server:
        with client_for(server, certificate, (2.0, 0.4)) as client:
            client.login()
            begun = time.monotonic()
            with pytest.raises(Unknown, match="in time"):
                client.job("1")
            assert time.monotonic() - begun < 2.0
        done.set()


def test_a_dripping_start_is_unknown(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str
) -> None:
    client = make_client(timeouts=(2.0, 0.4))
    plan = client.plan_start(job_id, None)
    cdm.add_fault("drip", method="POST", path="action=start")
    with pytest.raises(Unknown, match="in time"):
        plan.send()
    assert len(cdm.starts) == 1
    cdm.release()


def test_a_hanging_cdm_is_asked_once_not_three_times(
    cdm: CdmSimulator, make_client: MakeClient
) -> None:
    client = make_client(timeouts=(2.0, 0.3))
    client.login()
    cdm.add_fault("hang", method="GET", times=None)
    with pytest.raises(Unknown, match="in time"):
        client.jobs()
    assert sum(r.method == "GET" for r in cdm.requests) == 1
    cdm.release()


def test_what_is_nice_to_know_has_few_seconds(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With CDM's usual time-outs; a start, which reads no policy and no copies, is not held up."""
    limits = (job_log._LIMIT, module._BRIEF_TIMEOUT, module._COPY_LIMIT)
    assert all(limit <= 4.0 for limit in limits)
    monkeypatch.setattr(job_log, "_LIMIT", 0.3)
    monkeypatch.setattr(module, "_BRIEF_TIMEOUT", 0.3)
    client = make_client(timeouts=(6.0, 60.0))
    client.login()
    for path in ("/log/job", "/policy/", "/version"):
        cdm.add_fault("hang", path=path, times=None)
    begun = time.monotonic()
    with pytest.raises(NoAnswer):
        client.log("1", 0)
    with pytest.raises(NoAnswer):
        client.makes_permanent(job_id)
    with pytest.raises(NoAnswer):
        client.copy_to_restore(job_id, within=0.3)
    assert client.job(job_id).is_restore
    client.plan_start(job_id, None).send()
    cdm.add_fault("hang", method="GET", path="/job/", times=None)
    with pytest.raises(NoAnswer):
        client.job(job_id, within=0.3)
    assert time.monotonic() - begun < 5
    assert len(cdm.starts) == 1
    cdm.release()


def test_a_log_that_ends_in_silence_is_given_as_far_as_it_came(
    cdm: CdmSimulator, client: CdmClient, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_log, "_LIMIT", 0.5)
    session_id = cdm.start_foreign_session(job_id)
    for number in range(700):
        cdm.add_log_entry(session_id, "INFO", f"line {number}")
    cdm.add_fault("hang", path="pageStartIndex=500", times=None)
    lines = client.log(session_id, 0)
    assert len(lines) == 500
    cdm.release()


def test_retry_after_cannot_send_a_lane_to_sleep(certificate: Certificate) -> None:
    asked = 0

    def script(sock: ssl.SSLSocket, number: int) -> None:
        nonlocal asked
        while True:
            head = read_head(sock)
            if b"GET" not in head:
                sock.sendall(answer({"sessionid": "s1"}))
                continue
            asked += 1
            status = b"HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"
            sock.sendall(status if asked == 1 else answer(JOB))

    with ScriptedServer(certificate, script) as server, client_for(server, certificate) as client:
        begun = time.monotonic()
        assert client.job("1").id == "1"
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("GET", ConnectTimeoutError("no connection")),
        ("GET", SSLError("certificate")),
        ("GET", ReadTimeoutError(None, "/", "too slow")),  # type: ignore[arg-type]
        ("POST", ConnectTimeoutError("no connection")),
        ("POST", ProtocolError("reset")),
        ("DELETE", ProtocolError("reset")),
    ],
)
def test_only_a_read_that_broke_off_is_tried_again(method: str, error: Exception) -> None:
    with pytest.raises(HTTPError):
        get_retries().increment(method, "/", error=error)
    assert get_retries().increment("GET", "/", error=ProtocolError("reset")).total == 1


def test_the_body_of_a_redirect_is_not_read_without_limit(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1024 * 1024)
    head = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 99999999\r\n\r\n"

    def script(sock: ssl.SSLSocket, number: int) -> None:
        while True:
            if b"GET" not in read_head(sock):
                sock.sendall(answer({"sessionid": "s1"}))
                continue
            sock.sendall(head + b"x" * (1024 * 1024 + 100_000))
            sock.recv(1)

    with (
        ScriptedServer(certificate, script) as server,
        client_for(server, certificate, (2.0, 2.0)) as client,
        pytest.raises(Unknown, match="redirect"),
    ):
        client.job("1")


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_not_kept(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1024 * 1024)
    huge = b'{"id": "1", "x": "' + b"x" * (3 * 1024 * 1024) + b'"}'

    def script(sock: ssl.SSLSocket, number: int) -> None:
        while True:
            head = read_head(sock)
            if b"GET" not in head:
                sock.sendall(answer({"sessionid": "s1"}))
            elif packed:
                sock.sendall(answer(None, "Content-Encoding: deflate", raw=zlib.compress(huge)))
            else:
                sock.sendall(answer(None, raw=huge))

    with (
        ScriptedServer(certificate, script) as server,
        client_for(server, certificate) as client,
        pytest.raises(Unknown, match="more than 1 MB"),
    ):
        client.job("1")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html><body>Welcome</body></html>",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'"text"',
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"id": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "html", "bytes", "list", "text", "null", "cut", "deep", "number"],
)
def test_an_answer_that_is_no_json_object_is_a_clear_error(
    certificate: Certificate, raw: bytes
) -> None:
    def script(sock: ssl.SSLSocket, number: int) -> None:
        while True:
            head = read_head(sock)
            sock.sendall(answer(None, raw=raw) if b"GET" in head else answer({"sessionid": "s1"}))

    with (
        ScriptedServer(certificate, script) as server,
        client_for(server, certificate) as client,
        pytest.raises(Unknown) as caught,
    ):
        client.job("1")
    assert caught.value.cause
    assert caught.value.advice


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_8.0\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n{}",
    ],
    ids=["ssh", "length", "gzip", "chunks", "headers", "header"],
)
def test_bytes_that_are_no_http_are_an_error_of_the_family(
    certificate: Certificate, raw: bytes
) -> None:
    def script(sock: ssl.SSLSocket, number: int) -> None:
        head = read_head(sock)
        if b"GET" in head:
            sock.sendall(raw)
            return
        sock.sendall(answer({"sessionid": "s1"}, "Connection: close"))

    with (
        ScriptedServer(certificate, script) as server,
        client_for(server, certificate) as client,
        pytest.raises(CopyManagerError) as caught,
    ):
        client.job("1")
    assert not isinstance(caught.value, NothingSent)


def test_a_cookie_is_not_kept(certificate: Certificate) -> None:
    heads: list[bytes] = []

    def script(sock: ssl.SSLSocket, number: int) -> None:
        while True:
            heads.append(read_head(sock))
            body = {"sessionid": "s1"} if b"POST" in heads[-1] else JOB
            sock.sendall(answer(body, "Set-Cookie: JSESSIONID=1; Path=/"))

    with ScriptedServer(certificate, script) as server, client_for(server, certificate) as client:
        client.job("1")
    assert len(heads) >= 2
    assert not any(b"cookie" in head.lower() for head in heads)


def test_the_twins_of_one_millisecond_both_survive_and_keep_their_keys(
    certificate: Certificate,
) -> None:
    lines = [
        {"type": "INFO", "logTime": 1764000000000 + n // 3, "message": "same"} for n in range(30)
    ]

    def script(sock: ssl.SSLSocket, number: int) -> None:
        while True:
            head = read_head(sock)
            if b"GET" not in head:
                sock.sendall(answer({"sessionid": "s1"}))
                continue
            start = int(head.partition(b"pageStartIndex=")[2].split(b" ")[0].split(b"&")[0])
            sock.sendall(answer({"logs": lines[start:], "total": 0}))

    with ScriptedServer(certificate, script) as server, client_for(server, certificate) as client:
        whole = client.log("5", 0)
        assert len({line.key for line in whole}) == 30
        for skip in (1, 10, 29):
            assert client.log("5", skip) == whole[skip:]
