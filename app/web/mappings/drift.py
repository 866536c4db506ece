# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What has drifted: a mapping whose rule or restore job is no longer what it was saved for."""

from collections.abc import Mapping as Map
from collections.abc import Sequence

from app.message import Message
from app.restore.model import Mapping, Watch
from app.store.store import Store


def drifts(store: Store) -> Map[int, Sequence[str]]:
    """Give the warnings of each mapping that has some, by its id."""
    jobs = store.mappings.job_drifts()
    rules_known = store.qradar.console().rules_at is not None
    found: dict[int, Sequence[str]] = {}
    for mapping in store.mappings.list():
        warnings = [*_of_rule(store, mapping)] if rules_known else []
        warnings += [jobs[mapping.id]] if mapping.id in jobs else []
        if warnings:
            found[mapping.id] = warnings
    return found


def _of_rule(store: Store, mapping: Mapping) -> Sequence[str]:
    if mapping.rule_id is None:
        if mapping.rule_name is None or store.qradar.same_rules(None, mapping.rule_name):
            return []
        return [
            Message(
                "QRadar has no rule named {name}: it was renamed or deleted.",
                name=mapping.rule_name,
            )
        ]
    rule = store.qradar.rule(mapping.rule_id)
    if rule is None:
        return [
            Message("QRadar has no rule {number} any more: it was deleted.", number=mapping.rule_id)
        ]
    warnings = []
    # An override takes the place of the system rule it was made from, which may then be off.
    family = [store.qradar.rule(number) for number in store.qradar.same_rules(rule.id, None)]
    if not any(one.enabled is not False for one in family if one is not None):
        warnings.append(
            Message("Rule {name} is disabled in QRadar: it does not fire.", name=rule.name)
        )
    if mapping.rule_name is not None and mapping.rule_name != rule.name:
        warnings.append(
            Message(
                "Rule {number} is called {name} now, not {before}.",
                number=rule.id,
                name=rule.name,
                before=mapping.rule_name,
            )
        )
    if rule.type == "OFFENSE" and mapping.watch is Watch.OFF:
        warnings.append(
            Message(
                "Rule {name} is of type OFFENSE, which may not run a custom action: switch the"
                " offense watch on.",
                name=rule.name,
            )
        )
    return warnings
