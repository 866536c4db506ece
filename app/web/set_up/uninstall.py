# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What QRadar calls when Extensions Management uninstalls the app (qradar §1.3).

QRadar shows people something of the hook only when it fails, and whether a failure holds up the
deletion is not documented. So what stays on the console is answered with an error that names it;
but to whoever calls again within ten minutes it is named in a success. In which form QRadar's
internal user identifies itself is not documented either: an administrator's token in the header
SEC, which no web page can forge, has everything removed; for any other caller nothing is done, and
what stays is told by our own records, in words that are the same for everybody.
"""

import logging
from datetime import timedelta

from flask import Blueprint, Response, jsonify, request

from app.framework.bulkhead import TooBusy
from app.framework.console_peers import plain
from app.message import Message, joined
from app.qradar import authorized_services
from app.qradar.action_installer import ACTION_NAME
from app.qradar.administrator import NotDone
from app.qradar.console import ConsoleUnavailable
from app.qradar.identity import NotAuthenticated, Right, rights_of
from app.store.database import StoreBusy, StoreFailed
from app.web.frame.problems import Problem
from app.web.services import services
from app.web.set_up.action_book import StoredBook
from app.web.set_up.pages import alone, installer

logger = logging.getLogger(__name__)
bp = Blueprint("uninstall", __name__)

_TOLD_FOR = timedelta(minutes=10)
_LEFT = {
    "action": Message(
        "the custom action {action} (Admin, Custom Actions, Define Actions)", action=ACTION_NAME
    ),
    "script": Message("its script start_restore (goes with the custom action)"),
    "service": Message(
        "authorized services named {service} (Admin, Authorized Services)",
        service=authorized_services.LABEL,
    ),
}


@bp.post("/api/v1/uninstall")
def uninstall() -> Response:
    """Remove the custom action, its script and its authorized service; name what remains."""
    if services().preparing or services().failure() is not None:
        return _answer(Message("The app's database can't be used."), list(_LEFT.values()))
    said, left = _remove()
    logger.log(logging.WARNING if left else logging.INFO, "uninstall: %s %s", said, "; ".join(left))
    if left and not _told_before():
        raise Problem(
            409,
            Message("{said} Still on the console: {left}.", said=said, left=joined(left, "; ")),
            code="not_removed",
            advice=Message(
                "Remove the custom action on the app's Set-up page, or all of it by hand; or"
                " uninstall again within ten minutes to leave it there."
            ),
        )
    return _answer(said, left)


def _remove() -> tuple[str, list[str]]:
    """What was done, and what stays on the console."""
    try:
        name = _administrator()
        if name is not None:
            with alone(), services().bulkhead.place():
                left = installer(by=name).remove()
            return Message("Not everything could be removed.") if left else Message(
                "Everything was removed."
            ), left
    except ConsoleUnavailable as error:
        return Message("Nothing was removed. {reason}", reason=error.message), _on_record()
    except (NotDone, Problem, TooBusy, StoreBusy, StoreFailed) as error:
        return Message("Nothing was removed. {reason}", reason=str(error)), _on_record()
    return Message(
        "The call carried no administrator's token, so nothing was removed; what is"
        " still there is told by the app's own records."
    ), _on_record()


def _on_record() -> list[str]:
    """What our records say stands on the console; everything, where they can't be read."""
    try:
        book = StoredBook(services().store, by="", now=services().clock()).read()
    except (Problem, StoreBusy, StoreFailed):
        return list(_LEFT.values())
    known = [one for one in (book.current, book.pending, *book.old) if one is not None]
    # an attempt that was cut off may have made each of them without our knowing its number
    found = {
        "action": any(one.action_id is not None for one in known),
        "script": any(one.script_id is not None for one in known),
        "service": any(one.service_id is not None for one in known),
    }
    return [words for kind, words in _LEFT.items() if book.pending or found[kind]]


def _told_before() -> bool:
    """Whether an error has named what stays within the last ten minutes; it does from now on.

    True where that can't be kept in mind: a broken store must not hold up the deletion.
    """
    now = services().clock()
    try:
        settings = services().store.settings
        told = settings.uninstall_told_at()
        if told is not None and timedelta(0) <= now - told <= _TOLD_FOR:
            return True
        settings.note_uninstall_told(now)
    except (Problem, StoreBusy, StoreFailed):
        return True
    return False


def _administrator() -> str | None:
    """The caller's name if QRadar says that it may administer, asked afresh; else None.

    Raises `ConsoleUnavailable` when QRadar can't be asked.
    """
    token = request.headers.get("SEC")
    if not token:
        return None
    try:
        caller = services().identity.who(token, True, source=plain(request.remote_addr or ""))
    except NotAuthenticated:
        return None
    named = frozenset(services().store.settings.values().services)
    if Right.ADMINISTER not in rights_of(caller, frozenset(), named):
        return None
    return caller.name or "uninstall"


def _answer(message: str, left: list[str]) -> Response:
    return jsonify(message=message, not_removed=left)
