# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The CDM connections: which there are, adding, changing, testing and deleting one."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from app.configuration import saving
from app.configuration.checks import InvalidField
from app.configuration.ports import ConnectionInUse
from app.framework.secrets import SecretNotStored
from app.message import Message
from app.qradar.identity import Right
from app.remote.told import Step
from app.remote.trust import ServerCertificate
from app.restore.model import CdmConnection, CopyManagerError, Trust
from app.store.connections import Contact
from app.web.connections.cdm_calls import certificate_of, refused_address, test_saved
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.forms import ConnectionForm
from app.web.frame.language import flash
from app.web.frame.listing import listed
from app.web.frame.problems import Problem
from app.web.services import services

bp = Blueprint("connections", __name__, url_prefix="/connections")


@dataclass(frozen=True, slots=True)
class Listed:
    """A connection with its last contact."""

    connection: CdmConnection
    contact: Contact


@bp.get("")
@needs(Right.ADMINISTER)
def show_list() -> str:
    """All connections."""
    store = services().store
    return render_template(
        "connections/connections.html",
        connections=[
            Listed(one, store.connections.contact(one.id)) for one in store.connections.list()
        ],
    )


@bp.get("/new")
@needs(Right.ADMINISTER)
def show_new() -> str:
    """An empty form."""
    return _page(ConnectionForm(formdata=None), None)


@bp.get("/<int:connection_id>")
@needs(Right.ADMINISTER)
def show(connection_id: int) -> str:
    """The form of one connection, without its password."""
    connection = _get(connection_id)
    return _page(ConnectionForm.of(connection), connection)


@bp.post("/new")
@needs(Right.ADMINISTER)
def add() -> str | Response:
    """Save a new connection, or look at the server's certificate first."""
    return _submitted(None)


@bp.post("/<int:connection_id>")
@needs(Right.ADMINISTER)
def change(connection_id: int) -> str | Response:
    """Save what was changed, or look at the server's certificate first."""
    return _submitted(_get(connection_id))


@bp.post("/<int:connection_id>/test")
@needs(Right.ADMINISTER)
def test(connection_id: int) -> str:
    """Test the saved connection and show each step; not while the form holds something else."""
    connection = _get(connection_id)
    form = ConnectionForm()
    form.take_file()
    # The set-up page's button brings no form.
    if "name" in request.form and (typed := form.unlike(ConnectionForm.of(connection))):
        form.form_errors.append(
            Message(
                "Not tested: what was entered in {labels} is not saved yet, and a test uses the"
                " saved values. Save first, then test.",
                labels=listed(typed),
            )
        )
        return _page(form, connection)
    try:
        steps = list(test_saved(services(), connection))
    except CopyManagerError as error:
        steps = [Step(Message("Password"), False, 0, error.message, error.cause, error.advice)]
    failed = next((step.message for step in steps if not step.ok), None)
    services().store.connections.note_contact(connection_id, failed, now=services().clock())
    return _page(ConnectionForm.of(connection), connection, steps=steps)


@bp.post("/<int:connection_id>/delete")
@needs(Right.ADMINISTER)
def delete(connection_id: int) -> Response:
    """Delete a connection and its password."""
    connection = _get(connection_id)
    try:
        saving.delete_connection(
            services().store,
            services().secrets,
            connection_id,
            by=caller().name,
            now=services().clock(),
        )
    except ConnectionInUse as error:
        flash(str(error), "bad")
        return go_to("connections.show", connection_id=connection_id)
    flash(Message("Connection {name} is deleted.", name=connection.name), "good")
    return go_to("connections.show_list")


def _get(connection_id: int) -> CdmConnection:
    try:
        return services().store.connections.get(connection_id)
    except (LookupError, OverflowError) as error:
        raise Problem(
            404, Message("There is no connection {number}.", number=connection_id)
        ) from error


def _submitted(connection: CdmConnection | None) -> str | Response:
    form = ConnectionForm()
    form.take_file()
    action = request.form.get("action", "save")
    if action == "certificate":
        return _with_certificate(form, connection)
    if action == "pin":
        form.pin(request.form.get("seen_sha256", ""))
        flash(Message("The fingerprint is filled in below. Enter the password and save."), "good")
        return _page(form, connection)
    return _save(form, connection)


def _with_certificate(form: ConnectionForm, connection: CdmConnection | None) -> str:
    where = form.values("host", "port", "proxy", allow_loopback=services().allow_loopback)
    if where is None:
        return _page(form, connection)
    host, port, proxy = str(where["host"]), int(str(where["port"])), where["proxy"]
    try:
        seen = certificate_of(services(), host, port, proxy=None if proxy is None else str(proxy))
    except CopyManagerError as error:
        return _page(form, connection, certificate_problem=error)
    chosen = seen.is_self_signed and form.pin_unless_chosen(seen.sha256)
    return _page(form, connection, certificate=seen, pinned=chosen)


def _save(form: ConnectionForm, connection: CdmConnection | None) -> str | Response:
    fields = form.values(allow_loopback=services().allow_loopback)
    if fields is None:
        return _page(form, connection)
    if (refused := refused_address(services(), fields)) is not None:
        form.put_error(refused)
        return _page(form, connection)
    try:
        saved = saving.save_connection(
            services().store,
            services().secrets,
            fields,
            form.password.data or None,
            connection_id=None if connection is None else connection.id,
            by=caller().name,
            now=services().clock(),
            allow_loopback=services().allow_loopback,
        )
    except InvalidField as error:
        form.put_error(error)
    except SecretNotStored as error:
        form.form_errors.append(str(error))
    else:
        complete = saved.secret_label is not None
        flash(_saved(saved.name, complete=complete), "good" if complete else "bad")
        if unused := form.unused(ConnectionForm.of(saved if connection is None else connection)):
            flash(
                Message(
                    "{labels}: what was given here is not used and not kept, as “{trust}” is"
                    " chosen.",
                    labels=listed(unused),
                    trust=form.declared["trust"].choices[Trust(form.trust.data)],
                ),
                "bad",
            )
        return go_to("connections.show", connection_id=saved.id)
    return _page(form, connection)


def _page(
    form: ConnectionForm,
    connection: CdmConnection | None,
    *,
    steps: list[Step] | None = None,
    certificate: ServerCertificate | None = None,
    pinned: bool = False,
    certificate_problem: CopyManagerError | None = None,
) -> str:
    if connection is None or connection.secret_label is None:
        password_help = Message("Never shown again once it is saved.")
    else:
        password_help = Message(
            "A password is stored. Leave this empty to keep it; it must be entered again"
            " when address, port, user, proxy or trust change."
        )
    if form.password.data:
        password_help = Message(
            "What was typed here is not sent back to the page: enter it again. {help}",
            help=password_help,
        )
    used = [] if connection is None else services().store.mappings.for_connection(connection.id)
    return render_template(
        "connections/connection.html",
        form=form,
        connection=connection,
        steps=steps,
        certificate=certificate,
        pinned=pinned,
        certificate_problem=certificate_problem,
        password_help=password_help,
        mappings=used,
    )


def _saved(name: str, *, complete: bool) -> Message:
    """After saving; a connection without a password can't be used yet."""
    if complete:
        return Message("Connection {name} is saved.", name=name)
    return Message("Connection {name} is saved. Its password must be entered.", name=name)
