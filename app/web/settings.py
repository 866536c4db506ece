# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings: armed or not, trigger tokens, the script to download, who changed what."""

import logging

from flask import Blueprint, Response, flash, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app.qradar.identity import Right
from app.restore import checks
from app.restore.checks import InvalidField
from app.web.access import caller, needs
from app.web.addresses import go_to
from app.web.forms import TokenForm
from app.web.problems import Problem
from app.web.services import services

logger = logging.getLogger(__name__)
bp = Blueprint("settings", __name__, url_prefix="/settings")
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
    """Arm or disarm the app."""
    try:
        mode = checks.check_mode(request.form.get("mode"))
    except InvalidField as error:
        raise Problem(400, str(error), field="mode") from error
    services().store.settings.set_mode(mode, by=caller().name, now=services().clock())
    logger.info("the app was %s by %s", mode, caller().name)
    flash(f"The app is {mode}.", "good")
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
        form.name.errors = [f"{error}."]
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
        raise Problem(404, "There is no such trigger token; it may be revoked already.") from error
    flash(f"The trigger token {name} is revoked: calls that carry it are refused.", "good")
    return go_to("settings.show")


@bp.get("/start_restore.sh")
@needs(Right.ADMINISTER)
def download_script() -> Response:
    """The custom action's script for this console; it holds no secret."""
    response = Response(services().make_script(), mimetype="application/x-sh")
    response.headers["Content-Disposition"] = 'attachment; filename="start_restore.sh"'
    return response


def _page(form: TokenForm, *, new_name: str = "", new_token: str = "") -> str:
    store = services().store
    changes = store.audit.recent(_LOOKED_THROUGH)
    return render_template(
        "settings.html",
        form=form,
        new_name=new_name,
        new_token=new_token,
        mode=store.settings.mode,
        mode_change=next((one for one in changes if one.subject == "mode"), None),
        tokens=store.tokens.list(),
        settings=store.settings,
        changes=[one for one in changes if not one.action.startswith("run ")][:_CHANGES],
    )
