# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The runs that only a person can bring on, for the top of every page (architecture §4)."""

from collections.abc import Sequence

from flask import Flask, request

from app.qradar.identity import Right
from app.restore.model import RunState
from app.web.access import may
from app.web.services import services
from app.web.signals import Attention, needs_person, not_started_runs

WAITING = {RunState.NEEDS_DECISION, RunState.AWAITING_APPROVAL}


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
