# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview: what needs a person first, then what goes on, then what has come in."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from app.message import Message
from app.qradar.identity import Right
from app.restore.model import Mode, Run
from app.restore.states import FINAL_STATES
from app.restore.watched import WatchedOffense, WatchState
from app.store.run_rows import RunFilter
from app.store.store import Store
from app.store.triggers import ReceivedTrigger
from app.web.frame.access import needs
from app.web.frame.addresses import go_to
from app.web.frame.language import flash
from app.web.frame.problems import Problem
from app.web.runs import written
from app.web.runs.attacks import cooling_jobs
from app.web.services import services
from app.web.set_up.steps import steps
from app.web.status.health import read_health
from app.web.status.health_strip import signals
from app.web.status.needs_person import WAITING, needs_person

bp = Blueprint("overview", __name__)
_RECENT, _LOOKED_THROUGH = 10, 100


@bp.get("/")
@bp.get("/index")
@needs(Right.VIEW)
def show() -> str:
    """The page that QRadar's tab opens."""
    store, health, now = services().store, read_health(services()), services().clock()
    open_runs = store.runs.open()
    return render_template(
        "status/overview.html",
        mode=health.mode,
        signals=signals(services(), health),
        attacks=store.attacks.open(),
        cooling=cooling_jobs(store, now),
        waiting=needs_person(services(), open_runs),
        going_on=[run for run in reversed(open_runs) if run.state not in WAITING],
        triggers=_alike(store.triggers.recent(_LOOKED_THROUGH))[:_RECENT],
        under_way=bool(open_runs),
        ended=_ended(store, len(open_runs)),
        connections=store.connections.list(),
        steps=None if _is_set_up(store) else steps(store),
        spans=written.spans,
        offense_url=written.offense_url,
        unserved=_unserved(),
    )


@bp.post("/watch/dismiss")
@needs(Right.OPERATE)
def dismiss() -> Response:
    """Note that a person has seen an offense that brought no trigger."""
    mapping, offense = request.form.get("mapping", ""), request.form.get("offense", "")
    if not (mapping.isdecimal() and offense.isdecimal() and len(mapping + offense) < 30):
        raise Problem(400, Message("Name the mapping and the offense by their numbers."))
    services().store.watch.dismiss(int(mapping), int(offense), now=services().clock())
    flash(
        Message(
            "Offense {offense} is dismissed: it is not shown here again.", offense=int(offense)
        ),
        "good",
    )
    return go_to("overview.show")


def _ended(store: Store, number_open: int) -> list[Run]:
    """The newest runs that have ended: the open ones stand above them."""
    limit = min(_RECENT + number_open, _LOOKED_THROUGH)
    newest = store.history.page(RunFilter(), before=None, limit=limit).runs
    return [run for run in newest if run.state in FINAL_STATES][:_RECENT]


@dataclass(frozen=True, slots=True)
class Alike:
    """The newest of some triggers of which the same has come, and how many they are."""

    newest: ReceivedTrigger
    number: int


def _alike(triggers: Sequence[ReceivedTrigger]) -> list[Alike]:
    """Put triggers together, so that a storm does not push the one that started a run away."""
    groups: dict[object, list[ReceivedTrigger]] = {}
    for one in triggers:
        key = (one.outcome, one.run_id, one.mapping or one.rule_name or one.rule_id, one.source)
        groups.setdefault(key, []).append(one)
    return [Alike(same[0], len(same)) for same in groups.values()]


def _is_set_up(store: Store) -> bool:
    """Whether rules start restores; a CDM that is down or a failed simulation is told elsewhere."""
    parts = (store.connections.list(), store.mappings.list(), store.tokens.list())
    return all(parts) and store.settings.mode is Mode.ARMED


def _unserved() -> list[tuple[WatchedOffense, str]]:
    """The offenses that brought no trigger, each with its mapping's name."""
    store = services().store
    shown = store.watch.in_state(WatchState.SHOWN)
    if not shown:
        return []
    names = {mapping.id: mapping.name for mapping in store.mappings.list()}
    return [(pair, names[pair.mapping_id]) for pair in shown if pair.mapping_id in names]
