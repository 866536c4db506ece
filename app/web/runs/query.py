# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which runs a request asks for: its filters, its place in the list, how many at most."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from werkzeug.datastructures import MultiDict

from app.message import Message
from app.restore.model import RunState
from app.store.history import RunPage
from app.store.run_rows import RunFilter
from app.store.store import Store
from app.web.frame.problems import Problem, one_of

FILTERS = ("state", "mapping", "connection", "offense_id", "q", "from", "to")
PAGE, MOST = 50, 200
_LARGEST = 2**62


def read_filter(query: MultiDict[str, str]) -> RunFilter:
    """The filter that a query describes; an empty value is none, ``state`` may come several times.

    `Problem` 400 names the field that can't be read.
    """
    chosen = {name: query.get(name, "").strip() for name in FILTERS}
    states = dict.fromkeys(one.strip() for one in query.getlist("state") if one.strip())
    if set(states) - set(RunState):
        raise Problem(400, one_of("state", RunState), field="state")
    offense = chosen["offense_id"]
    return RunFilter(
        states=tuple(states),
        mapping=chosen["mapping"] or None,
        connection=chosen["connection"] or None,
        offense_id=read_number(offense, "offense_id", most=_LARGEST) if offense else None,
        q=chosen["q"] or None,
        from_=_read_time(chosen["from"], "from"),
        to=_read_time(chosen["to"], "to", end=True),
    )


def read_place(query: Mapping[str, str]) -> tuple[int | None, int | None]:
    """The keyset: only runs before this id, or only runs after that one."""
    before, after = (query.get(name, "").strip() for name in ("before", "after"))
    return (
        read_number(before, "before", most=_LARGEST) if before else None,
        read_number(after, "after", most=_LARGEST) if after else None,
    )


def read_limit(query: Mapping[str, str], preset: int = PAGE) -> int:
    """How many runs at most."""
    text = query.get("limit", "").strip()
    return read_number(text, "limit", most=MOST) if text else preset


def read_number(text: str, name: str, *, most: int) -> int:
    """A number from 1 to ``most``; `Problem` 400 names the field."""
    if text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most:
        return int(text)
    message = _whole_number(name, None if most == _LARGEST else most)
    raise Problem(400, message, field=name)


def _read_time(text: str, name: str, *, end: bool = False) -> datetime | None:
    """A date or time in ISO 8601, taken as UTC when it names no zone; a date ends with its day."""
    if not text:
        return None
    try:
        # A plus sign in a query that was not percent-encoded arrives as a blank.
        at = datetime.fromisoformat(text.replace(" ", "+") if text.count(":") > 2 else text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return at + timedelta(days=1) if end and len(text) == 10 else at
    except (ValueError, OverflowError) as error:
        raise Problem(
            400,
            Message("{field} must be a time such as 2026-11-24T08:00:00Z.", field=name),
            field=name,
        ) from error


def query_of(query: MultiDict[str, str], *names: str) -> dict[str, list[str]]:
    """What a query says to ``names``, for links that keep it."""
    said = {name: [one for one in query.getlist(name) if one.strip()] for name in names}
    return {name: values for name, values in said.items() if values}


def find_page(
    store: Store, query: MultiDict[str, str], *, limit: int, chosen: RunFilter | None = None
) -> RunPage:
    """The page of runs that a query asks for."""
    before, after = read_place(query)
    chosen = chosen or read_filter(query)
    return store.history.page(chosen, before=before, after=after, limit=limit)


def _whole_number(field: str, most: int | None) -> Message:
    """Not a number, or out of its bounds."""
    if most is None:
        return Message("{field} must be a whole number from 1.", field=field)
    return Message(
        "{field} must be a whole number from 1 of at most {most}.", field=field, most=most
    )
