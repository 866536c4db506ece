# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which peers are, as far as an address can tell, the console's proxy.

That orders who is served first when there is too little for all; it gives no right (design §6).
"""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_ROUTES = Path("/proc/net/route")


def console_peers(console_address: Callable[[], str], routes: Path = _ROUTES) -> frozenset[str]:
    """The console's own address, and that of the container's gateway.

    Where the proxy runs on the app's own host, its connections come from the gateway.
    """
    found = set()
    with suppress(KeyError):  # QRadar did not tell it
        found.add(plain(console_address()))
    with suppress(OSError, ValueError, IndexError, struct.error):  # no such table here
        lines = routes.read_text(encoding="ascii").splitlines()[1:]
        for fields in map(str.split, lines):
            if fields[1] == "00000000" and fields[2] != "00000000":
                found.add(socket.inet_ntoa(struct.pack("<L", int(fields[2], 16))))
    return frozenset(found)


def plain(address: str) -> str:
    """An address without brackets, an IPv4 one in IPv6's clothes undressed."""
    return address.strip("[]").removeprefix("::ffff:")
