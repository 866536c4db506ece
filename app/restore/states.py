# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The arrows between the states of a run (architecture §4)."""

from collections.abc import Mapping as Map

from app.message import Message
from app.restore.model import Mode, RunState

_S = RunState
NEXT_STATES: Map[RunState, frozenset[RunState]] = {
    _S.AWAITING_APPROVAL: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.QUEUED: frozenset(
        {_S.STARTING, _S.AWAITING_APPROVAL, _S.CANCELLED, _S.FAILED, _S.OBSERVED, _S.NEEDS_DECISION}
    ),
    _S.STARTING: frozenset({_S.RESTORING, _S.QUEUED, _S.FAILED, _S.NEEDS_DECISION}),
    _S.RESTORING: frozenset({_S.READY, _S.COMPLETED, _S.FAILED, _S.CANCELLED, _S.NEEDS_DECISION}),
    _S.READY: frozenset({_S.CLEANING_UP, _S.COMPLETED, _S.FAILED, _S.NEEDS_DECISION}),
    _S.CLEANING_UP: frozenset({_S.COMPLETED, _S.READY, _S.FAILED, _S.NEEDS_DECISION}),
    _S.NEEDS_DECISION: frozenset({_S.QUEUED, _S.RESTORING, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.OBSERVED: frozenset(),
}
FINAL_STATES = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED, _S.OBSERVED})

_WORDS: Map[RunState, Message] = {
    _S.AWAITING_APPROVAL: Message("awaiting approval"),
    _S.QUEUED: Message("queued"),
    _S.STARTING: Message("starting"),
    _S.RESTORING: Message("restoring"),
    _S.READY: Message("ready"),
    _S.CLEANING_UP: Message("cleaning up"),
    _S.NEEDS_DECISION: Message("needs decision"),
    _S.COMPLETED: Message("completed"),
    _S.FAILED: Message("failed"),
    _S.CANCELLED: Message("cancelled"),
    _S.OBSERVED: Message("observed"),
}


MODES = {
    Mode.ARMED: Message("armed"),
    Mode.OBSERVE: Message("observe"),
    Mode.DISARMED: Message("disarmed"),
}
"""Each mode as a word of a sentence: "The app's mode is observe"."""


def worded(state: RunState) -> Message:
    """Give a state as a word of a sentence: "Run 7 is cleaning up"."""
    return _WORDS[state]


class IllegalTransition(Exception):
    """A run was to go where no arrow leads."""


def check_arrow(from_state: RunState, to_state: RunState) -> None:
    """Raise `IllegalTransition` unless an arrow of architecture §4 leads from one to the other."""
    if to_state not in NEXT_STATES[from_state]:
        raise IllegalTransition(f"no arrow leads from {from_state} to {to_state}")
