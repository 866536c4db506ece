# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the web process works with, built once by ``create_app`` and handed to every view."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from flask import current_app

from app.copy_managers import Client
from app.framework.bulkhead import Bulkhead
from app.framework.secrets import Secrets
from app.languages import ENGLISH, catalogue
from app.message import Words
from app.qradar.administrator import AsksConsole
from app.qradar.caller import Caller
from app.qradar.identity import Silence
from app.remote.guard import Guard
from app.remote.told import Step
from app.remote.trust import ServerCertificate
from app.restore.model import CdmConnection
from app.store import migrate as migrations
from app.store.database import StoreBusy, StoreFailed
from app.store.store import Store
from app.web.frame.opening import Opening
from app.web.frame.store_probe import StoreProbe
from app.web.frame.throttle import Throttle

EXTENSION = "safeguarded-restore"
OUTBOUND_CALLS = 12  # half the threads of container/conf/gunicorn.conf.py (a test compares)


class Identifies(Protocol):
    """Knows who a QRadar token belongs to; `app.qradar.identity.Identity` does."""

    def who(self, token: str | None, fresh: bool = False, *, source: str = "") -> Caller: ...
    def room(self, token: str, source: str) -> AbstractContextManager[None]: ...
    def silence(self) -> Silence | None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything outside the request that a view may use."""

    database_path: Path
    open_store: Callable[[], Store]
    secrets: Secrets
    identity: Identifies
    bulkhead: Bulkhead
    cdm_client: Callable[[CdmConnection, str], Client]
    test_connection: Callable[[CdmConnection, str], Sequence[Step]]
    fetch_certificate: Callable[..., ServerCertificate]
    make_script: Callable[[], str]  # of the custom action; raises `Problem`
    console_api: AsksConsole  # with the authority of whoever asks, never of the app
    version: str
    console: str  # its host name
    guard: Guard | None = None  # None: a name of CDM may lead anywhere
    allow_loopback: bool = False  # CDM addresses on this machine, in the demo only
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    bad_tokens: Throttle = field(default_factory=Throttle)
    api_version: Callable[[str | None], str] = lambda _sec: ""  # of the console's, for a token
    opening: Opening | None = None  # None: the store is up to date
    _local: threading.local = field(default_factory=threading.local)
    _probe: StoreProbe = field(default_factory=StoreProbe)

    @property
    def store(self) -> Store:
        """This thread's store."""
        store: Store | None = getattr(self._local, "store", None)
        if store is None:
            store = self._local.store = self.open_store()
        return store

    def words(self) -> Words:
        """The words of the language that programs are answered in; English while none is known."""
        if not self.preparing and self.failure() is None:
            with suppress(StoreBusy, StoreFailed):
                return self.store.settings.words
        return catalogue(ENGLISH)

    def store_problem(self) -> str | None:
        """Why nothing can be written to the store just now; None: it can."""
        return self._probe.problem(self.database_path, self.clock())

    def failure(self) -> str | None:
        """Why the store can't be used (its schema could not be brought up to date), or None."""
        told = None if self.opening is None else self.opening.failure
        return told or migrations.failure(self.database_path)

    @property
    def preparing(self) -> bool:
        """Whether the store is just being brought up to date: soon it can be used."""
        return self.opening is not None and self.opening.preparing


def services() -> Services:
    """The services of the app that answers this request."""
    found: Services = current_app.extensions[EXTENSION]
    return found
