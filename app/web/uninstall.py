# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What QRadar calls when Extensions Management uninstalls the app (qradar-platform §1.3).

It must be answered with 2xx and JSON, whoever calls, or QRadar reports that the uninstallation
failed. In which form its internal user identifies itself is not documented. So an administrator's
token in the header SEC, which no web page can forge, has everything removed. Any other caller is
told what remains to be removed by hand, in words that are the same for everybody, and nothing is
done.
"""

import logging

from flask import Blueprint, Response, jsonify, request

from app.framework.bulkhead import TooBusy
from app.qradar import authorized_services
from app.qradar.action_installer import ACTION_NAME
from app.qradar.administrator import NotDone
from app.qradar.console import ConsoleUnavailable
from app.qradar.identity import NotAuthenticated, Right, rights_of
from app.store.database import StoreBusy
from app.web import texts
from app.web.problems import Problem
from app.web.services import services
from app.web.set_up import alone, installer

logger = logging.getLogger(__name__)
bp = Blueprint("uninstall", __name__)

BY_HAND = texts.action.by_hand(ACTION_NAME, authorized_services.LABEL)


@bp.post("/api/v1/uninstall")
def uninstall() -> Response:
    """Remove the custom action, its script and its authorized service; name what remains."""
    try:
        name = _administrator()
        remaining = None if name is None else _remove(name)
    except (NotDone, Problem, TooBusy, StoreBusy) as error:
        logger.warning("uninstall could not remove anything: %s", error)
        return _answer(texts.action.nothing_removed(str(error)), list(BY_HAND))
    if remaining is None:
        logger.warning("uninstall was called without an administrator's token: nothing was removed")
        return _answer(texts.action.NOT_ADMINISTRATOR, list(BY_HAND))
    words = texts.action.NOT_ALL_REMOVED if remaining else texts.action.ALL_REMOVED
    logger.info("uninstall by %s: %s", name, words)
    return _answer(words, remaining)


def _remove(name: str) -> list[str]:
    with alone(), services().bulkhead.place():
        return installer(by=name).remove()


def _administrator() -> str | None:
    """The caller's name if QRadar says that it may administer, asked afresh; else None."""
    token = request.headers.get("SEC")
    if not token or services().failure() is not None:
        return None
    try:
        caller = services().identity.who(token, True, source=request.remote_addr or "")
    except (NotAuthenticated, ConsoleUnavailable):
        return None
    named = frozenset(services().store.settings.services)
    if Right.ADMINISTER not in rights_of(caller, frozenset(), named):
        return None
    return caller.name or "uninstall"


def _answer(message: str, remaining: list[str]) -> Response:
    return jsonify(message=message, not_removed=remaining)
