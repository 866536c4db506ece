# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The fields of a trigger: which refuse it (only its request id) and how the rest is read.

An event's values come from a log somewhere in the network, cut and escaped by others; none of them
may stop a restore (design §5: "everything else is decoration").
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.restore.model import Trigger
from app.web.problems import Problem
from app.web.texts import api as words

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_DIGITS = re.compile(r"[0-9]{1,18}")  # what fits a database integer
_FROM, _TO = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_SHOWN = 40  # characters of an unreadable value that a message repeats
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
        self.remarks.append(words.kept_as_text(name, what, shown))


def collect(pairs: Iterable[tuple[str, str]]) -> Fields:
    """Sort the body's pairs into a token, values, and remarks about fields that came twice."""
    fields, seen = Fields(), Counter[str]()
    for name, value in pairs:
        if name.lower() in _SECRET_NAMES:
            fields.token = fields.token or (value if name == "token" else "")
        elif not value.strip():
            continue
        else:
            seen[name] += 1
            fields.values[name if seen[name] == 1 else f"{name}#{seen[name]}"] = value
            if seen[name] == 2:
                fields.remarks.append(words.came_twice(name[:_SHOWN]))
    return fields


def read_trigger(fields: Fields, received_at: datetime, *, token: str) -> Trigger:
    """The trigger that the fields describe; 400 only for a missing or malformed ``request_id``.

    ``token`` is blotted out wherever it turns up: a custom action whose parameters are in the wrong
    order sends it as one of the event's values.
    """
    request_id = fields.values.pop("request_id", "")
    if not _REQUEST_ID.fullmatch(request_id):
        raise Problem(
            400,
            words.REQUEST_ID,
            field="request_id",
        )
    if token == request_id:
        raise Problem(400, words.REQUEST_ID_IS_TOKEN, field="request_id")
    if any(token in name or token in value for name, value in fields.values.items()):
        fields.values = {
            name.replace(token, "(token)"): value.replace(token, "(token)")
            for name, value in fields.values.items()
        }
        fields.remarks.append(words.TOKEN_AMONG_VALUES)
    rule_id = _whole_number(fields, "rule_id", least=1)
    rule_name = fields.text("rule_name")
    if rule_id is None and rule_name is None:
        rule_name = fields.text("rule_id")  # a rule was named, if not by a number
    detected_at, offense_id = _event_time(fields), _whole_number(fields, "offense_id", least=1)
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
    )


def _whole_number(fields: Fields, name: str, *, least: int) -> int | None:
    text = fields.text(name)
    if text is None:
        return None
    if _DIGITS.fullmatch(text) and int(text) >= least:
        return int(text)
    fields.unreadable(name, words.A_NUMBER)
    return None


def _event_time(fields: Fields) -> datetime | None:
    text = fields.text("event_time")
    if text is None:
        return None
    if _DIGITS.fullmatch(text) and _FROM.timestamp() <= int(text) / 1000 <= _TO.timestamp():
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    fields.unreadable("event_time", words.A_TIME)
    return None


def _check_address(fields: Fields, name: str) -> None:
    text = fields.text(name)
    if text is None:
        return
    try:
        ipaddress.ip_address(text)
    except ValueError:
        fields.unreadable(name, words.AN_ADDRESS)
