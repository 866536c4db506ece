# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Does this trigger become a run? One transaction, one answer, one row whatever the answer is."""

import logging
from dataclasses import replace
from datetime import datetime

from app.message import Message, joined
from app.restore.decisions import Verdict, by_itself, decide
from app.restore.model import Decision, Mapping, Outcome, Trigger
from app.restore.own_events import MAY_BE_OWN, OWN_EVENT, names_our_user
from app.restore.ports import Store

logger = logging.getLogger(__name__)

_SWALLOWED = {Outcome.ALREADY_RUNNING, Outcome.COOLING_DOWN}


def accept(store: Store, trigger: Trigger, now: datetime) -> Decision:
    """Decide on ``trigger`` and keep it; what is answered is committed (architecture §4, §5).

    The decision is made by reading inside the transaction; the store's unique indexes are the
    safety net. Raises the store's own error when it can't commit: then nothing was kept.
    """
    with store.transaction():
        decision = _accept(store, trigger, now)
    logger.info(
        "trigger %d (%s): %s. %s",
        *(decision.trigger_id, trigger.request_id, decision.outcome, decision.message),
    )
    if decision.new_attack:
        logger.warning("trigger %d: %s", decision.trigger_id, decision.message)
    return decision


def _accept(store: Store, trigger: Trigger, now: datetime) -> Decision:
    first = store.triggers.find(trigger.request_id)
    if first is not None:
        message = Message(
            "The same request came before; it was then {outcome}: {message}",
            outcome=first.outcome,
            message=first.message,
        )
        if first.run_id is not None:
            store.runs.count_repeat(first.run_id)
        duplicate = Verdict(Outcome.DUPLICATE, message, first.run_id, first.mapping)
        return _keep(store, trigger, duplicate)
    if trigger.mapping is None and trigger.rule_id is None and trigger.rule_name is None:
        return _keep(store, trigger, Verdict(Outcome.TEST, _test_message(trigger)))
    if store.settings.own_events.has(trigger):
        return _keep(store, trigger, Verdict(Outcome.UNMATCHED, OWN_EVENT))
    mapping = _find_mapping(store, trigger)
    if mapping is None:
        return _keep(store, trigger, Verdict(Outcome.UNMATCHED, _unmatched(trigger)))
    if not mapping.enabled:
        disabled = Message("Mapping {mapping} is disabled.", mapping=mapping.name)
        verdict = Verdict(Outcome.MAPPING_DISABLED, disabled)
        return _keep(store, trigger, replace(verdict, mapping=mapping.name))
    verdict = replace(decide(store, trigger, mapping, now), mapping=mapping.name)
    if names_our_user(trigger):
        verdict = replace(verdict, message=joined((verdict.message, MAY_BE_OWN), " "))
    # The attack that people will look at must not be stripped by a flood; of each job one is open.
    raises = (
        verdict.attack is not None
        and store.attacks.open_of_job(mapping.connection_id, mapping.job_id) is None
    )
    decision = _keep(store, trigger, verdict, whole=raises)
    _note_attack(store, trigger, mapping, verdict, trigger_id=decision.trigger_id, now=now)
    return replace(decision, new_attack=raises)


def _note_attack(
    store: Store,
    trigger: Trigger,
    mapping: Mapping,
    verdict: Verdict,
    *,
    trigger_id: int,
    now: datetime,
) -> None:
    """Keep the new attack that a trigger is, or count it to the one that is open."""
    if verdict.attack is not None:
        store.attacks.add(verdict.attack, mapping, trigger_id=trigger_id, now=now)
    elif verdict.outcome in _SWALLOWED and by_itself(trigger):
        store.attacks.count(mapping.connection_id, mapping.job_id)


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


def _keep(store: Store, trigger: Trigger, verdict: Verdict, *, whole: bool = False) -> Decision:
    message = verdict.message
    if trigger.remarks and verdict.outcome is not Outcome.DUPLICATE:
        message = joined((message, *trigger.remarks), " ")
    trigger_id = store.triggers.add(
        trigger,
        verdict.outcome,
        message,
        run_id=verdict.run_id,
        mapping=verdict.mapping,
        cooling_until=verdict.cooling_until,
        in_the_way=verdict.in_the_way,
        whole=whole,
    )
    return Decision(trigger_id, verdict.outcome, verdict.run_id, message)


def _unmatched(trigger: Trigger) -> str:
    if trigger.mapping is not None:
        return Message(
            "There is no mapping named {mapping}; nothing was started.", mapping=trigger.mapping
        )
    if trigger.rule_name is None:
        return Message(
            "No mapping for rule id {rule_id}; nothing was started.", rule_id=trigger.rule_id
        )
    if trigger.rule_id is None:
        return Message(
            "No mapping for rule name {rule}; nothing was started.", rule=trigger.rule_name
        )
    return Message(
        "No mapping for rule id {rule_id} or rule name {rule}; nothing was started.",
        rule_id=trigger.rule_id,
        rule=trigger.rule_name,
    )


_EVENT_FIELDS = frozenset(
    ("event_time", "source_ip", "destination_ip", "username", "log_source_id", "qid", "magnitude")
)


def _test_message(trigger: Trigger) -> str:
    message = Message(
        "Connection test passed: the call arrived, its token is valid, nothing was started."
    )
    if _EVENT_FIELDS & set(trigger.fields):
        carries = Message(
            "It carries event values but no RULE_ID: if a rule sent it, RULE_ID does not arrive"
            " here, and the custom action's mapping parameter should be set."
        )
        return joined((message, carries), " ")
    return message
