# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The list of runs, one run with its history, and the buttons on it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from app.message import Message
from app.qradar.identity import Right
from app.restore.actions import ACTIONS, available
from app.restore.model import LogLine, Outcome, Run, RunState, Transition
from app.store.history import LogPage
from app.store.run_rows import RunFilter
from app.web.frame.access import needs
from app.web.frame.addresses import go_to, link
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.runs import actions, query, written
from app.web.runs.came_of import OfOffense, of_offense
from app.web.runs.charts import make_charts
from app.web.runs.decision import question_of
from app.web.services import services

_GROUPS = {
    "done": Message("ready or completed"),
    "active": Message("under way"),
    "attention": Message("needs a person"),
    "rest": Message("not started, or cancelled"),
    "bad": Message("failed"),
}
_EVIDENCE = {
    "answered": Message("CDM answered the start, and this is the job session it began."),
    "found": Message("CDM's answer was lost; this was the only new job session of the job."),
    "chosen": Message("A person named this job session."),
}

bp = Blueprint("runs", __name__)
_FIELD_NAMES = {
    "event_time": Message("Time of the event"),
    "starttime": Message("Time of the event"),
    "source_ip": Message("Source address"),
    "sourceip": Message("Source address"),
    "destination_ip": Message("Destination address"),
    "destinationip": Message("Destination address"),
    "username": Message("User"),
    "log_source_id": Message("Log source"),
    "logsourceid": Message("Log source"),
    "qid": Message("QRadar event id (QID)"),
    "magnitude": Message("Magnitude"),
    "offense_id": Message("Offense"),
    "rule_id": Message("Rule id"),
    "rule_name": Message("Rule"),
    "mapping": Message("Mapping"),
    "script": Message("Version of the custom action"),
    "simulated_by": Message("Simulated by"),
    "started_by": Message("Started by"),
    "reason": Message("Reason"),
}
_PAGE = 25  # rows: with both charts a page stays under 60 kB
_LOG_LINES, _LOG_CHARACTERS, _SWALLOWED, _TOLD = 100, 15_000, 50, 10
_FIELDS = 2 * 1024 * 1024  # characters of the fields of all triggers on a page
_MAKES_A_RUN = {Outcome.ACCEPTED, Outcome.AWAITING_APPROVAL, Outcome.OBSERVED}


@bp.get("/runs")
@needs(Right.VIEW)
def show_list() -> str:
    """The runs, newest first, filtered, a page at a time, with two charts over all that match."""
    store, chosen = services().store, query.read_filter(request.args)
    limit = query.read_limit(request.args, _PAGE)
    page = query.find_page(store, request.args, limit=limit, chosen=chosen)
    kept = query.query_of(request.args, *query.FILTERS, "limit")
    filters = {name: values for name, values in kept.items() if name != "limit"}
    return render_template(
        "runs/runs.html",
        runs=page.runs,
        came=_came_of(chosen, filters),
        query=kept,
        filtered=bool(filters),
        newest=link("runs.show_list", **kept) if page.newer else None,
        newer=link("runs.show_list", **kept, after=page.newer) if page.newer else None,
        older=link("runs.show_list", **kept, before=page.older) if page.older else None,
        as_csv=link("runs_api.export_runs", **filters),
        as_json=link("runs_api.list_runs", **filters, limit=query.MOST),
        charts=make_charts(store.statistics, chosen, services().clock()),
        groups=_GROUPS,
        states=list(RunState),
        mappings=sorted({one.name for one in store.mappings.list()}),
        connections=sorted({one.name for one in store.connections.list()}),
        spans=written.spans,
        offense_url=written.offense_url,
    )


def _came_of(chosen: RunFilter, filters: Collection[str]) -> OfOffense | None:
    """What came of the triggers of the offense that the list is for, if it is for one alone."""
    if chosen.offense_id is None or len(filters) > 1:
        return None
    return of_offense(services().store, chosen.offense_id)


@bp.get("/runs/<int:run_id>")
@needs(Right.VIEW)
def show(run_id: int) -> str:
    """One run: where it is and why, its history, the event, CDM's log, what can be done."""
    run, store = actions.get_run(run_id), services().store
    triggers = store.triggers.of_run(run_id, most=_SWALLOWED + 1, room=_FIELDS)
    first = next((one for one in triggers.shown if one.outcome in _MAKES_A_RUN), None)
    swallowed = [one for one in triggers.shown if one is not first]
    kinds = [one for one in request.args.getlist("log") if one]
    before = request.args.get("log_before", "")
    skipped = query.read_number(before, "log_before", most=10**9) if before else 0
    transitions = store.runs.transitions(run_id)
    return render_template(
        "runs/run.html",
        run=run,
        steps=_steps(transitions, run, services().clock()),
        question=question_of(run, transitions),
        log=_fitting(store.history.log(run_id, types=kinds, before=skipped, limit=_LOG_LINES)),
        log_kinds=kinds,
        log_skipped=skipped,
        log_step=_LOG_LINES,
        first=first,
        swallowed=swallowed[-_SWALLOWED:],
        more_swallowed=triggers.more + max(0, len(swallowed) - _SWALLOWED),
        requests=store.runs.requests(run_id),
        attacks=store.attacks.of_run(run_id),
        available=available(run),
        simple=ACTIONS,
        took=written.spans(run),
        offense=written.offense_url(run.offense_id) if run.offense_id else None,
        evidence=_EVIDENCE,
        field_name=_field_name,
        sent_by=lambda one: Message(
            "Sent with trigger token {token} from {peer}.", token=one.token, peer=one.peer
        ),
        notes=store.notes.for_run(run_id),
        notes_language=store.settings.values().language,
        told=store.tidings.of_run(run_id, limit=_TOLD),
        offense_url=written.offense_url,
        search=store.notes.search_of(run_id),
        service_token=store.qradar.token_label() is not None,
    )


def _fitting(page: LogPage) -> LogPage:
    """The last of these lines, as many as a page has room for: a line may be a stack trace."""
    room, lines = _LOG_CHARACTERS, list[LogLine]()
    for line in reversed(page.lines):
        room -= len(line.message)
        if room < 0 and lines:
            break
        lines.insert(0, line)
    return replace(page, lines=lines)


@dataclass(frozen=True, slots=True)
class Step:
    """A change of state, and how long the run stayed in the state it led to."""

    change: Transition
    lasted: float | None  # seconds; None: the run is in it
    so_far: float  # seconds, until now
    at_end: bool


def _steps(transitions: Sequence[Transition], run: Run, now: datetime) -> list[Step]:
    ends = [one.at for one in transitions[1:]]
    return [
        Step(
            change,
            max((end - change.at).total_seconds(), 0.0) if end else None,
            max((now - change.at).total_seconds(), 0.0),
            at_end=end is None and run.ended_at is not None,
        )
        for change, end in zip_longest(transitions, ends)
    ]


@needs(Right.OPERATE)
def ask(run_id: int, action: str) -> Response:
    """Do what one of the page's buttons asks: approve, reject, cancel, clean up."""
    return _back_to(run_id, actions.ask(run_id, action))


for each in ACTIONS:
    bp.add_url_rule(
        f"/runs/<int:run_id>/{each}", view_func=ask, methods=["POST"], defaults={"action": each}
    )


@bp.post("/runs/<int:run_id>/resolve")
@needs(Right.OPERATE)
def resolve(run_id: int) -> Response:
    """Decide, as one of the page's buttons says."""
    decision = request.form.get("decision")
    return _back_to(run_id, actions.resolve(run_id, decision, _session()))


def _session() -> str | None:
    """The job session that was chosen, or typed in; `Problem` 400 where these are two."""
    chosen, typed = (
        request.form.get(name, "").strip() for name in ("job_session_id", "another_session")
    )
    if chosen and typed:
        raise Problem(
            400,
            Message(
                "Job session {chosen} is chosen, and another one, {typed}, is typed in: nothing was"
                " done.",
                chosen=chosen,
                typed=typed,
            ),
            field="another_session",
            advice=Message("Choose one of them on the run's page."),
        )
    return chosen or typed or None


def _back_to(run_id: int, message: str) -> Response:
    flash(message, "good")
    return go_to("runs.show", run_id=run_id)


def _field_name(name: str) -> str:
    """What a trigger's field is called on pages; one we don't know keeps its own name."""
    return _FIELD_NAMES.get(name, name)
