# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What else the served pages show: what QRadar and people have left, and a month of history.

``text`` stands in for every value from outside; where it is empty, the values are usual ones.
"""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.qradar.action_installer import ACTION_NAME
from app.qradar.installed_action import Book, Installation
from app.restore.attacks import Noticed
from app.restore.model import (
    SIMULATION,
    CdmConnection,
    Mapping,
    Outcome,
    RunState,
    Trigger,
)
from app.restore.watched import WatchedOffense, WatchState
from app.store.store import Store
from app.web.set_up.action_book import StoredBook
from tests.simulators.console import ConsoleSimulator

RULES = {100231: "Attack on the payroll database 1", 100240: "Ransom note on a file share"}
_PAST = {
    "completed": (RunState.STARTING, RunState.RESTORING, RunState.READY, RunState.COMPLETED),
    "failed": (RunState.STARTING, RunState.FAILED),
    "cancelled": (RunState.CANCELLED,),
}


def fill_console(console: ConsoleSimulator, text: str) -> None:
    """Rules and roles, which the console names."""
    for number, name in RULES.items():
        console.add_rule(number, text or name)
    if text:
        console.add_role(text, "SEM")


def fill_qradar(store: Store, text: str) -> None:
    """The watch list, the service token, the custom action, and the rules as last listed."""
    now = datetime.now(UTC)
    for offense, mapping in enumerate(store.mappings.list(), start=4711):
        pair = WatchedOffense(
            *(mapping.id, offense, WatchState.SHOWN, 3, 0, 0, mapping.rule_id),
            *(text or mapping.rule_name, now - timedelta(minutes=7), text),
        )
        store.watch.keep(pair)
    store.qradar.set_token(
        "label", name=text or "restore-service", expires_at=None, by="a", now=now
    )
    if text:
        store.qradar.note_contact(text, now=now)
    made = Installation(
        token_name=text or "event processors",
        service_label=text or "safeguarded-restore-trigger-1",
        role_id=7,
        expires_at=now + timedelta(days=200),
        script_sha256="ab" * 32,
        issuers="cd" * 32,
        console=text,
        mapping=text,
        installed_at=now - timedelta(days=165),
        installed_by=text or "anna",
        action_id=1,
    )
    old = Installation(**{name: getattr(made, name) for name in made.__slots__} | {"action_id": 2})
    StoredBook(store, by=text or "anna", now=now).write(Book(made, None, (old,), 2), ACTION_NAME)
    store.audit.append(text or "anna", text or "mode.set", text or "mode", text or "armed", now=now)


def fill_runs(store: Store, text: str) -> None:
    """Repeats, notes with their delivery, and what people have asked for."""
    now = datetime.now(UTC)
    runs = sorted(store.runs.open(), key=lambda run: run.id)
    mounted = next(run for run in runs if run.state is RunState.READY)
    undecided = next(run for run in runs if run.state is RunState.NEEDS_DECISION)
    values = {
        (text[:60] or "username"): text or "svc_payroll",
        "sourceip": "203.0.113.7",
        "simulated_by": text or "anna",
    }
    # The first trigger is a simulation, which has a page.
    first = Trigger("simulation-1", now, source=SIMULATION, rule_name=text or None, fields=values)
    store.triggers.add(
        *(first, Outcome.ALREADY_RUNNING, text or f"Run {mounted.id} is ready."),
        run_id=None,
        mapping=mounted.mapping,
    )
    for run in runs:
        trigger = Trigger(
            f"first-{run.id:04}", run.received_at, rule_name=run.rule_name, fields=values
        )
        store.triggers.add(
            *(trigger, Outcome.ACCEPTED, text or f"Run {run.id} was made."),
            run_id=run.id,
            mapping=run.mapping,
        )
    for number, outcome in enumerate(
        (Outcome.ALREADY_RUNNING, Outcome.COOLING_DOWN, Outcome.LIMIT_REACHED)
    ):
        trigger = Trigger(
            f"repeat-{number:04}",
            now - timedelta(minutes=number),
            rule_name=text or RULES[100231],
            fields=values,
        )
        words = text or f"Run {mounted.id} of job SQL clean-room restore is ready."
        trigger_id = store.triggers.add(
            trigger, outcome, words, run_id=mounted.id, mapping=text or None
        )
        store.runs.count_repeat(mounted.id)
        mapping = store.mappings.get(mounted.mapping_id or 0)
        why = text or (
            f"New attack while run {mounted.id} is still mounted: job {mounted.job_name} can't"
            " start again before its clean room is cleaned up."
        )
        noticed = Noticed(mounted.id, why)
        store.attacks.add(noticed, mapping, trigger_id=trigger_id, now=now)
    landed, *waiting = store.notes.for_run(mounted.id)
    store.notes.posted(landed, now=now)
    for note in waiting:
        store.notes.failed(note, text or "The console does not answer in time.")
    store.notes.begin_search(undecided.id, now=now)
    store.notes.give_up_search(undecided.id, text or "No offense has its events.", now=now)
    store.runs.note(store.runs.get(mounted.id), blocked_by=text or None)
    if not text:
        store.notes.found(mounted.id, 4710, now=now)
    store.runs.ask(mounted, "clean_up", by=text or "anna", now=now)


def fill_logs(folder: Path, text: str) -> None:
    """The last troubles, for the diagnostics page."""
    log = folder / "store" / "log" / "worker.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"2026-11-24 08:00:00 [WARNING] {text or 'CDM prod does not answer'}\n")


def fill_past(store: Store, days: int) -> None:
    """A history of so many days, always the same: about two runs a day, most of them completed."""
    dice = random.Random(days)  # noqa: S311 - nothing secret
    now = datetime.now(UTC)
    branch = store.connections.add(
        name="branch",
        host="cdm-b.example",
        port=8443,
        username="qradar-restore",
        secret_label="prod",
    )
    mappings = [
        store.mappings.add(
            name=name,
            rule_id=100300 + number,
            rule_name=rule,
            connection_id=branch.id,
            job_id=str(2000 + number),
            job_name=job,
            cooldown_s=900,
        )
        for number, (name, rule, job) in enumerate(
            [
                ("Ransom note", "Ransom note on a file share", "File server clean room"),
                ("Mass deletion", "Mass deletion on ERP", "ERP clean-room restore"),
            ]
        )
    ]
    for day in range(days, 0, -1):
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            at = now - timedelta(days=day, minutes=dice.randrange(600))
            _past_run(store, dice.choice(mappings), branch, at, dice)


def _past_run(
    store: Store, mapping: Mapping, connection: CdmConnection, at: datetime, dice: random.Random
) -> None:
    name = dice.choice(("completed", "completed", "completed", "failed", "cancelled"))
    trigger = Trigger(
        f"past-{at:%m%d%H%M%S%f}",
        at,
        rule_id=mapping.rule_id,
        rule_name=mapping.rule_name,
        detected_at=at - timedelta(seconds=4),
    )
    run = store.runs.add(trigger, mapping, connection, now=at)
    for state in _PAST[name]:
        at += timedelta(seconds=dice.randrange(40, 400))
        changes: dict[str, object] = {}
        if state is RunState.RESTORING:
            changes["started_at"] = at
        if state is RunState.READY:
            changes["ready_at"] = at
        if state is RunState.FAILED:
            changes["error"] = "CDM: the target host is not reachable."
        run = store.runs.record(run, state, "as CDM says", by="engine", now=at, changes=changes)
    for _ in range(dice.randrange(5)):
        store.runs.count_repeat(run.id)
    store.runs.note(run, offense_id=4000 + run.id)
