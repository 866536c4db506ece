# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings: armed or not, trigger tokens, the script to download, who changed what."""

import logging

from flask import Blueprint, Response, flash, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app.configuration import checks
from app.configuration.checks import InvalidField
from app.framework.bulkhead import TooBusy
from app.message import Message, joined
from app.qradar.administrator import NotDone
from app.qradar.identity import Right
from app.restore.model import Mode
from app.store.put_back import confirm
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.forms import SettingsForm, TokenForm
from app.web.frame.problems import Problem
from app.web.services import services
from app.web.set_up.pages import administrator

_CHANGED = {
    Mode.ARMED: Message("The app is armed."),
    Mode.OBSERVE: Message("The app is observing: it starts nothing."),
    Mode.DISARMED: Message("The app is disarmed."),
}
_EVENTS_ARE = {
    "on": Message("Events in QRadar's log are on."),
    "off": Message("Events in QRadar's log are off."),
}

logger = logging.getLogger(__name__)
bp = Blueprint("settings", __name__, url_prefix="/settings")
_USER_ROLES = "/api/config/access/user_roles"
_CHANGES = 20
_LOOKED_THROUGH = 2000  # audit rows; those of runs stand on the runs' pages


@bp.get("")
@needs(Right.ADMINISTER)
def show() -> str:
    """The settings page."""
    return _page(TokenForm(formdata=None))


@bp.post("/mode")
@needs(Right.ADMINISTER)
def set_mode() -> BaseResponse:
    """Arm the app, disarm it, or have it only observe."""
    try:
        mode = Mode(str(checks.one_of(Mode)(request.form.get("mode"), "mode")))
    except InvalidField as error:
        raise Problem(400, str(error), field="mode") from error
    services().store.settings.set_mode(mode, by=caller().name, now=services().clock())
    logger.info("the app was %s by %s", mode, caller().name)
    flash(_CHANGED[mode], "good")
    return go_to("set_up.show" if request.form.get("back") == "set_up" else "settings.show")


@bp.post("/leef")
@needs(Right.ADMINISTER)
def set_leef() -> BaseResponse:
    """Tell QRadar's log what the app does, or not."""
    wanted = request.form.get("leef")
    if wanted not in {"on", "off"}:
        raise Problem(400, Message("leef must be on or off."), field="leef")
    store, now = services().store, services().clock()
    store.settings.set("leef", wanted == "on", by=caller().name, now=now)
    flash(_EVENTS_ARE[wanted], "good")
    return go_to("settings.show")


@bp.post("/own-events")
@needs(Right.ADMINISTER)
def set_own_events() -> str | BaseResponse:
    """Name the log source and the event ids of the app's own events."""
    form = SettingsForm()
    values = form.values("own_log_sources", "own_qids")
    if values is None:
        return _page(TokenForm(formdata=None), own_form=form)
    for key, numbers in values.items():
        services().store.settings.set(key, numbers, by=caller().name, now=services().clock())
    flash(Message("The ids of the app's own events are saved."), "good")
    return go_to("settings.show")


@bp.post("/tokens")
@needs(Right.ADMINISTER)
def new_token() -> str:
    """Make a trigger token and show it, this once."""
    form = TokenForm()
    fields = form.values()
    if fields is None:
        return _page(form)
    try:
        token = services().store.tokens.new(
            str(fields["name"]), by=caller().name, now=services().clock()
        )
    except ValueError as error:
        form.name.errors = [str(error)]
        return _page(form)
    return _page(TokenForm(formdata=None), new_name=str(fields["name"]), new_token=token)


@bp.post("/tokens/revoke")
@needs(Right.ADMINISTER)
def revoke_token() -> BaseResponse:
    """Make a trigger token invalid at once."""
    name = request.form.get("name", "")
    try:
        services().store.tokens.revoke(name, by=caller().name, now=services().clock())
    except LookupError as error:
        raise Problem(
            404, Message("There is no such trigger token; it may be revoked already.")
        ) from error
    flash(
        Message("The trigger token {name} is revoked: calls that carry it are refused.", name=name),
        "good",
    )
    return go_to("settings.show")


@bp.post("/tokens/confirm")
@needs(Right.ADMINISTER)
def confirm_tokens() -> BaseResponse:
    """Make the trigger tokens of a store that was put back valid again."""
    done = confirm(services().store, by=caller().name, now=services().clock())
    said = (
        Message("The trigger tokens are valid again.")
        if done
        else Message("There is nothing to confirm: the trigger tokens are valid.")
    )
    if done and services().store.settings.mode is Mode.DISARMED:
        said = joined((said, Message("The app stays disarmed until you arm it.")), " ")
    flash(said, "good")
    return go_to("settings.show")


@bp.post("/operator-roles")
@needs(Right.ADMINISTER)
def set_operator_roles() -> BaseResponse:
    """Choose the QRadar roles that may operate runs."""
    try:
        roles = checks.check_names(request.form.getlist("role"), "operator_roles")
    except InvalidField as error:
        raise Problem(400, str(error), field="operator_roles") from error
    services().store.settings.set("operator_roles", roles, by=caller().name, now=services().clock())
    flash(Message("The operator roles are saved."), "good")
    return go_to("settings.show")


@bp.get("/start_restore.sh")
@needs(Right.ADMINISTER)
def download_script() -> Response:
    """The custom action's script for this console; it holds no secret."""
    response = Response(services().make_script(), mimetype="application/x-sh")
    response.headers["Content-Disposition"] = 'attachment; filename="start_restore.sh"'
    return response


def _roles() -> tuple[list[str], str | None]:
    """The names of the console's roles and of those chosen; and why QRadar's can't be listed."""
    chosen, problem = set(services().store.settings.values().operator_roles), None
    try:
        with services().bulkhead.place():
            rows = administrator().rows(_USER_ROLES, Message("list the user roles"))
    except NotDone as error:
        rows, problem = [], str(error)
    except TooBusy:
        rows, problem = [], Message("Too much is asked of QRadar at this moment.")
    listed = {str(row["name"]) for row in rows if row.get("name")}
    return sorted(listed | chosen, key=str.casefold), problem


def _page(
    form: TokenForm,
    *,
    new_name: str = "",
    new_token: str = "",
    own_form: SettingsForm | None = None,
) -> str:
    store = services().store
    settings = store.settings.values()
    changes = store.audit.recent(_LOOKED_THROUGH)
    roles, roles_problem = _roles()
    return render_template(
        "settings/settings.html",
        form=form,
        new_name=new_name,
        new_token=new_token,
        mode=store.settings.mode,
        mode_change=store.audit.last("mode"),
        tokens=store.tokens.list(),
        settings=settings,
        own_events=store.settings.own_events,
        own_form=own_form or SettingsForm.of(settings),
        roles=roles,
        roles_problem=roles_problem,
        qradar=store.qradar.console(),
        token_warning=store.qradar.console().token_warning(services().clock()),
        leef=settings.leef,
        changes=[one for one in changes if not one.action.startswith("run ")][:_CHANGES],
    )
