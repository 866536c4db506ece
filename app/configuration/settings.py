# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings: each with its place on the settings page."""

from dataclasses import dataclass, field
from enum import StrEnum

from app.configuration import checks
from app.configuration.fields import declared
from app.message import Message


class Mode(StrEnum):
    """The app's main switch."""

    ARMED = "armed"
    OBSERVE = "observe"
    DISARMED = "disarmed"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set, once for the whole app."""

    mode: Mode = field(default=Mode.DISARMED, metadata=declared(checks.one_of(Mode)))
    # the QRadar roles that may operate runs
    operator_roles: tuple[str, ...] = field(default=(), metadata=declared(checks.check_names))
    # the authorized services that may operate runs
    services: tuple[str, ...] = field(default=(), metadata=declared(checks.check_names))
    # whether QRadar's log is told what the app does
    leef: bool = field(default=False, metadata=declared(checks.check_flag))
    # by which our own events are known, beside what the console tells
    own_log_sources: tuple[int, ...] = field(
        default=(),
        metadata=declared(checks.check_numbers, Message("Log source ids"), widget="numbers"),
    )
    own_qids: tuple[int, ...] = field(
        default=(),
        metadata=declared(checks.check_numbers, Message("Event ids (QID)"), widget="numbers"),
    )
