# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Restores started by hand: a page, and ``POST /api/v1/runs`` (architecture §5)."""

from secrets import token_hex

from flask import Blueprint, Response, jsonify, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from app.configuration.checks import InvalidField
from app.message import Message
from app.qradar.identity import Right
from app.restore import by_hand
from app.restore.model import MANUAL, Decision, Outcome
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.bodies import clean, read_json_object
from app.web.frame.forms import StartForm
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.services import services

bp = Blueprint("by_hand", __name__)
_GOOD = {Outcome.ACCEPTED, Outcome.AWAITING_APPROVAL, Outcome.DUPLICATE}


@bp.get("/runs/start")
@needs(Right.VIEW)
def show() -> str:
    """The form that starts a restore."""
    form = StartForm(formdata=None, mapping=request.args.get("mapping", ""))
    return _page(form)


@bp.post("/runs/start")
@needs(Right.OPERATE)
def start() -> str | BaseResponse:
    """Ask for the restore; then look at its run."""
    form = StartForm()
    try:
        decision = _start(form.mapping.data, form.reason.data, form.request_id.data)
    except InvalidField as error:
        form.put_error(error)
        if error.field == "request_id":
            form.request_id.data = ""
        return _page(form)
    if decision.outcome in _GOOD:
        flash(decision.message, "good")
    elif decision.outcome is Outcome.DISARMED:  # its message says so itself
        flash(decision.message, "bad")
    else:
        flash(Message("Nothing was started. {why}", why=decision.message), "bad")
    if decision.run_id is None:
        return go_to("overview.show")
    return go_to("runs.show", run_id=decision.run_id)


@bp.post("/api/v1/runs")
@needs(Right.OPERATE)
def start_by_api() -> tuple[Response, int]:
    """The same as JSON, answered as a trigger is."""
    body = read_json_object()
    try:
        decision = _start(body.get("mapping"), body.get("reason"), body.get("request_id"))
    except InvalidField as error:
        raise Problem(400, str(error), field=error.field) from error
    answer = jsonify(
        trigger_id=decision.trigger_id,
        outcome=decision.outcome,
        run_id=decision.run_id,
        message=decision.message,
    )
    return answer, 202


def _start(mapping: object, reason: object, request_id: object) -> Decision:
    return by_hand.start(
        services().store,
        mapping=clean(mapping) if isinstance(mapping, str) else mapping,
        reason=clean(reason) if isinstance(reason, str) else reason,
        request_id=request_id,
        by=caller().name,
        now=services().clock(),
    )


def _page(form: StartForm) -> str:
    """The form carries a request id of its own, so that sent twice it makes one run."""
    store = services().store
    form.request_id.data = form.request_id.data or f"{MANUAL}-{token_hex(8)}"
    connections = {one.id: one.name for one in store.connections.list()}
    choices = [
        (
            one.name,
            Message(
                "{mapping}: {job} on {connection}",
                mapping=one.name,
                job=one.job_name,
                connection=connections[one.connection_id],
            ),
        )
        for one in store.mappings.list()
        if one.enabled
    ]
    return render_template("runs/by_hand.html", form=form, choices=choices)
