# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a person may ask of a run, with the consequence of each in words.

Whatever needs CDM is left as a request for the worker. What does not (give up, start again, cancel
before the start) is done here at once, by compare-and-set: a hanging CDM must not delay a "no".
"""

from collections.abc import Callable, Iterable, Set
from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.message import Message
from app.restore.asks import ASKS, CANCEL, Ask
from app.restore.changes import Changes
from app.restore.memory import Memory
from app.restore.model import Mode, Run, RunState
from app.restore.ports import Store
from app.restore.states import MODES, worded


class NotPossible(Exception):
    """The run is not in a state in which this can be asked."""


class UnknownDecision(ValueError):
    """There is no such decision."""


def available(run: Run) -> Map[str, str]:
    """Give what can be asked of ``run`` now: the action's name → its consequence in words."""
    job = Message("{job} on {connection}", job=run.job_name, connection=run.connection)
    if run.state is RunState.NEEDS_DECISION:
        return _decisions(run, job)
    if run.state is RunState.AWAITING_APPROVAL:
        return {
            "approve": Message(
                "Job {job} is started now, as if the rule had fired at this moment.", job=job
            ),
            "reject": (
                Message(
                    "The run is closed as cancelled; nothing is started. When the rule fires"
                    " again, the app asks again."
                )
            ),
        }
    if run.state is RunState.QUEUED:
        return {CANCEL.action: Message("Job {job} will not be started by this run.", job=job)}
    return {
        ask.action: ask.consequence(run, job)
        for ask in ASKS
        if ask.offered(run) and ask.kind != run.pending_request
    }


def _decisions(run: Run, job: str) -> Map[str, str]:
    """What a person may decide, first what the app has seen most reason for."""
    choices: dict[str, str] = {}
    if run.blocked_by is not None:
        choices["follow"] = Message(
            "This run adopts job session {session} and follows it; nothing is started.",
            session=run.blocked_by,
        )
        choices["clean_up_and_start"] = Message(
            "{manager} is asked to clean up job session {session}; whatever it has mounted is"
            " gone. Then {job} is started.",
            manager=run.kind.product,
            session=run.blocked_by,
            job=job,
        )
    started: str = Message(
        "You choose or name the job session that is this run's; it is followed from now on."
    )
    if run.memory.seen and run.blocked_by is None:
        choices["started"] = started
    if run.job_session_id is None:
        choices["not_started"] = _start_again(run, job)
    choices.setdefault("started", started)
    choices["give_up"] = Message(
        "The run is closed as cancelled; nothing is asked of {manager}, and what is mounted"
        " there stays.",
        manager=run.kind.product,
    )
    return choices


def _start_again(run: Run, job: str) -> str:
    if run.blocked_by is not None:
        return Message(
            "{manager} is asked again, and job {job} is started as soon as it is free. If job"
            " session {session} still holds it, the run waits for that, and asks again after"
            " 15 minutes.",
            manager=run.kind.product,
            job=job,
            session=run.blocked_by,
        )
    if run.memory.seen:
        return Message(
            "You say that none of the new job sessions is this run's: job {job} will be started"
            " (again) as soon as none of them is open.",
            job=job,
        )
    return Message(
        "You say that job {job} was not started by this run: it will be started (again) now.",
        job=job,
    )


def approve(store: Store, run_id: int, *, by: str, now: datetime) -> str:
    """Let a run that waits for a person's yes go on to its start.

    Raises `NoSuchRun`, and `NotPossible` while nothing could be started.
    """
    with store.transaction():
        run = _get(store, run_id, "approve")
        if (mode := store.settings.mode) is not Mode.ARMED:
            raise NotPossible(
                Message(
                    "The app's mode is {mode}: arm it first, then approve run {run}.",
                    mode=MODES[mode],
                    run=run_id,
                )
            )
        live = store.runs.live_of_job(run.connection_id, run.job_id)
        if live is not None:
            state = worded(live.state)
            raise NotPossible(
                Message(
                    "Run {live} of job {job} is {state}: the job can't be started again before"
                    " that run has ended. Reject run {run}, or approve it then.",
                    live=live.id,
                    job=run.job_name,
                    state=state,
                    run=run_id,
                )
            )
        memory = Memory(copy_asked=run.memory.copy_asked)
        changes: Changes = {"due_at": now, "memory": memory, "error": None}
        store.runs.record(
            run, RunState.QUEUED, Message("approved by a person"), by=by, now=now, changes=changes
        )
    return Message(
        "Run {run} is approved: job {job} is being started.", run=run_id, job=run.job_name
    )


def reject(store: Store, run_id: int, *, by: str, now: datetime) -> str:
    """Close a run that waits for a person's yes. Raises `NoSuchRun`, `NotPossible`."""
    with store.transaction():
        run = _get(store, run_id, "reject")
        store.runs.record(run, RunState.CANCELLED, Message("rejected by a person"), by=by, now=now)
    return Message("Run {run} is rejected; nothing was started.", run=run_id)


def _cancel(store: Store, run_id: int, *, by: str, now: datetime) -> str:
    """Cancel a run before its start, or leave it to the worker."""
    with store.transaction():
        run = _get(store, run_id, CANCEL.action, also={RunState.AWAITING_APPROVAL})
        if run.state in {RunState.QUEUED, RunState.AWAITING_APPROVAL}:
            store.runs.record(
                run, RunState.CANCELLED, Message("cancelled by a person"), by=by, now=now
            )
            return Message("Run {run} is cancelled; nothing was started.", run=run_id)
        return _leave(CANCEL, store, run_id, by=by, now=now)


def _leave(ask: Ask, store: Store, run_id: int, *, by: str, now: datetime) -> str:
    """Leave a request for the worker. Raises `NoSuchRun`, and `NotPossible` where it is not."""
    with store.transaction():
        run = _get(store, run_id, ask.action, also=ask.early)
        store.runs.ask(run, ask.kind, by=by, now=now)
    return ask.taken(run)


def resolve(
    store: Store, run_id: int, decision: str, job_session_id: str | None, *, by: str, now: datetime
) -> str:
    """Carry out a person's decision about a run that needs one.

    Raises `NoSuchRun`, `UnknownDecision`, and `NotPossible` where the decision doesn't fit the run.
    """
    if decision not in DECISIONS:
        raise UnknownDecision(f"{decision!r} is none of {', '.join(DECISIONS)}")
    with store.transaction():
        run = _get(store, run_id, decision)
        if decision == "give_up":
            store.runs.record(
                run, RunState.CANCELLED, Message("given up by a person"), by=by, now=now
            )
            return Message(
                "Run {run} is closed; look into {manager} for what may still be mounted.",
                manager=run.kind.product,
                run=run_id,
            )
        if decision in {"not_started", "clean_up_and_start"}:
            return _queue_again(store, run, decision, by=by, now=now)
        chosen = run.blocked_by if decision == "follow" else job_session_id or run.job_session_id
        if not chosen:
            raise NotPossible(Message("Name the job session that is this run's."))
        if decision == "started" and chosen in (run.memory.noted or ()):
            raise NotPossible(
                Message(
                    "Job session {session} was in {manager}'s list before the start was sent:"
                    " it can't be run {run}'s. Name one that began later, or decide"
                    " otherwise.",
                    manager=run.kind.product,
                    session=chosen,
                    run=run_id,
                )
            )
        _supersede(store, run, ("resolve",), now=now)
        store.runs.ask(run, "resolve", by=by, now=now, decision=decision, job_session_id=chosen)
    return Message(
        "Run {run} follows job session {session} once {manager} confirms that it is this job's.",
        manager=run.kind.product,
        run=run_id,
        session=chosen,
    )


def _supersede(store: Store, run: Run, kinds: tuple[str, ...], *, now: datetime) -> None:
    """Close what was asked before and would otherwise come true after the newer decision."""
    for request in store.runs.requests(run.id):
        if request.kind in kinds:
            store.runs.close_request(request, Message("a later decision took its place"), now=now)


def _queue_again(store: Store, run: Run, decision: str, *, by: str, now: datetime) -> str:
    clean_first = run.blocked_by if decision == "clean_up_and_start" else None
    reason = Message("a person decided that it was not started; it is started again")
    if clean_first is not None:
        reason = Message(
            "a person decided to clean up job session {session} and start", session=clean_first
        )
    changes: Changes = {
        "due_at": now,
        "memory": Memory(clean_first=clean_first),
        "sent_at": None,
        "blocked_by": None,
        "error": None,
    }
    _supersede(store, run, ("resolve", *(ask.kind for ask in ASKS)), now=now)
    store.runs.record(run, RunState.QUEUED, reason, by=by, now=now, changes=changes)
    return Message("Run {run} is queued again.", run=run.id)


def _get(store: Store, run_id: int, action: str, *, also: Set[RunState] = frozenset()) -> Run:
    run = store.runs.get(run_id)
    if action in available(run) or run.state in also:
        return run
    if run.pending_request is not None:
        raise NotPossible(
            Message(
                "Run {run} has a {request} pending.",
                run=run.id,
                request=words_of(run.pending_request).name,
            )
        )
    state = worded(run.state)
    raise NotPossible(
        Message(
            "Run {run} is {state}: {action} is not possible now.",
            run=run_id,
            state=state,
            action=words_of(action).name,
        )
    )


@dataclass(frozen=True, slots=True)
class Words:
    """What an action or a decision is called: on its button, and in a sentence."""

    button: Message
    name: Message


@dataclass(frozen=True, slots=True)
class Action(Words):
    """What may be asked of a run without a further word; ``do`` is given store, run, by and now."""

    do: Callable[..., str]


def actions_of(asks: Iterable[Ask]) -> Map[str, Action]:
    """Those that the app does itself, and one for each kind of request."""
    return {
        "approve": Action(Message("Approve"), Message("approve"), approve),
        "reject": Action(Message("Reject"), Message("reject"), reject),
        **{ask.action: Action(ask.button, ask.name, partial(_leave, ask)) for ask in asks},
        CANCEL.action: Action(CANCEL.button, CANCEL.name, _cancel),
    }


ACTIONS = actions_of(ASKS)
"""By the word in addresses and in the API."""
DECISIONS: Map[str, Words] = {
    "started": Words(Message("It was started: follow the job session"), Message("started")),
    "not_started": Words(Message("It was not started: start it now"), Message("not started")),
    "follow": Words(Message("Follow that job session"), Message("follow")),
    "clean_up_and_start": Words(
        Message("Clean up that job session, then start"), Message("clean up and start")
    ),
    "give_up": Words(Message("Give up"), Message("give up")),
}
"""What a person may decide of a run that needs it."""


def words_of(word: str) -> Words:
    """An action or decision by its word, or by the kind of the request that it left."""
    kinds = {ask.kind: ask.action for ask in ASKS}
    word = kinds.get(word, word)
    return ACTIONS.get(word) or DECISIONS[word]
