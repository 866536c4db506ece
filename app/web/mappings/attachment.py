# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a mapping's rule has the custom action: only the rule's own call proves it.

No REST call of QRadar shows a rule's responses or what is deployed (qradar §7.2). A call
that names the rule proves both; Test Execution names none and runs what is not deployed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from app.qradar.installed_action import Book
from app.restore.model import Mapping, Watch
from app.store.settings import TriggerToken
from app.store.store import Store


class Proof(Enum):
    """What is known of a mapping's rule and the custom action."""

    ATTACHED = "attached"
    WATCHED = "watched"  # a rule of type OFFENSE, which can't call: its offenses are watched
    TESTED = "tested"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A mapping that is to be called, and what proves that it can be."""

    mapping: Mapping
    proof: Proof
    called_at: datetime | None = None  # when its rule first called

    @property
    def done(self) -> bool:
        """Whether nothing is left to do in QRadar for it."""
        return self.proof in {Proof.ATTACHED, Proof.WATCHED}


def attachments(store: Store) -> Sequence[Attachment]:
    """Every enabled mapping with what is known of its rule."""
    calls, tested = store.mappings.calls(), is_tested(store)
    rules = store.qradar.rules_of_mappings()

    def proof(mapping: Mapping) -> Proof:
        if mapping.id in calls:
            return Proof.ATTACHED
        types = {rule.type for rule in rules.get(mapping.id, ()) if rule.id == mapping.rule_id}
        if "OFFENSE" in types and mapping.watch is not Watch.OFF:
            return Proof.WATCHED
        return Proof.TESTED if tested else Proof.NONE

    return [
        Attachment(one, proof(one), calls.get(one.id))
        for one in store.mappings.list()
        if one.enabled
    ]


def is_tested(store: Store) -> bool:
    """Whether Test Execution has come from the custom action as it is now."""
    return any(one.tested_at for one in _tokens(store))


def is_deployed(store: Store) -> bool:
    """Whether a rule has called with the custom action as it is now."""
    return any(one.called_at for one in _tokens(store))


def _tokens(store: Store) -> Sequence[TriggerToken]:
    """The trigger token of the action that the app has put on the console, else all."""
    current = Book.from_document(store.settings.custom_action()).current
    return [one for one in store.tokens.list() if current is None or one.name == current.token_name]
