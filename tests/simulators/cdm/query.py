# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The query language of lists: filter, sort, pageSize and pageStartIndex (cdm §2)."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .reply import bad_request

Record = dict[str, Any]
Matches = Callable[[Record, str], Sequence[object]]


@dataclass(frozen=True, slots=True)
class Condition:
    """One element of ``filter``."""

    prop: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Query:
    """What a list request asks for."""

    conditions: tuple[Condition, ...]
    sort: tuple[tuple[str, bool], ...]
    page_size: int
    start_index: int


def parse(params: Mapping[str, str], *, default_page_size: int) -> Query:
    """Read the parameters of a list request; a malformed one is answered with 400."""
    conditions = tuple(map(_condition, _json_list(params, "filter")))
    sort = tuple(map(_sort_key, _json_list(params, "sort")))
    return Query(
        conditions,
        sort,
        _number(params, "pageSize", default_page_size) or default_page_size,
        _number(params, "pageStartIndex", 0),
    )


def select(records: Sequence[Record], query: Query, *, values: Matches | None = None) -> list[Any]:
    """Filter and sort (not page). ``values`` gives the values that count for a property."""
    look = values or (lambda record, prop: [record.get(prop)])
    chosen = [r for r in records if all(_holds(look(r, c.prop), c) for c in query.conditions)]
    for prop, descending in reversed(query.sort):
        chosen.sort(key=_by(prop), reverse=descending)
    return chosen


def _by(prop: str) -> Callable[[Record], tuple[int, float, str]]:
    return lambda record: _order(record.get(prop))


def _condition(given: object) -> Condition:
    if not isinstance(given, dict) or "property" not in given:
        raise bad_request("A filter is a list of objects with property, op and value.")
    op = str(given.get("op", "=")).upper()
    if op not in ("=", "IN", ">=", "<=", ">", "<", "!="):
        raise bad_request(f"Unknown operator {op}.")
    if op == "IN" and not isinstance(given.get("value"), list):
        raise bad_request("IN needs a list of values.")
    return Condition(str(given["property"]), op, given.get("value"))


def _sort_key(given: object) -> tuple[str, bool]:
    if not isinstance(given, dict) or "property" not in given:
        raise bad_request("A sort is a list of objects with property and direction.")
    return str(given["property"]), str(given.get("direction", "ASC")).upper() == "DESC"


def _json_list(params: Mapping[str, str], name: str) -> list[Any]:
    text = params.get(name)
    if not text:
        return []
    try:
        value = json.loads(text)
    except ValueError:
        raise bad_request(f"{name} is not JSON.") from None
    if not isinstance(value, list):
        raise bad_request(f"{name} is not a JSON list.")
    return value


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise bad_request(f"{name} is not a number.")
    return int(text)


def _holds(values: Sequence[object], condition: Condition) -> bool:
    match condition.op:
        case "=":
            return any(_equal(v, condition.value) for v in values)
        case "!=":
            return not any(_equal(v, condition.value) for v in values)
        case "IN":
            return any(_equal(v, wanted) for v in values for wanted in condition.value)
        case ">=":
            return any(_compare(v, condition.value) in (0, 1) for v in values)
        case "<=":
            return any(_compare(v, condition.value) in (0, -1) for v in values)
        case ">":
            return any(_compare(v, condition.value) == 1 for v in values)
        case _:
            return any(_compare(v, condition.value) == -1 for v in values)


def _equal(value: object, wanted: object) -> bool:
    """Equality as text, with ``*`` in ``wanted`` as a wildcard."""
    if value is None or wanted is None:
        return value is wanted
    if "*" in str(wanted):
        pattern = ".*".join(map(re.escape, str(wanted).split("*")))
        return re.fullmatch(pattern, str(value), re.DOTALL) is not None
    return str(value) == str(wanted)


def _compare(value: object, wanted: object) -> int | None:
    if value is None or wanted is None:
        return None
    left, right = _order(value), _order(wanted)
    return (left > right) - (left < right)


def _order(value: object) -> tuple[int, float, str]:
    """A total order: nothing, then numbers (also those written as text), then text."""
    if value is None:
        return (0, 0.0, "")
    text = str(value)
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return (1, float(text), text)
    return (2, 0.0, text)
