# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""An offense as the watch sees it for a mapping, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.message import Sentence


class WatchState(StrEnum):
    """What became of an offense for a mapping."""

    BEFORE = "before"  # was there when the watch began
    WAITING = "waiting"  # its custom action may still come
    COVERED = "covered"  # a custom action's trigger came
    SHOWN = "shown"  # brought no trigger: people are told
    DISMISSED = "dismissed"  # a person has seen it
    TRIGGERED = "triggered"  # brought no trigger: the watch has made it one


@dataclass(frozen=True, slots=True)
class WatchedOffense:
    """An offense and a mapping whose rule is in it; ``..._ms`` are by QRadar's clock."""

    mapping_id: int
    offense_id: int
    state: WatchState
    looks: int
    first_ms: int  # the rule's first and last event in the offense
    last_ms: int
    rule_id: int | None
    rule_name: str | None
    at: datetime  # when this state was reached, by our clock
    message: Sentence = ""
