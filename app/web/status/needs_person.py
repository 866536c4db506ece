# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What needs a person, for the top of every page: sentences, no codes (architecture §4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, request

from app.message import Message, duration, joined
from app.qradar.identity import Right
from app.restore.model import Run, RunState
from app.restore.not_started import NotStarted, not_started
from app.web.frame.access import may
from app.web.frame.presentation import clock_time
from app.web.services import Services, services

WAITING = {RunState.NEEDS_DECISION, RunState.AWAITING_APPROVAL}
MOUNTED_LONG = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that a person should see to, and where."""

    tone: str
    sentence: str
    run: Run | None = None


def register(app: Flask) -> None:
    """Make these runs known to the templates of ``app``."""
    app.add_template_global(waiting_runs)
    app.add_template_global(runs_not_started)


def waiting_runs() -> Sequence[Attention]:
    """What waits for a decision or a yes, but for the run whose page this is.

    Nothing for those who may not look at runs.
    """
    if not may(Right.VIEW):
        return []
    shown = (request.view_args or {}).get("run_id")
    waiting = [run for run in services().store.runs.open() if run.state in WAITING]
    return needs_person(services(), [run for run in waiting if run.id != shown])


def runs_not_started() -> Sequence[Attention]:
    """What does not start because CDM can't be reached, for the top of every page.

    Nothing for those who may not look at runs.
    """
    if not may(Right.VIEW):
        return []
    return not_started_runs(services(), services().store.runs.open())


def needs_person(services: Services, open_runs: Sequence[Run]) -> list[Attention]:
    """What somebody should see to, the most pressing first."""
    now = services.clock()
    decisions, mounts = [], []
    for run in open_runs:
        if run.state is RunState.NEEDS_DECISION:
            sentence = Message(
                "Run {run} of {job} needs a decision: {reason} Look into CDM, then decide.",
                run=run.id,
                job=_short(run.job_name),
                reason=run.error or "",
            )
            decisions.append(Attention("bad", sentence, run))
        elif run.state is RunState.AWAITING_APPROVAL:
            sentence = Message(
                "Run {run_id} of {job} waits for somebody to approve it.",
                run_id=run.id,
                job=run.job_name,
            )
            if run.error:
                sentence = joined((sentence, run.error), " ")
            decisions.append(Attention("bad", sentence, run))
        elif run.state is RunState.READY and run.ready_at and now - run.ready_at >= MOUNTED_LONG:
            since = duration((now - run.ready_at).total_seconds())
            sentence = Message(
                "Run {run} of {job} has its copy mounted for {since}: clean it up when nobody needs"
                " it any more. Until then this job can't be restored again.",
                run=run.id,
                job=_short(run.job_name),
                since=since,
            )
            mounts.append(Attention("attention", sentence, run))
    return [*decisions, *mounts]


def not_started_runs(services: Services, open_runs: Sequence[Run]) -> list[Attention]:
    """The runs that do not start because their CDM can't be reached, or hangs."""
    now = services.clock()
    found = [one for run in open_runs if (one := not_started(run, now)) is not None]
    return [Attention("bad", _not_started(one, now), one.run) for one in found]


def _not_started(one: NotStarted, now: datetime) -> str:
    run, asked = one.run, clock_time(one.asked_at)
    lasted = duration(abs((now - one.since).total_seconds()))
    tried = clock_time(one.tried_at) if one.tried_at else None
    next_try = clock_time(one.next_at) if one.next_at else None
    if not tried:
        when = Message("It is being tried for the first time, now.")
    elif next_try:
        when = Message("It was tried last at {tried}, again at {next}.", tried=tried, next=next_try)
    else:
        when = Message("It was tried last at {tried}, and is being tried now.", tried=tried)
    return Message(
        "NOT STARTED: run {run} of {job}. CDM {connection} can't be reached or used for {lasted}."
        " {reason} {when} Unless it starts, a person is asked at about {asked}.",
        run=run.id,
        job=_short(run.job_name),
        connection=run.connection,
        lasted=lasted,
        reason=run.error or "",
        when=when,
        asked=asked,
    )


def _short(name: str) -> str:
    """A name that leaves room for what is said of it."""
    return name if len(name) <= 60 else f"{name[:59]}…"
