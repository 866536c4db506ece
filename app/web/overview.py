# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview: what needs a person first, then what goes on, then what has come in."""

from flask import Blueprint, render_template

from app.qradar.identity import Right
from app.restore.model import RunState
from app.store.run_rows import RunFilter
from app.web import run_views
from app.web.access import needs
from app.web.health import read_health
from app.web.services import services
from app.web.signals import needs_person, signals

bp = Blueprint("overview", __name__)
_RECENT = 10
WAITING = {RunState.NEEDS_DECISION, RunState.AWAITING_APPROVAL}


@bp.get("/")
@bp.get("/index")
@needs(Right.VIEW)
def show() -> str:
    """The page that QRadar's tab opens."""
    store, health = services().store, read_health(services())
    open_runs = store.runs.open()
    return render_template(
        "overview.html",
        mode=health.mode,
        signals=signals(services(), health),
        waiting=needs_person(services(), open_runs),
        going_on=[run for run in reversed(open_runs) if run.state not in WAITING],
        triggers=store.triggers.recent(_RECENT),
        runs=store.history.page(RunFilter(), before=None, limit=_RECENT).runs,
        connections=store.connections.list(),
        mappings=store.mappings.list(),
        tokens=store.tokens.list(),
        spans=run_views.spans,
        offense_url=run_views.offense_url,
    )
