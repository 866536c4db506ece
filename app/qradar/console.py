# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests to the console's REST API: each with its own authority, version, trust and time limit.

Not `qpylib.REST` (qradar §4.1): that replaces the given SEC by the app's own token when
there is one, so a user's rights couldn't be asked; it takes the caller's token from cookies only;
it writes into the headers it is given; and it follows the proxy variables of the environment. The
console is next door: no proxy is ever asked, which would see every user's token.
"""

import socket
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from json import loads
from typing import Any

import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from app.message import Message, joined
from app.qradar.api_versions import TESTED_VERSIONS, best_version

_LOCKED_OUT = 24  # QRadar's code for "this host failed too often" (qradar §3.4)
_VERSIONS_PATH = "/api/help/versions"
_LARGEST_BODY = 8 * 1024 * 1024
_VERSION_KEPT = 3600.0
_FALLBACK_KEPT = 60.0


class ConsoleUnavailable(Exception):
    """The console gave no answer that means anything: what happened, why, what to do next."""

    def __init__(self, message: str, *, cause: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.message, self.cause, self.advice = message, cause, advice

    def __str__(self) -> str:
        return joined(filter(None, (self.message, self.cause, self.advice)), " ")


class NoAnswer(ConsoleUnavailable):
    """The request may have arrived all the same."""


class LockedOut(ConsoleUnavailable):
    """QRadar refuses this host whatever the token: says nothing about the token."""

    def __init__(self) -> None:
        super().__init__(
            Message("QRadar has locked this app's host out after failed log-ins."),
            cause=Message(
                "Too many requests with tokens that QRadar does not accept came from it."
            ),
            advice=Message(
                "It opens again by itself, by default after half an hour. Put the app's address"
                " on QRadar's Login Host Whitelist (Admin > Authentication > General Authentication"
                " Settings > Lockout Management), so that it does not happen again."
            ),
        )


class ConsoleRefused(Exception):
    """The console understood and said no; ``code`` is its own number, None when it gave none."""

    def __init__(self, status: int, code: int | None, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def __str__(self) -> str:
        said: dict[str, object] = {"status": self.status, "words": self.message}
        if self.code is None:
            return Message("QRadar refused (HTTP {status}): {words}", **said)
        return Message(
            "QRadar refused (HTTP {status}, code {code}): {words}", code=self.code, **said
        )


@dataclass(frozen=True, slots=True)
class ConsoleAnswer:
    """A 2xx answer; ``body`` is the parsed JSON, None when there was no content."""

    status: int
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class ConsoleClient:
    """The REST API of one console; may be used by many threads."""

    def __init__(self, fqdn: str, ca_file: str | None, timeout: float = 3.0) -> None:
        """
        Args:
            fqdn: host name or address, IPv6 with or without brackets, maybe with a port.
            ca_file: PEM file that holds the console's issuers; None: those of certifi.
            timeout: seconds for connecting, and again for each wait for data.
        """
        self.host = _bracketed(fqdn)
        self._verify: str | bool = ca_file or True
        self._timeout = timeout
        self._local = threading.local()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._version, self._version_until = "", 0.0

    def request(
        self,
        method: str,
        path: str,
        *,
        sec: str | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ConsoleAnswer:
        """Ask once (a GET that finds its kept connection closed: once more) and read the answer.

        Args:
            path: absolute, such as ``/api/siem/offenses``.
            sec: the token on whose authority this is asked, a user's or an authorized service's.
            data: a body that isn't JSON; give its ``Content-Type`` in ``headers``.
            headers: ``Range``, ``fields`` …; a ``Version`` here replaces the negotiated one.

        Raises `ConsoleRefused` for a 4xx and `ConsoleUnavailable` for everything else that is not a
        readable 2xx.
        """
        own = {"Accept": "application/json", **(headers or {})}
        if "Version" not in own:
            own["Version"] = self.api_version(sec)
        response, content = self._send(
            method, path, sec, params=params, json=json, data=data, headers=own
        )
        _raise_for(response, content)
        return ConsoleAnswer(
            response.status_code, _parsed(response, content, path), response.headers
        )

    def api_version(self, sec: str | None) -> str:
        """The newest version that both sides know, asked once an hour.

        When the list can't be read the last known one serves, else our oldest; a refused token
        raises `ConsoleRefused`, because it would be refused again with any version.
        """
        with self._lock:
            if time.monotonic() < self._version_until:
                return self._version
        headers = {"Accept": "application/json"}
        response, content = self._send("GET", _VERSIONS_PATH, sec, headers=headers)
        if response.status_code == requests.codes.unauthorized:
            _raise_for(response, content)
        found = best_version(response, content)
        with self._lock:
            self._version = found or self._version or TESTED_VERSIONS[-1]
            kept = _VERSION_KEPT if found else _FALLBACK_KEPT
            self._version_until = time.monotonic() + kept
            return self._version

    def close(self) -> None:
        """Close the connections of all threads; the next request opens new ones."""
        for session in list(self._sessions):
            session.close()

    def _send(
        self, method: str, path: str, sec: str | None, *, headers: dict[str, str], **rest: Any
    ) -> tuple[requests.Response, bytes]:
        if not path.startswith("/"):
            raise ValueError(f"{path!r} is not an absolute path")
        if sec is not None:
            headers = {**headers, "SEC": sec}
        for may_repeat in (method == "GET", False):
            try:
                return self._send_once(method, path, headers, rest)
            except requests.ConnectionError as error:
                if may_repeat and error.args and isinstance(error.args[0], ProtocolError):
                    continue  # the console closed a connection that was kept open
                raise _explained(error, self.host) from error
            except requests.RequestException as error:
                raise _explained(error, self.host) from error
            except OSError as error:  # what requests makes of a CA file that isn't there
                raise ConsoleUnavailable(
                    Message(
                        "The file of trusted certificates, {file}, can't be read.",
                        file=self._verify,
                    ),
                    cause=Message("QRadar gives it to its apps when they start."),
                    advice=Message("Restart the app."),
                ) from error
        raise AssertionError("the last try returns or raises")

    def _send_once(
        self, method: str, path: str, headers: dict[str, str], rest: dict[str, Any]
    ) -> tuple[requests.Response, bytes]:
        with self._session().request(
            method,
            f"https://{self.host}{path}",
            headers=headers,
            verify=self._verify,
            timeout=(self._timeout, self._timeout),
            allow_redirects=False,
            stream=True,
            **rest,
        ) as response:
            return response, self._content(response)

    def _content(self, response: requests.Response) -> bytes:
        """The body, bounded in size and time: without an end it would hold a thread for ever."""
        deadline = time.monotonic() + self._timeout
        content = bytearray()
        for chunk in response.iter_content(16 * 1024):
            content += chunk
            if len(content) > _LARGEST_BODY:
                raise ConsoleUnavailable(
                    Message(
                        "The console's answer is larger than {mebibytes} MiB.",
                        mebibytes=_LARGEST_BODY // 2**20,
                    ),
                    advice=Message("Ask for less at a time."),
                )
            if time.monotonic() > deadline:
                raise _too_slow(self.host)
        return bytes(content)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.headers["User-Agent"] = "safeguarded-restore"
            # the console sets cookies: kept, they would travel with the next caller's request
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            self._local.session = session
            self._sessions.add(session)
        return session


def _bracketed(fqdn: str) -> str:
    if fqdn.count(":") > 1 and not fqdn.startswith("["):
        return f"[{fqdn}]"
    return fqdn


def _raise_for(response: requests.Response, content: bytes) -> None:
    status = response.status_code
    if status < 300:
        return
    if 400 <= status < 500:
        try:
            document = loads(content)
        except ValueError:
            document = None
        document = document if isinstance(document, dict) else {}
        code = document.get("code")
        if code == _LOCKED_OUT:
            raise LockedOut
        said = str(document.get("message") or response.reason or "")[:500]
        message = said or Message("no reason given")
        raise ConsoleRefused(status, code if isinstance(code, int) else None, message)
    if status < 400:
        raise ConsoleUnavailable(
            Message("The console answered with a redirect (HTTP {status}).", status=status),
            cause=Message("Something else than QRadar's API answers under its address."),
            advice=Message("Check the console's address, and whether a proxy stands in between."),
        )
    raise ConsoleUnavailable(
        Message("The console answered HTTP {status}.", status=status),
        cause=Message("Its services may be starting, or overloaded."),
        advice=Message("This usually passes; see System and License Management if it doesn't."),
    )


def _parsed(response: requests.Response, content: bytes, path: str) -> Any:
    if not content:
        if response.request.method != "GET":
            return None
        raise ConsoleUnavailable(Message("The console's answer to {path} is empty.", path=path))
    try:
        return loads(content)
    except ValueError:
        kind = response.headers.get("Content-Type", "").split(";")[0] or Message("no type")
        raise ConsoleUnavailable(
            Message("The console's answer to {path} is not JSON but {kind}.", path=path, kind=kind),
            cause=Message(
                "Something else than QRadar's API answers, or its services are starting."
            ),
            advice=Message("Try again in a few minutes."),
        ) from None


def _too_slow(host: str) -> NoAnswer:
    return NoAnswer(
        Message("The console {host} does not answer in time.", host=host),
        cause=Message("It is overloaded or starting."),
        advice=Message("This usually passes."),
    )


def _explained(error: requests.RequestException, host: str) -> ConsoleUnavailable:
    """What a failed request means, in words; the error's own text could hold the address only."""
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    if isinstance(error, requests.exceptions.SSLError):
        return ConsoleUnavailable(
            Message("The certificate of the console {host} is not trusted.", host=host),
            cause=f"{reason}.",
            advice=Message(
                "QRadar gives its apps the console's certificates when they start: restart the app"
                " after the console's certificate was changed."
            ),
        )
    if isinstance(error, requests.Timeout) or isinstance(inner, ReadTimeoutError):
        return _too_slow(host)
    kind = ConsoleUnavailable
    if _is_caused_by(error, socket.gaierror):
        cause = Message("Its name can't be resolved here.")
    elif isinstance(inner, ProtocolError):
        kind, cause = NoAnswer, Message("It closed the connection without an answer.")
    else:
        cause = Message("The connection was not made, or broke off.")
    return kind(
        Message("The console {host} can't be reached.", host=host),
        cause=cause,
        advice=Message("Check that the app's host reaches the console on port 443."),
    )


def _is_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether ``kind`` is in the chain: urllib3 1.26 and 2 wrap the same errors differently."""
    current: BaseException | None = error
    while current is not None and not isinstance(current, kind):
        current = current.__cause__ or current.__context__
    return current is not None
