# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""QRadar's ``filter``, ``sort`` and ``fields`` query parameters, over plain dictionaries."""

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

Row = dict[str, Any]
Test = Callable[[Row], bool]

TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|=|<|>)"""
    r"""|(?P<mark>[(),])|(?P<word>[^\s()<>=!,"']+))"""
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    **{"=": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt},
    **{"<=": operator.le, ">=": operator.ge},
}


class QueryError(Exception):
    """A query parameter can't be read; ``part`` is its name."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.part = part


def filtered(rows: Iterable[Row], text: str) -> list[Row]:
    """The rows that pass the filter ``text``; an empty filter passes all."""
    if not text:
        return list(rows)
    test = _Parser(text).whole()
    return [row for row in rows if test(row)]


def sorted_by(rows: Iterable[Row], text: str) -> list[Row]:
    """``rows`` in the order of ``+a,-b``; a missing sign is ascending."""
    kept = list(rows)
    for part in reversed(text.split(",")):
        # A plus sign in a query that was not encoded arrives as a blank.
        name = part.strip().lstrip("+-")
        if not re.fullmatch(r"\w+", name) or any(name not in row for row in kept):
            raise QueryError("sort", f"sort {text!r} can't be read")
        down = part.strip().startswith("-")
        kept.sort(key=lambda row: (row[name] is not None, row[name]), reverse=down)  # noqa: B023
    return kept


def picked(row: Row, fields: str | None) -> Row:
    """The named fields of ``row``, all when None; ``columns(name)`` looks inside."""
    if not fields:
        return row
    wanted = {}
    for name, inner in re.findall(r"(\w+)(?:\(([^)]*)\))?", fields):
        if name not in row:
            raise QueryError("fields", f"field {name!r} does not exist")
        value = row[name]
        if inner and isinstance(value, list):
            value = [picked(item, inner) for item in value]
        elif inner:
            value = picked(value, inner)
        wanted[name] = value
    return wanted


class _Parser:
    """Recursive descent: or, and, not, comparison."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            found = TOKEN.match(text, position)
            if found is None:
                raise self.error()
            self.tokens.append(found[0].strip())
            position = found.end()

    def error(self) -> QueryError:
        return QueryError("filter", f"filter {self.text!r} can't be read")

    def whole(self) -> Test:
        test = self.any_of()
        if self.tokens:
            raise self.error()
        return test

    def accept(self, *words: str) -> str | None:
        if self.tokens and self.tokens[0].lower() in words:
            return self.tokens.pop(0).lower()
        return None

    def expect(self, *words: str) -> str:
        if (word := self.accept(*words)) is None:
            raise self.error()
        return word

    def take(self) -> str:
        if not self.tokens:
            raise self.error()
        return self.tokens.pop(0)

    def any_of(self) -> Test:
        tests = [self.all_of()]
        while self.accept("or"):
            tests.append(self.all_of())
        return lambda row: any(test(row) for test in tests)

    def all_of(self) -> Test:
        tests = [self.single()]
        while self.accept("and"):
            tests.append(self.single())
        return lambda row: all(test(row) for test in tests)

    def single(self) -> Test:
        if self.accept("not"):
            inner = self.single()
            return lambda row: not inner(row)
        if self.accept("("):
            inner = self.any_of()
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> Test:
        name = self.take()
        if self.accept("contains"):
            inner = self.comparison()
            return lambda row: any(inner(item) for item in self.field(row, name))
        if self.accept("is"):
            wanted = not self.accept("not")
            self.expect("null")
            return lambda row: (self.field(row, name) is None) is wanted
        if self.accept("in"):
            self.expect("(")
            values = [self.value()]
            while self.accept(","):
                values.append(self.value())
            self.expect(")")
            return lambda row: self.field(row, name) in values
        if word := self.accept("like", "ilike"):
            parts = str(self.value()).split("%")
            flags = re.IGNORECASE if word == "ilike" else 0
            pattern = re.compile(".*".join(map(re.escape, parts)), flags | re.DOTALL)
            return lambda row: pattern.fullmatch(str(self.field(row, name))) is not None
        compare, value = COMPARE[self.expect(*COMPARE)], self.value()
        return lambda row: self._holds(compare, self.field(row, name), value)

    def _holds(self, compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
        if isinstance(left, str):
            right = str(right)
        if left is None:
            return compare is operator.ne
        try:
            return compare(left, right)
        except TypeError:
            raise self.error() from None

    def value(self) -> Any:
        token = self.take()
        if token[0] in "\"'":
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        return {"true": True, "false": False}.get(token.lower(), token)

    def field(self, row: Row, name: str) -> Any:
        """The value of ``name``, dotted names look inside."""
        value: Any = row
        for part in name.split("."):
            if not isinstance(value, dict) or part not in value:
                raise self.error()
            value = value[part]
        return value
