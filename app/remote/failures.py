# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a connection was not made, in the operator's words; how foreign words are cleaned."""

import base64
import re
import socket
from collections.abc import Iterable, Iterator
from typing import Self
from urllib.parse import quote

from app.configuration.kinds import Kind
from app.message import Message, joined
from app.restore.model import CopyManagerError, Unknown, Unreachable

MAX_TEXT = 300
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_SESSION = re.compile(r"(sessionid\W{1,4})[0-9a-z._~+/=-]{8,}", re.IGNORECASE)


class Advice(Message):
    """What to do, worded for the app's pages; ``terminal`` is the same for a command line."""

    terminal: str

    def __new__(cls, pages: Message, *, terminal: str) -> Self:
        made = cls._made(pages.template, pages.many, pages.values)
        made.terminal = terminal
        return made


def for_terminal(error: CopyManagerError) -> str:
    """What an error says, to somebody who has a command line before him and no page."""
    advice = error.advice.terminal if isinstance(error.advice, Advice) else error.advice
    return joined(filter(None, (error.message, error.cause, advice)), " ")


class NoAnswer(Unknown):
    """A read went out and no answer came: the connection is lost, or the server hangs."""


class Cleaner:
    """Makes foreign text fit for a page, a log and the database."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def hide(self, *secrets: str) -> None:
        """Remember secrets, in the forms in which they may come back."""
        for secret in filter(None, secrets):
            self._secrets |= {secret, quote(secret, safe="")}

    def hide_login(self, username: str, password: str) -> str:
        """Remember a password; return the Basic credentials, in UTF-8, remembered too."""
        credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.hide(password, credentials)
        return credentials

    def clean(self, text: str, limit: int = MAX_TEXT) -> str:
        """Take out secrets, links, control characters; one line of at most ``limit`` characters."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        text = _SESSION.sub(r"\1***", _LINK.sub("(link)", text))
        text = "".join(c if c.isprintable() else " " for c in text)
        text = " ".join(text.split())
        return text if len(text) <= limit else text[: limit - 1] + "…"


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps, however requests and urllib3 have wrapped it."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        found = todo.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        todo += [getattr(found, "reason", None), found.__cause__, *found.args, found.__context__]


def has(errors: Iterable[BaseException], *kinds: type[BaseException]) -> bool:
    """Whether one of the errors is of one of the kinds."""
    return any(isinstance(error, kinds) for error in errors)


def unreachable(
    error: BaseException, kind: Kind, host: str, port: int, *, proxy: str | None = None
) -> Unreachable:
    """Say why no connection to a copy manager was made."""
    errors = list(chain(error))
    tunnel = next((str(e) for e in errors if "unnel connection failed" in str(e)), None)
    if proxy and tunnel:
        code = re.search(r"failed: (\d{3})", tunnel)
        return Unreachable(
            Message(
                "The proxy refuses the way to {manager} at {host}:{port}.",
                manager=kind.product,
                host=host,
                port=port,
            ),
            cause=Message("It answered with HTTP {status}.", status=code[1]) if code else "",
            advice=Message(
                "Check the proxy's rules, or clear the proxy setting of this connection."
            ),
        )
    where = Message(
        "{manager} at {host}:{port} can't be reached.", manager=kind.product, host=host, port=port
    )
    if proxy:
        where = Message(
            "{manager} at {host}:{port} can't be reached through the proxy.",
            manager=kind.product,
            host=host,
            port=port,
        )
    cause, advice = _obstacle(errors, kind, "" if proxy else host)
    return Unreachable(where, cause=cause, advice=advice)


def _obstacle(errors: list[BaseException], kind: Kind, host: str) -> tuple[Message, Message]:
    """The cause of a connection that was not made, and what to do; no ``host``: to the proxy."""
    manager = kind.product
    if has(errors, socket.gaierror):
        cause = Message("The name of the proxy can't be resolved.")
        if host:
            cause = Message("The name of {host} can't be resolved.", host=host)
        return cause, Advice(
            Message("Check the host name, and the name servers of the QRadar app host."),
            terminal=Message("Check the host name, and the name servers of this machine."),
        )
    if has(errors, ConnectionRefusedError):
        cause = Message("The connection to the proxy was refused: nothing listens there.")
        if host:
            cause = Message(
                "The connection to {manager} was refused: nothing listens there.", manager=manager
            )
        return cause, Message(
            "Check the port ({manager}: {usual}) and that {manager} is running.",
            manager=manager,
            usual=kind.port,
        )
    if has(errors, TimeoutError):
        cause = Message("The proxy did not take the connection in time.")
        if host:
            cause = Message("{manager} did not take the connection in time.", manager=manager)
        return cause, Advice(
            Message(
                "Check the address, and the firewalls between the QRadar app host and {manager}.",
                manager=manager,
            ),
            terminal=Message(
                "Check the address, and the firewalls between this machine and {manager}.",
                manager=manager,
            ),
        )
    broken = type(errors[-1]).__name__
    return Message("The connection was not made ({error}).", error=broken), Advice(
        Message(
            "Check the address, the port and the network between the QRadar app host and"
            " {manager}.",
            manager=manager,
        ),
        terminal=Message(
            "Check the address, the port and the network between this machine and {manager}.",
            manager=manager,
        ),
    )
