# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What has drifted: a mapping whose rule or restore job is no longer what it was saved for."""

from collections.abc import Mapping as Map
from collections.abc import Sequence

from app.message import Message
from app.restore.model import Mapping, Watch
from app.store.qradar import Rule
from app.store.store import Store


def drifts(store: Store) -> Map[int, Sequence[str]]:
    """Give the warnings of each mapping that has some, by its id."""
    jobs = store.mappings.job_drifts()
    rules = store.qradar.rules_of_mappings() if store.qradar.console().rules_at else None
    found: dict[int, Sequence[str]] = {}
    for mapping in store.mappings.list():
        warnings = [] if rules is None else [*_of_rule(mapping, rules.get(mapping.id, ()))]
        warnings += [jobs[mapping.id]] if mapping.id in jobs else []
        if warnings:
            found[mapping.id] = warnings
    return found


def _of_rule(mapping: Mapping, rules: Sequence[Rule]) -> Sequence[str]:
    """``rules``: its own, and those that it is linked with."""
    if mapping.rule_id is None:
        if mapping.rule_name is None or rules:
            return []
        return [
            Message(
                "QRadar has no rule named {name}: it was renamed or deleted.",
                name=mapping.rule_name,
            )
        ]
    rule = next((one for one in rules if one.id == mapping.rule_id), None)
    if rule is None:
        return [
            Message("QRadar has no rule {number} any more: it was deleted.", number=mapping.rule_id)
        ]
    warnings = []
    # An override takes the place of the system rule it was made from, which may then be off.
    if all(one.enabled is False for one in rules):
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
