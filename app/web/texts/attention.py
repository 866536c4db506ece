# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What needs a person, as the overview says it."""

from app.restore.model import Run


def short(name: str) -> str:
    """A name that leaves room for what is said of it."""
    return name if len(name) <= 60 else f"{name[:59]}…"


def needs_decision(run_id: int, job: str, reason: str) -> str:
    """A run with two readings."""
    return f"Run {run_id} of {short(job)} needs a decision: {reason} Look into CDM, then decide."


def not_started(
    run: Run, lasted: str, *, tried: str | None, next_try: str | None, asked: str
) -> str:
    """A run that CDM keeps from its start; the times are clock times."""
    last = f"It was tried last at {tried}" if tried else "It is being tried for the first time"
    again = f"again at {next_try}" if next_try else "and is being tried now" if tried else "now"
    return (
        f"NOT STARTED: run {run.id} of {short(run.job_name)}. CDM {run.connection} can't be"
        f" reached or used for {lasted}. {run.error or ''} {last}, {again}. Unless it starts, a"
        f" person is asked at about {asked}."
    )


def needs_approval(run_id: int, job: str) -> str:
    """A run that waits for a yes."""
    return f"Run {run_id} of {job} waits for somebody to approve it."


def still_mounted(run_id: int, job: str, since: str) -> str:
    """A forgotten mount."""
    return (
        f"Run {run_id} of {short(job)} has its copy mounted for {since}: clean it up when"
        " nobody needs it any more. Until then this job can't be restored again."
    )
