# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the app lets itself be sent to as a copy manager, or the proxy to it: not to its own host.

A name is judged by the address that it leads to: when it is entered, and again by the peer of every
connection before anything is sent, because names change. What a proxy makes of a name is the
proxy's affair: then the proxy is the peer.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.configuration.addresses import inner_of, is_local
from app.message import Message
from app.remote.failures import Advice
from app.restore.model import NothingSent

LOOK_UP_S = 2.0  # for a name that was entered; one that can't be resolved is no mistake


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses loopback, the local link, and the addresses that ``console`` gives."""

    console: Callable[[], frozenset[str]]

    def check(self, sock: socket.socket) -> None:
        """Check whom a new connection has reached, before anything is sent on it.

        :raises NothingSent: it is none that a copy manager or its proxy can be
        """
        self.check_address(str(sock.getpeername()[0]))

    def check_address(self, address: str) -> None:
        """The same, for an address."""
        if not (what := self._what(address)):
            return
        raise NothingSent(
            Message(
                "The copy manager was not asked: its host or proxy leads to {address}, {what}.",
                address=address,
                what=what,
            ),
            cause=Message(
                "The name is not the right one, or a name server or hosts file gives it a wrong"
                " address."
            ),
            advice=Advice(
                Message(
                    "Check host and proxy on the connection's page, and what the name servers of"
                    " the QRadar app host say of them."
                ),
                terminal=Message("Check host and proxy, and what the name servers say of them."),
            ),
        )

    def problem(self, fields: Mapping[str, object]) -> tuple[str, str] | None:
        """Give the field, ``host`` or ``proxy``, by which a connection would lead here, and why.

        Waits `LOOK_UP_S` seconds at most. What isn't there, or can't be read, is not judged.
        """
        field = "proxy" if fields.get("proxy") else "host"
        host = _host_of(fields.get(field), is_url=field == "proxy")
        for address in _look_up(host) if host else ():
            if what := self._what(address):
                return field, Message(
                    "must not lead to {what}; here it is {address}.", what=what, address=address
                )
        return None

    def _what(self, address: str) -> str:
        meant = _parsed(address)
        if meant is None:
            return ""
        if is_local(meant):
            return Message("a loopback or link-local address")
        if meant in {_parsed(each) for each in self.console()}:
            return Message("an address of QRadar's console")
        return ""


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # an interface (%) is no part of who that is
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return inner_of(found) or found


def _host_of(value: object, *, is_url: bool) -> str:
    if not isinstance(value, str):
        return ""
    with suppress(ValueError):
        return (urlsplit(value).hostname or "") if is_url else value.strip("[]")
    return ""


def _look_up(host: str) -> list[str]:
    """The addresses of a name; none if that fails or takes too long."""
    found: list[str] = []

    def look_up() -> None:
        with suppress(OSError, UnicodeError):
            entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found.extend(str(entry[4][0]) for entry in entries)

    thread = threading.Thread(target=look_up, name="name of a copy manager", daemon=True)
    thread.start()
    thread.join(LOOK_UP_S)
    return list(dict.fromkeys(found))
