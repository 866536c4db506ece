# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a connection was not made, in the operator's words; and how CDM's words are cleaned."""

import base64
import re
import socket
from collections.abc import Iterable, Iterator
from typing import Self
from urllib.parse import quote

from app.restore.model import CopyManagerError, Unknown, Unreachable

MAX_TEXT = 300
_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_SESSION = re.compile(r"(sessionid\W{1,4})[0-9a-z._~+/=-]{8,}", re.IGNORECASE)


class Advice(str):
    """What to do, worded for the app's pages; ``terminal`` is the same for a command line."""

    terminal: str

    def __new__(cls, pages: str, *, terminal: str) -> Self:
        made = super().__new__(cls, pages)
        made.terminal = terminal
        return made


def for_terminal(error: CopyManagerError) -> str:
    """What an error says, to somebody who has a command line before him and no page."""
    advice = error.advice.terminal if isinstance(error.advice, Advice) else error.advice
    return " ".join(part for part in (error.message, error.cause, advice) if part)


class NoAnswer(Unknown):
    """A read went out and no answer came: the connection is lost, or CDM hangs."""


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
    error: BaseException, host: str, port: int, *, proxy: str | None = None
) -> Unreachable:
    """Say why no connection to CDM was made."""
    errors = list(chain(error))
    where = f"CDM at {host}:{port}"
    via = " through the proxy" if proxy else ""
    target = "the proxy" if proxy else "CDM"
    tunnel = next((str(e) for e in errors if "unnel connection failed" in str(e)), None)
    if proxy and tunnel:
        code = re.search(r"failed: (\d{3})", tunnel)
        return Unreachable(
            f"The proxy refuses the way to {where}.",
            cause=f"It answered with HTTP {code[1]}." if code else "",
            advice="Check the proxy's rules, or clear the proxy setting of this connection.",
        )
    if has(errors, socket.gaierror):
        return Unreachable(
            f"{where} can't be reached{via}.",
            cause=f"The name of {'the proxy' if proxy else host} can't be resolved.",
            advice=Advice(
                "Check the host name, and the name servers of the QRadar app host.",
                terminal="Check the host name, and the name servers of this machine.",
            ),
        )
    if has(errors, ConnectionRefusedError):
        return Unreachable(
            f"{where} can't be reached{via}.",
            cause=f"The connection to {target} was refused: nothing listens there.",
            advice="Check the port (CDM: 8443) and that CDM is running.",
        )
    if has(errors, TimeoutError):
        return Unreachable(
            f"{where} can't be reached{via}.",
            cause=f"{target[0].upper()}{target[1:]} did not take the connection in time.",
            advice=Advice(
                "Check the address, and the firewalls between the QRadar app host and CDM.",
                terminal="Check the address, and the firewalls between this machine and CDM.",
            ),
        )
    return Unreachable(
        f"{where} can't be reached{via}.",
        cause=f"The connection was not made ({type(errors[-1]).__name__}).",
        advice=Advice(
            "Check the address, the port and the network between the QRadar app host and CDM.",
            terminal="Check the address, the port and the network between this machine and CDM.",
        ),
    )
