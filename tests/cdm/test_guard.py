# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A name that leads to the app's own host, or to the console, gets nothing sent."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Self

import pytest

from app.cdm.client import CdmClient
from app.cdm.diagnose import test_connection as diagnose
from app.remote import guard as module
from app.remote.guard import Guard
from app.remote.trust import fetch_certificate
from app.restore.model import CdmConnection, CopyManagerError, NothingSent, Trust
from app.worker.certificates import Ends
from tests.cdm.conftest import connection_to
from tests.cdm.wire import Proxy
from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import self_signed

NAME = "localhost"  # as any name whose name server says so
NO_CONSOLE = Guard(frozenset)
LAST = b"that was all"


class Listener:
    """Takes connections on 127.0.0.1, and tells which bytes ever came."""

    def __init__(self) -> None:
        self.received = b""
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> Self:
        """Take what has been sent so far, then stop."""
        if self._thread.is_alive():
            with socket.create_connection(("127.0.0.1", self.port)) as last:
                last.sendall(LAST)
            self._thread.join(10)
            self._socket.close()
        return self

    def _serve(self) -> None:
        while True:
            client, _ = self._socket.accept()
            with client:
                data = client.recv(65536)
            if data == LAST:
                return
            self.connections += 1
            self.received += data


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as made:
        yield made


def to(listener: Listener, **changes: object) -> CdmConnection:
    fields = {"trust": Trust.FINGERPRINT, "fingerprint": "ab" * 32, "host": NAME, **changes}
    return CdmConnection(id=1, name="x", port=listener.port, username="u", **fields)  # type: ignore[arg-type]


def ask(connection: CdmConnection, guard: Guard) -> None:
    with CdmClient(connection, "p", system_ca=None, timeouts=(2.0, 2.0), guard=guard) as client:
        client.job("1")


def look_at_certificate(connection: CdmConnection, guard: Guard) -> None:
    fetch_certificate(connection.host, connection.port, connection.proxy, 2.0, guard=guard)


WAYS = [ask, look_at_certificate]
Way = Callable[[CdmConnection, Guard], None]


@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_leads_to_loopback_gets_not_a_byte(listener: Listener, way: Way) -> None:
    with pytest.raises(NothingSent) as told:
        way(to(listener), NO_CONSOLE)
    assert "127.0.0.1, a loopback or link-local address" in told.value.message
    assert told.value.cause
    assert told.value.advice
    assert listener.end().connections == 1
    assert listener.received == b""


@pytest.mark.parametrize("way", WAYS)
def test_a_proxy_on_loopback_is_not_asked_either(listener: Listener, way: Way) -> None:
    connection = to(listener, host="cdm.example", proxy=f"http://{NAME}:{listener.port}")
    with pytest.raises(NothingSent, match="proxy leads to 127.0.0.1"):
        way(connection, NO_CONSOLE)
    assert listener.end().received == b""


def test_a_start_that_would_go_there_is_proven_not_to_have_been_sent(
    cdm: CdmSimulator, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name leads elsewhere just before the start, when job and plan have been read."""
    monkeypatch.setattr(module, "is_local", lambda address: False)
    console: set[str] = set()
    guard = Guard(lambda: frozenset(console))
    with CdmClient(
        connection_to(cdm), cdm.password, system_ca=None, timeouts=(2.0, 5.0), guard=guard
    ) as client:
        plan = client.plan_start(job_id, None)
        console.add("127.0.0.1")
        with pytest.raises(NothingSent, match="an address of QRadar's console"):
            plan.send()
    assert cdm.starts == []


def test_what_a_proxy_reaches_is_the_proxys_affair(
    cdm: CdmSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_local", lambda address: False)
    with Proxy() as proxy:
        elsewhere = Guard(lambda: frozenset({"192.0.2.1"}))
        look_at_certificate(connection_to(cdm, proxy=proxy.url), elsewhere)
        assert proxy.asked


def test_the_certificate_that_an_error_describes_is_not_fetched_from_there(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second connection of a failed handshake may reach another address than the first."""
    monkeypatch.setattr(module, "is_local", lambda address: False)
    other = self_signed(tmp_path_factory.mktemp("other"), "other.example", ["192.0.2.9"])
    looks = iter([frozenset[str](), frozenset({"127.0.0.1"})])
    with CdmSimulator(certificate=other) as cdm, pytest.raises(NothingSent) as told:
        ask(connection_to(cdm), Guard(lambda: next(looks)))
    assert "is for another name" in told.value.message
    assert told.value.cause == ""


def test_a_test_of_the_connection_stops_at_the_name(listener: Listener) -> None:
    steps = diagnose(to(listener), "p", None, guard=NO_CONSOLE)
    assert [(step.name, step.ok) for step in steps] == [("name", False)]
    assert "a loopback or link-local address" in steps[0].message
    assert listener.end().connections == 0


def test_a_test_of_the_connection_notices_a_name_that_has_changed(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["192.0.2.7", "127.0.0.1"])
    real = socket.getaddrinfo

    def changing(host: str, *arguments: object, **named: object) -> object:
        return real(next(answers), *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    steps = diagnose(to(listener), "p", None, guard=NO_CONSOLE)
    assert [(step.name, step.ok) for step in steps] == [("name", True), ("port", False)]
    assert "127.0.0.1, a loopback" in steps[1].message


def test_the_daily_look_at_certificates_is_guarded(listener: Listener) -> None:
    class Connections:
        noted: list[object] = []

        def list(self) -> list[CdmConnection]:
            return [to(listener)]

        def note_certificate(self, *what: object) -> None:
            self.noted.append(what)

    class Store:
        connections = Connections()

        def close(self) -> None: ...

    Ends(Store(), None, guard=NO_CONSOLE).turn(datetime.now(UTC), 0.0)  # type: ignore[arg-type]
    assert listener.end().received == b""
    assert not Store.connections.noted


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "::1", "169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::"]  # noqa: S104
    + ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.1.2.3"],
)
def test_every_form_of_a_local_address_is_refused(address: str) -> None:
    with pytest.raises(NothingSent, match="loopback or link-local"):
        NO_CONSOLE.check_address(address)


def test_the_console_is_refused_in_every_form_and_others_are_not() -> None:
    guard = Guard(lambda: frozenset({"192.0.2.1", "2001:db8::5", "not an address"}))
    for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8:0::5"):
        with pytest.raises(CopyManagerError, match="QRadar's console"):
            guard.check_address(address)
    guard.check_address("192.0.2.2")
    guard.check_address("2001:db8::6")


def test_a_name_is_looked_up_where_it_is_entered() -> None:
    problem = NO_CONSOLE.problem({"host": NAME, "port": 8443, "proxy": None})
    assert problem is not None
    assert problem[0] == "host"
    assert "must not lead to a loopback or link-local address; here it is" in problem[1]
    console = Guard(lambda: frozenset({"192.0.2.1"}))
    assert console.problem({"host": "192.0.2.1"}) == (
        "host",
        "must not lead to an address of QRadar's console; here it is 192.0.2.1.",
    )
    assert console.problem({"host": "192.0.2.2"}) is None


def test_through_a_proxy_its_name_is_the_one_that_counts() -> None:
    found = NO_CONSOLE.problem({"host": "192.0.2.2", "proxy": f"http://{NAME}:3128"})
    assert found is not None
    assert found[0] == "proxy"
    assert NO_CONSOLE.problem({"host": NAME, "proxy": "http://192.0.2.3:3128"}) is None


def test_a_name_that_cant_be_resolved_or_read_is_no_mistake_here() -> None:
    for fields in (
        *({}, {"host": None}, {"host": 7}, {"host": "x" * 300}, {"host": "b\udc80d"}),
        *({"proxy": "http://[bad"}, {"host": "no-such-host.invalid"}),
    ):
        assert NO_CONSOLE.problem(fields) is None


def test_a_name_server_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        over.wait(60)
        return []

    monkeypatch.setattr(module, "LOOK_UP_S", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        assert NO_CONSOLE.problem({"host": "cdm.example"}) is None
        assert not over.is_set()
    finally:
        over.set()
