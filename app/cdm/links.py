# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""CDM's links: absolute, with the server's own idea of its address, maybe with a session id.

Only path and query are ever used, on the configured address (cdm §9). A raw link is never shown
or logged: this module raises `BadLink` without its text.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from app.message import Message

_SEGMENT = re.compile(r"(?:[A-Za-z0-9_~:@+,=.-]|%[0-9A-Fa-f]{2})+")
_SESSION_PARAMETER = "esessionid"
_MAX_LENGTH = 8192


class BadLink(ValueError):
    """A link that doesn't lead into CDM's API; the message says why, without the link."""


@dataclass(frozen=True, slots=True)
class Target:
    """A path below ``/api/`` and its query parameters, decoded."""

    path: str
    query: tuple[tuple[str, str], ...] = ()

    def with_query(self, **values: object) -> "Target":
        """Set parameters; lists and maps become JSON, as CDM's ``filter`` and ``sort`` want it."""
        new = tuple(
            (name, json.dumps(value, separators=(",", ":")) if _is_json(value) else str(value))
            for name, value in values.items()
        )
        return Target(self.path, tuple(p for p in self.query if p[0] not in values) + new)

    def values(self, name: str) -> list[str]:
        """All values of one query parameter."""
        return [value for key, value in self.query if key == name]

    def __str__(self) -> str:
        """The request target; all that Tomcat may stumble over is percent-encoded (%5B, %5D)."""
        query = urlencode(self.query, quote_via=quote, safe="")
        return f"{self.path}?{query}" if query else self.path


def api(*segments: str) -> Target:
    """The target ``/api/endeavour/<segments>``; each is encoded, none may be a dot segment."""
    if any(segment in {"", ".", ".."} for segment in segments):
        raise BadLink(Message("An empty or dotted id cannot be asked for."))
    return Target("/api/endeavour/" + "/".join(quote(segment, safe="") for segment in segments))


def href(links: object, name: str, key: str = "href") -> str | None:
    """The text of ``links[name][key]``, or None where any part of it is missing."""
    entry = links.get(name) if isinstance(links, Mapping) else None
    text = entry.get(key) if isinstance(entry, Mapping) else None
    return text if isinstance(text, str) and text else None


def rebase(link: str) -> Target:
    """Keep path and query of a link that CDM gave; raise `BadLink` unless it leads below ``/api/``.

    An ``esessionid`` parameter is dropped. Dot segments, encoded slashes, dots and percent signs,
    path parameters (``..;/``) and the like are refused rather than understood.
    """
    if len(link) > _MAX_LENGTH or re.search(r"[\x00-\x20\x7f\\]", link):
        raise BadLink(Message("The link is too long or has characters that no link has."))
    try:
        parts = urlsplit(link)
    except ValueError as error:
        raise BadLink(Message("The link is not a URL.")) from error
    if parts.scheme not in {"", "http", "https"}:
        raise BadLink(Message("The link is not an HTTP address."))
    root, *segments = parts.path.removesuffix("/").split("/")
    if root or len(segments) < 2 or segments[0] != "api":
        raise BadLink(Message("The link does not lead below /api/."))
    for segment in segments:
        plain = unquote(segment)
        if (
            not _SEGMENT.fullmatch(segment)
            or plain in {".", ".."}
            or re.search(r"[/\\%;\x00-\x1f]", plain)
        ):
            raise BadLink(Message("The link's path is not a plain one."))
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = tuple((key, value) for key, value in pairs if key.lower() != _SESSION_PARAMETER)
    if any(_SESSION_PARAMETER in f"{key}={value}".lower() for key, value in kept):
        raise BadLink(Message("The link hides a session id."))
    return Target(parts.path, kept)


def _is_json(value: object) -> bool:
    return isinstance(value, (list, dict))
