# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console's rules, so that they are picked and not typed, and what has changed about them.

There may be thousands; they are read in pages, with a web user's own session or the service token.
Attaching a custom action, and what a rule's responses are, no REST call shows (qradar §7.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.qradar.administrator import AsksConsole
from app.qradar.offenses import number_in, pages, rows_of

_PATH = "/api/analytics/rules"
_FIELDS = "id,name,type,enabled,origin,identifier,linked_rule_identifier"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class ListedRule:
    """A rule as the console lists it."""

    id: int
    name: str
    type: str | None
    enabled: bool | None
    origin: str | None
    identifier: str | None
    linked_identifier: str | None


def list_rules(console: AsksConsole, sec: str) -> Sequence[ListedRule]:
    """Give every rule of the console. Raises `ConsoleRefused` (403 without ADMIN, maybe)."""
    found: dict[int, ListedRule] = {}
    for answer in pages(console, _PATH, sec=sec, params={"fields": _FIELDS}, size=_PAGE):
        for row in rows_of(answer):
            rule = _rule(row)
            if rule is not None:
                found[rule.id] = rule
    return list(found.values())


def _rule(row: Mapping[str, Any]) -> ListedRule | None:
    number = number_in(row, "id")
    if number is None:
        return None
    enabled = row.get("enabled")
    return ListedRule(
        id=number,
        name=str(row.get("name") or ""),
        type=_text(row, "type"),
        enabled=enabled if isinstance(enabled, bool) else None,
        origin=_text(row, "origin"),
        identifier=_text(row, "identifier"),
        linked_identifier=_text(row, "linked_rule_identifier"),
    )


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None
