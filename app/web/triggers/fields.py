# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The fields of a trigger: which refuse it (only its request id) and how the rest is read.

An event's values come from a log somewhere in the network, cut and escaped by others; none of them
may stop a restore (architecture §5: "everything else is decoration").
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.message import Message
from app.restore.model import Trigger
from app.web.frame.problems import Problem

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_DIGITS = re.compile(r"[0-9]{1,18}")  # what fits a database integer
_FROM, _TO = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(minutes=5)
"""So far QRadar's clock may be ahead of ours; an event from later on has not happened yet."""
_SHOWN = 40  # characters of a name or an unreadable value that a message repeats
_NAMED = 10  # fields that a message names one by one
# What is kept of a call: whoever has a trigger token must not be able to fill the disk.
MOST_FIELDS, LONGEST_NAME, LONGEST_VALUE = 32, 64, 1024  # the lengths in bytes of UTF-8
_OURS = (
    *("rule_id", "rule_name", "mapping", "event_time", "source_ip", "destination_ip", "username"),
    *("log_source_id", "qid", "magnitude", "offense_id"),
)
_SECRET_NAMES = {"token", "sec", "x-trigger-token"}


@dataclass(slots=True)
class Fields:
    """The fields of one trigger; an empty value is an absent one, the first of several counts."""

    values: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    token: str = ""

    def text(self, name: str) -> str | None:
        """The field without blanks around it, None when it is absent."""
        return self.values.get(name, "").strip() or None

    def unreadable(self, name: str, what: str) -> None:
        """Note that a value is not what it should be and stays what it is: text."""
        value = self.values[name]
        shown = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
        self.remarks.append(
            Message(
                "{field} is not {what} and was kept as text: {shown}.",
                field=name,
                what=what,
                shown=repr(shown),
            )
        )


def collect(pairs: Iterable[tuple[str, str]]) -> Fields:
    """Sort the body's pairs into a token and values; what comes again is called ``name#2``."""
    fields, seen = Fields(), Counter[str]()
    for name, value in pairs:
        if name.lower() in _SECRET_NAMES:
            fields.token = fields.token or (value if name == "token" else "")
        elif not value.strip():
            continue
        else:
            seen[name] += 1
            fields.values[name if seen[name] == 1 else f"{name}#{seen[name]}"] = value
    return fields


def read_trigger(
    fields: Fields,
    received_at: datetime,
    *,
    token: str,
    token_name: str | None = None,
    peer: str | None = None,
) -> Trigger:
    """The trigger that the fields describe; 400 only for a missing or malformed ``request_id``.

    ``token`` is blotted out wherever it turns up: a custom action whose parameters are in the wrong
    order sends it as one of the event's values. ``peer`` is the address that the call came from.
    """
    request_id = fields.values.pop("request_id", "")
    if not _REQUEST_ID.fullmatch(request_id):
        raise Problem(
            400,
            Message("request_id is required: 8 to 64 characters of A-Z a-z 0-9 . _ -"),
            field="request_id",
        )
    if token == request_id:
        raise Problem(400, Message("request_id must not be the trigger token."), field="request_id")
    if any(token in name or token in value for name, value in fields.values.items()):
        fields.values = {
            name.replace(token, "(token)"): value.replace(token, "(token)")
            for name, value in fields.values.items()
        }
        fields.remarks.append(
            Message(
                "The trigger token came among the event's values and was removed: look at the"
                " order of the custom action's parameters."
            )
        )
    _cap(fields)
    rule_id = _whole_number(fields, "rule_id", least=1)
    rule_name = fields.text("rule_name")
    if rule_id is None and rule_name is None:
        rule_name = fields.text("rule_id")  # a rule was named, if not by a number
    detected_at = _event_time(fields, received_at)
    offense_id = _whole_number(fields, "offense_id", least=1)
    for name in ("source_ip", "destination_ip"):
        _check_address(fields, name)
    for name in ("log_source_id", "qid", "magnitude"):
        _whole_number(fields, name, least=0)
    return Trigger(
        request_id=request_id,
        received_at=received_at,
        mapping=fields.text("mapping"),
        rule_id=rule_id,
        rule_name=rule_name,
        detected_at=detected_at,
        offense_id=offense_id,
        fields=fields.values,
        remarks=tuple(fields.remarks),
        token=token_name,
        peer=peer,
    )


def _cap(fields: Fields) -> None:
    """Leave no more of the fields than is kept, those we know first, and name the rest."""
    came = fields.values
    ordered = [name for name in _OURS if name in came]
    ordered += [name for name in came if name not in _OURS]
    fitting = [name for name in ordered if len(name.encode()) <= LONGEST_NAME][:MOST_FIELDS]
    fields.values = {name: _cut(came[name]) for name in came if name in fitting}
    fields.remarks += [
        Message("{field} came more than once; the first counts.", field=name[:_SHOWN])
        for name in fields.values
        if f"{name}#2" in came
    ]
    if cut := [name for name, value in fields.values.items() if value != came[name]]:
        fields.remarks.append(
            Message(
                "Only the first {bytes} bytes are kept of: {names}.",
                names=_named(cut),
                bytes=LONGEST_VALUE,
            )
        )
    if rest := [name for name in came if name not in fields.values]:
        fields.remarks.append(
            Message(
                "Not kept, because a trigger has room for {fields} fields with names of at most"
                " {bytes} bytes: {names}.",
                names=_named(rest),
                fields=MOST_FIELDS,
                bytes=LONGEST_NAME,
            )
        )


def _cut(value: str) -> str:
    return value.encode()[:LONGEST_VALUE].decode(errors="ignore")


def _named(names: list[str]) -> str:
    """The names for a message, which stays short however many there are."""
    shown = ", ".join(name[:_SHOWN] for name in names[:_NAMED])
    return (
        shown
        if len(names) <= _NAMED
        else Message("{names} and {number} more", names=shown, number=len(names) - _NAMED)
    )


def _whole_number(fields: Fields, name: str, *, least: int) -> int | None:
    text = fields.text(name)
    if text is None:
        return None
    if _DIGITS.fullmatch(text) and int(text) >= least:
        return int(text)
    fields.unreadable(name, Message("a number"))
    return None


def _event_time(fields: Fields, received_at: datetime) -> datetime | None:
    text = fields.text("event_time")
    if text is None:
        return None
    if not (_DIGITS.fullmatch(text) and _FROM.timestamp() <= int(text) / 1000 <= _TO.timestamp()):
        fields.unreadable("event_time", Message("a time in milliseconds since 1970"))
        return None
    at = datetime.fromtimestamp(int(text) / 1000, UTC)
    if at > received_at + _AHEAD:
        fields.unreadable(
            "event_time",
            Message("a time up to now (it is more than 5 minutes ahead of this app's clock)"),
        )
        return None
    return at


def _check_address(fields: Fields, name: str) -> None:
    text = fields.text(name)
    if text is None:
        return
    try:
        ipaddress.ip_address(text)
    except ValueError:
        fields.unreadable(name, Message("an IP address"))
