# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The forms of the configuration pages: what is entered where, and the error beside each field.

What a value must look like is said once for pages and command line, in `app.restore.checks`.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask_wtf import FlaskForm  # type: ignore[import-untyped] # no stubs
from flask_wtf.file import FileField  # type: ignore[import-untyped] # no stubs
from wtforms import (  # type: ignore[import-untyped] # no stubs
    BooleanField,
    PasswordField,
    RadioField,
    SelectChoice,
    StringField,
    TextAreaField,
)

from app.message import Message, joined
from app.restore import checks
from app.restore.checks import InvalidField
from app.restore.model import Trust, Watch
from app.web.frame.language import say

TRUST_CHOICES = {
    Trust.SYSTEM: Message("By the CAs that the QRadar platform trusts"),
    Trust.CA: Message("By a CA certificate that you give here"),
    Trust.FINGERPRINT: Message("Only this very certificate, by its SHA-256 fingerprint"),
}
_WATCHES = {
    Watch.OFF: Message("Leave them alone"),
    Watch.NOTIFY: Message("Show them on the overview"),
    Watch.ACT: Message("Start the restore as if the rule had called"),
}

Checks = Mapping[str, Callable[[Any], object]]


class CheckedForm(FlaskForm):  # type: ignore[misc] # no stubs
    """A form whose fields are read through `app.restore.checks`."""

    def read(self, wanted: Checks) -> dict[str, object] | None:
        """Every wanted field in its normal form; None, and errors beside them, if one is bad."""
        values: dict[str, object] = {}
        for name, check in wanted.items():
            try:
                values[name] = check(self[name].data)
            except InvalidField as error:
                self.put_error(error)
        return None if self.errors else values

    def put_error(self, error: InvalidField) -> None:
        """Show an error beside the field it names, or above the form when it names none of it."""
        name = error.field.rpartition(".")[2]
        if name in self:
            field = self[name]
            label = say(field.label.text).partition(" (")[0]
            field.errors = [*field.errors, joined((label, error.message), " ")]
        else:
            self.form_errors.append(str(error))


class ConnectionForm(CheckedForm):
    """A CDM connection."""

    name = StringField(Message("Name"))
    host = StringField(Message("Address"))
    port = StringField(Message("Port"), default="8443")
    username = StringField(Message("User"), render_kw={"autocomplete": "off"})
    password = PasswordField(Message("Password"), render_kw={"autocomplete": "new-password"})
    trust = RadioField(
        Message("Trust"),
        choices=[SelectChoice(one.value, TRUST_CHOICES[one]) for one in Trust],
        default=Trust.SYSTEM.value,
        validate_choice=False,
    )
    ca_pem = TextAreaField(Message("CA certificate (PEM)"))
    ca_file = FileField(Message("CA certificate file"))
    fingerprint = StringField(Message("Fingerprint"))
    proxy = StringField(Message("HTTP proxy (optional)"))

    def unlike(self, saved: "ConnectionForm") -> list[str]:
        """The labels of the fields that hold something else than they do in ``saved``."""
        entered = [one for one in self if one.name != "csrf_token"]
        return [one.label.text for one in entered if _text(one) != _text(saved[one.name])]

    def unused(self, saved: "ConnectionForm") -> list[str]:
        """The labels of those that only another trust than the chosen one uses."""
        others = {"ca_pem": Trust.CA, "ca_file": Trust.CA, "fingerprint": Trust.FINGERPRINT}
        changed = self.unlike(saved)
        given = [self[name] for name, trust in others.items() if trust != self.trust.data]
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

    def values(self, *, allow_loopback: bool) -> dict[str, object] | None:
        """The connection's fields but for the password; None when one is bad."""
        wanted: dict[str, Callable[[Any], object]] = {
            "name": checks.check_name,
            **self.address_checks(allow_loopback=allow_loopback),
            "username": checks.check_username,
            "trust": checks.check_trust,
        }
        if self.trust.data == Trust.CA:
            wanted["ca_pem"] = checks.check_ca_pem
        if self.trust.data == Trust.FINGERPRINT:
            wanted["fingerprint"] = checks.check_fingerprint
        return self.read(wanted)

    @staticmethod
    def address_checks(*, allow_loopback: bool) -> dict[str, Callable[[Any], object]]:
        """What is needed to reach the server, before anything is sent to it."""
        return {
            "host": partial(checks.check_host, allow_loopback=allow_loopback),
            "port": checks.check_port,
            "proxy": partial(checks.check_proxy, allow_loopback=allow_loopback),
        }


def _text(field: Any) -> str:
    """What somebody entered, however a browser ends its lines."""
    value = getattr(field.data, "filename", field.data)
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


class MappingForm(CheckedForm):
    """A mapping from a rule to a restore job; the connection is chosen before."""

    name = StringField(Message("Name"))
    rule_id = StringField(Message("Rule id"))
    rule_name = StringField(Message("Rule name"))
    job_id = StringField(Message("Restore job"))
    action_name = StringField(Message("Action name (optional)"))
    cooldown_s = StringField(Message("Cool-down (seconds)"), default="900")
    needs_approval = BooleanField(Message("A person must approve each restore"))
    enabled = BooleanField(Message("Enabled"), default=True)
    watch = RadioField(
        Message("Offense watch"),
        choices=[SelectChoice(watch.value, words) for watch, words in _WATCHES.items()],
        default=Watch.OFF.value,
        validate_choice=False,
    )

    def values(self) -> dict[str, object] | None:
        """The mapping's fields but for connection and job name; None when one is bad."""
        return self.read(
            {
                "name": checks.check_name,
                "rule_id": lambda value: checks.check_rule_id((value or "").strip()),
                "rule_name": checks.check_rule_name,
                "job_id": _check_chosen,
                "action_name": checks.check_action_name,
                "cooldown_s": checks.check_cooldown,
                "needs_approval": partial(checks.check_flag, field="needs_approval"),
                "enabled": partial(checks.check_flag, field="enabled"),
                "watch": lambda value: checks.check_watch(value or Watch.OFF),
            }
        )


def _check_chosen(job_id: str | None) -> str:
    if not job_id:
        raise InvalidField("job_id", Message("must be chosen from the list."))
    return checks.check_job_id(job_id)


class TokenForm(CheckedForm):
    """A new trigger token."""

    name = StringField(Message("Name"))

    def values(self) -> dict[str, object] | None:
        """The token's name; None when it is bad."""
        return self.read({"name": checks.check_name})


class OwnEventsForm(CheckedForm):
    """By what the app's own events are known."""

    own_log_sources = StringField(Message("Log source ids"))
    own_qids = StringField(Message("Event ids (QID)"))

    def values(self) -> dict[str, object] | None:
        """Both lists of numbers; None when one is bad."""
        names = ("own_log_sources", "own_qids")
        return self.read({name: partial(_check_numbers, field=name) for name in names})


def _check_numbers(value: str | None, field: str) -> list[int]:
    return checks.check_numbers(re.split(r"[\s,;]+", value.strip()) if value else [], field)


class StartForm(CheckedForm):
    """A restore that a person starts by hand."""

    mapping = StringField(Message("Mapping"))
    reason = StringField(Message("Reason"))
    request_id = StringField("")
