# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What only a person can bring on stands first on every page."""

import re

import pytest

from app.restore.model import RunState
from tests.web.conftest import ADMIN, ANALYST, NOBODY, World
from tests.web.test_runs_api import make_run, to_state

PAGES = ["/", "/runs", "/runs/1", "/help", "/connections", "/mappings", "/settings", "/diagnostics"]
SAYS = "Run 2 of "


def first(world: World, path: str, token: str = ADMIN) -> str:
    """What stands between the menu and the page's heading; of the overview its own part."""
    page = world.client(token).get(path).text
    found = re.search(r'<section[^>]*aria-label="Needs a person".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


@pytest.mark.parametrize("path", PAGES)
def test_a_decision_is_shown_on_every_page(world: World, path: str) -> None:
    make_run(world, 1)
    assert first(world, path) == ""
    to_state(world, make_run(world, 2), RunState.STARTING, RunState.NEEDS_DECISION)
    assert SAYS in first(world, path)
    assert "runs/2" in first(world, path)
    assert world.client(ADMIN).get(path).text.count(SAYS) == 1


def test_a_runs_own_page_does_not_point_to_itself(world: World) -> None:
    to_state(world, make_run(world, 1), RunState.STARTING, RunState.NEEDS_DECISION)
    assert first(world, "/runs/1") == ""
    assert first(world, "/runs", ANALYST) != ""


def test_of_many_the_first_are_named_and_the_rest_linked(world: World) -> None:
    for number in range(1, 6):
        to_state(world, make_run(world, number), RunState.STARTING, RunState.NEEDS_DECISION)
    shown = first(world, "/help")
    assert len(re.findall(r"needs a decision", shown)) == 3
    assert "state=needs_decision" in shown


def test_who_may_not_look_at_runs_is_told_of_none(world: World) -> None:
    to_state(world, make_run(world, 1), RunState.STARTING, RunState.NEEDS_DECISION)
    for path in ("/help", "/nothing/here"):
        assert "needs a decision" not in world.client(NOBODY).get(path).text


@pytest.mark.parametrize("error", ["Two job sessions appeared.", "HTTP 500"])
def test_an_error_that_is_the_reason_is_not_said_twice(world: World, error: str) -> None:
    run = to_state(world, make_run(world, 1), RunState.STARTING)
    reason, now = "Two job sessions appeared.", world.clock()
    world.store.runs.record(
        *(run, RunState.NEEDS_DECISION, reason), by="engine", now=now, changes={"error": error}
    )
    head = world.client(ADMIN).get("/runs/1").text.partition("What can be done")[0]
    assert head.count(reason) == 1
    assert head.count(error) == 1
