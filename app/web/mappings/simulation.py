# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulations: a marked test trigger takes the way of a real one up to the start, and tells why.

It is decided by the same function, becomes a run in the history and is carried by the worker; what
makes it different is its source, and that its run is a dry run (`app.restore.triggers`).
"""

from dataclasses import dataclass
from secrets import token_hex

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from app.message import Message
from app.qradar.identity import Right
from app.restore import triggers
from app.restore.cooling import asks_a_person
from app.restore.model import SIMULATION, Mapping, Mode, Outcome, Run, RunState, Trigger
from app.store.triggers import ReceivedTrigger
from app.web.frame.access import caller, needs
from app.web.frame.addresses import go_to
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.services import services

bp = Blueprint("simulation", __name__, url_prefix="/set-up/simulation")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a real trigger would have brought about: its colour class, and a sentence."""

    tone: str
    sentence: str


@bp.post("")
@needs(Right.ADMINISTER)
def start() -> Response:
    """Send a test trigger for a mapping."""
    name = request.form.get("mapping", "")
    mapping = services().store.mappings.find(name)
    if mapping is None:
        raise Problem(
            400, Message("There is no mapping named {name}.", name=name[:100]), field="mapping"
        )
    decision = triggers.accept(services().store, _trigger(mapping), services().clock())
    flash(Message("The test trigger has come in. What comes of it stands below."), "good")
    return go_to("simulation.show", trigger_id=decision.trigger_id)


@bp.get("/<int:trigger_id>")
@needs(Right.ADMINISTER)
def show(trigger_id: int) -> str:
    """What came of it, step by step; the page fills while the worker asks CDM."""
    store = services().store
    try:
        trigger = store.triggers.get(trigger_id)
    except (LookupError, OverflowError) as error:
        raise _gone(trigger_id) from error
    if trigger.source != SIMULATION:
        raise _gone(trigger_id)
    run = run_of(trigger)
    return render_template(
        "mappings/simulation.html",
        trigger=trigger,
        run=run,
        verdict=verdict_of(trigger),
        reason=store.runs.transitions(run.id)[-1].reason if run else None,
        mode=store.settings.mode,
        armed=store.settings.mode is Mode.ARMED,
    )


def run_of(trigger: ReceivedTrigger) -> Run | None:
    """The dry run of a simulation, if it came that far."""
    return None if trigger.run_id is None else services().store.runs.get(trigger.run_id)


def verdict_of(trigger: ReceivedTrigger) -> Verdict:
    """What a real trigger would bring about now, by a simulation and its run."""
    run = run_of(trigger)
    if trigger.outcome is not Outcome.OBSERVED or run is None:
        return Verdict("attention", Message("A real trigger would not start the job now."))
    if run.ended_at is None:
        return Verdict("active", Message("CDM is being asked about the job …"))
    if run.state is not RunState.OBSERVED or run.error:
        return Verdict("bad", Message("A real trigger would not start the job now."))
    armed = services().store.settings.mode is Mode.ARMED
    if _asks_first(trigger, run):
        return Verdict(
            "good",
            Message("A real trigger would wait for a person to approve it, then start the job.")
            if armed
            else Message(
                "Once the app is armed, a real trigger waits for a person to approve it, then"
                " starts the job."
            ),
        )
    return Verdict(
        "good",
        Message("A real trigger would start the job now.")
        if armed
        else Message("Once the app is armed, a real trigger starts the job."),
    )


def _asks_first(trigger: ReceivedTrigger, run: Run) -> bool:
    """Whether a real trigger would wait for a person's yes."""
    store = services().store
    mapping = store.mappings.find(trigger.mapping or "")
    if mapping is not None and mapping.needs_approval:
        return True
    return asks_a_person(store.starts.last(run.connection_id, run.job_id))


def _trigger(mapping: Mapping) -> Trigger:
    """A trigger as the mapping's rule sends it; without a rule the custom action names it."""
    by_rule = mapping.rule_id is not None or mapping.rule_name is not None
    return Trigger(
        request_id=f"{SIMULATION}-{token_hex(8)}",
        received_at=services().clock(),
        mapping=None if by_rule else mapping.name,
        rule_id=mapping.rule_id,
        rule_name=mapping.rule_name,
        fields={"simulated_by": caller().name},
        source=SIMULATION,
    )


def _gone(trigger_id: int) -> Problem:
    return Problem(
        404,
        Message("There is no simulation {id}.", id=trigger_id),
        advice=Message("Simulate again from the set-up page."),
    )
