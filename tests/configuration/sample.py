# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A thing with a declared field of each kind."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.configuration import checks
from app.configuration.fields import declared


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    id: int
    name: str = field(metadata=declared(checks.check_name, "Name", widget="text"))
    hours: int | None = field(
        default=None,
        metadata=declared(checks.optional(checks.whole_number(1, 168)), "Hours", widget="number"),
    )
    place: str | None = field(
        default=None,
        metadata=declared(
            checks.optional(checks.lines(20)), "Place", widget="lines", changed="place changed"
        ),
    )
    until: datetime | None = field(
        default=None,
        metadata=declared(checks.optional(checks.check_time), "Until", widget="time"),
    )
    asks: bool = field(
        default=False,
        metadata=declared(checks.check_flag, "Asks", help="Help of asks.", widget="switch"),
    )
    colour: Colour = field(
        default=Colour.RED,
        metadata=declared(
            checks.one_of(Colour),
            "Colour",
            question="Which colour?",
            widget="choice",
            choices={one: one.upper() for one in Colour},
        ),
    )
    shade: str | None = field(
        default=None,
        metadata=declared(
            checks.text(9), "Shade", widget="text", only_for=("colour", Colour.BLUE), key="tone"
        ),
    )
    people: tuple[str, ...] = field(
        default=(), metadata=declared(checks.check_names, "People", widget="names")
    )
    numbers: tuple[int, ...] = field(
        default=(), metadata=declared(checks.check_numbers, "Numbers", widget="numbers")
    )
    port: int = field(metadata=declared(checks.check_port, "Port", widget="number", begins=8443))
    noted: str = "beside"  # not declared: nobody configures it
