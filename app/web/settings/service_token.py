# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Storing the service token: what the worker finds offenses and writes notes with."""

import logging
import re
import secrets as random

from flask import Blueprint, request
from werkzeug.wrappers import Response

from app.framework.console_peers import plain
from app.framework.masking import mask
from app.framework.secrets import SecretNotStored
from app.message import Message
from app.qradar import authorized_services, service_token
from app.qradar.console import ConsoleRefused, ConsoleUnavailable
from app.qradar.identity import NotAuthenticated, Right
from app.qradar.service_token import LacksOffenses, NotAService, TokenFacts
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.language import flash
from app.web.services import services

logger = logging.getLogger(__name__)
bp = Blueprint("service_token", __name__, url_prefix="/settings/service-token")

# Anything else is not asked about: QRadar locks a host out that shows it bad tokens (qradar §3.4).
_TOKEN = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")


class _Unusable(Exception):
    """The token can't be stored; the message says why and what to do."""


@bp.post("")
@needs(Right.ADMINISTER)
def save() -> Response:
    """Check a token at the console and store it; the page never shows it again."""
    token = request.form.get("token", "").strip()
    mask(token)
    try:
        facts = _checked(token)
        label = f"qradar-{random.token_hex(8)}"
        services().secrets.put(label, token)
    except (_Unusable, SecretNotStored) as error:
        flash(Message("The service token was not stored: {reason}", reason=str(error)), "bad")
        return go_to("settings.show")
    _keep(label, facts)
    logger.info("a service token (%s) was stored by %s", facts.name, caller().name)
    flash(Message("The service token {name} is stored.", name=facts.name), "good")
    return go_to("settings.show")


@bp.post("/remove")
@needs(Right.ADMINISTER)
def remove() -> Response:
    """Forget the stored token."""
    _keep(None, None)
    flash(Message("The service token is removed; offenses are no longer looked for."), "good")
    return go_to("settings.show")


def _keep(label: str | None, facts: TokenFacts | None) -> None:
    """Name the token that counts from now on, then drop the one before."""
    old = services().store.qradar.set_token(
        label,
        name=None if facts is None else facts.name,
        expires_at=None if facts is None else facts.expires_at,
        by=caller().name,
        now=services().clock(),
    )
    if old is None:
        return
    try:
        services().secrets.drop(old)
    except OSError as error:  # nobody names it any more: an untidiness, not a failure
        logger.warning("an old stored token could not be removed: %s", error)


def _checked(token: str) -> TokenFacts:
    if not _TOKEN.fullmatch(token):
        raise _Unusable(Message("it does not look like the token of an authorized service."))
    try:
        source = plain(request.remote_addr or "")
        with services().bulkhead.place(), services().identity.room(token, source):
            facts = service_token.check(services().console_api, token)
    except (NotAService, LacksOffenses, NotAuthenticated) as error:
        raise _Unusable(str(error)) from error
    except ConsoleRefused as error:
        raise _Unusable(
            Message(
                "QRadar does not accept it (HTTP {status}). Copy it again; after making an"
                " authorized service, Deploy Changes may be needed first.",
                status=error.status,
            )
        ) from error
    except ConsoleUnavailable as error:
        raise _Unusable(Message("it can't be checked now. {reason}", reason=str(error))) from error
    if facts.name.startswith(authorized_services.LABEL):
        raise _Unusable(
            Message(
                "it is the token of the custom action, which lies on every event processor."
                " Make another authorized service for the app itself."
            )
        )
    return facts
