# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The list of runs, one run with its history, and the buttons on it."""

from flask import Blueprint, flash, render_template, request
from werkzeug.wrappers import Response

from app.qradar.identity import Right
from app.restore import actions
from app.restore.model import Outcome, RunState
from app.web import asking, run_views, texts
from app.web.access import needs
from app.web.addresses import go_to, link
from app.web.charts import make_charts
from app.web.services import services

bp = Blueprint("runs", __name__)
_PAGE = 25  # rows: with both charts a page stays under 60 kB
_MAKES_A_RUN = {Outcome.ACCEPTED, Outcome.AWAITING_APPROVAL, Outcome.OBSERVED}


@bp.get("/runs")
@needs(Right.VIEW)
def show_list() -> str:
    """The runs, newest first, filtered, a page at a time, with two charts over all that match."""
    store, chosen = services().store, run_views.read_filter(request.args)
    limit = run_views.read_limit(request.args, _PAGE)
    page = run_views.find_page(store, request.args, limit=limit, chosen=chosen)
    query = run_views.query_of(request.args, *run_views.FILTERS, "limit")
    filters = {name: values for name, values in query.items() if name != "limit"}
    return render_template(
        "runs.html",
        runs=page.runs,
        query=query,
        filtered=bool(filters),
        newest=link("runs.show_list", **query) if page.newer else None,
        newer=link("runs.show_list", **query, after=page.newer) if page.newer else None,
        older=link("runs.show_list", **query, before=page.older) if page.older else None,
        as_csv=link("runs_api.export_runs", **filters),
        as_json=link("runs_api.list_runs", **filters, limit=run_views.MOST),
        charts=make_charts(store.statistics, chosen, services().clock()),
        groups=texts.GROUPS,
        states=list(RunState),
        mappings=sorted({one.name for one in store.mappings.list()}),
        connections=sorted({one.name for one in store.connections.list()}),
        spans=run_views.spans,
        offense_url=run_views.offense_url,
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
