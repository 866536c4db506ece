# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Simulate: the button, the decision and why, what a real trigger would have met."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from app.restore.model import Mode, Outcome, RunState, Trigger
from app.restore.triggers import accept
from tests.web.conftest import ADMIN, ANALYST, World


@pytest.fixture
def mapped(world: World) -> World:
    """Connected and mapped, disarmed, the worker at work."""
    world.add_mapping(world.add_connection())
    world.store.heartbeats.beat("worker", now=world.clock(), pid=1)
    return world


def simulate(world: World, mapping: str = "SQL attack") -> str:
    """Press the button; give the address of the page that tells what came of it."""
    answer = world.submit(world.client(ADMIN), "/set-up/simulation", mapping=mapping)
    assert answer.status_code == 303, answer.text
    return "/set-up/simulation/" + answer.headers["Location"].rpartition("/")[2]


def read(world: World, path: str) -> str:
    """The words of a page."""
    answer = world.client(ADMIN).get(path)
    assert answer.status_code == 200
    text = re.sub(r"<[^>]+>", "", answer.text.partition("<main")[2])
    return re.sub(r"\s+", " ", html.unescape(text))


def end(world: World, reason: str, **changes: Any) -> None:
    """The worker has looked into CDM."""
    (run,) = world.store.runs.open()
    world.store.runs.record(
        run, RunState.OBSERVED, reason, by="app", now=world.clock(), changes=changes
    )


def test_a_simulation_while_disarmed_shows_that_the_job_would_start(mapped: World) -> None:
    page = simulate(mapped)
    assert "CDM is being asked" in read(mapped, page)
    end(mapped, "everything but the start was done")
    words = read(mapped, page)
    for said in (
        "Once the app is armed, a real trigger starts the job.",
        "By anna",
        "As rule Attack on SQL would send it: mapping SQL attack was found",
        "Everything but the start was done",
        "Not sent: this was a simulation.",
        "The app's mode is disarmed: a rule that fires now starts nothing.",
        "Run 1",
    ):
        assert said in words, words
    assert mapped.store.runs.get(1).source == "simulation"


def test_once_armed_it_says_that_rules_start_the_job(mapped: World) -> None:
    mapped.arm()
    page = simulate(mapped)
    end(mapped, "looked")
    words = read(mapped, page)
    assert "A real trigger would start the job now." in words
    assert "a rule that fires now starts its job" in words


def test_an_obstacle_is_the_verdict(mapped: World) -> None:
    page = simulate(mapped)
    end(mapped, "The run would fail: no such action", error="The run would fail: no such action")
    words = read(mapped, page)
    assert "A real trigger would not start the job now." in words
    assert "no such action" in words


def test_a_decision_against_it_ends_there(mapped: World) -> None:
    mapped.store.mappings.change(1, enabled=0)
    words = read(mapped, simulate(mapped))
    assert "would not start" in words
    assert "Mapping SQL attack is disabled." in words
    assert "Not reached: the decision was no." in words
    assert mapped.store.runs.list() == []


def test_where_a_person_is_asked_first_it_says_so(mapped: World) -> None:
    mapped.store.mappings.change(1, needs_approval=1)
    page = simulate(mapped)
    end(mapped, "looked")
    assert "Once the app is armed, a real trigger waits for a person" in read(mapped, page)
    mapped.arm()
    assert "A real trigger would wait for a person to approve it" in read(mapped, page)


@pytest.mark.parametrize(("failures", "asks"), [(2, False), (3, True)])
def test_after_three_failures_it_says_that_a_person_is_asked(
    mapped: World, failures: int, asks: bool
) -> None:
    mapped.arm()
    long_ago = mapped.clock() - timedelta(days=1)
    for number in range(failures):
        trigger = Trigger(f"request-{number:04}", long_ago, rule_id=100231)
        run_id = accept(mapped.store, trigger, long_ago + timedelta(hours=number)).run_id
        run = mapped.store.runs.get(run_id or 0)
        mapped.store.runs.record(run, RunState.FAILED, "no", by="app", now=long_ago)
    page = simulate(mapped)
    end(mapped, "looked")
    words = read(mapped, page)
    assert ("would wait for a person to approve it" in words) is asks
    assert ("A real trigger would start the job now." in words) is not asks


def test_a_mapping_without_a_rule_is_named(mapped: World) -> None:
    connection = mapped.store.connections.get(1)
    mapped.add_mapping(connection, name="By name", rule_id=None, rule_name=None, job_id="7")
    words = read(mapped, simulate(mapped, "By name"))
    assert "It names the mapping By name" in words
    assert "CDM is being asked" in words


def test_the_page_of_its_run_says_who_simulated(mapped: World) -> None:
    simulate(mapped)
    page = mapped.client(ADMIN).get("/runs/1").text
    assert re.search(r'<dt>Simulated by <code class="small">simulated_by</code>', page)


def test_without_a_worker_the_page_says_why_nothing_goes_on(mapped: World) -> None:
    page = simulate(mapped)
    assert "worker is not running" not in read(mapped, page)
    mapped.clock.now = mapped.clock.now.replace(hour=9)
    assert "The worker is not running" in read(mapped, page)


def test_an_unknown_mapping_is_an_error_that_names_the_field(mapped: World) -> None:
    answer = mapped.submit(mapped.client(ADMIN), "/set-up/simulation", mapping="nowhere")
    assert answer.status_code == 400
    assert "There is no mapping named nowhere." in answer.text


def test_only_simulations_have_such_a_page(mapped: World) -> None:
    mapped.arm()
    accept(mapped.store, Trigger("request-0001", mapped.clock(), rule_id=100231), mapped.clock())
    for number in (1, 99, 10**30):
        assert mapped.client(ADMIN).get(f"/set-up/simulation/{number}").status_code == 404


def test_an_analyst_may_not_simulate(mapped: World) -> None:
    answer = mapped.submit(mapped.client(ANALYST), "/set-up/simulation", mapping="SQL attack")
    assert answer.status_code == 403
    assert mapped.store.triggers.recent() == []


def test_the_health_strip_does_not_take_it_for_a_rules_call(mapped: World) -> None:
    simulate(mapped)
    assert mapped.client(ADMIN).get("/api/v1/health").json["last_trigger"] is None
    assert "No rule has called yet." in read(mapped, "/")


def test_the_list_of_triggers_marks_it(mapped: World) -> None:
    simulate(mapped)
    assert mapped.store.triggers.recent()[0].outcome is Outcome.OBSERVED
    assert "simulation" in read(mapped, "/").partition("Recent triggers")[2]


def test_observing_can_be_chosen_and_is_told(mapped: World) -> None:
    client = mapped.client(ADMIN)
    answer = mapped.submit(client, "/settings/mode", mode="observe", back="set_up")
    assert answer.headers["Location"].endswith("/set-up")
    assert mapped.store.settings.mode is Mode.OBSERVE
    page = client.get("/settings").text
    assert "The app is observing" in page
    assert "what would be started is looked up and recorded" in page
