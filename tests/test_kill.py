# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Either process may die at any instant: nothing answered is lost, nothing is started twice.

Real processes in the container, a real CDM at the wire; ``kill -9`` from outside.
"""

import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from typing import Any

import pytest
import requests

from tests.world import RULE_ID, World, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
MakeWorld = Callable[..., World]
START = {"method": "POST", "path": "action=start"}


def kill(world: World, program: str) -> None:
    """Send SIGKILL to a program's processes and wait until supervisord has made a new one."""
    old = world.container.processes()[program]
    for pid in old:
        os.kill(pid, signal.SIGKILL)

    def is_back() -> bool:
        new = world.container.processes().get(program, [])
        return bool(new) and new[0] not in old and (program != "web" or world.container.healthy())

    wait_for(is_back, seconds=60)


def in_state(world: World, run_id: int, *states: str) -> dict[str, Any]:
    def reached() -> dict[str, Any] | None:
        answer = world.get(f"api/v1/runs/{run_id}")
        if answer.status_code != 200:
            return None
        run: dict[str, Any] = answer.json()
        return run if run["state"] in states else None

    return wait_for(reached, seconds=60)


def trigger(world: World, request_id: str = "request-0001") -> int:
    answer = world.trigger(request_id, rule_id=RULE_ID)
    assert answer.ok, answer.text
    run_id: int = answer.json()["run_id"]
    return run_id


def states_of(run: dict[str, Any]) -> list[str]:
    return [step["to"] for step in run["transitions"]]


def arrange_queued(world: World) -> None:
    """CDM does not answer, so the run stays queued."""
    world.cdm.add_fault("hang", method="GET", path="/job", times=None)


def arrange_starting(world: World) -> None:
    """The start has been sent, its job session is not to be seen yet."""
    world.cdm.switches.start_visible_after = 3.0


def arrange_restoring(world: World) -> None:
    world.cdm.switches.pending_seconds = 0.1


def let_go(world: World) -> None:
    world.cdm.switches.faults = []
    world.cdm.release()


@pytest.mark.parametrize("program", ["worker", "web"])
@pytest.mark.parametrize(
    ("state", "arrange"),
    [
        ("queued", arrange_queued),
        ("starting", arrange_starting),
        ("restoring", arrange_restoring),
    ],
)
def test_a_run_survives_a_kill_on_its_way_up(
    make_world: MakeWorld, state: str, arrange: Callable[[World], None], program: str
) -> None:
    """Whoever is killed before the copy is up: one start, and the copy gets up."""
    world = make_world(restore_seconds=4.0)
    arrange(world)
    run_id = trigger(world)
    in_state(world, run_id, state)
    if state != "queued":
        # Killed between `starting` and the request, nobody would have asked CDM: a person decides.
        assert world.cdm.wait_for(lambda: world.cdm.starts, timeout=20)
    kill(world, program)
    let_go(world)

    run = in_state(world, run_id, "ready")

    assert len(world.cdm.starts) == 1
    assert states_of(run) == ["queued", "starting", "restoring", "ready"]


@pytest.mark.parametrize("program", ["worker", "web"])
def test_a_mounted_copy_is_followed_and_cleaned_up_across_kills(
    make_world: MakeWorld, program: str
) -> None:
    """A kill in `ready` and one in `cleaning_up`: the run still ends as CDM says.

    CDM is never asked for a clean-up again while the first one shows its effect. (Killed before the
    request had one, it is asked again after two minutes: `tests/restore/test_kills.py`.)
    """
    world = make_world(restore_seconds=0.5)
    world.cdm.switches.clean_up_seconds = 3600.0
    run_id = trigger(world)
    session_id = in_state(world, run_id, "ready")["job_session_id"]
    kill(world, program)
    answer = world.post(f"api/v1/runs/{run_id}/clean-up")
    assert answer.ok, answer.text
    assert world.cdm.wait_for(lambda: clean_ups(world), timeout=60)
    in_state(world, run_id, "cleaning_up")
    kill(world, program)
    world.cdm.advance_session(session_id, "COMPLETED")

    in_state(world, run_id, "completed")

    assert (len(world.cdm.starts), clean_ups(world)) == (1, 1)


def clean_ups(world: World) -> int:
    """How many requests for a clean-up have reached CDM."""
    return sum(r.method == "POST" and "end_ia" in r.query for r in world.cdm.requests)


@pytest.mark.parametrize("program", ["worker", "web"])
def test_a_run_that_needs_a_decision_waits_for_it_across_a_kill(
    make_world: MakeWorld, program: str
) -> None:
    """The question stays, and the answer is carried out."""
    world = make_world(restore_seconds=0.5)
    world.cdm.switches.sessions_per_start = 2
    run_id = trigger(world)
    in_state(world, run_id, "needs_decision")
    kill(world, program)
    assert in_state(world, run_id, "needs_decision")["error"]

    session_id = world.cdm.starts[0].session_ids[0]
    decision = {"decision": "started", "job_session_id": session_id}
    answer = world.post(f"api/v1/runs/{run_id}/resolve", **decision)

    assert answer.ok, answer.text
    assert in_state(world, run_id, "ready")["job_session_id"] == session_id
    assert len(world.cdm.starts) == 1


def test_death_between_the_start_request_and_its_answer(make_world: MakeWorld) -> None:
    """CDM has started the job, the worker dies before it reads the answer: found, not resent."""
    world = make_world(restore_seconds=1.0)
    world.cdm.add_fault("hang", after=True, **START)
    run_id = trigger(world)
    assert world.cdm.wait_for(lambda: world.cdm.starts, timeout=20)
    kill(world, "worker")
    world.cdm.release()

    run = in_state(world, run_id, "ready")

    assert len(world.cdm.starts) == 1
    assert run["job_session_id"] == world.cdm.starts[0].session_id


def test_death_before_the_start_request_had_an_effect(make_world: MakeWorld) -> None:
    """The request reached CDM, the worker died, and no session came: a person is asked.

    The 120 s of looking are the engine's; here only that nothing is sent again while it looks.
    """
    world = make_world()
    world.cdm.add_fault("hang", **START)
    run_id = trigger(world)
    wait_for(lambda: any("action=start" in r.query for r in world.cdm.requests), seconds=20)
    kill(world, "worker")
    looks = len(world.cdm.requests)
    wait_for(lambda: len(world.cdm.requests) > looks + 10, seconds=40)

    assert in_state(world, run_id, "starting")
    assert sum("action=start" in r.query for r in world.cdm.requests) == 1


@pytest.mark.parametrize("fault", ["close", "reset", "truncate", "html502", "redirect", "empty"])
def test_a_lost_answer_is_looked_for_and_adopted(make_world: MakeWorld, fault: str) -> None:
    """CDM starts the job and its answer is lost: one start, adopted as found."""
    world = make_world(restore_seconds=0.5)
    world.cdm.add_fault(fault, after=True, **START)
    run_id = trigger(world)

    run = in_state(world, run_id, "ready")

    assert len(world.cdm.starts) == 1
    assert run["job_session_id"] == world.cdm.starts[0].session_id
    assert any("found" in step["reason"] for step in run["transitions"])


def test_a_foreign_session_is_not_adopted_but_explained(make_world: MakeWorld) -> None:
    """Someone started the job in CDM's own pages: the run waits and says for what."""
    world = make_world()
    foreign = world.cdm.start_foreign_session(world.cdm.restore_job["id"])
    run_id = trigger(world)

    run = wait_for(lambda: r if (r := world.run(run_id))["error"] else None, seconds=20)

    assert run["state"] == "queued"
    assert foreign in run["error"]
    assert not world.cdm.starts


def test_the_whole_container_dies(make_world: MakeWorld) -> None:
    """Power cut with one answered trigger of each kind: all are still known afterwards."""
    world = make_world(restore_seconds=0.5)
    run_id = trigger(world, "first-request")
    world.trigger("second-request", rule_id=RULE_ID)
    world.trigger("third-request", rule_id=1)
    # Cut off between `starting` and the request, nobody would have asked CDM: a person decides.
    assert world.cdm.wait_for(lambda: world.cdm.starts, timeout=20)
    world.restart()

    again = world.trigger("first-request", rule_id=RULE_ID).json()

    assert (again["outcome"], again["run_id"]) == ("duplicate", run_id)
    assert world.trigger("third-request", rule_id=1).json()["outcome"] == "duplicate"
    run = in_state(world, run_id, "ready")
    assert len(world.cdm.starts) == 1
    outcomes = [received["outcome"] for received in run["triggers"]]
    assert outcomes == ["accepted", "already_running", "duplicate"]


def test_what_was_answered_in_a_flood_is_kept_though_web_is_killed(make_world: MakeWorld) -> None:
    """Killed in the middle of answering, three times over: each 202's row stands in the store."""
    world = make_world()
    answered: set[tuple[int, str]] = set()
    over = threading.Event()

    def send(sender: int) -> None:
        for number in count():
            if over.is_set():
                return
            request_id = f"request-{sender}-{number}"
            with suppress(requests.RequestException, ValueError):
                answer = world.trigger(request_id, rule_id=1)
                if answer.status_code == 202:
                    answered.add((answer.json()["trigger_id"], request_id))

    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(send, sender) for sender in range(4)]
        try:
            for _ in range(3):
                before = len(answered)
                wait_for(lambda before=before: len(answered) >= before + 20, seconds=60)
                kill(world, "web")
        finally:
            over.set()
        for sender in senders:
            sender.result()
    world.container.kill()

    with closing(sqlite3.connect(world.store / "safeguarded-restore.db")) as store:
        kept = set(store.execute("SELECT id, request_id FROM triggers"))
    assert len(answered) >= 60
    assert answered <= kept


def test_a_stop_leaves_nothing_half_done(make_world: MakeWorld) -> None:
    """An orderly stop logs out of CDM, ends in time, and the next start goes on."""
    world = make_world(restore_seconds=3.0)
    run_id = trigger(world)
    in_state(world, run_id, "restoring")

    assert world.container.stop() < 10
    assert world.cdm.live_api_sessions == []

    world.container.start()
    world.register()
    world.container.wait_ready(60)
    in_state(world, run_id, "ready")
    assert len(world.cdm.starts) == 1
