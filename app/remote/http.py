# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The transport: one `requests` session, its limits, and answers before anybody understands them.

Redirects are never followed, the environment is never trusted, only a GET is ever sent twice, and
nothing is believed about a request of which nothing is known (`app.remote.exchange`).
"""

import json
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from app.message import Message
from app.remote.exchange import Adapter, Exchange, get_retries
from app.remote.failures import chain, has
from app.remote.guard import Guard
from app.remote.server_clock import ServerClock
from app.remote.trust import Verification, verification
from app.remote.untrusted import not_made
from app.restore.model import CdmConnection, NothingSent, Unknown

MAX_BODY = 32 * 1024 * 1024
_HTML = Message("a web page instead of data")
_CHUNK = 16 * 1024  # small, so that a compressed chunk can't grow far beyond MAX_BODY


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. ``problem`` says why ``body`` is not JSON; it is empty if it is."""

    status: int
    body: object = None
    problem: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_html(self) -> bool:
        return self.problem == _HTML


class _Session(requests.Session):
    """Knows no redirects: even unfollowed, requests would read their body without limit."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class Transport:
    """Carries requests to one server and to no other; for one thread at a time."""

    def __init__(
        self,
        connection: CdmConnection,
        *,
        system_ca: str | None,
        timeouts: tuple[float, float],
        total: float,
        headers: dict[str, str],
        insecure: bool = False,
        guard: Guard | None = None,
    ) -> None:
        self._connection, self._guard = connection, guard
        self._system_ca, self._insecure = system_ca, insecure
        self._timeouts, self._total = timeouts, total
        self._headers = headers
        host = connection.host.strip("[]")
        self._base = f"https://{f'[{host}]' if ':' in host else host}:{connection.port}"
        self._session: requests.Session | None = None
        self._verification: Verification | None = None
        self.clock = ServerClock()

    def close(self) -> None:
        """Close all connections; a later request opens them again."""
        if self._session:
            self._session.close()
        if self._verification:
            self._verification.close()
        self._session = self._verification = None

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: dict[str, str],
        json_body: object = None,
        read_timeout: float | None = None,
        acts: bool = False,
    ) -> Answer:
        """Send one request and read the answer whole.

        :param target: path and query, percent-encoded
        :param headers: those of this request only (credentials or API session)
        :param acts: whether it has the server do something, so that its having arrived matters
        :param read_timeout: seconds, less than usual; the total time shrinks with it
        :raises NothingSent: the request line was never written (`Unreachable`, `Untrusted`)
        :raises Unknown: it may have been, and there is no answer
        """
        session, verify = self._open()
        if method != "GET":
            # On a connection of its own: one that was kept alive may be closed just as the
            # request goes out, and nothing would be proved then.
            session.get_adapter(self._base).close()
        connect, read = self._timeouts
        read = min(read, read_timeout or read)
        total = self._total if read_timeout is None else min(self._total, 2 * read)
        asked_at = self.clock.now()
        with Exchange(total, self._guard) as exchange:
            try:
                response = session.request(
                    method,
                    self._base + target,
                    headers=headers,
                    json=json_body,
                    timeout=(connect, read),
                    verify=verify,
                    allow_redirects=False,
                    stream=True,
                )
                self.clock.note(response.headers.get("Date"), asked_at)
                return _read(response, exchange)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if not exchange.sent:
                    raise not_made(error, self._connection, self._guard) from None
                raise self._lost(error, exchange, acts=acts) from None

    def _open(self) -> tuple[requests.Session, bool | str]:
        if self._session is None or self._verification is None:
            proxy = _checked_proxy(self._connection.proxy)
            self._verification = verification(
                self._connection, self._system_ca, insecure=self._insecure
            )
            session = _Session()
            session.trust_env = False
            session.headers.clear()
            session.headers.update(self._headers)
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.proxies = {"https": proxy} if proxy else {}
            session.adapters.clear()  # nothing can be sent but over the adapter below
            session.mount(self._base, Adapter(self._verification.tls, get_retries()))
            self._session = session
        return self._session, self._verification.verify

    def _lost(self, error: BaseException, exchange: Exchange, *, acts: bool) -> Unknown:
        where = f"{self._connection.host}:{self._connection.port}"
        manager, errors = self._connection.kind.product, list(chain(error))
        # Whether a log-in or a mere look has arrived matters to nobody, and would alarm.
        if exchange.expired or has(errors, TimeoutError, requests.Timeout):
            cause = Message("It is overloaded or hangs.")
            if acts:
                cause = Message("It is overloaded or hangs; the request may have reached it.")
            return Unknown(
                Message(
                    "{manager} at {where} did not answer in time.", manager=manager, where=where
                ),
                cause=cause,
                advice=Message(
                    "Look into {manager}'s own pages whether it is responsive.", manager=manager
                ),
            )
        cause = Message(
            "{manager} may be restarting, or something in between cut it.", manager=manager
        )
        if acts:
            cause = Message(
                "{manager} may be restarting, or something in between cut it; the request may have"
                " reached it.",
                manager=manager,
            )
        return Unknown(
            Message(
                "{manager} at {where} broke the connection off before it answered.",
                manager=manager,
                where=where,
            ),
            cause=cause,
            advice=Message("Look into {manager}'s own pages whether it is up.", manager=manager),
        )


def _checked_proxy(proxy: str | None) -> str | None:
    if not proxy:
        return None
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname or "@" in parts.netloc:
        raise NothingSent(
            Message("The proxy setting of this connection can't be used."),
            advice=Message("Enter it as http://host:port, without a user name."),
        )
    return proxy


def _read(response: requests.Response, exchange: Exchange) -> Answer:
    """Read the body within its limits; what is wrong with it does not hide the status."""
    parts: list[bytes] = []
    size = 0
    problem = ""
    try:
        for part in response.raw.stream(_CHUNK, decode_content=True):
            size += len(part)
            if size > MAX_BODY:
                problem = Message("more than {megabytes} MB", megabytes=MAX_BODY // 1024 // 1024)
                break
            parts.append(part)
    except (urllib3.exceptions.HTTPError, OSError):
        problem = Message("an answer that breaks off")
    if exchange.expired:
        problem = Message("an answer that does not end in time")
    if problem:
        response.close()  # not to be used again: the rest of the body is still in it
        return Answer(response.status_code, problem=problem)
    response.raw.release_conn()
    return parsed(response.status_code, b"".join(parts))


def parsed(status: int, raw: bytes) -> Answer:
    """Read a body as JSON; what is wrong with it becomes the answer's problem."""
    text = raw.decode("utf-8-sig", errors="replace").strip()
    if not text:
        return Answer(status, problem=Message("an empty answer"))
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        problem = _HTML if text.startswith("<") else Message("something that is not JSON")
        return Answer(status, problem=problem)
    return Answer(status, body=body)
