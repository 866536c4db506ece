# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Telling other offenses, in detail: whose rule is looked for, and how long its lane sleeps."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from app.qradar.console import ConsoleAnswer
from app.qradar.telling import LOOKS, ROUND_EVERY_S, Telling
from tests.factories import NOON

TICK = 1000.0


class Empty:
    """A store that knows rules with triggers to look for, and when a note is due; nothing else."""

    def __init__(self, rules: int, due_in: float | None) -> None:
        self.keys = [SimpleNamespace(mapping=None, rule_id=n, rule_name=None) for n in range(rules)]
        self.due_at = None if due_in is None else NOON + timedelta(seconds=due_in)
        self.pended: list[int] = []
        self.waiting: list[Any] = []
        self.given_up: list[int] = []
        self.rounds = 0
        self.asked: list[tuple[int | None, str | None]] = []

    def rules(self) -> Sequence[Any]:
        return self.keys

    def pending(self, key: Any, *, limit: int) -> Sequence[Any]:
        self.pended.append(key.rule_id)
        return self.waiting

    def give_up(self, trigger_ids: Sequence[int]) -> None:
        self.given_up += trigger_ids

    def same_rules(self, rule_id: int | None, rule_name: str | None) -> Sequence[int]:
        self.asked.append((rule_id, rule_name))
        return [1]

    def rule_of_mapping(self, mapping: str | None) -> tuple[int | None, str | None]:
        return {"by id": (7, "Its name"), "by name": (None, "Its name")}.get(
            mapping or "", (None, None)
        )

    def end_round(self) -> None:
        self.rounds += 1

    def next_due(self, now: datetime) -> datetime | None:
        return self.due_at

    def nothing(self, *_: object, **__: object) -> None:
        return None

    looked = found = add_seconds = next_note = nothing


def telling(store: Any) -> Telling:
    console = SimpleNamespace(request=lambda *_, **__: ConsoleAnswer(200, [], {}))
    return Telling(store, store, store, store, console=console, sec="token")


def look(telling_: Telling, tick: float) -> None:
    telling_._look(NOON, tick)


def test_with_nothing_to_look_for_or_tell_it_sleeps_until_something_happens() -> None:
    assert telling(Empty(0, None)).nap(NOON, TICK) is None


@pytest.mark.parametrize("due_in", [7.0, 0.0])
def test_it_sleeps_until_a_note_is_due(due_in: float) -> None:
    assert telling(Empty(0, due_in)).nap(NOON, TICK) == due_in


def test_a_round_is_gone_through_at_once_and_the_next_comes_after_a_while() -> None:
    store = Empty(2, None)
    telling_ = telling(store)
    look(telling_, TICK)
    assert (telling_.nap(NOON, TICK), store.rounds) == (0, 0)
    look(telling_, TICK)
    assert (telling_.nap(NOON, TICK), store.rounds) == (ROUND_EVERY_S, 1)
    look(telling_, TICK + ROUND_EVERY_S - 0.1)
    assert store.pended == [0, 1]
    assert telling_.nap(NOON, TICK + ROUND_EVERY_S) == 0
    look(telling_, TICK + ROUND_EVERY_S)
    assert store.pended == [0, 1, 0]


def test_what_comes_first_ends_the_sleep() -> None:
    telling_ = telling(Empty(1, 7.0))
    look(telling_, TICK)
    assert telling_.nap(NOON, TICK) == 7
    assert telling_.nap(NOON, TICK + 10) == 5


def test_without_room_for_calls_it_sleeps_until_there_is() -> None:
    """A woken lane would else go round and round."""
    telling_ = telling(Empty(2, 0.0))
    look(telling_, TICK)
    for ration, most in ((telling_._look_ration, 15), (telling_._note_ration, 45)):
        ration.room(TICK)
        for _ in range(most):
            ration.request("GET", "/")
    look(telling_, TICK + 20)
    assert not telling_._tell(NOON, TICK + 20)
    assert telling_.nap(NOON, TICK + 20) == 40


@pytest.mark.parametrize(("made", "looks"), [(12, [0]), (13, [])])
def test_three_calls_are_room_enough_for_a_look(made: int, looks: list[int]) -> None:
    store = Empty(1, None)
    telling_ = telling(store)
    telling_._look_ration.room(TICK)
    for _ in range(made):
        telling_._look_ration.request("GET", "/")
    look(telling_, TICK)
    assert store.pended == looks


def test_where_no_rule_is_known_the_console_is_not_asked() -> None:
    store = Empty(1, None)
    store.keys = [SimpleNamespace(mapping=None, rule_id=None, rule_name=None)]
    store.waiting = [
        SimpleNamespace(trigger_id=1, run_id=None, event_ms=1, claimed=None, looks=LOOKS)
    ]
    telling_ = telling(store)
    look(telling_, TICK)
    assert telling_._look_ration.room(TICK) == 15
    assert store.given_up == [1]


@pytest.mark.parametrize(
    ("mapping", "rule_id", "rule_name", "asked"),
    [
        ("by id", None, None, [(7, "Its name")]),
        ("by id", None, "As fired", [(7, "As fired")]),
        ("by id", 3, None, [(3, None)]),
        ("by name", None, None, [(None, "Its name")]),
        (None, None, None, []),
    ],
)
def test_a_rule_is_the_one_that_was_named_else_the_mappings(
    mapping: str | None,
    rule_id: int | None,
    rule_name: str | None,
    asked: list[tuple[int | None, str | None]],
) -> None:
    store = Empty(1, None)
    store.keys = [SimpleNamespace(mapping=mapping, rule_id=rule_id, rule_name=rule_name)]
    look(telling(store), TICK)
    assert store.asked == asked
