# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a console tells of our own events: the log source of our name, the ids of our events."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.qradar.console import ConsoleAnswer, ConsoleRefused
from app.qradar.leef import EVENT_IDS
from app.qradar.own_events import read

SOURCES = [
    {"id": 162, "name": "safeguarded-restore", "type_id": 4000},
    {"id": 163, "name": "Universal LEEF @ safeguarded-restore", "type_id": 4000},
    {"id": 164, "name": "not safeguarded-restore", "type_id": 4001},
    {"id": "x", "name": "safeguarded-restore", "type_id": None},
]
EVENTS = [
    {"log_source_event_id": "RESTORE_FAILED", "qid_record_id": 7},
    {"log_source_event_id": "NEW_ATTACK", "qid_record_id": 8},
    {"log_source_event_id": "DROP TABLE", "qid_record_id": 9},
]
RECORDS = [{"id": 7, "qid": 2001}, {"id": 8, "qid": 2002}, {"id": 9}]


class Console:
    """Answers the three lists, whatever is asked of them."""

    def __init__(self, refused: str = "", status: int = 403) -> None:
        self.refused, self.status = refused, status
        self.filters: list[str] = []

    def request(self, method: str, path: str, **asked: Any) -> ConsoleAnswer:
        params: Mapping[str, str] = asked["params"]
        name = path.rpartition("/")[2]
        if name == self.refused:
            raise ConsoleRefused(self.status, None, "no")
        self.filters.append(params["filter"])
        lists = {
            "log_sources": SOURCES,
            "dsm_event_mappings": EVENTS if "4000" in params["filter"] else [],
            "qid_records": RECORDS,
        }
        return ConsoleAnswer(200, lists[name], {})


def test_log_sources_of_our_name_and_the_ids_of_our_events() -> None:
    console = Console()
    assert read(console, "sec") == ([162, 163], [2001, 2002])  # type: ignore[arg-type]
    assert "id in (7, 8)" in console.filters


@pytest.mark.parametrize("refused", ["log_sources", "dsm_event_mappings", "qid_records"])
def test_what_is_refused_is_raised(refused: str) -> None:
    with pytest.raises(ConsoleRefused):
        read(Console(refused), "sec")  # type: ignore[arg-type]


def test_every_event_that_is_told_is_known_by_its_id() -> None:
    assert {"RESTORE_FAILED", "RESTORE_READY", "NEW_ATTACK", "TRIGGER_REJECTED"} <= EVENT_IDS
