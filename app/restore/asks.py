# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a person may ask of a run that its copy manager does: each kind is declared here, once.

Its button and its words, when it is offered, and how it is sent. A request is left by `actions` and
carried out by the worker: one that leaves the run in its state as `Sending` says, the clean-up,
which has a state of its own, by `requested.clean_up_if_asked`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.message import Message
from app.restore.memory import Memory, Sent
from app.restore.model import JobSession, Phase, Run, RunState
from app.restore.ports import CopyManager

S = RunState


@dataclass(frozen=True, slots=True)
class Sending:
    """How a request is sent while the run stays in its state, and what shows that it was."""

    states: frozenset[RunState]  # in which it is sent
    verb: Callable[[CopyManager, str], None]  # of a job session; one request, never repeated
    begun: Callable[[JobSession], bool]  # whether the session shows that it is under way
    untouched: Phase  # with which it proves, read for long enough, that it had no effect
    late: Message  # why it can't have one once the run has left those states
    failed: Callable[[str], Message]  # what the run then shows as its error
    sent: Callable[[Memory], Sent]
    remember: Callable[[Memory, Sent], Memory]


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of request."""

    kind: str  # as it is kept
    action: str  # as addresses and the API call it
    button: Message
    name: Message  # in a sentence
    pending: Message  # while it waits to be carried out
    offered: Callable[[Run], bool]
    early: frozenset[RunState]  # in which it is taken too, to be done as soon as it can be
    consequence: Callable[[Run, str], Message]  # with the job in words
    taken: Callable[[Run], Message]  # the answer to who asks
    sending: Sending | None = None


def _stuck(run: Run) -> bool:
    """While it makes a copy permanent CDM shows it as in use; should that fail it stays so."""
    return run.state is S.RESTORING and run.memory.permanent is True


def _clean_up_taken(run: Run) -> Message:
    if run.state is S.READY:
        return Message(
            "{manager} is asked to clean up run {run}; watch its state.",
            manager=run.kind.product,
            run=run.id,
        )
    return Message("Run {run} is cleaned up as soon as its copy is up.", run=run.id)


CANCEL = Ask(
    kind="cancel",
    action="cancel",
    button=Message("Cancel"),
    name=Message("cancel"),
    pending=Message("cancel asked for"),
    offered=lambda run: run.state in {S.STARTING, S.RESTORING},
    early=frozenset(),
    consequence=lambda run, job: Message(
        "{manager} is asked to cancel the job session of {job} as soon as it is known. A copy"
        " that is up already stays.",
        manager=run.kind.product,
        job=job,
    ),
    taken=lambda run: Message(
        "{manager} is asked to cancel run {run}; watch its state.",
        manager=run.kind.product,
        run=run.id,
    ),
    sending=Sending(
        states=frozenset({S.RESTORING}),
        verb=lambda cdm, session_id: cdm.cancel(session_id),
        begun=lambda session: session.status.strip().upper().startswith("CANCEL"),
        untouched=Phase.RUNNING,
        late=Message("the copy was up before the cancel had an effect; clean it up instead"),
        failed=lambda result: Message("Not cancelled: {result}.", result=result),
        sent=lambda memory: memory.cancel,
        remember=lambda memory, sent: replace(memory, cancel=sent),
    ),
)
CLEAN_UP = Ask(
    kind="clean_up",
    action="clean-up",
    button=Message("Clean up"),
    name=Message("clean-up"),
    pending=Message("clean up asked for"),
    offered=lambda run: run.state is S.READY or _stuck(run),
    early=frozenset({S.STARTING, S.RESTORING}),
    consequence=lambda run, job: Message(
        "{manager} is asked to clean up {job}: the copy in the clean room is unmounted and"
        " what was found in it is gone.",
        manager=run.kind.product,
        job=job,
    ),
    taken=_clean_up_taken,
)
ASKS = (CANCEL, CLEAN_UP)
