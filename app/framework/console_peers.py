# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""From which addresses the console's proxy calls. Not by way of qpylib: gunicorn needs no more.

This says who is served first, or given more room, and where no CDM can be; it gives no right
(architecture §6).
"""

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROUTES = Path("/proc/net/route")
_LEARN_EVERY_S = 600.0


class ConsoleAddresses:
    """Called, it gives the console's addresses as far as they are known, without waiting.

    A thread looks them up when this is made, and now and then.
    """

    def __init__(self) -> None:
        self._known = next(console_peers())
        threading.Thread(target=self._learn, name="console's address", daemon=True).start()

    def __call__(self) -> frozenset[str]:
        return self._known

    def _learn(self) -> None:
        while True:
            *_, self._known = console_peers()
            time.sleep(_LEARN_EVERY_S)


def console_peers(routes: Path = _ROUTES) -> Iterator[frozenset[str]]:
    """What is known at once, then with what the console's name resolves to; that may take seconds.

    Known at once are the console's address as QRadar names it and the container's gateway: where
    the proxy runs on the app's own host, its connections come from there.
    """
    named = frozenset({plain(os.environ.get("QRADAR_CONSOLE_IP", "")), *_gateways(routes)} - {""})
    yield named
    name = os.environ.get("QRADAR_CONSOLE_FQDN", "").partition(":")[0]
    with suppress(OSError, UnicodeError):
        yield named | (
            {str(entry[4][0]) for entry in socket.getaddrinfo(name, 443)} if name else set()
        )


def plain(address: str) -> str:
    """An address without brackets, an IPv4 one in IPv6's clothes undressed."""
    return address.strip("[]").removeprefix("::ffff:")


def _gateways(routes: Path) -> Iterator[str]:
    with suppress(OSError, ValueError, IndexError, struct.error):  # no such table here
        for fields in map(str.split, routes.read_text(encoding="ascii").splitlines()[1:]):
            if fields[1] == "00000000" and fields[2] != "00000000":
                yield socket.inet_ntoa(struct.pack("<L", int(fields[2], 16)))
