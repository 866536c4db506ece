# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs as JSON and CSV, and what people may ask of them (architecture §5)."""

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from app.message import Message
from app.qradar.identity import Right
from app.restore.actions import ACTIONS
from app.web.frame.access import needs
from app.web.frame.bodies import read_json_object
from app.web.frame.problems import Problem
from app.web.runs import actions, query, written
from app.web.services import services

_TRIGGERS = 1000  # of one run in one answer
_FIELDS = 512 * 1024  # characters of their fields together; one may have 33 kB

bp = Blueprint("runs_api", __name__, url_prefix="/api/v1")


@bp.get("/runs")
@needs(Right.VIEW)
def list_runs() -> Response:
    """The newest runs first, filtered, a page at a time."""
    page = query.find_page(services().store, request.args, limit=query.read_limit(request.args))
    runs = [written.run_fields(run) for run in page.runs]
    return jsonify(runs=runs, next_before=page.older)


@bp.get("/runs.csv")
@needs(Right.VIEW)
def export_runs() -> Response:
    """The same runs as CSV, 10,000 rows a part; a ``Link`` header leads to the next part."""
    page = query.find_page(services().store, request.args, limit=written.CSV_PART)
    response = Response(written.to_csv(page.runs), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="runs.csv"'
    if page.older is not None:
        kept = query.query_of(request.args, *query.FILTERS)
        link = urlencode({**kept, "before": page.older}, doseq=True)
        response.headers["Link"] = f'<runs.csv?{link}>; rel="next"'
        response.headers["X-Next-Before"] = str(page.older)
    return response


@bp.get("/runs/<int:run_id>")
@needs(Right.VIEW)
def read_run(run_id: int) -> Response:
    """One run with its history, CDM's log, its triggers and its offense notes.

    Of many or large triggers ``left_out`` counts those that are not here, and those without fields.
    """
    run, store = actions.get_run(run_id), services().store
    triggers = store.triggers.of_run(run_id, most=_TRIGGERS, room=_FIELDS)
    return jsonify(
        **written.run_fields(run),
        offense_by=run.offense_by,
        transitions=[written.transition_fields(step) for step in store.runs.transitions(run_id)],
        log=[written.log_fields(line) for line in store.runs.log(run_id)],
        triggers=[written.trigger_fields(one) for one in triggers.shown],
        left_out={"triggers": triggers.more, "fields": len(triggers.bare)},
        notes=[written.note_fields(note) for note in store.notes.for_run(run_id)],
    )


@needs(Right.OPERATE)
def ask(run_id: int, action: str) -> Response:
    """Ask for what needs no further word: approve, reject, cancel, clean up."""
    return _done(run_id, actions.ask(run_id, action))


for each in ACTIONS:
    bp.add_url_rule(
        f"/runs/<int:run_id>/{each}", view_func=ask, methods=["POST"], defaults={"action": each}
    )


@bp.post("/runs/<int:run_id>/resolve")
@needs(Right.OPERATE)
def resolve(run_id: int) -> Response:
    """Decide on a run that needs a person's decision."""
    body = read_json_object()
    decision, session = body.get("decision"), body.get("job_session_id")
    if session is not None and not isinstance(session, str):
        raise Problem(400, Message("job_session_id must be text."), field="job_session_id")
    return _done(run_id, actions.resolve(run_id, decision, session or None))


def _done(run_id: int, message: str) -> Response:
    """The run as it is now, and what will come of the wish."""
    return jsonify(message=message, run=written.run_fields(actions.get_run(run_id)))
