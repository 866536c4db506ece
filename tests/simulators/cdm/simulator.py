# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulator as tests hold it in their hands."""

import copy
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from tests.simulators.certs import Certificate, self_signed

from .accounts import Accounts
from .actions import Actions
from .api import Api, reads_as_start
from .control import Control
from .faults import Fault
from .links import Links
from .model import World
from .records import (
    DestructiveCall,
    LoginRecord,
    LogoutRecord,
    Records,
    RequestRecord,
    StartRecord,
)
from .render import Renderer
from .reply import Reply, Request
from .server import Server, serve
from .switches import Switches

PASSWORD = "passw0rd"


class _Exchange:
    """One request on its way through (see ``server.Exchange``)."""

    def __init__(self, simulator: "CdmSimulator", record: RequestRecord) -> None:
        self.simulator, self.record = simulator, record
        self.start: StartRecord | None = None
        self.faults: list[Fault] = []

    def answer(self, request: Request) -> Reply:
        with self.simulator.lock:
            return self.simulator.api.handle(request, self.start)

    def finish(self, answered: int | str) -> None:
        with self.simulator.lock:
            self.record.answered = answered
            if self.start is not None:
                self.start.answered = answered
            self.simulator.lock.notify_all()


class CdmSimulator(Actions):
    """A CDM on ``https://host:port``; see the package for its ways.

    ``clock`` gives epoch seconds; all of the model follows it, so a test can hand in its own. As a
    context manager it runs from entry to exit; otherwise ``start()`` and ``stop()``.
    """

    def __init__(
        self,
        port: int = 0,
        user: str = "qradar-restore",
        *,
        password: str = PASSWORD,
        jobs: int = 3,
        restore_seconds: float = 2.0,
        certificate: Certificate | None = None,
        host: str = "127.0.0.1",
        names: Sequence[str] = (),
        tls: bool = True,
        clock: Callable[[], float] = time.time,
        switches: Switches | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.switches = switches or Switches()
        self._first_switches = copy.deepcopy(self.switches)
        self.scheme = "https" if tls else "http"
        self.released = threading.Event()
        self.lock = threading.Condition(threading.RLock())
        self.records = Records()
        self.world = World(self.switches, jobs=jobs, restore_seconds=restore_seconds, clock=clock)
        self.accounts = Accounts(
            self.switches, self.records, user=user, password=password, clock=clock
        )
        self.api = Api(self.world, self.accounts, self.records)
        self._given_certificate, self._names = certificate, names
        self._pem, self._fingerprint = "", ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._stop: Callable[[], None] | None = None
        self._first_account = (user, password)

    # --- running ---

    def start(self) -> Self:
        """Listen; ``port`` is the real one from now on."""
        self.released.clear()
        context = self._context() if self.scheme == "https" else None
        server = Server((self.host, self.port), self, context)
        self.port = server.server_address[1]
        self._stop = serve(server)
        return self

    def stop(self) -> None:
        """End every connection and stop; harmless if it doesn't run."""
        self.released.set()
        if self._stop is not None:
            self._stop()
            self._stop = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _context(self) -> ssl.SSLContext:
        certificate = self._given_certificate
        if certificate is None:
            self._folder = tempfile.TemporaryDirectory(prefix="cdm-simulator-")
            names = list(dict.fromkeys([*self._names, "localhost", "127.0.0.1", self.host]))
            certificate = self_signed(Path(self._folder.name), "cdm.example", names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        self._pem, self._fingerprint = certificate.pem, certificate.fingerprint
        return context

    # --- what the server asks ---

    def accept_fault(self) -> Fault | None:
        """The fault that strikes a fresh connection."""
        with self.lock:
            struck = (f for f in self.switches.faults if f.strikes("", "", stage="accept"))
            return next(struck, None)

    def begin(self, record: RequestRecord) -> _Exchange:
        """Note a request and choose its faults: delays, and the first that ends it."""
        exchange = _Exchange(self, record)
        with self.lock:
            record.time = self.world.clock()
            self.records.requests.append(record)
            job_id = reads_as_start(record.method, record.path, record.query)
            if job_id is not None:
                exchange.start = StartRecord(job_id, record.time, time.monotonic())
                self.records.starts.append(exchange.start)
            target = f"{record.path}?{record.query}".rstrip("?")
            for fault in self.switches.faults:
                if fault.strikes(record.method, target, stage="request"):
                    exchange.faults.append(fault)
                    if fault.is_terminal:
                        break
            self.lock.notify_all()
        return exchange

    def control(self, method: str, path: str, query: str, body: bytes) -> Reply:
        """Answer the control endpoint."""
        with self.lock:
            return Control(self).answer(method, path, query=query, body=body)

    # --- looking ---

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, 64 lower-case hex digits ('' without TLS)."""
        return self._fingerprint

    @property
    def certificate_pem(self) -> str:
        """The certificate ('' without TLS)."""
        return self._pem

    @property
    def user(self) -> str:
        """The account's name; can be set."""
        return self.accounts.user

    @user.setter
    def user(self, name: str) -> None:
        self.accounts.user = name

    @property
    def password(self) -> str:
        """The account's password; can be set."""
        return self.accounts.password

    @password.setter
    def password(self, password: str) -> None:
        self.accounts.password = password

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The jobs as CDM shows them, in English."""
        with self.lock:
            return [self._renderer().job(job) for job in self.world.jobs.values()]

    @property
    def restore_job(self) -> dict[str, Any]:
        """The first restore job."""
        return next(job for job in self.jobs if job["type"] == "recovery")

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Every job session, visible or not, in the simulator's own words."""
        with self.lock:
            return self.world.sessions_as_json()

    @property
    def starts(self) -> list[StartRecord]:
        """Every request to start a job."""
        return self.records.starts

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request."""
        return self.records.requests

    @property
    def logins(self) -> list[LoginRecord]:
        """Every attempt to log in."""
        return self.records.logins

    @property
    def logouts(self) -> list[LogoutRecord]:
        """Every logout."""
        return self.records.logouts

    @property
    def destructive_calls(self) -> list[DestructiveCall]:
        """Calls that no restore client may make."""
        return self.records.destructive_calls

    @property
    def live_api_sessions(self) -> list[str]:
        """Ids of API sessions that are valid now."""
        with self.lock:
            return self.accounts.live

    def state(self) -> dict[str, Any]:
        """All of it as JSON, what ``/_control/state`` answers."""
        with self.lock:
            return {
                "url": self.url,
                "user": self.user,
                "fingerprint": self.fingerprint,
                "time": self.world.clock(),
                "jobs": self.jobs,
                "sessions": self.sessions,
                "live_api_sessions": self.live_api_sessions,
                "switches": self.switches.as_json(),
                **self.records.as_json(),
            }

    def wait_for(self, condition: Callable[[], Any], timeout: float = 5.0) -> bool:
        """Wait until ``condition`` holds; it is looked at after each request and action."""
        with self.lock:
            return bool(self.lock.wait_for(condition, timeout))

    def _renderer(self) -> Renderer:
        return Renderer(self.world, Links(self.switches, self.url, None), locale="en-us")

    def reset(self) -> None:
        """As it was at first: switches, jobs, password; no sessions, no records, nothing hangs."""
        with self.lock:
            self.switches.set_all(self._first_switches)
            self.world.reset()
            self.accounts.expire_all()
            self.accounts.wrong_in_a_row = 0
            self.user, self.password = self._first_account
            self.records.clear()
            self.lock.notify_all()
        self.release()
