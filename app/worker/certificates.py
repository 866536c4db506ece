# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""When the certificates of the CDM servers end: looked at now and then, so that pages can warn.

A lane's own client verifies the certificate at every request, but can't tell its dates. So a
handshake of its own is made, in a thread that no restore waits for; what goes wrong with it is
logged and otherwise ignored, since trouble with a CDM is told by the lane that works with it.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from app.remote.guard import Guard
from app.remote.trust import ServerCertificate, verified_certificate
from app.restore.model import CdmConnection, CopyManagerError
from app.store import Store

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 86_400.0
SOON, LOOK_SOON_EVERY_S = timedelta(days=30), 3600.0  # a renewal ends the warning within an hour
AGAIN_AFTER_S = 600.0  # after a look that failed
NAP_S = 5.0  # how soon a connection that was added or changed is looked at


class Ends:
    """Notes the end of each server's certificate; only of one that the connection trusts."""

    def __init__(
        self,
        store: Store,
        system_ca: str | None,
        *,
        guard: Guard | None = None,
        look: Callable[[CdmConnection, str | None], ServerCertificate] | None = None,
    ) -> None:
        self._store, self._system_ca = store, system_ca
        self._look = look or partial(verified_certificate, guard=guard)
        self._next: dict[int, tuple[CdmConnection, float]] = {}  # each as it was looked at

    def turn(self, now: datetime, tick: float) -> float:
        """Look at each server that is due; give the seconds until the next turn."""
        connections = self._store.connections.list()
        for connection in connections:
            seen, at = self._next.get(connection.id, (None, tick))
            if seen != connection or tick >= at:
                self._next[connection.id] = (connection, tick + self._looked(connection, now))
        kept = {connection.id for connection in connections}
        self._next = {key: value for key, value in self._next.items() if key in kept}
        return NAP_S

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _looked(self, connection: CdmConnection, now: datetime) -> float:
        """Look once; give the seconds until the next look."""
        try:
            ends_at = self._look(connection, self._system_ca).not_after
        except CopyManagerError as error:
            logger.info("no look at the certificate of connection %d: %s", connection.id, error)
            return AGAIN_AFTER_S
        self._store.connections.note_certificate(connection, ends_at)
        return LOOK_SOON_EVERY_S if ends_at <= now + SOON else LOOK_EVERY_S
