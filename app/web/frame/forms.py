# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The forms of the configuration pages: what is entered where, and the error beside each field.

What a form asks for, and what it takes, is declared for pages and command line in
`app.configuration`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from flask_wtf import FlaskForm  # type: ignore[import-untyped] # no stubs
from flask_wtf.file import FileField  # type: ignore[import-untyped] # no stubs
from wtforms import (  # type: ignore[import-untyped] # no stubs
    BooleanField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from app.configuration import checks, connection, mapping, settings
from app.configuration.checks import InvalidField
from app.configuration.connection import Trust
from app.configuration.fields import NEEDED, Field, fields_of
from app.message import Message, joined
from app.web.frame.language import say

_POSTED = {"operator_roles": "role"}  # what several values are posted as, if not by their name
_ON = {"on": True, "off": False}


class CheckedForm(FlaskForm):  # type: ignore[misc] # no stubs
    """A form whose fields are read as they are declared."""

    declared: ClassVar[Mapping[str, Field]] = {}

    @classmethod
    def of(cls, thing: object) -> Self:
        """The form filled with what a connection, a mapping or the settings hold."""
        shown = {name: _shown(one, getattr(thing, name)) for name, one in cls.declared.items()}
        return cls(formdata=None, **shown)

    def values(self, *names: str, allow_loopback: bool = False) -> dict[str, object] | None:
        """The fields, or those named, in their normal form; None, and errors beside the bad ones.

        What does not count, as another is chosen, is left out.
        """
        found: dict[str, object] = {}
        for name in names or self.declared:
            one = self.declared[name]
            if not one.counts(found):
                continue
            try:
                entered = _entered(one, self[name].data)
                found[name] = one.read(entered, allow_loopback=allow_loopback)
            except InvalidField as error:
                self.put_error(error)
        return None if self.errors else found

    def put_error(self, error: InvalidField) -> None:
        """Show an error beside the field it names, or above the form when it names none of it."""
        name = error.field.rpartition(".")[2]
        if name in self:
            field = self[name]
            label = say(field.label.text).partition(" (")[0]
            field.errors = [*field.errors, joined((label, error.message), " ")]
        else:
            self.form_errors.append(str(error))


Form = type[CheckedForm]


def asks_for(fields: Mapping[str, Field]) -> Callable[[Form], Any]:
    """Give a form a field for each of those that a form asks for."""

    def add(form: Form) -> Form:
        form.declared = {name: one for name, one in fields.items() if one.widget}
        for name, one in form.declared.items():
            setattr(form, name, _field(one))
        return form

    return add


def _field(one: Field) -> Any:
    begins = None if one.begins is NEEDED else _shown(one, one.begins)
    if one.widget == "choice":

        def choices() -> list[SelectChoice]:
            found: Mapping[Any, str] = one.offers() if one.offers else one.choices
            return [SelectChoice(str(value), words) for value, words in found.items()]

        return RadioField(one.label, choices=choices, default=begins, validate_choice=False)
    if one.widget == "several":
        name = _POSTED.get(one.name, one.name)
        return SelectMultipleField(one.label, choices=(), validate_choice=False, name=name)
    kind = {"switch": BooleanField, "lines": TextAreaField, "names": TextAreaField}
    return kind.get(one.widget, StringField)(one.label, default=begins)


def _shown(one: Field, value: object) -> object:
    """A value as a field of a form holds it."""
    if one.widget == "several":
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, tuple):
        return (", " if all(isinstance(one, int) for one in value) else "\n").join(map(str, value))
    return value if value is None or isinstance(value, bool) else str(value)


def _entered(one: Field, data: Any) -> object:
    """What was entered into a field, for its check."""
    if one.widget == "numbers":
        return re.split(r"[\s,;]+", data.strip()) if data else []
    if one.widget == "names":
        return [line for line in (data or "").splitlines() if line.strip()]
    if one.widget == "button" and isinstance(one.begins, bool):
        if data not in _ON:
            raise InvalidField(
                one.key, Message("must be {words} or {last}.", words="on", last="off")
            )
        return _ON[data]
    if one.widget == "picked" and not data:
        raise InvalidField(one.key, Message("must be chosen from the list."))
    return data


@asks_for(fields_of(connection.CdmConnection))
class ConnectionForm(CheckedForm):
    """A CDM connection."""

    password = PasswordField(Message("Password"), render_kw={"autocomplete": "new-password"})
    ca_file = FileField(Message("CA certificate file"))

    def unlike(self, saved: "ConnectionForm") -> list[str]:
        """The labels of the fields that hold something else than they do in ``saved``."""
        entered = [one for one in self if one.name != "csrf_token"]
        return [one.label.text for one in entered if _text(one) != _text(saved[one.name])]

    def unused(self, saved: "ConnectionForm") -> list[str]:
        """The labels of those that only another trust than the chosen one uses."""
        values = {"trust": self.trust.data}
        others = [name for name, one in self.declared.items() if not one.counts(values)]
        if self.trust.data != Trust.CA:
            others.append("ca_file")
        changed = self.unlike(saved)
        given = [one for one in self if one.name in others]
        return [one.label.text for one in given if one.data and one.label.text in changed]

    def pin(self, sha256: str) -> None:
        """Choose that only the certificate with this fingerprint is trusted."""
        self.trust.data, self.fingerprint.data = Trust.FINGERPRINT.value, sha256

    def pin_unless_chosen(self, sha256: str) -> bool:
        """The same, and True, where the trust is what the form began with."""
        if self.trust.data != self.trust.default or self.fingerprint.data or self.ca_pem.data:
            return False
        self.pin(sha256)
        return True

    def take_file(self) -> None:
        """Put an uploaded certificate file into the text field, where it is seen and checked."""
        upload = self.ca_file.data
        if upload:
            self.ca_pem.data = upload.read().decode("utf-8", "replace")


def _text(field: Any) -> str:
    """What somebody entered, however a browser ends its lines."""
    value = getattr(field.data, "filename", field.data)
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


@asks_for(fields_of(mapping.Mapping))
class MappingForm(CheckedForm):
    """A mapping from a rule to a restore job; the connection is chosen before."""


@asks_for({"name": Field(checks.check_name, Message("Name"), widget="text", key="name")})
class TokenForm(CheckedForm):
    """A new trigger token."""


@asks_for(fields_of(settings.Settings))
class SettingsForm(CheckedForm):
    """The settings."""


class StartForm(CheckedForm):
    """A restore that a person starts by hand."""

    mapping = StringField(Message("Mapping"))
    reason = StringField(Message("Reason"))
    request_id = StringField("")
