# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which addresses requests through the console come from."""

import socket
import threading
import time
from pathlib import Path

import pytest

from app.framework.console_peers import ConsoleAddresses, console_peers, plain

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100580A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000580A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def test_the_console_and_the_gateway_are_known_at_once_then_the_names_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QRADAR_CONSOLE_IP", "[2001:db8::5]")
    monkeypatch.setenv("QRADAR_CONSOLE_FQDN", "127.0.0.9:8443")
    (tmp_path / "route").write_text(ROUTES)
    known = console_peers(tmp_path / "route")
    assert next(known) == {"2001:db8::5", "10.88.0.1"}
    assert next(known) == {"2001:db8::5", "10.88.0.1", "127.0.0.9"}


def test_what_is_known_is_given_without_waiting_for_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = threading.Event()

    def slow(*_: object) -> list[object]:
        assert answer.wait(30)
        return [(0, 0, 0, "", ("192.0.2.7", 443))]

    monkeypatch.setenv("QRADAR_CONSOLE_IP", "192.0.2.1")
    monkeypatch.setenv("QRADAR_CONSOLE_FQDN", "console.example")
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    known = ConsoleAddresses()
    assert "192.0.2.1" in known()
    assert "192.0.2.7" not in known()
    answer.set()
    until = time.monotonic() + 30
    while "192.0.2.7" not in known():
        assert time.monotonic() < until
        time.sleep(0.005)
    assert "192.0.2.1" in known()


def test_what_is_not_told_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QRADAR_CONSOLE_IP", raising=False)
    monkeypatch.delenv("QRADAR_CONSOLE_FQDN", raising=False)
    assert list(console_peers(tmp_path / "route")) == [frozenset()] * 2
    (tmp_path / "route").write_text("odd\nodd\n\n0 00000000 xyz")
    monkeypatch.setenv("QRADAR_CONSOLE_IP", "192.0.2.1")
    assert next(console_peers(tmp_path / "route")) == {"192.0.2.1"}


def test_one_address_is_written_one_way() -> None:
    assert plain("::ffff:192.0.2.7") == plain("192.0.2.7") == "192.0.2.7"
    assert plain("[2001:db8::5]") == "2001:db8::5"
