# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How a field is declared, and what follows from its declaration.

A field of `mapping.Mapping`, `connection.CdmConnection` or `settings.Settings` that has `declared`
as its metadata is one that people configure. Its form, its key in the configuration document, its
column and its words in the audit trail follow from that.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, dataclass_transform

from app.configuration.checks import InvalidField
from app.message import Message

Entry = Mapping[str, object]
"""A connection, a mapping or the settings, as they stand in the configuration document."""

Widget = Literal[
    "",  # no form asks for it
    "text",
    "lines",  # of a long text
    "number",
    "numbers",  # with commas or blanks between them
    "names",  # one on each line
    "time",
    "switch",
    "choice",
    "picked",  # from a list that its page makes
    "several",  # the same, any number of them
    "button",  # by buttons that its page makes: each sends what it sets, on and off for a switch
]
NEEDED = object()
"""Instead of a value with which a new one begins: it must be given."""
_DECLARED = "declared"
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class Field:
    """What is known of a field, for whoever asks for it, checks it, keeps it or tells of it."""

    check: Callable[..., object]  # of a value and a key; see `checks`
    label: str = ""
    help: str = ""
    widget: Widget = ""  # how a form asks for it
    question: str = ""  # above the choices, if it is another than the label
    choices: Mapping[StrEnum, str] = dataclasses.field(default_factory=dict)
    offers: Callable[[], Mapping[str, str]] | None = None  # choices that a catalogue more adds to
    only_for: tuple[str, object] | None = None  # it counts if that other field has that value
    address: bool = False  # the check refuses this machine, unless that is allowed
    sends: bool = False  # it says where and how a password is sent: another needs it entered anew
    held: bool = False  # it stays as it is while the connection has an open run
    changed: str = ""  # what the audit says of a change; none: the value before and after
    key: str = ""  # in the document; none: as it is named
    begins: object = NEEDED  # what a new one has
    quiet: bool = False  # an export leaves it out while it is what a new one has
    section: "Section | None" = None  # of the settings page, where it stands
    said: Mapping[object, str] = dataclasses.field(default_factory=dict)  # once it has that value
    name: str = ""  # by `fields_of`

    @property
    def rows(self) -> int:
        """How many lines a form shows of it, 0 for what stands on one."""
        return 6 if self.widget == "lines" else 0

    def read(self, value: object, *, allow_loopback: bool = False) -> object:
        """A value from a form or a document in its normal form. Raises `InvalidField`."""
        options = {"allow_loopback": allow_loopback} if self.address else {}
        found = self.check(value, self.key, **options)
        return tuple(found) if isinstance(found, list) else found

    def counts(self, values: Mapping[str, object]) -> bool:
        """Whether it is used beside the other fields' ``values``."""
        return self.only_for is None or values.get(self.only_for[0]) == self.only_for[1]

    def told(self, before: object, after: object) -> str:
        """What the audit says of a change."""
        return self.changed or Message(
            "{field} {before} -> {after}", field=self.name, before=word(before), after=word(after)
        )


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the settings page that is saved by itself."""

    path: str  # of its address, below /settings
    title: str
    about: str = ""
    save: str = Message("Save")  # on its button
    saved: str = Message("The settings are saved.")


def declared(
    check: Callable[..., object],
    label: str = "",
    help: str = "",  # as `Field` calls it
    *,
    default: Any = MISSING,
    **more: Any,
) -> Any:
    """A field that people configure; see `Field`. Without a default it must be given."""
    begins = NEEDED if default is MISSING else default
    found = Field(check, label, help, begins=begins, **more)
    return dataclasses.field(default=default, metadata={_DECLARED: found})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(declared,))
def configured(kind: type[_Kind]) -> type[_Kind]:
    """A class with fields that are `declared`: a dataclass that is frozen and made by names."""
    return dataclass(frozen=True, slots=True, kw_only=True)(kind)


@cache
def fields_of(kind: Any) -> Mapping[str, Field]:
    """The declared fields of a dataclass by name, in their order."""
    found = {}
    for one in dataclasses.fields(kind):
        if (field := one.metadata.get(_DECLARED)) is not None:
            found[one.name] = replace(field, name=one.name, key=field.key or one.name)
    return found


def entry_of(thing: Any) -> dict[str, object]:
    """A thing's declared fields as they stand in the configuration document."""
    entry = {}
    for one in fields_of(thing.__class__).values():
        value = getattr(thing, one.name)
        if not (one.quiet and value == one.begins):
            entry[one.key] = plain(value)
    return entry


def plain(value: object) -> object:
    """A value as JSON has it: a choice as its word, a time as text in UTC."""
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return list(map(plain, value)) if isinstance(value, tuple | list) else value


def checked(
    kind: Any, fields: Entry, before: object = None, *, allow_loopback: bool = False
) -> dict[str, object]:
    """All declared fields in their normal form, by their attributes' names.

    What ``fields`` leaves out stays as it is in ``before``; of something new it is the default.
    What does not count is None. Raises `InvalidField`.
    """
    declarations = fields_of(kind).values()
    refuse_unknown(fields, {one.key for one in declarations})
    values: dict[str, object] = {}
    for one in declarations:
        kept = one.begins if before is None else getattr(before, one.name)
        value = fields.get(one.key, kept)
        if value is NEEDED:
            raise InvalidField(one.key, Message("must be given."))
        values[one.name] = (
            one.read(value, allow_loopback=allow_loopback) if one.counts(values) else None
        )
    return values


def refuse_unknown(fields: Entry, known: set[str]) -> None:
    """Raise `InvalidField` for a key that is not known: a slip must not pass for a default."""
    for key in fields:
        if key not in known:
            raise InvalidField(str(key)[:80], Message("is not known here."))


def word(value: object) -> str:
    """A value as the audit tells it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(plain(value))
