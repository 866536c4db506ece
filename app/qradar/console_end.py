# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""When the console's certificate ends: from then on no rule reaches the app, nor the app QRadar.

The custom action's curl verifies that certificate, and so does every call of ours. It is looked at
once a day with a handshake that sends nothing and needs no token; what goes wrong is only logged,
since trouble with the console is told by those who work with it.
"""

import http.client
import logging
import ssl
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Protocol

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 86_400.0
SOON, LOOK_SOON_EVERY_S = timedelta(days=30), 3600.0  # a renewal ends the warning within an hour
AGAIN_AFTER_S = 600.0  # after a look that failed
TIMEOUT_S = 3.0  # QRadar's lane waits so long, for the connection and for the handshake
NAP_S = 5.0


class Console(Protocol):
    """The store's row about the console, by what is called here."""

    def note_certificate(self, ends_at: datetime) -> None: ...


class ConsoleEnd:
    """Notes the end of the console's certificate, if it is one that the app trusts."""

    def __init__(self, store: Console, host: str, ca_file: str | None) -> None:
        """
        Args:
            host: the console's name, maybe with a port, as `ConsoleClient.host` has it.
            ca_file: the console's issuers, as `ConsoleClient` takes them.
        """
        self._store, self._host, self._ca_file = store, host, ca_file
        self._next = float("-inf")

    def turn(self, now: datetime, tick: float) -> float:
        """Look if it is time; give the seconds until the next turn."""
        if tick >= self._next:
            self._next = tick + self._looked(now)
        return NAP_S

    def close(self) -> None:
        """The store is closed by its owner."""

    def _looked(self, now: datetime) -> float:
        """Look once; give the seconds until the next look."""
        try:
            ends_at = end_of(self._host, self._ca_file)
        except (OSError, http.client.HTTPException) as error:
            logger.info("no look at the console's certificate: %s", error)
            return AGAIN_AFTER_S
        self._store.note_certificate(ends_at)
        return LOOK_SOON_EVERY_S if ends_at <= now + SOON else LOOK_EVERY_S


def end_of(host: str, ca_file: str | None) -> datetime:
    """When the certificate of the console ends, once it is verified; raises `OSError`."""
    context = create_urllib3_context()
    context.check_hostname = True  # urllib3 1.26 compares names itself
    context.load_verify_locations(ca_file or DEFAULT_CA_BUNDLE_PATH)
    connection = http.client.HTTPSConnection(host, timeout=TIMEOUT_S, context=context)
    with closing(connection):
        connection.connect()
        shown = connection.sock.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
