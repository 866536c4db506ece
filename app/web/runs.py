# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The list of runs, one run with its history, and the buttons on it."""

from flask import Blueprint, flash, render_template, request
from werkzeug.wrappers import Response

from app.qradar.identity import Right
from app.restore import actions
from app.restore.model import Outcome, RunState
from app.web import asking, run_views
from app.web.access import needs
from app.web.addresses import go_to, link
from app.web.services import services

bp = Blueprint("runs", __name__)
_MAKES_A_RUN = {Outcome.ACCEPTED, Outcome.AWAITING_APPROVAL, Outcome.OBSERVED}


@bp.get("/runs")
@needs(Right.VIEW)
def show_list() -> str:
    """The runs, newest first, filtered, a page at a time."""
    chosen = run_views.read_filter(request.args)
    before, limit = run_views.read_before(request.args), run_views.read_limit(request.args)
    runs, following = run_views.one_page(services().store, chosen, before=before, limit=limit)
    query = {
        name: value
        for name, value in request.args.items()
        if name in (*run_views.FILTERS, "limit") and value.strip()
    }
    return render_template(
        "runs.html",
        runs=runs,
        query=query,
        filtered=any(name in query for name in run_views.FILTERS),
        newest=link("runs.show_list", **query) if before else None,
        older=link("runs.show_list", **query, before=following) if following else None,
        export=link("runs_api.export_runs", **{k: v for k, v in query.items() if k != "limit"}),
        states=list(RunState),
        mappings=sorted({one.name for one in services().store.mappings.list()}),
        connections=sorted({one.name for one in services().store.connections.list()}),
    )


@bp.get("/runs/<int:run_id>")
@needs(Right.VIEW)
def show(run_id: int) -> str:
    """One run: where it is and why, its history, the event, CDM's log, what can be done."""
    run, store = asking.get_run(run_id), services().store
    triggers = store.triggers.for_run(run_id)
    first = next((one for one in triggers if one.outcome in _MAKES_A_RUN), None)
    return render_template(
        "run.html",
        run=run,
        transitions=store.runs.transitions(run_id),
        log=store.runs.log(run_id),
        first=first,
        swallowed=[one for one in triggers if one is not first],
        requests=store.runs.requests(run_id),
        available=actions.available(run),
    )


@bp.post("/runs/<int:run_id>/cancel")
@needs(Right.OPERATE)
def cancel(run_id: int) -> Response:
    """Cancel the run, as its page's button asks."""
    return _back_to(run_id, asking.cancel(run_id))


@bp.post("/runs/<int:run_id>/clean-up")
@needs(Right.OPERATE)
def clean_up(run_id: int) -> Response:
    """Take the run's copy down, as its page's button asks."""
    return _back_to(run_id, asking.clean_up(run_id))


@bp.post("/runs/<int:run_id>/resolve")
@needs(Right.OPERATE)
def resolve(run_id: int) -> Response:
    """Decide, as one of the page's buttons says."""
    session = request.form.get("job_session_id", "").strip()
    return _back_to(run_id, asking.resolve(run_id, request.form.get("decision"), session or None))


def _back_to(run_id: int, message: str) -> Response:
    flash(message, "good")
    return go_to("runs.show", run_id=run_id)
