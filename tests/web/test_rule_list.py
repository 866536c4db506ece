# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How old the list of QRadar's rules is, and when it is read anew."""

import html
import re
from datetime import timedelta

import pytest

from app.qradar.console import ConsoleRefused
from tests.web.conftest import ADMIN, World, job_entry
from tests.web.test_offense_pages import FIELDS, FakeConsole, console, keep_rules

__all__ = ["console"]


@pytest.fixture(autouse=True)
def made_a_minute_ago(world: World, console: FakeConsole) -> None:
    """The list is of before; since then somebody has made the rule Brute force."""
    world.cdm.jobs = [job_entry("1044", "SQL clean-room restore")]
    world.add_connection()
    keep_rules(world)
    world.clock.now += timedelta(minutes=1)


def words(world: World, query: str) -> str:
    page = world.client(ADMIN).get(f"/mappings/new?{query}")
    assert page.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", html.unescape(page.text)).split())


def test_the_list_tells_its_age(world: World, console: FakeConsole) -> None:
    assert "The list of rules was read" not in words(world, "connection=1")
    page = words(world, "rule_q=sql")
    assert "The list of rules was read from QRadar 1 min ago ." in page
    assert "Read again" in page
    assert console.asked == []


def test_a_rule_that_is_not_there_is_looked_for_anew(world: World, console: FakeConsole) -> None:
    page = words(world, "rule_q=brute")
    assert "Brute force" in page
    assert "The list of rules was read from QRadar just now ." in page
    assert len(console.asked) == 1
    assert "None of QRadar's 1 rule matches." in words(world, "rule_q=nothing")
    assert len(console.asked) == 1  # it was read just now
    world.clock.now += timedelta(seconds=5)
    words(world, "rule_q=nothing")
    assert len(console.asked) == 2


def test_an_old_list_is_read_anew_once(world: World, console: FakeConsole) -> None:
    world.clock.now += timedelta(minutes=9)
    words(world, "rule_q=nothing")
    assert len(console.asked) == 1


def test_read_again_reads_again(world: World, console: FakeConsole) -> None:
    world.store.qradar.keep_rules([], now=world.clock())
    page = words(world, "rule_q=brute&look_rules=again")
    assert "Brute force" in page
    assert len(console.asked) == 1
    world.client(ADMIN).get("/api/v1/rules?q=none&again=1")
    assert len(console.asked) == 2


@pytest.mark.parametrize("silent", [True, False])
def test_why_it_cannot_be_read_is_said_beside_its_age(
    world: World, console: FakeConsole, silent: bool
) -> None:
    console.is_silent = silent
    console.refuses = {} if silent else {"rules": ConsoleRefused(403, None, "no right")}
    for query in ("rule_q=brute", "rule_q=sql&look_rules=again"):
        page = words(world, query)
        assert "The console's rules can't be read now." in page
        assert "The list of rules was read from QRadar 1 min ago ." in page
        assert "matches." not in page
    assert "SQL attack" in page


def test_a_list_that_was_never_read_says_so(world: World, console: FakeConsole) -> None:
    world.store.qradar._db.execute("UPDATE qradar SET rules_at = NULL")
    console.is_silent = True
    assert "The list of rules was never read from QRadar." in words(world, "rule_q=x")


def test_a_rule_made_just_now_is_not_told_as_deleted(world: World, console: FakeConsole) -> None:
    """Its id was typed: it is looked for when the mapping is saved, and named."""
    fields = FIELDS | {"rule_id": "5", "connection": "1"}
    assert world.submit(world.client(ADMIN), "/mappings/new", **fields).status_code == 303
    assert world.store.mappings.get(1).rule_name == "Brute force"
    assert "it was deleted" not in html.unescape(world.client(ADMIN).get("/mappings").text)


def test_a_silent_console_is_waited_for_once(world: World, console: FakeConsole) -> None:
    world.clock.now += timedelta(hours=1)
    console.is_silent = True
    words(world, "rule_q=brute")
    assert len(console.asked) == 1
