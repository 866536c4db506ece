# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What QRadar's own classic pages show of ours: on an offense, in its toolbar, on a dashboard.

QRadar puts the HTML into its own pages (qradar §8): everything is escaped, nothing is
inline, and every class begins with ``safeguarded-restore``. Links lead to our pages by the whole
path, because the address of the page around them is QRadar's.
"""

import re

from flask import Blueprint, Response, jsonify, render_template, request

from app.framework.links import absolute_url
from app.message import Message
from app.qradar.identity import Right
from app.store.run_rows import RunFilter
from app.web.frame.access import needs
from app.web.frame.language import say
from app.web.frame.problems import Problem
from app.web.runs import written
from app.web.runs.came_of import of_offense
from app.web.services import services

bp = Blueprint("fragments", __name__)
_SHOWN = 5


@bp.get("/offense_fragment/<offense_id>")
@needs(Right.VIEW)
def show_offense(offense_id: str) -> Response:
    """This offense's restores, for the head of its summary page."""
    number = _offense(offense_id)
    if number is None:
        return jsonify(html=render_template("status/fragment_no_offense.html"))
    return jsonify(html=_runs_html(number))


@bp.get("/offense_restores")
@needs(Right.VIEW)
def find_restores() -> Response:
    """Where our page lists the restores of the offense that the toolbar's button names.

    Published samples name it in ``appContext``, one page of QRadar's documentation in ``context``.
    """
    given = (_offense(request.args.get(name, "")) for name in ("appContext", "context"))
    offense_id = next(filter(None, given), None)
    if offense_id is None:
        return jsonify(url=absolute_url("fragments.show_no_offense"))
    return jsonify(url=absolute_url("runs.show_list", offense_id=offense_id))


@bp.get("/offense_restores/none")
@needs(Right.VIEW)
def show_no_offense() -> str:
    """Where the toolbar's button leads when it names no offense: not to everybody's restores."""
    problem = Problem(
        200,
        Message("QRadar called the app without the number of an offense."),
        advice=Message(
            "Open the tab Restores: its list of runs names the offense of each, and can be"
            " filtered by it."
        ),
    )
    return render_template(
        "frame/problem.html", problem=problem, title=Message("No offense was given."), again=False
    )


@bp.get("/dashboard_item")
@needs(Right.VIEW)
def show_dashboard_item() -> Response:
    """The last runs, as an item of the classic dashboard."""
    return jsonify(
        id="safeguarded_restore_runs", title=say(Message("Restores")), HTML=_runs_html(None)
    )


def _offense(text: str) -> int | None:
    """The offense's number; QRadar gives the number itself, or several row ids."""
    found = re.match(r"[0-9]{1,18}(?![0-9])", text.strip().strip("[\"'"))
    return (int(found[0]) or None) if found else None


def _runs_html(offense_id: int | None) -> str:
    runs = services().store.history.page(
        RunFilter(offense_id=offense_id), before=None, limit=_SHOWN + 1
    )
    return render_template(
        "status/fragment.html",
        runs=runs.runs[:_SHOWN],
        more=len(runs.runs) > _SHOWN,
        offense_id=offense_id,
        came=None if offense_id is None else of_offense(services().store, offense_id),
        spans=written.spans,
        page=absolute_url,
    )
