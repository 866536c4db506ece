# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Lists of CDM across pages: the array counts, never ``total`` alone (cdm §2, §10, §12)."""

from collections.abc import Callable, Iterator
from typing import Any

from app.cdm.links import Target, href
from app.cdm.records import text_id
from app.message import Message
from app.restore.model import Unknown

PAGE_SIZE = 100  # CDM's own default; larger pages time out on a loaded server
MAX_RECORDS = 20_000
_SMALLEST_CAP = 10  # a shorter page that announces no more is the last one

Get = Callable[[Target, str], dict[str, Any]]


def records(
    get: Get, target: Target, key: str, *, start: int = 0, size: int = PAGE_SIZE, what: str
) -> Iterator[dict[str, Any]]:
    """Yield the records of all pages from offset ``start`` on, each id once.

    A short page is the last one, unless the server announces more or may have cut the page down to
    a size of its own: then the next offset is asked.

    :raises Unknown: the list can't be read whole: odd shape, a first page that comes again and may
        not be all, or no end after `MAX_RECORDS`
    """
    seen: set[str] = set()
    first_ids: set[str] = set()
    offset = start
    while offset - start < MAX_RECORDS:
        body = get(target.with_query(pageSize=size, pageStartIndex=offset), what)
        page = body.get(key)
        if not isinstance(page, list) or not all(isinstance(r, dict) for r in page):
            raise Unknown(Message("CDM's list of {what} has an unexpected shape.", what=what))
        if not page:
            return
        first = text_id(page[0].get("id"))
        if first is not None and first in first_ids:
            if len(page) == size and body.get("total") != len(page):
                break
            return  # the server knows no pages, and this was all
        if first is not None:
            first_ids.add(first)
        yield from _unseen(page, seen)
        offset += len(page)
        if _is_last(body, len(page), size, offset):
            return
    raise Unknown(
        Message("CDM's list of {what} can't be read whole.", what=what),
        cause=Message(
            "Its pages repeat themselves, or have no end after {records} records.",
            records=MAX_RECORDS,
        ),
        advice=Message(
            "Look into CDM's own pages; its list of old job sessions may need a clean-out."
        ),
    )


def _unseen(page: list[dict[str, Any]], seen: set[str]) -> Iterator[dict[str, Any]]:
    """The records of a page whose id did not come before: a new record shifts the pages."""
    for record in page:
        record_id = text_id(record.get("id"))
        if record_id in seen:
            continue
        if record_id is not None:
            seen.add(record_id)
        yield record


def _is_last(body: dict[str, Any], got: int, size: int, offset: int) -> bool:
    total = body.get("total")
    announced = href(body.get("links"), "nextPage") is not None or (
        isinstance(total, int) and total > offset
    )
    return got < size and got < _SMALLEST_CAP and not announced
