# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which copy a run brings up: on pages, in QRadar's own, in the API and the CSV."""

import csv
import io
from datetime import timedelta

import pytest

from app.restore.model import Run, RunState
from app.restore.model.copies import ClockOffset, Copy, SeenCopy, SourceCopy, Which
from tests.web.conftest import ANALYST, World
from tests.web.test_runs_api import make_run, to_state

S = RunState
BEFORE = "the copy of 2026-11-24 02:15 UTC, 5 h 45 min before the detection"


def run_with(world: World, copy: Copy | None, **fields: object) -> Run:
    """A run whose copy is up; it was detected at 08:00."""
    run = make_run(world, **{"detected_at": world.clock()} | fields)
    seen = None if copy is None else SeenCopy(copy, world.clock())
    run = to_state(world, run, S.STARTING, S.RESTORING, copy=seen)
    return to_state(world, run, S.READY, ready_at=world.clock())


def made(world: World, hours: float, ahead_s: float = 0.0, within_s: float = 1.0) -> Copy:
    at = world.clock() - timedelta(hours=hours)
    return Copy(
        Which.LATEST,
        (SourceCopy("SALES", at, "Hourly"),),
        clock=ClockOffset(ahead_s, within_s),
    )


def test_the_api_has_the_copy_as_the_contract_names_it(world: World) -> None:
    run = run_with(world, made(world, 5.75))
    answer = world.client(ANALYST).get(f"/api/v1/runs/{run.id}").json["copy"]
    assert answer == {
        "which": "latest",
        "made_at": "2026-11-24T02:15:00.000Z",
        "newest_made_at": "2026-11-24T02:15:00.000Z",
        "name": None,
        "policy": "Hourly",
        "sources": [{"name": "SALES", "made_at": "2026-11-24T02:15:00.000Z", "policy": "Hourly"}],
        "age_s": 20_700.0,
        "relation": "before",
        "clock_offset_s": 0.0,
        "seen_at": "2026-11-24T08:00:00.000Z",
        "problem": None,
        "text": BEFORE,
    }


def test_it_is_null_until_it_was_looked_at_and_says_why_it_is_not_known(world: World) -> None:
    run_with(world, None)
    (listed,) = world.client(ANALYST).get("/api/v1/runs").json["runs"]
    assert listed["copy"] is None
    run = run_with(world, Copy(Which.UNKNOWN, problem="CDM says no."), number=2)
    copy = world.client(ANALYST).get(f"/api/v1/runs/{run.id}").json["copy"]
    assert (copy["which"], copy["relation"], copy["age_s"]) == ("unknown", "unknown", None)
    assert (copy["problem"], copy["clock_offset_s"]) == ("CDM says no.", None)


def test_the_csv_has_it_in_columns(world: World) -> None:
    run_with(world, made(world, 5.75))
    run_with(world, None, number=2)
    without, row = csv.DictReader(io.StringIO(world.client(ANALYST).get("/api/v1/runs.csv").text))
    assert row["copy_which"] == "latest"
    assert row["copy_made_at"] == "2026-11-24T02:15:00.000Z"
    assert (row["copy_age_s"], row["copy_relation"]) == ("20700.0", "before")
    assert (without["copy_which"], without["copy_age_s"]) == ("", "")


@pytest.mark.parametrize("path", ["/runs/1", "/", "/runs"])
def test_pages_say_which_copy_is_up(world: World, path: str) -> None:
    run_with(world, made(world, 5.75))
    assert f"Up: {BEFORE}." in world.client(ANALYST).get(path).text


def test_the_offense_says_it_too(world: World) -> None:
    run_with(world, made(world, 5.75), offense_id=7)
    answer = world.client(ANALYST).get("/offense_fragment/7").json["html"]
    assert f"Up: {BEFORE}." in answer


def test_one_from_after_the_detection_is_warned_of(world: World) -> None:
    run_with(world, made(world, -1))
    run_with(world, made(world, 5.75), number=2)
    after, before = (world.client(ANALYST).get(f"/runs/{number}").text for number in (1, 2))
    assert "AFTER the detection: it may hold the attack" in after
    warned = [
        "#attention" in page.partition('class="copy"')[2].partition("</p>")[0]
        for page in (after, before)
    ]
    assert warned == [True, False]


def test_the_facts_name_each_source_and_a_clock_that_goes_wrong(world: World) -> None:
    run_with(world, made(world, 5.75, ahead_s=600.0))
    page = world.client(ANALYST).get("/runs/1").text
    assert "SALES: 2026-11-24 02:15:00 UTC" in page
    assert "CDM's clock is 10 min ahead of ours" in page.replace("&#39;", "'")
    run_with(world, made(world, 5.75, ahead_s=5.0), number=2)
    assert "ahead of ours" not in world.client(ANALYST).get("/runs/2").text
