# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What an offense is told whose trigger made no run: that it was a repeat, or why nothing started.

Of a run its own offense is told by `restore.notes`. Here stands what the other offenses of the same
attack learn, as a note and on our pages: what came of their triggers, by the run as it is now.
"""

from datetime import UTC, datetime
from typing import Protocol

from app.restore.model import Outcome, Run, RunState
from app.restore.notes import shortened, shouted

AT_REST = frozenset(
    {
        RunState.READY,
        RunState.COMPLETED,
        RunState.FAILED,
        RunState.CANCELLED,
        RunState.OBSERVED,
    }
)
"""States that end the tidings of a run: what was asked for is there, or will not come."""
TOLD_ONCE_MORE = AT_REST | {RunState.NEEDS_DECISION}

_STATES = {
    RunState.AWAITING_APPROVAL: "which waits for a person's approval",
    RunState.QUEUED: "which has not started yet",
    RunState.STARTING: "whose start is on its way to CDM",
    RunState.RESTORING: "the copy is being restored",
    RunState.READY: "the copy is ready",
    RunState.CLEANING_UP: "the copy is being cleaned up",
    RunState.COMPLETED: "which has completed",
    RunState.FAILED: "which has FAILED",
    RunState.CANCELLED: "which was cancelled",
    RunState.OBSERVED: "which only observed: nothing was started",
    RunState.NEEDS_DECISION: "which needs a person to decide",
}


class Trigger(Protocol):
    """A trigger as it was kept; `app.store.triggers.ReceivedTrigger` is one."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def message(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def mapping(self) -> str | None: ...
    @property
    def cooling_until(self) -> datetime | None: ...


def what_came_of(trigger: Trigger, run: Run | None) -> str:
    """Say in a few words what came of ``trigger``; ``run`` is the one that it was a repeat of."""
    match trigger.outcome:
        case Outcome.DISARMED:
            return "not started: the app is disarmed"
        case Outcome.MAPPING_DISABLED:
            return f"not started: mapping {trigger.mapping} is disabled"
        case Outcome.COOLING_DOWN if run is not None:
            return f"not started: cooling down{_until(trigger)} after run {run.id}"
    if run is None:
        return f"not started: {trigger.message.rstrip('.')}"
    return f"repeat of run {run.id}, {how_it_stands(run)}"


def how_it_stands(run: Run) -> str:
    """Say in a few words where a run is."""
    words = _STATES[run.state]
    if run.state in {RunState.FAILED, RunState.NEEDS_DECISION} and run.error:
        words = f"{words}: {run.error.rstrip('.')}"
    if run.contact_lost_since is not None:
        since = run.contact_lost_since.astimezone(UTC)
        words = f"{words} (no contact with CDM since {since:%H:%M} UTC)"
    return words


def attack_text(why: str, run: Run | None, *, now: datetime) -> str:
    """Give the note that tells an offense that its trigger was a new attack; ``why`` says it."""
    return _text(f"{shouted(why)}{_where(run)}", now)


def first_text(trigger: Trigger, run: Run | None, *, now: datetime) -> str:
    """Give the note that tells an offense what became of its trigger."""
    return _text(f"{what_came_of(trigger, run)}{_where(run)}.", now)


def second_text(run: Run, *, now: datetime) -> str:
    """Give the note that tells it, once, what became of the run."""
    words = f"run {run.id}, of which the trigger here was a repeat: {how_it_stands(run)}"
    return _text(f"{words}{_where(run)}.", now)


def _until(trigger: Trigger) -> str:
    if trigger.cooling_until is None:
        return ""
    end = trigger.cooling_until.astimezone(UTC)
    same_day = end.date() == trigger.received_at.astimezone(UTC).date()
    return f" until {end:%H:%M} UTC" if same_day else f" until {end:%Y-%m-%d %H:%M} UTC"


def _where(run: Run | None) -> str:
    if run is None:
        return ""
    session = f", job session {run.job_session_id}" if run.job_session_id else ""
    offense = f", offense {run.offense_id}" if run.offense_id else ""
    return f" (restore job {run.job_name} on CDM {run.connection}{session}{offense})"


def _text(words: str, now: datetime) -> str:
    at = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return shortened(f"Safeguarded restore, {at}: {words}")
