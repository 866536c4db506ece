# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What goes over the console's wire: requests, answers, and the record of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from html import escape
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; ``target`` is the raw request target, never decoded."""

    method: str
    target: str
    headers: Message = field(repr=False)
    body: bytes = field(repr=False)
    client: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The decoded query parameters; of a repeated one the last."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The decoded form body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def cookies(self) -> dict[str, str]:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load("; ".join(self.headers.get_all("Cookie", [])))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def token(self) -> str | None:
        """The caller's SEC value: the header, else the cookie."""
        return self.headers.get("SEC") or self.cookies.get("SEC")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``body`` is sent as it is, Content-Length is added."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request the console answered; headers and body are for tests in the same process."""

    method: str
    path: str
    who: str
    status: int
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Hangup(Exception):
    """The connection is closed without an answer."""


def json_answer(
    document: object, status: int = 200, *, headers: Sequence[tuple[str, str]] = ()
) -> Answer:
    """An answer that carries ``document`` as JSON."""
    body = json.dumps(document).encode()
    return Answer(status, (("Content-Type", "application/json;charset=UTF-8"), *headers), body)


def html_answer(
    content: str,
    status: int = 200,
    *,
    title: str = "QRadar",
    headers: Sequence[tuple[str, str]] = (),
) -> Answer:
    """A small page; ``content`` is HTML already."""
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title></head><body>{content}</body></html>\n"
    )
    return Answer(status, (("Content-Type", "text/html;charset=UTF-8"), *headers), page.encode())


def html_error(status: int, sentence: str = "") -> Answer:
    """The front web server's own error page."""
    phrase = HTTPStatus(status).phrase
    text = f"<h1>{status} {escape(phrase)}</h1><p>{escape(sentence)}</p>"
    return html_answer(text, status, title=f"{status} {phrase}")


def redirect(location: str, *, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """A 302 to ``location``."""
    return Answer(302, (("Location", location), *headers))
