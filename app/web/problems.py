# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a request, and how it is told: one JSON shape under /api/, a page elsewhere.

Every answer that is not a success goes through here, so that the shape ``{"error": {"code",
"message", "field"}}`` (design §5) holds for each of them, and every page says what happened, the
likely cause and the next step.
"""

import logging
from dataclasses import dataclass

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.framework.bulkhead import TooBusy
from app.store.database import StoreBusy, StoreFailed

logger = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024  # bytes, for every request (design §5)
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
_TITLES = {
    400: "This could not be read",
    401: "Not signed in to QRadar",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not possible now",
    413: "Too large",
    429: "Too many requests",
    500: "Something went wrong in the app",
    503: "Not available just now",
}


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


def answer(problem: Problem) -> Response:
    """The response that tells ``problem``, as JSON or as a page."""
    if is_api():
        error = {
            "code": problem.code or _CODES.get(problem.status, "error"),
            "message": " ".join(part for part in (problem.message, problem.advice) if part),
            "field": problem.field,
        }
        response = jsonify(error=error)
    else:
        title = _TITLES.get(problem.status, "Not possible")
        response = make_response(render_template("problem.html", problem=problem, title=title))
    response.status_code = problem.status
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def store_busy() -> Problem:
    """503: the store can't be written just now; the same request may be sent again."""
    return Problem(
        503,
        "The app's database can't be used just now.",
        code="store_busy",
        cause="Another process holds the database, or its disk is full or read-only.",
        advice="Try again in a moment; if it stays, look at the disk space of the app's store.",
        retry_after=1,
    )


def _too_busy() -> Problem:
    return Problem(
        503,
        "The app is busy: too many requests wait for QRadar or CDM.",
        code="busy",
        cause="The QRadar console or a CDM server answers slowly.",
        advice="Try again in a few seconds. Rules can start restores all the while.",
        retry_after=5,
    )


def _from_http(error: HTTPException) -> Problem:
    status = error.code or 500
    if isinstance(error, RequestEntityTooLarge):
        return Problem(413, f"The request body is larger than {BODY_LIMIT // 1024} KiB.")
    if status == 404:
        return Problem(404, "There is nothing at this address.", advice="Start from the overview.")
    if status == 405:
        return Problem(405, f"This address does not take {request.method} requests.")
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
    def tell_failing_store(error: StoreFailed) -> Response:
        logger.error("the store failed", exc_info=error)
        return answer(store_busy())

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
            "The app could not answer this request.",
            cause="A fault in the app; the details are in its log.",
            advice="Try again; if it stays, send the app's log to support.",
        )
        return answer(problem)
