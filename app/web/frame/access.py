# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may call what: default deny, one right per view, QRadar is asked (architecture §6).

A view without a declared right can't be reached at all. Neither the way a request came nor a header
that the proxy puts in (``QRadarUser…``) proves anything: the app's port can be reached without it.
"""

import hmac
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect  # type: ignore[import-untyped] # no stubs

from app.framework.bulkhead import TooBusy
from app.framework.console_peers import plain
from app.message import Message, joined
from app.qradar.caller import Caller
from app.qradar.console import ConsoleUnavailable
from app.qradar.identity import NotAuthenticated, Right, rights_of, token_of
from app.store.database import StoreBroken
from app.store.migrate import told
from app.web.frame.bodies import FORM, JSON, check_kind, check_texts
from app.web.frame.problems import Problem, answer, is_api, preparing, store_unusable_for_rules
from app.web.services import services

logger = logging.getLogger(__name__)

# Anybody may call these: the platform's health check, the machine endpoint (which has a token of
# its own), the uninstall hook (which does nothing for those who may not), and files that are the
# same for everybody.
LACKING = {
    Right.VIEW: Message(
        "This needs the right to view: a user role with the Offenses or the Admin capability."
    ),
    Right.OPERATE: Message(
        "This needs the right to operate: the Admin capability, or an operator role named"
        " in the settings."
    ),
    Right.ADMINISTER: Message("This needs the right to administer: the Admin capability."),
}
PUBLIC = frozenset({"static", "debug", "triggers_api.receive_trigger", "uninstall.uninstall"})
_CSRF_FOR = "csrf_for"  # the session's word for whom its CSRF token was made
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
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


def register(app: Flask) -> None:
    """Check every request of ``app`` before its view runs."""
    # Checked here, after the caller is known: authorized services need no token (architecture §6).
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # As long as the session; who looks at a run for hours must still be able to cancel it.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    # The app never sees the address under which the browser knows it.
    app.config["WTF_CSRF_SSL_STRICT"] = False
    csrf.init_app(app)
    app.before_request(_check)
    app.register_error_handler(StoreBroken, _tell_broken_store)
    app.after_request(_bind_csrf)


def _check() -> None:
    if request.routing_exception is not None or request.endpoint in PUBLIC:
        return  # 404 and 405 come first (architecture §5)
    right = right_of(request.endpoint or "")
    if right is None:
        logger.error("no right is declared for %s", request.endpoint)
        raise Problem(
            403, Message("Nobody may call this address: the app declares no right for it.")
        )
    if request.method in _WRITES:
        _check_media_type()
    _check_store(right)
    _identify()
    if not may(right):
        raise Problem(
            403,
            Message(
                "{name} may not do this. {lacking}", name=caller().name, lacking=LACKING[right]
            ),
            code="forbidden",
            cause=Message("Your QRadar user role does not include it."),
            advice=Message("Ask a QRadar administrator."),
        )
    if request.method in _WRITES:
        _check_csrf()
        check_texts()


def _check_media_type() -> None:
    if not is_api():
        check_kind(FORM, "multipart/form-data")
    elif request.content_length or request.mimetype:
        check_kind(JSON)


def _check_store(right: Right) -> None:
    """503 while the store can't be used; the reason is told to QRadar's users only."""
    if services().preparing:
        raise preparing()
    reason = services().failure()
    if reason is not None:
        raise _unusable(reason)


def _tell_broken_store(error: StoreBroken) -> Response:
    """The same of a store that breaks while it is in use."""
    reason = told(services().database_path, error)
    logger.error("the store broke: %s", reason)
    if request.endpoint in PUBLIC:
        return answer(store_unusable_for_rules())
    return answer(_unusable(reason))


def _unusable(reason: str) -> Problem:
    try:
        known = Right.VIEW in rights_of(_who(), frozenset(), frozenset())
    except (Problem, TooBusy):
        known = False
    return Problem(
        503,
        reason
        if known
        else Message("The app's database can't be used. Sign in to QRadar to see why."),
        code="store_unusable",
        cause=""
        if known  # then the reason names it
        else Message(
            "The database is damaged, lost, from a newer version of the app, or could not"
            " be brought to the form that this version needs; or its disk is full or"
            " read-only."
        ),
        advice=Message(
            "Triggers are refused until it can be used. It is tried again every minute;"
            " what to do stands under Copies of the database in the app's README."
        ),
        retry_after=60,
    )


def _identify() -> None:
    settings = services().store.settings.values()
    g.caller = _who()
    g.rights = rights_of(g.caller, frozenset(settings.operator_roles), frozenset(settings.services))
    _forget_others_csrf()


def _who() -> Caller:
    token, _ = token_of(request.headers, request.cookies)
    fresh = request.method in _WRITES
    try:
        return services().identity.who(token, fresh, source=plain(request.remote_addr or ""))
    except NotAuthenticated as error:
        raise Problem(
            401,
            Message("QRadar does not know you: your session has ended, or the token is not valid."),
            cause=str(error),
            advice=Message(
                "Sign in to QRadar again, then open the app from there. A new authorized"
                " service may need Deploy Changes first."
            ),
            retry_after=error.retry_after or None,
        ) from error
    except ConsoleUnavailable as error:
        raise Problem(
            503,
            Message("The app can't ask the QRadar console who you are."),
            code="console_unavailable",
            cause=joined([part for part in (error.message, error.cause) if part], " "),
            advice=error.advice or Message("Try again in a moment."),
            retry_after=5,
        ) from error


def _fingerprint() -> str:
    """Of the caller's QRadar token; the session cookie that keeps it can be read by its holder."""
    token, _ = token_of(request.headers, request.cookies)
    key = str(current_app.secret_key).encode()
    return hmac.new(key, (token or "").encode("utf-8", "replace"), "sha256").hexdigest()


def _bind_csrf(response: Response) -> Response:
    """Note for whom the CSRF token was made; with another's QRadar token it is worth nothing."""
    if g.get("caller") is not None and "csrf_token" in session and _CSRF_FOR not in session:
        session[_CSRF_FOR] = _fingerprint()
    return response


def _forget_others_csrf() -> None:
    made_for = session.get(_CSRF_FOR)
    if "csrf_token" in session and not hmac.compare_digest(str(made_for), _fingerprint()):
        session.pop("csrf_token")
        session.pop(_CSRF_FOR, None)


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
            Message("{reason} Nothing was changed.", reason=str(error.description)),
            code="csrf",
            cause=Message(
                "The page was open for long, or in another window somebody else has signed in."
            ),
            advice=Message("Programs send GET /api/v1/csrf's token as X-CSRFToken.")
            if is_api()
            else Message("Load the page again and repeat what you did."),
        ) from error
