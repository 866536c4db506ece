# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The set-up page: what is to be done before a rule can start a restore, in order.

The custom action's button puts it on the console with the session of whoever presses it.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from app.framework.links import console_url
from app.framework.masking import mask
from app.message import Message, joined
from app.qradar import authorized_services, custom_action
from app.qradar.action_check import Findings, check
from app.qradar.action_installer import ACTION_NAME, Installer, NameTaken, Wish, check_console
from app.qradar.administrator import Administrator, NotDone
from app.qradar.authorized_services import Role
from app.qradar.identity import Right, token_of
from app.qradar.installed_action import Book
from app.restore.model import Outcome
from app.store.settings import TriggerToken
from app.store.store import Store
from app.store.triggers import ReceivedTrigger
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.mappings.attachment import attachments, is_deployed
from app.web.mappings.pages import sentence
from app.web.mappings.simulation import verdict_of
from app.web.services import Services, services
from app.web.set_up.action_book import StoredBook
from app.web.set_up.steps import steps

_VALIDITIES = {"90": Message("90 days"), "365": Message("1 year"), "730": Message("2 years")}

logger = logging.getLogger(__name__)
bp = Blueprint("set_up", __name__, url_prefix="/set-up")

_PRESET = "365"
_LOOKED_BACK = 500  # triggers, for the last test
APP_NAME = "Safeguarded restore"  # as in manifest.json: the console names our capability by it

_at_work = threading.Lock()  # one change of the custom action at a time; web is one process


@dataclass(frozen=True, slots=True)
class OnConsole:
    """What the console says, as far as it could be asked."""

    roles: tuple[Role, ...] = ()
    findings: Findings | None = None
    error: NotDone | None = None
    no_script: Problem | None = None

    @property
    def up_to_date(self) -> bool:
        """Whether what is installed is as this version would install it now."""
        return self.findings is not None and not self.findings.reasons and not self.no_script


@bp.get("")
@needs(Right.ADMINISTER)
def show() -> str:
    """The set-up page."""
    return _page()


@bp.post("/custom-action")
@needs(Right.ADMINISTER)
def install() -> Response | str:
    """Create the custom action, or bring it up to date with new tokens."""
    try:
        wish = _wish()
    except ValueError as error:
        return _page(error=NotDone(f"{error}", advice=Message("Nothing was changed.")))
    script = services().make_script()
    try:
        with alone(), services().bulkhead.place():
            done = installer(by=caller().name).install(wish, script, console=services().console)
    except NameTaken as error:
        return _page(error=error, foreign=error.action.id)
    except NotDone as error:
        logger.warning("the custom action was not installed: %s", error)
        return _page(error=error)
    logger.info("custom action %d installed by %s", done.action_id or 0, caller().name)
    flash(
        Message(
            "The custom action {action} is on the console. Two steps remain, see below:"
            " Deploy Changes, and attach it to your rule.",
            action=ACTION_NAME,
        ),
        "good",
    )
    return go_to("set_up.show")


@bp.post("/custom-action/remove")
@needs(Right.ADMINISTER)
def remove() -> Response | str:
    """Take the custom action away, with its script, authorized service and trigger token."""
    try:
        with alone(), services().bulkhead.place():
            problems = installer(by=caller().name).remove()
    except NotDone as error:
        return _page(error=error)
    return _told(
        problems, Message("The custom action is removed. Run Deploy Changes to make it effective.")
    )


@bp.post("/services/remove")
@needs(Right.ADMINISTER)
def remove_service() -> Response | str:
    """Take away an authorized service of ours that is no longer in use."""
    label = request.form.get("label", "")
    try:
        with alone(), services().bulkhead.place():
            problems = installer(by=caller().name).remove_old(label)
    except NotDone as error:
        return _page(error=error)
    return _told(problems, Message("The authorized service {service} is removed.", service=label))


def _told(problems: list[str], good: str) -> Response | str:
    if not problems:
        flash(good, "good")
        return go_to("set_up.show")
    left = NotDone(
        Message("Not everything could be removed."),
        cause=joined(problems, " "),
        advice=Message("Try again, or remove it under Admin: Custom Actions, Authorized Services."),
    )
    return _page(error=left)


def _wish() -> Wish:
    """What the form asks for; ValueError names the field that is wrong."""
    form = request.form
    if not form.get("role_id", "").isdecimal():
        raise ValueError(Message("Choose the user role of the authorized service."))
    if form.get("days") not in _VALIDITIES:
        raise ValueError(Message("Choose how long the token is valid."))
    try:
        console = check_console(form.get("console", ""))
    except ValueError as error:
        raise ValueError(
            Message("The console's address for the script {error}", error=error)
        ) from error
    mapping = form.get("mapping", "")
    if mapping and services().store.mappings.find(mapping) is None:
        raise ValueError(Message("There is no mapping named {name}.", name=mapping))
    adopt = form.get("adopt", "")
    return Wish(
        role_id=int(form["role_id"]),
        expires_at=services().clock() + timedelta(days=int(form["days"])),
        console=console,
        mapping=mapping,
        adopt=int(adopt) if adopt.isdecimal() else None,
    )


@contextmanager
def alone() -> Iterator[None]:
    """Let nobody else change the custom action meanwhile; `Problem` 409 if somebody does."""
    if not _at_work.acquire(blocking=False):
        raise Problem(
            409,
            Message("The custom action is being changed at this moment."),
            cause=Message("The button was pressed twice, or by two people."),
            advice=Message("Open the set-up page again in a few seconds."),
        )
    try:
        yield
    finally:
        _at_work.release()


def administrator() -> Administrator:
    """The console's REST API on the authority of whoever sent this request."""
    token, _ = token_of(request.headers, request.cookies)
    mask(token or "")
    return Administrator(services().console_api, token or "", request.cookies.get("QRadarCSRF", ""))


def installer(*, by: str) -> Installer:
    """Works on the console in the name of ``by``, who sent this request."""
    now = services().clock()
    keeper = StoredBook(services().store, by=by, now=now)
    return Installer(administrator(), keeper, by=by, now=now, version=services().version)


def _look() -> OnConsole:
    """Ask the console about roles and about what is installed."""
    script, no_script = None, None
    try:
        script = services().make_script()
    except Problem as problem:
        no_script = problem
    store, now = services().store, services().clock()
    keeper = StoredBook(store, by="", now=now)
    try:
        with services().bulkhead.place():
            admin = administrator()
            findings = check(
                admin,
                keeper.read(),
                script=script,
                console=services().console,
                tokens=keeper.token_names(),
                mappings={mapping.name for mapping in store.mappings.list()},
                now=now,
            )
            roles = authorized_services.fitting_roles(admin, APP_NAME)
    except NotDone as error:
        return OnConsole(error=error, no_script=no_script)
    return OnConsole(roles, findings, None, no_script)


def _page(*, error: NotDone | None = None, foreign: int | None = None) -> str:
    state, store, now = services(), services().store, services().clock()
    book = StoredBook(store, by="", now=now).read()
    triggers = store.triggers.recent(_LOOKED_BACK, simulated=False)
    on_console, connections = _look(), store.connections.list()
    names = {one.id: one.name for one in connections}
    simulation = store.triggers.last_simulation()
    up_to_date = bool(book.current and on_console.up_to_date)
    known = book.current is not None and on_console.findings is not None
    return render_template(
        "set_up/set_up.html",
        action_name=ACTION_NAME,
        steps=steps(store, action_done=up_to_date if known else None),
        connections=connections,
        contacts={one.id: store.connections.contact(one.id) for one in connections},
        mappings=[(one, sentence(one, names[one.connection_id])) for one in store.mappings.list()],
        mode=store.settings.mode,
        mode_change=store.audit.last("mode"),
        simulation=simulation,
        verdict=verdict_of(simulation) if simulation else None,
        book=book,
        on_console=on_console,
        up_to_date=up_to_date,
        error=error,
        foreign=foreign,
        attachments=attachments(store),
        deployed=is_deployed(store),
        tests=_tests(triggers, book.current.installed_at if book.current else None),
        last_call=next((one for one in triggers if one.outcome != Outcome.TEST), None),
        chosen=_chosen(now),
        validities=[
            (days, words, now + timedelta(days=int(days))) for days, words in _VALIDITIES.items()
        ],
        parameters=by_hand(state),
        tokens={token.name: token for token in store.tokens.list()},
        by_hand=_called_by_hand(store, book),
        console_url=console_url(),
    )


def _chosen(now: datetime) -> dict[str, str]:
    """What the form shows: what was sent, else what is installed, else the presets."""
    current = StoredBook(services().store, by="", now=now).read().current
    installed = (
        {"role_id": str(current.role_id), "console": current.console, "mapping": current.mapping}
        if current
        else {}
    )
    return (
        {"days": _PRESET, "role_id": "", "console": "", "mapping": ""}
        | installed
        | {
            name: request.form[name]
            for name in ("role_id", "days", "console", "mapping")
            if name in request.form
        }
    )


def _tests(
    triggers: Sequence[ReceivedTrigger], since: datetime | None
) -> tuple[ReceivedTrigger | None, bool]:
    """The last connection test, and whether it is one of the action as it is installed."""
    last = next((one for one in triggers if one.outcome == Outcome.TEST), None)
    return last, bool(last and (since is None or last.received_at >= since))


def _called_by_hand(store: Store, book: Book) -> TriggerToken | None:
    """The trigger token, of none of the app's own actions, with which the last call has come."""
    own = {one.token_name for one in book.old}
    used = [one for one in store.tokens.list() if one.last_used_at and one.name not in own]
    return max(used, key=lambda one: one.last_used_at or one.created_at, default=None)


def by_hand(services: Services) -> list[tuple[custom_action.Parameter, str]]:
    """The parameters of the custom action, each with what to enter for it."""
    fixed = {
        "console": services.console,
        "path": custom_action.TRIGGER_PATH,
        "sec": Message("the token of the authorized service"),
        "token": Message("a trigger token"),
        "mapping": Message(
            "{empty} (or a mapping's name, which then wins over the rule)",
            empty=custom_action.EMPTY,
        ),
    }
    return [(one, fixed.get(one.name, one.name)) for one in custom_action.PARAMETERS]
