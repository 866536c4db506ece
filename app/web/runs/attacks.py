# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""New attacks that could start nothing: on every page, and what a person does about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Flask, Response, jsonify
from werkzeug.wrappers import Response as BaseResponse

from app.message import Message
from app.qradar.identity import Right
from app.restore.attacks import Attack, NoSuchAttack
from app.restore.cooling import cooling
from app.restore.model import Mapping, Mode
from app.store.store import Store
from app.store.times import to_text, to_text_or_none
from app.web.frame.access import caller, may, needs
from app.web.frame.addresses import go_to
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.services import services

bp = Blueprint("attacks", __name__)


def register(app: Flask) -> None:
    """Make `open_attacks` known to the templates of ``app``."""
    app.add_template_global(open_attacks)


def open_attacks() -> Sequence[Attack]:
    """What nobody has answered yet; nothing for those who may not look at runs."""
    return services().store.attacks.open() if may(Right.VIEW) else []


@dataclass(frozen=True, slots=True)
class CoolingJob:
    """A job that a trigger met in its cool-down, which is not over."""

    mapping: Mapping
    at: datetime  # when the trigger came
    why: str


def cooling_jobs(store: Store, now: datetime) -> Sequence[CoolingJob]:
    """The jobs that a rule could not start because they cool down, each once, nothing runs.

    Not those with a new attack: that says it louder. And only while the app would start them then.
    """
    if store.settings.mode is not Mode.ARMED:
        return []
    last_triggers = store.attacks.met_cooling()
    if not last_triggers:
        return []
    told = {(one.connection_id, one.job_id) for one in store.attacks.open()}
    found = []
    for mapping in store.mappings.list():
        job = (mapping.connection_id, mapping.job_id)
        last_trigger = last_triggers.get(job)
        if not mapping.enabled or job in told or last_trigger is None:
            continue
        met = cooling(mapping, store.starts.last(*job), now)
        if met is None or last_trigger.cooling_run_id != met.run_id or store.runs.live_of_job(*job):
            continue
        told.add(job)
        found.append(CoolingJob(mapping, last_trigger.cooling_at or last_trigger.at, met.why))
    return found


@bp.post("/attacks/<int:attack_id>/acknowledge")
@needs(Right.OPERATE)
def acknowledge(attack_id: int) -> BaseResponse:
    """Note that a person has seen it: it leaves the pages."""
    attack = _acknowledge(attack_id)
    mine = attack.acknowledged_by == caller().name
    said = (
        Message(
            "The new attack on {job} is acknowledged. Its history and the audit keep who did it.",
            job=attack.job_name,
        )
        if mine
        else Message("The new attack on {job} had ended before.", job=attack.job_name)
    )
    flash(said, "good")
    return go_to("overview.show")


@bp.get("/api/v1/attacks")
@needs(Right.VIEW)
def list_attacks() -> Response:
    """The new attacks that nobody has answered yet, the newest first."""
    return jsonify(attacks=[fields_of(one) for one in services().store.attacks.open()])


@bp.post("/api/v1/attacks/<int:attack_id>/acknowledge")
@needs(Right.OPERATE)
def acknowledge_by_api(attack_id: int) -> Response:
    """The same as JSON: the new attack as it is then."""
    return jsonify(fields_of(_acknowledge(attack_id)))


def _acknowledge(attack_id: int) -> Attack:
    try:
        return services().store.attacks.acknowledge(
            attack_id, by=caller().name, now=services().clock()
        )
    except (NoSuchAttack, OverflowError) as error:
        message, advice = (
            Message("There is no new attack {number}.", number=attack_id),
            Message("Look at the overview."),
        )
        raise Problem(404, message, advice=advice) from error


def fields_of(attack: Attack) -> dict[str, object]:
    """A new attack as JSON: times as ISO 8601 in UTC, null until known."""
    return {
        "id": attack.id,
        "at": to_text(attack.at),
        "connection": attack.connection,
        "job_id": attack.job_id,
        "job_name": attack.job_name,
        "mapping": attack.mapping,
        "trigger_id": attack.trigger_id,
        "run_id": attack.run_id,
        "offense_id": attack.offense_id,
        "offense_by": attack.offense_by,
        "why": attack.why,
        "start_possible_at": to_text_or_none(attack.start_possible_at),
        "triggers": attack.triggers,
        "answering_run_id": attack.answering_run_id,
        "acknowledged_at": to_text_or_none(attack.acknowledged_at),
        "acknowledged_by": attack.acknowledged_by,
        "ended_at": to_text_or_none(attack.ended_at),
    }
