# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What an offense is told whose trigger made no run: that it was a repeat, or why nothing started.

Of a run its own offense is told by `restore.notes`. Here stands what the other offenses of the same
attack learn, as a note and on our pages: what came of their triggers, by the run as it is now.
"""

from datetime import UTC, datetime
from typing import Protocol

from app.message import Message, joined
from app.restore.model import Outcome, Run, RunState
from app.restore.notes import shouted

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
    RunState.AWAITING_APPROVAL: Message("which waits for a person's approval"),
    RunState.QUEUED: Message("which has not started yet"),
    RunState.STARTING: Message("whose start is on its way to CDM"),
    RunState.RESTORING: Message("the copy is being restored"),
    RunState.READY: Message("the copy is ready"),
    RunState.CLEANING_UP: Message("the copy is being cleaned up"),
    RunState.COMPLETED: Message("which has completed"),
    RunState.FAILED: Message("which has FAILED"),
    RunState.CANCELLED: Message("which was cancelled"),
    RunState.OBSERVED: Message("which only observed: nothing was started"),
    RunState.NEEDS_DECISION: Message("which needs a person to decide"),
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
            return Message("not started: the app is disarmed")
        case Outcome.MAPPING_DISABLED:
            return Message("not started: mapping {mapping} is disabled", mapping=trigger.mapping)
        case Outcome.COOLING_DOWN if run is not None:
            return _cooling_down(trigger, run.id)
    if run is None:
        return Message("not started: {clause}", clause=trigger.message)
    return Message("repeat of run {run}, {state}", run=run.id, state=how_it_stands(run))


def how_it_stands(run: Run) -> str:
    """Say in a few words where a run is."""
    words = _STATES[run.state]
    if run.state in {RunState.FAILED, RunState.NEEDS_DECISION} and run.error:
        words = Message("{state}: {clause}", state=words, clause=run.error)
    if run.contact_lost_since is not None:
        since = run.contact_lost_since.astimezone(UTC)
        words = Message(
            "{state} (no contact with {manager} since {at} UTC)",
            manager=run.kind.product,
            state=words,
            at=f"{since:%H:%M}",
        )
    return words


def attack_text(why: str, run: Run | None, *, now: datetime) -> Message:
    """Give the note that tells an offense that its trigger was a new attack; ``why`` says it."""
    return _text(_at(shouted(why), run), now)


def first_text(trigger: Trigger, run: Run | None, *, now: datetime) -> Message:
    """Give the note that tells an offense what became of its trigger."""
    return _text(Message("{words}.", words=_at(what_came_of(trigger, run), run)), now)


def second_text(run: Run, *, now: datetime) -> Message:
    """Give the note that tells it, once, what became of the run."""
    words = Message(
        "run {run}, of which the trigger here was a repeat: {state}",
        run=run.id,
        state=how_it_stands(run),
    )
    return _text(Message("{words}.", words=_at(words, run)), now)


def _cooling_down(trigger: Trigger, run_id: int) -> Message:
    if trigger.cooling_until is None:
        return Message("not started: cooling down after run {run}", run=run_id)
    end = trigger.cooling_until.astimezone(UTC)
    same_day = end.date() == trigger.received_at.astimezone(UTC).date()
    until = f"{end:%H:%M} UTC" if same_day else f"{end:%Y-%m-%d %H:%M} UTC"
    return Message("not started: cooling down until {at} after run {run}", at=until, run=run_id)


def _at(words: str, run: Run | None) -> str:
    """Give ``words`` with where their run is, if there is one."""
    if run is None:
        return words
    where = [
        Message(
            "restore job {job} on {manager} {connection}",
            manager=run.kind.product,
            job=run.job_name,
            connection=run.connection,
        )
    ]
    if run.job_session_id:
        where.append(Message("job session {session}", session=run.job_session_id))
    if run.offense_id:
        where.append(Message("offense {offense}", offense=run.offense_id))
    return Message("{words} ({where})", words=words, where=joined(where, ", "))


def _text(words: str, now: datetime) -> Message:
    at = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Message("Safeguarded restore, {at}: {words}", at=at, words=words)
