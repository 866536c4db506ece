# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a person has to decide, and what does not start: all there is to know, before any click."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.restore.memory import Memory, SeenSession
from app.restore.model import RunState
from tests.web.conftest import ADMIN, ANALYST, NOBODY, World
from tests.web.test_runs_api import make_run, to_state

S = RunState


def main_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def undecided(world: World, **columns: object) -> int:
    run = make_run(world, 1)
    start = datetime(1999, 2, 1, 10, tzinfo=UTC)
    memory = Memory(
        noted=("4711", "4712"),
        seen=(SeenSession("4799", "RUNNING", start), SeenSession("4800", "PENDING", None)),
        seen_at=world.clock(),
    )
    run = to_state(world, run, S.STARTING, S.NEEDS_DECISION)
    world.store.runs.note(
        run, memory=memory, **{"error": "2 new job sessions appeared.", **columns}
    )
    return run.id


def test_the_overview_says_why_a_run_needs_a_decision(world: World) -> None:
    undecided(world)
    assert "needs a decision: 2 new job sessions appeared." in world.client(ANALYST).get("/").text


def test_the_runs_page_tells_what_the_app_saw_and_where_to_look(world: World) -> None:
    run_id = undecided(world, cdm_status="RESOURCE ACTIVE")
    words = main_of(world.client(ANALYST).get(f"/runs/{run_id}").text)
    for part in (
        "2 new job sessions appeared.",
        "4711, 4712",
        "4799",
        "1999-02-01 10:00:00 UTC",
        "4800",
        "Job sessions that were new in CDM",
        "RESOURCE ACTIVE",
        "Where to look in CDM",
        "SQL clean-room restore",
    ):
        assert part in words, part
    assert words.count("2 new job sessions appeared.") == 1


def test_a_blocked_run_tells_by_what(world: World) -> None:
    run_id = undecided(world, blocked_by="4800")
    words = main_of(world.client(ANALYST).get(f"/runs/{run_id}").text)
    assert "Blocked by job session 4800" in words
    assert "Open job sessions of this job" in words


def test_a_question_without_any_evidence_says_so(world: World) -> None:
    run = to_state(world, make_run(world, 1), S.NEEDS_DECISION)
    words = main_of(world.client(ANALYST).get(f"/runs/{run.id}").text)
    assert "never, by this run" in words
    assert "Job sessions from before" not in words


def test_every_consequence_is_read_before_a_button_is_opened(world: World) -> None:
    run_id = undecided(world, blocked_by="4800")
    page = world.client(ADMIN).get(f"/runs/{run_id}").text
    closed = main_of(re.sub(r"<details.*?</details>", "", page, flags=re.S))
    for part in (
        "what is mounted there stays",
        "whatever it has mounted is gone",
        "is started as soon as it is free",
        "adopts job session 4800",
        "You choose or name the job session",
    ):
        assert part in closed, part


def buttons(world: World, run_id: int) -> list[str]:
    page = world.client(ADMIN).get(f"/runs/{run_id}").text
    return re.findall(r"<summary[^>]*>(.*?)</summary>", page)


STARTED, NOT_STARTED = (
    "It was started: follow the job session",
    "It was not started: start it now",
)


def test_what_the_app_saw_orders_the_choices(world: World) -> None:
    run_id = undecided(world)
    assert buttons(world, run_id) == [STARTED, NOT_STARTED, "Give up"]
    world.store.runs.note(world.store.runs.get(run_id), memory=Memory(noted=()))
    assert buttons(world, run_id) == [NOT_STARTED, STARTED, "Give up"]


def test_a_blocked_job_is_tried_again_rather_than_not_started(world: World) -> None:
    run_id = undecided(world, blocked_by="4800")
    assert buttons(world, run_id) == [
        "Follow that job session",
        "Clean up that job session, then start",
        "Try to start it again",
        STARTED,
        "Give up",
    ]
    page = main_of(world.client(ADMIN).get(f"/runs/{run_id}").text)
    assert "If job session 4800 still holds it, the run waits" in page


def test_beside_new_job_sessions_another_start_waits_for_them(world: World) -> None:
    page = main_of(world.client(ADMIN).get(f"/runs/{undecided(world)}").text)
    assert "none of the new job sessions is this run" in page


def choices(world: World, run_id: int) -> list[tuple[str, bool]]:
    """The job sessions to choose from, and whether each is chosen already."""
    page = world.client(ADMIN).get(f"/runs/{run_id}").text
    found = re.findall(r'name="job_session_id" value="(.*?)" required( checked)?>', page)
    return [(session, bool(checked)) for session, checked in found]


def test_the_job_sessions_that_the_app_saw_are_there_to_choose(world: World) -> None:
    run_id = undecided(world)
    assert choices(world, run_id) == [("4799", False), ("4800", False), ("", False)]
    page = main_of(world.client(ADMIN).get(f"/runs/{run_id}").text)
    assert "4799 RUNNING, begun 1999-02-01 10:00:00 UTC by CDM" in page
    one = Memory(noted=("4711",), seen=(SeenSession("4711", "RUNNING", None),))
    world.store.runs.note(world.store.runs.get(run_id), memory=one, job_session_id="4700")
    assert choices(world, run_id) == [("4700", True), ("", False)]


def test_without_any_job_session_seen_its_id_is_typed(world: World) -> None:
    run = to_state(world, make_run(world, 1), S.NEEDS_DECISION)
    assert choices(world, run.id) == []
    page = world.client(ADMIN).get(f"/runs/{run.id}").text
    assert 'name="job_session_id" required inputmode="numeric"' in page


def decide(world: World, run_id: int, **fields: str) -> tuple[int, str]:
    path = f"/runs/{run_id}/resolve"
    answer = world.submit(world.client(ADMIN), path, decision="started", **fields)
    return answer.status_code, answer.text


@pytest.mark.parametrize("field", ["job_session_id", "another_session"])
def test_a_job_session_is_chosen_or_typed(world: World, field: str) -> None:
    run_id = undecided(world)
    assert decide(world, run_id, **{field: " 4799 "})[0] == 303
    assert [one.job_session_id for one in world.store.runs.requests(run_id)] == ["4799"]


def test_two_job_sessions_are_too_many(world: World) -> None:
    run_id = undecided(world)
    status, page = decide(world, run_id, job_session_id="4799", another_session="4800")
    assert (status, world.store.runs.requests(run_id)) == (400, [])
    assert "another one, 4800, is typed in" in page
    assert f'/runs/{run_id}">Back to run {run_id}</a>' in page


def test_a_choice_that_can_not_be_leads_back_to_the_run(world: World) -> None:
    run_id = undecided(world)
    status, page = decide(world, run_id, another_session="session 4799")
    assert status == 400
    assert "This is no id of a job session: session 4799" in page
    assert f'/runs/{run_id}">Back to run {run_id}</a>' in page
    assert "Back to run" not in decide(world, 999)[1]


def test_the_history_says_in_words_who_did_something(world: World) -> None:
    page = world.client(ADMIN).get(f"/runs/{undecided(world)}").text
    timeline = page[page.index("<h2>Timeline") :]
    assert re.findall(r"<td>(the .*?)</td></tr>", timeline)[-1] == "the rule"


def test_a_consequence_stands_behind_the_name_of_what_has_it(world: World) -> None:
    run = make_run(world, 1)
    page = world.client(ADMIN).get(f"/runs/{run.id}").text
    assert "<strong>Cancel</strong>: Job SQL clean-room restore on prod will not be" in page


# --- what does not start ----------------------------------------------------------------------


def kept(world: World, seconds: float, **memory: object) -> int:
    run = make_run(world, 1)
    since = world.clock() - timedelta(seconds=seconds)
    world.store.runs.note(
        run,
        contact_lost_since=since,
        error="CDM at cdm:8443 does not answer.",
        due_at=world.clock() + timedelta(seconds=20),
        memory=Memory(**memory),
    )
    return run.id


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/{run}", "/connections"])
def test_what_does_not_start_stands_above_everything(world: World, path: str) -> None:
    run_id = kept(world, 180, waited_s=180.0, waited_at=world.clock())
    page = world.client(ADMIN).get(path.format(run=run_id)).text
    main = page[page.index('id="first"') :]
    words = main_of(main)
    assert words.index("NOT STARTED: run 1") < words.index("Run")
    assert "can\u0027t" not in words
    for part in ("for 3 min", "CDM at cdm:8443 does not answer.", "tried last at", "again at"):
        assert part in words, part
    assert "a person is asked at about" in words
    assert main.index("notification--error") < main.index("NOT STARTED")


def test_nothing_is_said_of_what_cdm_said_before_when_it_never_said_anything(world: World) -> None:
    run_id = kept(world, 40)
    words = main_of(world.client(ADMIN).get(f"/runs/{run_id}").text)
    assert "CDM said before" not in words
    assert "It is being tried for the first time" in words
    run = world.store.runs.get(run_id)
    world.store.runs.note(run, cdm_status="RUNNING")
    assert "CDM said before" in main_of(world.client(ADMIN).get(f"/runs/{run_id}").text)


def test_a_run_that_waits_for_a_moment_is_not_told_aloud(world: World) -> None:
    kept(world, 20)
    assert "NOT STARTED" not in world.client(ADMIN).get("/").text


def test_it_is_told_to_nobody_who_may_not_look_at_runs(world: World) -> None:
    kept(world, 180)
    assert "NOT STARTED" not in world.client(NOBODY).get("/").text


def test_its_state_is_no_calm_blue(world: World) -> None:
    kept(world, 5)
    page = world.client(ADMIN).get("/runs").text
    assert re.search(r"tag--red.{0,300}queued, not started", page, re.S)


def test_the_api_says_so_in_the_error(world: World) -> None:
    run_id = kept(world, 5)
    run = world.client(ADMIN).get(f"/api/v1/runs/{run_id}").json
    assert run is not None
    assert run["error"] == "NOT STARTED: CDM at cdm:8443 does not answer."
