# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Offenses at the wire: which rule contributed to which, their notes (qradar §5.5, §7.2).

Every call is made with the service token and raises what `ConsoleClient.request` raises. Fields
that a release lacks are met with what stands in for them; unknown ones are ignored.
"""

import email.utils
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from app.qradar.administrator import AsksConsole
from app.qradar.console import ConsoleAnswer, ConsoleRefused

PAGE = 200
_MOST_PAGES = 100
_CHUNK = 50  # numbers in one filter: the request line has 8190 bytes (qradar §7.2)
_OFFENSE_FIELDS = (
    "id,status,start_time,last_updated_time,last_persisted_time,offense_source,rules(id),"
    "log_sources(name)"
)
_UNREADABLE = 422  # what the console answers to a filter that it can't read (1010)


@dataclass(frozen=True, slots=True)
class Contribution:
    """A rule's share in an offense; times are epoch ms by QRadar's clock."""

    rule_id: int
    rule_name: str
    offense_id: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Offense:
    """An offense; times are epoch ms by QRadar's clock."""

    id: int
    status: str
    start_ms: int
    updated_ms: int
    persisted_ms: int
    rule_ids: frozenset[int]
    log_sources: tuple[str, ...]
    source: str  # what it is made of: an address, a user, …


class Offenses:
    """The offenses of one console, on the authority of one token."""

    def __init__(self, console: AsksConsole, sec: str) -> None:
        self._console, self._sec = console, sec
        self._filters_rules = True  # until the console says that it can't
        self.now_ms: int | None = None
        """QRadar's clock at its last answer, to the second; None before."""

    def contributions(
        self,
        rule_ids: Iterable[int],
        *,
        offense_ids: Iterable[int] | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        most_pages: int = _MOST_PAGES,
    ) -> Sequence[Contribution]:
        """Give the rules' contributions: to these offenses, or with an event in that time.

        Of more than ``most_pages`` for a filter those with the latest events.
        """
        found: list[Contribution] = []
        offenses = [None] if offense_ids is None else list(_chunks(offense_ids))
        for rules in _chunks(rule_ids):
            for chunk in offenses:
                terms = [f"rule_id in ({_numbers(rules)})"]
                if chunk is not None:
                    terms.append(f"offense_id in ({_numbers(chunk)})")
                if since_ms is not None:
                    terms.append(f"last_event >= {since_ms}")
                if until_ms is not None:
                    terms.append(f"first_event <= {until_ms}")
                rows = self._list(
                    *("/api/analytics/rules_offense_contributions", terms),
                    sort="-last_event",
                    most_pages=most_pages,
                )
                found += [each for row in rows if (each := _contribution(row))]
        return found

    def changed(
        self, rule_ids: Sequence[int], *, since_ms: int, above: int | None
    ) -> Sequence[Offense]:
        """Give the offenses of these rules that were persisted since a time or have a higher id."""
        newer = f"last_persisted_time >= {since_ms}"
        return self._of_rules(
            rule_ids, f"({newer} or id > {above})" if above is not None else newer
        )

    def open(self, rule_ids: Sequence[int]) -> Sequence[Offense]:
        """Give the offenses of these rules that are not closed."""
        return self._of_rules(rule_ids, 'status != "CLOSED"')

    def existing(self, offense_ids: Sequence[int]) -> Mapping[int, Offense]:
        """Give those of these offenses that there are, by id."""
        found: dict[int, Offense] = {}
        for chunk in _chunks(offense_ids):
            terms = [f"id in ({_numbers(chunk)})"]
            rows = self._list("/api/siem/offenses", terms, sort="-id", fields=_OFFENSE_FIELDS)
            found |= {offense.id: offense for row in rows if (offense := _offense(row))}
        return found

    def has_note(self, offense_id: int, mark: str) -> bool:
        """Say whether a note of the offense holds ``mark``."""
        rows = self._list(f"/api/siem/offenses/{offense_id}/notes", [], fields="note_text")
        return any(mark in str(row.get("note_text", "")) for row in rows)

    def add_note(self, offense_id: int, text: str) -> None:
        """Add a note; when this raises `ConsoleUnavailable` it may have been added all the same."""
        path = f"/api/siem/offenses/{offense_id}/notes"
        self._keep_time(
            self._console.request("POST", path, sec=self._sec, params={"note_text": text})
        )

    def _of_rules(self, rule_ids: Sequence[int], term: str) -> Sequence[Offense]:
        # Newest first: an offense that changes while the pages are read moves to the front, where
        # the next look finds it; it can't make another one slip from one page to the one before.
        found: dict[int, Offense] = {}
        for chunk in _chunks(rule_ids):
            of_rules = " or ".join(f"rules contains id = {number}" for number in chunk)
            terms = [f"({of_rules})", term]
            try:
                rows = list(self._newest_first(terms if self._filters_rules else terms[1:]))
            except ConsoleRefused as error:
                if not self._filters_rules or error.status != _UNREADABLE:
                    raise
                self._filters_rules = False
                rows = list(self._newest_first(terms[1:]))
            for row in rows:
                offense = _offense(row)
                if offense is not None and not offense.rule_ids.isdisjoint(chunk):
                    found[offense.id] = offense
        return list(found.values())

    def _newest_first(self, terms: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        return self._list(
            "/api/siem/offenses", terms, sort="-last_persisted_time", fields=_OFFENSE_FIELDS
        )

    def _list(
        self,
        path: str,
        terms: Sequence[str],
        *,
        sort: str | None = None,
        fields: str | None = None,
        most_pages: int = _MOST_PAGES,
    ) -> Iterator[Mapping[str, Any]]:
        params = {"filter": " and ".join(terms), "sort": sort, "fields": fields}
        given = {name: value for name, value in params.items() if value}
        answers = pages(self._console, path, sec=self._sec, params=given)
        for answer in islice(answers, most_pages):
            self._keep_time(answer)
            yield from rows_of(answer)

    def _keep_time(self, answer: ConsoleAnswer) -> None:
        """Read QRadar's clock from the answer's ``Date``: what its times are compared with."""
        try:
            at: datetime = email.utils.parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            return
        self.now_ms = int(at.timestamp() * 1000)


def pages(
    console: AsksConsole, path: str, *, sec: str, params: Mapping[str, str], size: int = PAGE
) -> Iterator[ConsoleAnswer]:
    """Give a list page by page (``Range``), until it ends or after 100 pages."""
    for number in range(_MOST_PAGES):
        first = number * size
        headers = {"Range": f"items={first}-{first + size - 1}"}
        answer = console.request("GET", path, sec=sec, params=params, headers=headers)
        yield answer
        if len(rows_of(answer)) < size or _total(answer) in range(first + size + 1):
            return


def rows_of(answer: ConsoleAnswer) -> Sequence[Mapping[str, Any]]:
    """The objects of a list's page."""
    body = answer.body
    return [row for row in body if isinstance(row, dict)] if isinstance(body, list) else []


def _total(answer: ConsoleAnswer) -> int | None:
    found = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _chunks(numbers: Iterable[int]) -> Iterator[Sequence[int]]:
    every = sorted(set(numbers))
    for first in range(0, len(every), _CHUNK):
        yield every[first : first + _CHUNK]


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def number_in(row: Mapping[str, Any], *names: str) -> int | None:
    """The first of these fields that is a whole number."""
    for name in names:
        value = row.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _contribution(row: Mapping[str, Any]) -> Contribution | None:
    rule, offense = number_in(row, "rule_id"), number_in(row, "offense_id")
    last = number_in(row, "last_event", "first_event")
    if rule is None or offense is None or last is None:
        return None
    first = number_in(row, "first_event", "last_event")
    return Contribution(rule, str(row.get("rule_name") or ""), offense, first or last, last)


def _offense(row: Mapping[str, Any]) -> Offense | None:
    number, start = number_in(row, "id"), number_in(row, "start_time")
    if number is None or start is None:
        return None
    updated = number_in(row, "last_updated_time", "last_persisted_time", "start_time") or start
    return Offense(
        id=number,
        status=str(row.get("status") or ""),
        start_ms=start,
        updated_ms=updated,
        persisted_ms=number_in(row, "last_persisted_time") or updated,
        rule_ids=frozenset(
            each
            for rule in row.get("rules") or ()
            if isinstance(rule, dict) and (each := number_in(rule, "id")) is not None
        ),
        log_sources=tuple(
            str(source.get("name") or "")
            for source in row.get("log_sources") or ()
            if isinstance(source, dict)
        ),
        source=str(row.get("offense_source") or ""),
    )
