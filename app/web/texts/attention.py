# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What needs a person, as the overview says it."""

from app.message import Message
from app.restore.model import Run


def short(name: str) -> str:
    """A name that leaves room for what is said of it."""
    return name if len(name) <= 60 else f"{name[:59]}…"


def needs_decision(run_id: int, job: str, reason: str) -> Message:
    """A run with two readings."""
    return Message(
        "Run {run} of {job} needs a decision: {reason} Look into CDM, then decide.",
        run=run_id,
        job=short(job),
        reason=reason,
    )


def not_started(
    run: Run, lasted: str, *, tried: str | None, next_try: str | None, asked: str
) -> Message:
    """A run that CDM keeps from its start; the times are clock times."""
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
        job=short(run.job_name),
        connection=run.connection,
        lasted=lasted,
        reason=run.error or "",
        when=when,
        asked=asked,
    )


def needs_approval(run_id: int, job: str) -> str:
    """A run that waits for a yes."""
    return f"Run {run_id} of {job} waits for somebody to approve it."


def still_mounted(run_id: int, job: str, since: str) -> Message:
    """A forgotten mount."""
    return Message(
        "Run {run} of {job} has its copy mounted for {since}: clean it up when nobody needs it any"
        " more. Until then this job can't be restored again.",
        run=run_id,
        job=short(job),
        since=since,
    )
