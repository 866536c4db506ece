# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings, each with its section of the settings page.

A section that the page's templates do not know by name shows its fields one below the other.
"""

from enum import StrEnum

from app.configuration import checks
from app.configuration.fields import Section, configured, declared, fields_of
from app.languages import ENGLISH, names
from app.message import Message


class Mode(StrEnum):
    """The app's main switch."""

    ARMED = "armed"
    OBSERVE = "observe"
    DISARMED = "disarmed"


MODE = Section("mode", Message("Mode"))
OPERATORS = Section(
    "operator-roles",
    Message("Operators"),
    Message(
        "Users with one of these QRadar roles may start by hand, acknowledge new attacks, approve,"
        " cancel, clean up and decide. Those with Admin always may."
    ),
    Message("Save the operator roles"),
    Message("The operator roles are saved."),
)
LEEF = Section("leef", Message("Events to QRadar's log"))
OWN_EVENTS = Section(
    "own-events",
    Message("The app's own events"),
    Message(
        "A rule that matches these events must not start a restore over them. They are known by"
        " their log source and event id together; an event that only names the user"
        " safeguarded-restore starts a restore at most once in the full cool-down."
    ),
    Message("Save the ids"),
    Message("The ids of the app's own events are saved."),
)
LANGUAGE = Section(
    "language",
    Message("Language"),
    Message(
        "A page is in the language of whoever reads it. In this one are offense notes, events to"
        " QRadar's log, and answers to programs and to the custom action."
    ),
    Message("Save the language"),
    Message("The language is saved."),
)


@configured
class Settings:
    """What is set, once for the whole app."""

    mode: Mode = declared(
        checks.one_of(Mode),
        Message("Mode"),
        default=Mode.DISARMED,
        widget="button",
        section=MODE,
        said={
            Mode.ARMED: Message("The app is armed."),
            Mode.OBSERVE: Message("The app is observing: it starts nothing."),
            Mode.DISARMED: Message("The app is disarmed."),
        },
    )
    operator_roles: tuple[str, ...] = declared(
        checks.check_names, Message("Operators"), default=(), widget="several", section=OPERATORS
    )
    # the authorized services that may operate runs
    services: tuple[str, ...] = declared(checks.check_names, default=())
    leef: bool = declared(
        checks.check_flag,
        Message("leef"),
        default=False,
        widget="button",
        section=LEEF,
        said={
            True: Message("Events in QRadar's log are on."),
            False: Message("Events in QRadar's log are off."),
        },
    )
    own_log_sources: tuple[int, ...] = declared(
        checks.check_numbers,
        Message("Log source ids"),
        default=(),
        widget="numbers",
        section=OWN_EVENTS,
    )
    own_qids: tuple[int, ...] = declared(
        checks.check_numbers,
        Message("Event ids (QID)"),
        Message("Numbers, with commas or blanks between them; empty: what the console tells."),
        default=(),
        widget="numbers",
        section=OWN_EVENTS,
    )
    language: str = declared(
        checks.check_language,
        Message("Language"),
        default=ENGLISH,
        widget="choice",
        offers=names,
        section=LANGUAGE,
    )


SECTIONS = tuple(dict.fromkeys(one.section for one in fields_of(Settings).values() if one.section))
"""In the order in which their first fields are declared."""
