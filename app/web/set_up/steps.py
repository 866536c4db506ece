# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The steps of the set-up and which of them are done, from what the store knows."""

from dataclasses import dataclass

from app.message import Message
from app.qradar.installed_action import Book
from app.restore.model import Mode
from app.store.store import Store
from app.web.mappings.attachment import attachments
from app.web.mappings.simulation import verdict_of

_STEP_NAMES = {
    "connection": Message("Connection"),
    "test": Message("Test"),
    "mapping": Message("Mapping"),
    "custom-action": Message("Custom action"),
    "simulate": Message("Simulate"),
    "arm": Message("Arm"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step; ``key`` is its place on the set-up page."""

    key: str
    name: str
    done: bool
    waits: bool = False  # nothing is left to be pressed here: it waits for a rule's call


def steps(store: Store, *, action_done: bool | None = None) -> list[Step]:
    """Give the steps in their order.

    ``action_done`` is what the console says of the custom action; without it counts whether the app
    has installed one, or has a trigger token for one that was made by hand. The step is done once
    the rule of every mapping has called: until then nobody knows that one can.
    """
    if action_done is None:
        book = Book.from_document(store.settings.custom_action())
        action_done = book.current is not None or bool(store.tokens.list())
    called = all(one.done for one in attachments(store))
    done = {
        "connection": any(one.secret_label for one in store.connections.list()),
        "test": _tested(store),
        "mapping": any(one.enabled for one in store.mappings.list()),
        "custom-action": action_done and called,
        "simulate": _simulated(store),
        "arm": store.settings.mode is Mode.ARMED,
    }
    waits = {"custom-action"} if action_done and not called else set()
    return [Step(key, name, done[key], key in waits) for key, name in _STEP_NAMES.items()]


def _tested(store: Store) -> bool:
    """Whether every connection answered when it was last asked."""
    contacts = [store.connections.contact(one.id) for one in store.connections.list()]
    return bool(contacts) and all(one.at and not one.error for one in contacts)


def _simulated(store: Store) -> bool:
    """Whether the last simulation found nothing in the way of a start."""
    last = store.triggers.last_simulation()
    return last is not None and verdict_of(last).tone == "good"
