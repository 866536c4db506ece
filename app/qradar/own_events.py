# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""By what QRadar knows our own events: the id of our log source, and the ids (QID) of our events.

Which rights the three lists ask for is not known (qradar §13): what is not there, not allowed or
not understood leaves the ids unknown, and a setting can name them. An event of ours has an id of
its own only once it is mapped in QRadar's DSM Editor.
"""

from collections.abc import Iterator
from typing import Any

from app.qradar.administrator import AsksConsole
from app.qradar.leef import EVENT_IDS, HOST
from app.qradar.offenses import number_in, pages, rows_of

_SOURCES = "/api/config/event_sources/log_source_management/log_sources"
_EVENTS = "/api/data_classification/dsm_event_mappings"
_RECORDS = "/api/data_classification/qid_records"
_PAGE = 500
_MOST = 50  # ids of one filter


def read(console: AsksConsole, sec: str) -> tuple[list[int], list[int]]:
    """Give the ids of our log sources, and the QIDs of our events. Raises `ConsoleRefused`."""
    sources, kinds = set[int](), set[int]()
    wanted = f'name = "{HOST}" or name ILIKE "%@ {HOST}"'
    for row in _rows(console, sec, _SOURCES, wanted, "id,name,type_id"):
        number, kind = number_in(row, "id"), number_in(row, "type_id")
        name = str(row.get("name") or "").strip()
        if number is not None and (name == HOST or name.endswith(f"@ {HOST}")):
            sources.add(number)
            kinds |= {kind} if kind is not None else set()
    records = set[int]()
    for kind in sorted(kinds):
        fields = "log_source_event_id,qid_record_id"
        for row in _rows(console, sec, _EVENTS, f"log_source_type_id = {kind}", fields):
            record = number_in(row, "qid_record_id")
            if record is not None and row.get("log_source_event_id") in EVENT_IDS:
                records.add(record)
    qids = set[int]()
    if records:
        listed = ", ".join(map(str, sorted(records)[:_MOST]))
        for row in _rows(console, sec, _RECORDS, f"id in ({listed})", "id,qid"):
            qid = number_in(row, "qid")
            if qid is not None:
                qids.add(qid)
    return sorted(sources), sorted(qids)


def _rows(console: AsksConsole, sec: str, path: str, wanted: str, fields: str) -> Iterator[Any]:
    params = {"filter": wanted, "fields": fields}
    for answer in pages(console, path, sec=sec, params=params, size=_PAGE):
        yield from rows_of(answer)
