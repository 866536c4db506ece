# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview: what needs a person first, then what goes on, then what has come in."""

from flask import Blueprint, render_template

from app.qradar.identity import Right
from app.restore.model import RunState
from app.store.run_rows import RunFilter
from app.web.access import needs
from app.web.action_book import expiry_notice
from app.web.health import read_health
from app.web.services import services

bp = Blueprint("overview", __name__)
_RECENT = 10


@bp.get("/")
@bp.get("/index")
@needs(Right.VIEW)
def show() -> str:
    """The page that QRadar's tab opens."""
    store = services().store
    open_runs = store.runs.open()
    waiting = [
        run
        for run in open_runs
        if run.state in {RunState.NEEDS_DECISION, RunState.AWAITING_APPROVAL} or run.new_attack
    ]
    return render_template(
        "overview.html",
        health=read_health(services()),
        waiting=waiting,
        going_on=[run for run in reversed(open_runs) if run not in waiting],
        triggers=store.triggers.recent(_RECENT),
        runs=store.runs.list(RunFilter(), limit=_RECENT),
        connections=store.connections.list(),
        mappings=store.mappings.list(),
        tokens=store.tokens.list(),
        action_notice=expiry_notice(store, services().clock()),
    )
