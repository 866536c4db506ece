# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A request as the API sees it, and the answers it gives."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that has been read completely.

    ``base`` is scheme and address for links, ``api_session`` the id it was sent with (if any).
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    base: str
    api_session: str | None

    @property
    def params(self) -> dict[str, str]:
        """Query parameters, decoded; a repeated one counts once, with its last value."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def json(self) -> dict[str, Any]:
        """The body as a JSON object ({} if there is none); ValueError for anything else."""
        if not self.body.strip():
            return {}
        value = json.loads(self.body)
        if not isinstance(value, dict):
            raise ValueError("the body is not a JSON object")
        return value


@dataclass(slots=True)
class Reply:
    """An answer: status, body, content type, further headers."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def json_reply(value: object, status: int = 200) -> Reply:
    """An answer with ``value`` as JSON."""
    return Reply(status, json.dumps(value, ensure_ascii=False).encode(), JSON)


def error(status: int, error_id: str, description: str) -> Reply:
    """An answer with CDM's error body (cdm §8)."""
    return json_reply({"id": error_id, "description": description}, status)


class ApiError(Exception):
    """Raised anywhere below the API; answered as an error body."""

    def __init__(self, status: int, error_id: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error_id, self.description = status, error_id, description

    def reply(self) -> Reply:
        """The answer."""
        return error(self.status, self.error_id, self.description)


def not_found(what: str) -> ApiError:
    """The error for a resource that doesn't exist (its id is invented: cdm §8 has none)."""
    return ApiError(404, "XSBNotFoundException", f"{what} was not found.")


def bad_request(description: str) -> ApiError:
    """The error for a request that can't be understood or isn't allowed now (id invented)."""
    return ApiError(400, "XSBInvalidRequestException", description)
