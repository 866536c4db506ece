# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Lists across pages, against servers with every habit that is known or feared."""

from collections.abc import Callable
from typing import Any

import pytest

from app.cdm import pages
from app.cdm.links import Target, api
from app.restore.model import Unknown

Get = Callable[[Target, str], dict[str, Any]]


class Server:
    """Answers like a list of ``count`` records, with the habits given."""

    def __init__(self, count: int, **habits: Any) -> None:
        self.records = [{"id": str(n)} for n in range(count)]
        self.habits = habits
        self.asked: list[tuple[int, int]] = []

    def get(self, target: Target, what: str) -> dict[str, Any]:
        size = int(target.values("pageSize")[0])
        start = int(target.values("pageStartIndex")[0])
        self.asked.append((start, size))
        size = min(size, self.habits.get("cap", size))
        if self.habits.get("ignores_start"):
            start = 0
        page = self.records[start : start + size]
        links = {}
        if self.habits.get("next_page") and start + size < len(self.records):
            links["nextPage"] = {"href": "https://elsewhere/api/endeavour/job?pageStartIndex=1"}
        return {"jobs": page, "total": self.habits.get("total", 0), "links": links}


def read(server: Server, **options: Any) -> list[str]:
    found = pages.records(server.get, api("job"), "jobs", what="jobs", **options)
    return [str(record["id"]) for record in found]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250, 1000])
@pytest.mark.parametrize("cap", [10, 25, 100, 1000])
@pytest.mark.parametrize("total", [0, 5, 10**6])
def test_every_record_is_read_once_whatever_total_says(count: int, cap: int, total: int) -> None:
    server = Server(count, cap=cap, total=total)
    assert read(server) == [str(n) for n in range(count)]


def test_a_tiny_cap_is_seen_by_the_next_page_link() -> None:
    assert len(read(Server(12, cap=3, next_page=True))) == 12


def test_a_tiny_cap_is_seen_by_a_total_that_says_more() -> None:
    assert len(read(Server(12, cap=3, total=12))) == 12


def test_a_short_list_costs_one_request() -> None:
    server = Server(3)
    read(server)
    assert server.asked == [(0, pages.PAGE_SIZE)]


def test_a_server_without_pages_is_read_once() -> None:
    assert len(read(Server(40, ignores_start=True))) == 40
    assert len(read(Server(100, ignores_start=True, total=100))) == 100


def test_a_full_first_page_that_comes_again_is_not_taken_for_all() -> None:
    with pytest.raises(Unknown):
        read(Server(250, ignores_start=True, cap=100))


def test_a_record_that_shifts_the_pages_is_read_once() -> None:
    server = Server(150)
    original = server.get

    def shifting(target: Target, what: str) -> dict[str, Any]:
        answer = original(target, what)
        if len(server.asked) == 1:
            server.records.insert(0, {"id": "new"})
        return answer

    found = list(pages.records(shifting, api("job"), "jobs", what="jobs"))
    assert [r["id"] for r in found] == [str(n) for n in range(150)]


def test_a_list_without_end_is_given_up() -> None:
    server = Server(pages.MAX_RECORDS + 500)
    with pytest.raises(Unknown, match="whole"):
        read(server)
    assert len(server.asked) == pages.MAX_RECORDS / pages.PAGE_SIZE


def test_reading_begins_where_it_is_told() -> None:
    server = Server(30)
    assert read(server, start=25, size=10) == [str(n) for n in range(25, 30)]
    assert server.asked[0] == (25, 10)


@pytest.mark.parametrize(
    "body", [{}, {"jobs": None}, {"jobs": {}}, {"jobs": [None]}, {"jobs": "x"}]
)
def test_an_odd_shape_is_not_an_empty_list(body: dict[str, Any]) -> None:
    with pytest.raises(Unknown):
        list(pages.records(lambda *_: body, api("job"), "jobs", what="jobs"))
