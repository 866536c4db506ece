# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a request, and how it is told: one JSON shape under /api/, a page elsewhere.

Every answer that is not a success goes through here, so that the shape ``{"error": {"code",
"message", "field"}}`` (architecture §5) holds for each of them, and every page says what happened,
the likely cause and the next step.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.framework.bulkhead import TooBusy
from app.message import Message, joined
from app.store.database import StoreBusy, StoreFailed, trouble
from app.web.front.framing import BODY_LIMIT

_TITLES = {
    400: Message("This could not be read"),
    401: Message("Not signed in to QRadar"),
    403: Message("Not allowed"),
    404: Message("Not found"),
    405: Message("Not possible here"),
    409: Message("Not possible now"),
    413: Message("Too large"),
    429: Message("Too many requests"),
    500: Message("Something went wrong in the app"),
    503: Message("Not available just now"),
}

logger = logging.getLogger(__name__)

_CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_type",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
_PASSING = {500, 503}  # statuses of pages that may be there in a moment


@dataclass(slots=True)
class Problem(Exception):
    """A request that can't be answered as asked; raised anywhere in web, told by `register`.

    ``cause`` and ``advice`` are for pages; ``field`` names the request's field that is at fault;
    ``retry_after`` is in seconds.
    """

    status: int
    message: str
    code: str | None = None
    field: str | None = None
    cause: str = ""
    advice: str = ""
    retry_after: int | None = None

    def __str__(self) -> str:
        return self.message


def is_api() -> bool:
    """Whether the caller is a program, which wants JSON."""
    return request.path.startswith("/api/")


def is_refresh() -> bool:
    """Whether an open page asks for its newer self (app.js)."""
    return request.method == "GET" and "X-Refresh" in request.headers


def answer(problem: Problem) -> Response:
    """The response that tells ``problem``, as JSON or as a page.

    To a refresh it is a success, marked in the page: the page that asks stays and shows it as a
    sentence, and the browser's console has nothing to complain of.
    """
    if is_api():
        error = {
            "code": problem.code or _CODES.get(problem.status, "error"),
            "message": joined(filter(None, (problem.message, problem.advice)), " "),
            "field": problem.field,
        }
        response = jsonify(error=error)
    else:
        title = _TITLES.get(problem.status, Message("Not possible"))
        again = request.method == "GET" and problem.status in _PASSING
        page = render_template("frame/problem.html", problem=problem, title=title, again=again)
        response = make_response(page)
    response.status_code = 200 if is_refresh() and not is_api() else problem.status
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def store_busy() -> Problem:
    """503: the store can't be written just now; the same request may be sent again."""
    return Problem(
        503,
        Message("The app's database can't be used just now."),
        code="store_busy",
        cause=Message("Another process holds the database for longer than usual."),
        advice=Message("Try again in a moment; if it stays, send the app's log to support."),
        retry_after=1,
    )


def store_unusable_for_rules() -> Problem:
    """503 for a rule's call: why, the pages tell."""
    return Problem(
        503, Message("The app's database can't be used."), code="store_unusable", retry_after=60
    )


def preparing() -> Problem:
    """503: the store is being brought up to date; nothing of it can be read or kept meanwhile."""
    return Problem(
        503,
        Message("The app's database is being brought up to date."),
        code="preparing",
        cause=Message(
            "A new version of the app was installed, or the other of its two processes is"
            " at it; with a large history this takes a minute or two."
        ),
        advice=Message("Wait. Triggers are refused meanwhile, and their script tries again."),
        retry_after=5,
    )


def _too_busy() -> Problem:
    return Problem(
        503,
        Message("The app is busy: too many requests wait for QRadar or CDM."),
        code="busy",
        cause=Message("The QRadar console or a CDM server answers slowly."),
        advice=Message("Try again in a few seconds. Rules can start restores all the while."),
        retry_after=5,
    )


def _from_http(error: HTTPException) -> Problem:
    status = error.code or 500
    if isinstance(error, RequestEntityTooLarge):
        return Problem(
            413, Message("The request is larger than {limit} KiB.", limit=BODY_LIMIT // 1024)
        )
    if status == 404:
        return Problem(
            404,
            Message("There is nothing at this address."),
            advice=Message("Start from the overview."),
        )
    if status == 405:
        return Problem(
            405, Message("This address does not take {method} requests.", method=request.method)
        )
    return Problem(status, error.description or error.name)


def register(app: Flask) -> None:
    """Have every problem, HTTP error, busy store and crash told by this module."""

    @app.errorhandler(Problem)
    def tell_problem(problem: Problem) -> Response:
        return answer(problem)

    @app.errorhandler(StoreBusy)
    def tell_busy_store(error: StoreBusy) -> Response:
        logger.warning("the store is busy: %s", error)
        return answer(store_busy())

    @app.errorhandler(StoreFailed)
    def tell_failing_store(error: StoreFailed) -> ResponseReturnValue:
        found = trouble(error)
        return tell_crash(error) if found is None else app.handle_user_exception(found)

    @app.errorhandler(TooBusy)
    def tell_busy(error: TooBusy) -> Response:
        return answer(_too_busy())

    @app.errorhandler(HTTPException)
    def tell_http_error(error: HTTPException) -> Response:
        response = answer(_from_http(error))
        for name, value in error.get_headers():
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
        return response

    # The rim of the web process: whatever was not foreseen is logged and told without its details.
    @app.errorhandler(Exception)
    def tell_crash(error: Exception) -> Response:
        logger.error("%s %s failed", request.method, request.path, exc_info=error)
        problem = Problem(
            500,
            Message("The app could not answer this request."),
            cause=Message("A fault in the app; the details are in its log."),
            advice=Message("Try again; if it stays, send the app's log to support."),
        )
        return answer(problem)


def one_of(field: str, allowed: Iterable[str]) -> Message:
    """A word that is none of a field's."""
    return Message("{field} must be one of {allowed}.", field=field, allowed=", ".join(allowed))
