# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""From which addresses the console's proxy calls. Not by way of qpylib: gunicorn needs no more."""

import contextlib
import os
import socket
from collections.abc import Iterator


def console_peers() -> Iterator[frozenset[str]]:
    """The console's address as QRadar names it, at once; then with what its name resolves to.

    The second may take seconds. This says who is given more room; it gives no right.
    """
    named = frozenset({os.environ.get("QRADAR_CONSOLE_IP", "")} - {""})
    yield named
    name = os.environ.get("QRADAR_CONSOLE_FQDN", "").partition(":")[0]
    with contextlib.suppress(OSError, UnicodeError):
        yield named | (
            {str(entry[4][0]) for entry in socket.getaddrinfo(name, 443)} if name else set()
        )
