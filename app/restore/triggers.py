# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Does this trigger become a run? One transaction, one answer, one row whatever the answer is."""

import logging
from datetime import datetime, timedelta

from app.restore.model import Decision, Mapping, Mode, Outcome, Run, RunState, Trigger
from app.restore.ports import Store

logger = logging.getLogger(__name__)

OWN_USER = "safeguarded-restore"
"""The user whom our own events in QRadar's log name: a rule must not start a restore over them."""
_OWN_EVENT = (
    "The event was written by this app itself: the rule matches the app's own log. Nothing was"
    f" started; leave events of the user {OWN_USER} out of the rule."
)


def accept(store: Store, trigger: Trigger, now: datetime) -> Decision:
    """Decide on ``trigger`` and keep it; what is answered is committed (design.md §4, §5).

    The decision is made by reading inside the transaction; the store's unique indexes are the
    safety net. Raises the store's own error when it can't commit: then nothing was kept.
    """
    with store.transaction():
        decision = _accept(store, trigger, now)
    logger.info(
        "trigger %d (%s): %s. %s",
        *(decision.trigger_id, trigger.request_id, decision.outcome, decision.message),
    )
    return decision


def _accept(store: Store, trigger: Trigger, now: datetime) -> Decision:
    first = store.triggers.find(trigger.request_id)
    if first is not None:
        message = f"The same request came before; it was then {first.outcome}: {first.message}"
        if first.run_id is not None:
            store.runs.count_repeat(first.run_id, new_attack=False, now=now)
        return _keep(store, trigger, Outcome.DUPLICATE, message, first.run_id, first.mapping)
    if trigger.mapping is None and trigger.rule_id is None and trigger.rule_name is None:
        return _keep(store, trigger, Outcome.TEST, _test_message(trigger), None, None)
    if trigger.fields.get("username", "").strip() == OWN_USER:
        return _keep(store, trigger, Outcome.UNMATCHED, _OWN_EVENT, None, None)
    mapping = _find_mapping(store, trigger)
    if mapping is None:
        return _keep(store, trigger, Outcome.UNMATCHED, _unmatched(trigger), None, None)
    if not mapping.enabled:
        disabled = f"Mapping {mapping.name} is disabled."
        return _keep(store, trigger, Outcome.MAPPING_DISABLED, disabled, None, mapping.name)
    outcome, message, run_id = _decide(store, trigger, mapping, now)
    return _keep(store, trigger, outcome, message, run_id, mapping.name)


def _find_mapping(store: Store, trigger: Trigger) -> Mapping | None:
    """By name, else rule id, else linked rule id, else exact rule name."""
    if trigger.mapping is not None:
        return store.mappings.find(trigger.mapping)
    if trigger.rule_id is not None:
        found = store.mappings.find_by_rule_id(
            trigger.rule_id
        ) or store.mappings.find_by_linked_rule(trigger.rule_id)
        if found is not None:
            return found
    if trigger.rule_name is not None:
        return store.mappings.find_by_rule_name(trigger.rule_name)
    return None


def _decide(
    store: Store, trigger: Trigger, mapping: Mapping, now: datetime
) -> tuple[Outcome, str, int | None]:
    live = store.runs.live_of_job(mapping.connection_id, mapping.job_id)
    last = store.runs.last_start(mapping.connection_id, mapping.job_id)
    if last is not None and last[1] > now:
        # Our clock was set back. The start counts as now, and goes on to do so: else the job would
        # cool down until the clock has caught up, a day perhaps.
        store.runs.correct_start(last[0], now)
        last = (last[0], now)
    cooling = timedelta(0) if last is None else _cooling(mapping, last[1], now)
    if trigger.simulated:
        return _simulate(store, trigger, mapping, live, cooling, now=now)
    if live is not None:
        new_attack = live.state is RunState.READY and not cooling
        store.runs.count_repeat(live.id, new_attack=new_attack, now=now)
        return Outcome.ALREADY_RUNNING, _already_running(live, new_attack=new_attack), live.id
    if cooling and last is not None:
        store.runs.count_repeat(last[0], new_attack=False, now=now)
        return Outcome.COOLING_DOWN, _cooling_down(mapping, last[0], cooling), last[0]
    mode = store.settings.mode
    if mode is Mode.DISARMED:
        message = "The app is disarmed: nothing was started. Arm it on the settings page."
        return Outcome.DISARMED, message, None
    if mode is Mode.OBSERVE:
        return _observe(store, trigger, mapping, now)
    if mapping.needs_approval:
        return _ask_first(store, trigger, mapping, now)
    connection = store.connections.get(mapping.connection_id)
    run = store.runs.add(trigger, mapping, connection, now=now)
    message = f"Run {run.id} will start job {mapping.job_name} on {connection.name}."
    return Outcome.ACCEPTED, message, run.id


def _observe(
    store: Store, trigger: Trigger, mapping: Mapping, now: datetime
) -> tuple[Outcome, str, int | None]:
    """Mode ``observe``: a dry run, once for the time that a start would have cooled down."""
    seen = store.runs.last_observed(mapping.connection_id, mapping.job_id)
    if seen is not None and _observed_of_late(mapping, seen, now):
        store.runs.count_repeat(seen.id, new_attack=False, now=now)
        message = (
            f"Only observed: run {seen.id} looked at job {mapping.job_name} a short while ago."
            " Armed, this trigger would not have started it again."
        )
        return Outcome.OBSERVED, message, seen.id
    connection = store.connections.get(mapping.connection_id)
    run = store.runs.add(trigger, mapping, connection, now=now, dry_run=True)
    message = (
        f"Only observed: run {run.id} does everything for job {mapping.job_name} on"
        f" {connection.name} but start it."
    )
    return Outcome.OBSERVED, message, run.id


def _observed_of_late(mapping: Mapping, seen: Run, now: datetime) -> bool:
    """Whether an earlier dry run stands for this trigger too; a storm must not make thousands."""
    if seen.ended_at is None:
        return True
    return timedelta(0) <= now - seen.ended_at < timedelta(seconds=mapping.cooldown_s)


def _ask_first(
    store: Store, trigger: Trigger, mapping: Mapping, now: datetime
) -> tuple[Outcome, str, int | None]:
    """A run that waits for a person's yes; of one job there is one at most."""
    waiting = store.runs.unapproved(mapping.connection_id, mapping.job_id)
    if waiting is not None:
        store.runs.count_repeat(waiting.id, new_attack=False, now=now)
        message = f"Run {waiting.id} of job {mapping.job_name} already waits for approval."
        return Outcome.AWAITING_APPROVAL, message, waiting.id
    connection = store.connections.get(mapping.connection_id)
    state = RunState.AWAITING_APPROVAL
    run = store.runs.add(trigger, mapping, connection, now=now, state=state)
    message = (
        f"Run {run.id} waits for a person to approve it; then it starts job {mapping.job_name} on"
        f" {connection.name}."
    )
    return Outcome.AWAITING_APPROVAL, message, run.id


def _simulate(
    store: Store,
    trigger: Trigger,
    mapping: Mapping,
    live: Run | None,
    cooling: timedelta,
    *,
    now: datetime,
) -> tuple[Outcome, str, int | None]:
    """The same decision whatever the mode, without a trace on the runs that are met."""
    if live is not None:
        return Outcome.ALREADY_RUNNING, _already_running(live, new_attack=False), None
    last = store.runs.last_start(mapping.connection_id, mapping.job_id)
    if cooling and last is not None:
        return Outcome.COOLING_DOWN, _cooling_down(mapping, last[0], cooling), None
    connection = store.connections.get(mapping.connection_id)
    run = store.runs.add(trigger, mapping, connection, now=now, dry_run=True)
    message = (
        f"Simulated: run {run.id} does everything for job {mapping.job_name} on"
        f" {connection.name} but start it."
    )
    if mapping.needs_approval:
        message += " A real one would first wait for a person to approve it."
    if (mode := store.settings.mode) is not Mode.ARMED:
        message += f" The app's mode is {mode}: a real trigger would start nothing now."
    return Outcome.OBSERVED, message, run.id


def _cooling_down(mapping: Mapping, run_id: int, cooling: timedelta) -> str:
    return (
        f"Run {run_id} started job {mapping.job_name} a short while ago; mapping {mapping.name}"
        f" starts it again in {round(cooling.total_seconds())} s at the earliest."
    )


def _cooling(mapping: Mapping, last_start: datetime, now: datetime) -> timedelta:
    """How much of the cool-down is left."""
    left = last_start + timedelta(seconds=mapping.cooldown_s) - now
    return max(left, timedelta(0))


def _keep(
    store: Store,
    trigger: Trigger,
    outcome: Outcome,
    message: str,
    run_id: int | None,
    mapping: str | None,
) -> Decision:
    if trigger.remarks and outcome is not Outcome.DUPLICATE:
        message = f"{message} {' '.join(trigger.remarks)}"
    trigger_id = store.triggers.add(trigger, outcome, message, run_id=run_id, mapping=mapping)
    return Decision(trigger_id, outcome, run_id, message)


def _already_running(live: Run, *, new_attack: bool) -> str:
    if new_attack:
        return (
            f"New attack while run {live.id} is still mounted: job {live.job_name} can't start"
            " again before its clean room is cleaned up."
        )
    if live.state is RunState.NEEDS_DECISION:
        return f"Run {live.id} of job {live.job_name} waits for a person's decision."
    return f"Run {live.id} of job {live.job_name} is {live.state.replace('_', ' ')}."


def _unmatched(trigger: Trigger) -> str:
    if trigger.mapping is not None:
        return f"There is no mapping named {trigger.mapping}; nothing was started."
    asked = [
        *([] if trigger.rule_id is None else [f"rule id {trigger.rule_id}"]),
        *([] if trigger.rule_name is None else [f"rule name {trigger.rule_name}"]),
    ]
    return f"No mapping for {' or '.join(asked)}; nothing was started."


_EVENT_FIELDS = frozenset(
    ("event_time", "source_ip", "destination_ip", "username", "log_source_id", "qid", "magnitude")
)


def _test_message(trigger: Trigger) -> str:
    message = "Connection test passed: the call arrived, its token is valid, nothing was started."
    if _EVENT_FIELDS & set(trigger.fields):
        message += (
            " It carries event values but no RULE_ID: if a rule sent it, RULE_ID does not arrive"
            " here, and the custom action's mapping parameter should be set."
        )
    return message
