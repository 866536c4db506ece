# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may call what: default deny, one right per view, the caller asked of QRadar (design §6).

A view without a declared right can't be reached at all. Neither the way a request came nor a header
that the proxy puts in (``QRadarUser…``) proves anything: the app's port can be reached without it.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect  # type: ignore[import-untyped] # no stubs

from app.qradar.console import ConsoleUnavailable
from app.qradar.identity import Caller, NotAuthenticated, Right, rights_of, token_of
from app.web.bodies import FORM, JSON, check_kind
from app.web.problems import BODY_LIMIT, Problem, is_api
from app.web.services import services

logger = logging.getLogger(__name__)

# Anybody may call these: the platform's health check, the machine endpoint (which has a token of
# its own), the uninstall hook (which does nothing for those who may not), and files that are the
# same for everybody.
PUBLIC = frozenset({"static", "debug", "triggers_api.receive_trigger", "uninstall.uninstall"})
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HOLDERS = {
    Right.VIEW: "a user role with the Offenses or the Admin capability",
    Right.OPERATE: "the Admin capability, or an operator role named in the settings",
    Right.ADMINISTER: "the Admin capability",
}
View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
_rights: dict[Callable[..., Any], Right] = {}


def needs(right: Right) -> Callable[[View], View]:
    """Declare the right that a caller must have for a view."""

    def declare(view: View) -> View:
        _rights[view] = right
        return view

    return declare


def right_of(endpoint: str) -> Right | None:
    """The right that the view behind ``endpoint`` declares; None: it can't be reached."""
    return _rights.get(current_app.view_functions[endpoint])


def caller() -> Caller:
    """Who sent this request, as the console says."""
    found: Caller = g.caller
    return found


def may(right: Right) -> bool:
    """Whether the caller of this request has ``right``; False while the caller is not known."""
    return right in g.get("rights", frozenset())


def lacking(right: Right) -> str:
    """Why somebody without ``right`` can't do something, in one sentence."""
    return f"This needs the right to {right.value}: {_HOLDERS[right]}."


def register(app: Flask) -> None:
    """Check every request of ``app`` before its view runs."""
    # Checked here, after the caller is known: authorized services need no token (design §6).
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # As long as the session; who looks at a run for hours must still be able to cancel it.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    # The app never sees the address under which the browser knows it.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    csrf.init_app(app)
    app.before_request(_check)


def _check() -> None:
    if request.routing_exception is not None or request.endpoint in PUBLIC:
        return  # 404 and 405 come first (design §5)
    right = right_of(request.endpoint or "")
    if right is None:
        logger.error("no right is declared for %s", request.endpoint)
        raise Problem(403, "Nobody may call this address: the app declares no right for it.")
    if request.method in _WRITES:
        _check_framing()
    _check_store(right)
    _identify()
    if not may(right):
        raise Problem(
            403,
            f"{caller().name} may not do this. {lacking(right)}",
            code="forbidden",
            cause="Your QRadar user role does not include it.",
            advice="Ask a QRadar administrator.",
        )
    if request.method in _WRITES:
        _check_csrf()


def _check_framing() -> None:
    if (request.content_length or 0) > BODY_LIMIT:
        raise Problem(
            413,
            f"The request is larger than {BODY_LIMIT // 1024} KiB.",
            advice="Of certificates, give only the CA that issued the server's.",
        )
    if not is_api():
        check_kind(FORM, "multipart/form-data")
    elif request.content_length or request.mimetype:
        check_kind(JSON)


def _check_store(right: Right) -> None:
    """503 while the store can't be used; the reason is told to QRadar's users only."""
    reason = services().failure()
    if reason is None:
        return
    try:
        known = Right.VIEW in rights_of(_who(), frozenset(), frozenset())
    except Problem:
        known = False
    raise Problem(
        503,
        reason if known else "The app's database can't be used. Sign in to QRadar to see why.",
        code="store_unusable",
        cause="The database could not be brought to the form that this version of the app needs.",
        advice="Install the version that was there before, or send the app's log to support.",
        retry_after=60,
    )


def _identify() -> None:
    settings = services().store.settings
    g.caller = _who()
    g.rights = rights_of(g.caller, frozenset(settings.operator_roles), frozenset(settings.services))


def _who() -> Caller:
    token, _ = token_of(request.headers, request.cookies)
    fresh = request.method in _WRITES
    try:
        return services().identity.who(token, fresh, source=request.remote_addr or "")
    except NotAuthenticated as error:
        raise Problem(
            401,
            "QRadar does not know you: your session has ended, or the token is not valid.",
            cause=str(error),
            advice="Sign in to QRadar again, then open the app from there. "
            "A new authorized service may need Deploy Changes first.",
            retry_after=error.retry_after or None,
        ) from error
    except ConsoleUnavailable as error:
        raise Problem(
            503,
            "The app can't ask the QRadar console who you are.",
            code="console_unavailable",
            cause=" ".join(part for part in (error.message, error.cause) if part),
            advice=error.advice or "Try again in a moment.",
            retry_after=5,
        ) from error


def _check_csrf() -> None:
    # Only a caller that the console names as a service: a nameless one may be somebody's browser.
    if caller().kind == "service" and caller().name:
        g.csrf_valid = True  # also for Flask-WTF's forms
        return
    try:
        csrf.protect()
    except CSRFError as error:
        raise Problem(
            403,
            f"{error.description} Nothing was changed.",
            code="csrf",
            cause="The page was open for long, or in another window somebody else has signed in.",
            advice="Programs send GET /api/v1/csrf's token as X-CSRFToken."
            if is_api()
            else "Load the page again and repeat what you did.",
        ) from error
