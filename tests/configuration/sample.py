# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A thing with a declared field of each kind; values that a new thing does not begin with."""

from contextlib import suppress
from datetime import datetime
from enum import StrEnum

from app.configuration import checks
from app.configuration.checks import InvalidField
from app.configuration.fields import Field, configured, declared, fields_of


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@configured
class Sample:
    id: int
    name: str = declared(checks.check_name, "Name", widget="text")
    hours: int | None = declared(
        checks.optional(checks.whole_number(1, 168)), "Hours", default=None, widget="number"
    )
    place: str | None = declared(
        checks.optional(checks.lines(20)),
        "Place",
        default=None,
        widget="lines",
        changed="place changed",
    )
    until: datetime | None = declared(
        checks.optional(checks.check_time), "Until", default=None, widget="time"
    )
    asks: bool = declared(
        checks.check_flag, "Asks", "Help of asks.", default=False, widget="switch"
    )
    colour: Colour = declared(
        checks.one_of(Colour),
        "Colour",
        default=Colour.RED,
        question="Which colour?",
        widget="choice",
        choices={one: one.upper() for one in Colour},
    )
    shade: str | None = declared(
        checks.text(9),
        "Shade",
        default=None,
        widget="text",
        only_for=("colour", Colour.BLUE),
        key="tone",
    )
    people: tuple[str, ...] = declared(checks.check_names, "People", default=(), widget="names")
    numbers: tuple[int, ...] = declared(
        checks.check_numbers, "Numbers", default=(), widget="numbers"
    )
    port: int = declared(checks.check_port, "Port", default=8443, widget="number")
    noted: str = "beside"  # not declared: nobody configures it


SOME = (
    True,
    False,
    "1044",
    "other",
    "http://proxy.example:3128",
    7,
    "2026-11-24 06:00",
    ["a"],
    [7],
)


def other(one: Field) -> object:
    """Something that the field takes and that a new one does not begin with, if there is any."""
    offered = one.offers() if one.offers else one.choices
    if len(offered) == 1:
        return one.begins  # of the languages, until the catalogues are compiled
    for value in (*offered, *one.said, "ab" * 32, *SOME):
        with suppress(InvalidField):
            read = one.read(value)
            if read not in (one.begins, None):
                return read
    raise AssertionError(f"add something for {one.name}")


def all_other(kind: type, **values: object) -> dict[str, object]:
    fields = fields_of(kind).values()
    asked = [one for one in fields if one.widget and one.name not in values]
    return {one.name: other(one) for one in asked} | values
