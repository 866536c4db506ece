# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings: armed or not, trigger tokens, the script to download, who changed what."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app.configuration.fields import Section, plain
from app.configuration.saving import Saver
from app.configuration.settings import SECTIONS
from app.framework.bulkhead import TooBusy
from app.message import Message, joined
from app.qradar.administrator import NotDone
from app.qradar.identity import Right
from app.restore.model import Mode
from app.store.put_back import confirm
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.forms import SettingsForm, TokenForm
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.services import services
from app.web.set_up.pages import administrator
from app.web.settings.changes import change_words

logger = logging.getLogger(__name__)
bp = Blueprint("settings", __name__, url_prefix="/settings")
_OFFERED = frozenset({"button", "several"})  # where nobody types
_USER_ROLES = "/api/config/access/user_roles"
_CHANGES = 20
_LOOKED_THROUGH = 2000  # audit rows; those of runs stand on the runs' pages


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the page with the form that its fields are shown from."""

    section: Section
    form: SettingsForm

    @property
    def names(self) -> Sequence[str]:
        """The fields of the section."""
        fields = self.form.declared.items()
        return [name for name, one in fields if one.section == self.section]

    @property
    def endpoint(self) -> str:
        """Where it is saved."""
        return _endpoint(self.section)


def _endpoint(section: Section) -> str:
    return f"set_{section.path.replace('-', '_')}"


@bp.get("")
@needs(Right.ADMINISTER)
def show() -> str:
    """The settings page."""
    return _page(TokenForm(formdata=None))


@needs(Right.ADMINISTER)
def save(section: Section) -> str | BaseResponse:
    """Save what a section of the page asks for."""
    part = Part(section, SettingsForm())
    values = part.form.values(*part.names)
    if values is None:
        for name in part.names:
            if part.form[name].errors and part.form.declared[name].widget in _OFFERED:
                raise Problem(400, part.form[name].errors[0], field=name)
        return _page(TokenForm(formdata=None), wrong=part)
    store = services().store
    with store.transaction():
        Saver(store, caller().name, services().clock()).settings(values)
    logger.info("%s has set %s", caller().name, {key: plain(one) for key, one in values.items()})
    first = part.form.declared[part.names[0]]
    flash(first.said[values[first.name]] if first.said else section.saved, "good")
    return go_to("set_up.show" if request.form.get("back") == "set_up" else "settings.show")


for _one in SECTIONS:
    bp.add_url_rule(
        f"/{_one.path}",
        _endpoint(_one),
        save,
        methods=["POST"],
        defaults={"section": _one},
    )


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
    wrong: Part | None = None,
) -> str:
    store = services().store
    settings = store.settings.values()
    parts = {one.path: Part(one, SettingsForm.of(settings)) for one in SECTIONS}
    if wrong is not None:
        parts[wrong.section.path] = wrong
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
        parts=parts,
        roles=roles,
        roles_problem=roles_problem,
        qradar=store.qradar.console(),
        token_warning=store.qradar.console().token_warning(services().clock()),
        change_words=change_words,
        changes=[one for one in changes if not one.action.startswith("run ")][:_CHANGES],
    )
