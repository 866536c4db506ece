# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The frame of the REST API: versions, rights, routes, lists, errors (qradar §7.1)."""

import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tests.simulators.console.identity import Caller, Identity, Unauthorized
from tests.simulators.console.rest_query import QueryError, filtered, picked, sorted_by
from tests.simulators.console.wire import Answer, Request, json_answer

NOT_FOUND, INVALID, BAD_FILTER, BAD_SORT = 1002, 1005, 1010, 1030
OLD_VERSIONS = (
    *("0.1", "1.0", "2.0", "3.0", "3.1", "4.0", "5.0", "5.1", "6.0", "7.0", "8.0", "8.1"),
    *("9.0", "9.1", "10.0", "10.1"),
)


class ApiError(Exception):
    """Becomes an error body; ``status`` is HTTP's, ``code`` QRadar's own."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call that found its handler; ``args`` are the path's numbers and names."""

    request: Request
    caller: Caller
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        return self.request.query

    def number(self, name: str = "id") -> int:
        return int(self.args[name])

    def document(self) -> dict[str, Any]:
        """The JSON object in the body; raises ApiError when it isn't one."""
        try:
            document = json.loads(self.request.body)
        except ValueError:
            raise ApiError(422, INVALID, "The request body is not valid JSON") from None
        if not isinstance(document, dict):
            raise ApiError(422, INVALID, "The request body is not a JSON object")
        return document


Handler = Callable[[Call], Answer]


class Rest:
    """Answers /api; the endpoints add their routes."""

    def __init__(self, identity: Identity, *, newest: str) -> None:
        self.identity = identity
        self.versions = _versions(newest)
        self._routes: list[tuple[str, re.Pattern[str], tuple[str, ...], Handler]] = []

    def add(self, method: str, path: str, handler: Handler, *, needs: Iterable[str] = ()) -> None:
        """Serve ``method path``; ``{id}`` in the path is a number; ``needs``: one capability of."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\d+)", path))
        self._routes.append((method, pattern, tuple(needs), handler))

    def answer(self, request: Request, note_caller: Callable[[Caller], None]) -> Answer:
        try:
            caller = self.identity.authenticate(request.token, request.client)
            note_caller(caller)
            self._check_csrf(request, caller)
            extra = self._version_headers(request.headers.get("Version"))
            answer = self._dispatch(request, caller)
        except Unauthorized as error:
            return error_answer(401, error.code, str(error))
        except QueryError as error:
            code = BAD_SORT if error.part == "sort" else BAD_FILTER
            return error_answer(422, code, str(error))
        except ApiError as error:
            return error_answer(error.status, error.code, str(error))
        return Answer(answer.status, (*answer.headers, *extra), answer.body)

    def _version_headers(self, asked: str | None) -> list[tuple[str, str]]:
        if asked is None:
            return []
        for version in self.versions:
            if version["version"] == asked and not version["removed"]:
                return [("Deprecated", "true")] if version["deprecated"] else []
        raise ApiError(422, INVALID, f"API version {asked} is not offered by this console")

    def _check_csrf(self, request: Request, caller: Caller) -> None:
        if self.identity.switches.rest_needs_csrf and caller.user and request.method != "GET":
            given = request.headers.get("QRadarCSRF", "")
            if not hmac.compare_digest(given.encode(), caller.csrf.encode()):
                raise ApiError(403, 26, "The QRadarCSRF header is missing or wrong")

    def _dispatch(self, request: Request, caller: Caller) -> Answer:
        allowed = []
        for method, pattern, needs, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method != request.method:
                allowed.append(method)
            elif found:
                if needs and not caller.has(*needs):
                    raise ApiError(403, 26, "User has insufficient capabilities")
                return handler(Call(request, caller, found.groupdict()))
        if allowed:
            raise ApiError(405, INVALID, f"{request.method} is not supported here")
        raise ApiError(404, NOT_FOUND, "The requested endpoint cannot be found")


def error_answer(status: int, code: int, message: str) -> Answer:
    """An error in QRadar's shape."""
    document = {
        "http_response": {"code": status, "message": HTTPStatus(status).phrase},
        "code": code,
        "description": "",
        "details": {},
        "message": message,
    }
    return json_answer(document, status)


def list_answer(call: Call, rows: Iterable[dict[str, Any]], *, sortable: bool = True) -> Answer:
    """``rows`` after filter, sort, Range and fields; Content-Range when a Range was asked."""
    query = call.query
    kept = filtered(rows, query.get("filter", ""))
    if "sort" in query:
        if not sortable:
            raise QueryError("sort", "This endpoint can't be sorted")
        kept = sorted_by(kept, query["sort"])
    headers = []
    if wanted := call.request.headers.get("Range"):
        bounds = re.fullmatch(r"items=(\d+)-(\d+)", wanted.replace(" ", ""))
        if bounds is None or int(bounds[1]) > int(bounds[2]):
            raise ApiError(416, INVALID, f"Range {wanted!r} can't be read")
        total, first = len(kept), int(bounds[1])
        kept = kept[first : int(bounds[2]) + 1]
        headers.append(("Content-Range", f"items {first}-{first + len(kept) - 1}/{total}"))
    return json_answer([picked(row, query.get("fields")) for row in kept], headers=headers)


def one_answer(call: Call, row: dict[str, Any] | None, status: int = 200) -> Answer:
    """``row`` with the fields asked for; None is a 404. Writes take ``fields`` as a header."""
    if row is None:
        raise ApiError(404, NOT_FOUND, "No such resource")
    reads = call.request.method in ("GET", "HEAD")
    fields = call.query.get("fields") if reads else call.request.headers.get("fields")
    return json_answer(picked(row, fields), status)


def _versions(newest: str) -> list[dict[str, Any]]:
    """What /help/versions says: the newest three are kept fully, the oldest are removed."""
    major = int(float(newest))
    names = [*OLD_VERSIONS, *(f"{number}.0" for number in range(11, major + 1))]
    return [
        {
            "id": number,
            "version": name,
            "deprecated": float(name) <= major - 3,
            "removed": float(name) <= major - 20,
            "root_resource_ids": [],
        }
        for number, name in enumerate(names, start=1)
    ]
