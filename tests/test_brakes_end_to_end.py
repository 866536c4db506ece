# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""As installed: a simulation before arming, mode observe, and a restore that a person approves."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.world import RULE_ID, World, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
MakeWorld = Callable[..., World]


def state_of(world: World, run_id: int, *states: str) -> dict[str, Any]:
    return wait_for(
        lambda: run if (run := world.run(run_id))["state"] in states else None, seconds=60
    )


def simulate(world: World) -> str:
    """Press the button on the set-up page; give the page that follows, once CDM was asked."""
    with world.session("admin") as session:
        page = session.get(world.url("set-up"), timeout=30).text
        token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
        form = {"csrf_token": token, "mapping": "SQL attack"}
        answer = session.post(world.url("set-up/simulation"), data=form, timeout=30)
        assert answer.status_code == 200, answer.text

        def done() -> str | None:
            text = session.get(answer.url, timeout=30).text
            return None if "CDM is being asked" in text else text

        return wait_for(done)


def test_before_it_is_armed_a_simulation_shows_what_would_happen(make_world: MakeWorld) -> None:
    """CDM is really asked, down to the copy; nothing is started, and no real trigger is muted."""
    world = make_world(cooldown_s=900)
    world.configure("import", "-", text=json.dumps({"settings": {"mode": "disarmed"}}))

    page = simulate(world)

    assert "Once the app is armed, a real trigger starts the job." in page
    assert "the latest copy, of 20" in page
    run = world.run(1)
    assert (run["state"], run["source"]) == ("observed", "simulation")
    assert world.trigger("request-0001", rule_id=RULE_ID).json()["outcome"] == "disarmed"
    world.configure("import", "-", text=json.dumps({"settings": {"mode": "armed"}}))
    assert not world.cdm.starts
    assert world.trigger("request-0002", rule_id=RULE_ID).json()["outcome"] == "accepted"


def test_a_simulation_while_cdm_is_down_says_so(make_world: MakeWorld) -> None:
    world = make_world()
    world.cdm.stop()

    page = simulate(world)

    assert "A real trigger would not start the job now." in page
    assert "The app would try again for an hour" in page


def test_in_mode_observe_a_rule_starts_nothing(make_world: MakeWorld) -> None:
    world = make_world(cooldown_s=900)
    world.configure("import", "-", text=json.dumps({"settings": {"mode": "observe"}}))

    first = world.trigger("request-0001", rule_id=RULE_ID).json()
    run = state_of(world, first["run_id"], "observed")
    again = world.trigger("request-0002", rule_id=RULE_ID).json()

    assert (first["outcome"], again["outcome"], again["run_id"]) == ("observed", "observed", 1)
    assert [step["to"] for step in run["transitions"]] == ["queued", "observed"]
    assert not world.cdm.starts
    assert world.get("api/v1/config", user="admin").json()["settings"]["mode"] == "observe"


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_a_person_is_asked_and_answers(make_world: MakeWorld, answer: str) -> None:
    world = make_world(restore_seconds=0.3)
    document = world.document(cooldown_s=900)
    document["mappings"][0]["needs_approval"] = True
    world.configure("import", "-", text=json.dumps(document))

    first = world.trigger("request-0001", rule_id=RULE_ID).json()
    second = world.trigger("request-0002", rule_id=RULE_ID).json()

    assert (first["outcome"], second["outcome"]) == ("awaiting_approval", "awaiting_approval")
    assert first["run_id"] == second["run_id"] == 1
    assert world.post("api/v1/runs/1/approve", user="analyst").status_code == 403
    assert not world.cdm.starts
    done = world.post(f"api/v1/runs/1/{answer}")
    assert done.status_code == 200, done.text
    state_of(world, 1, "ready" if answer == "approve" else "cancelled")
    assert len(world.cdm.starts) == (answer == "approve")
    assert world.run(1)["repeats"] == 1
