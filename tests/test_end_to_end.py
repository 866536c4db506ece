# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The main job as installed: rule → script in QRadar's jail → app → CDM → ready, and around it."""

import concurrent.futures
import contextlib
import csv
import io
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulators.console import PathSwitch
from tests.world import RULE_ID, RULE_NAME, World, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
MakeWorld = Callable[..., World]


def state_of(world: World, run_id: int, *states: str) -> dict[str, Any]:
    return wait_for(
        lambda: run if (run := world.run(run_id))["state"] in states else None, seconds=60
    )


@pytest.mark.jail
def test_a_rule_fires_and_the_copy_comes_up(make_world: MakeWorld) -> None:
    """The event's values, the states, CDM's log lines and the times are all in the history."""
    world = make_world(restore_seconds=0.5, jail=True, cooldown_s=900)
    world.install_action()

    result = world.fire(username='"; rm -rf / #').wait()

    assert result is not None
    assert (result.exit_code, result.stdout[:9]) == (0, "accepted:")
    run = state_of(world, 1, "ready")
    assert [step["to"] for step in run["transitions"]] == [
        "queued",
        "starting",
        "restoring",
        "ready",
    ]
    assert (run["rule_id"], run["rule_name"]) == (RULE_ID, RULE_NAME)
    assert run["triggers"][0]["fields"]["username"] == '"; rm -rf / #'
    assert run["log"][0]["message"] == "The job was queued."
    times = [run[name] for name in ("detected_at", "received_at", "started_at", "ready_at")]
    assert all(times)
    assert run["ended_at"] is None

    again = world.fire().wait()

    assert again is not None
    assert (again.exit_code, again.stdout[:15]) == (0, "already_running")
    assert len(world.cdm.starts) == 1


@pytest.mark.jail
def test_the_test_execution_of_qradars_dialog_starts_nothing(make_world: MakeWorld) -> None:
    """Without RULE_ID the script is a connection test; it says so and leaves a trace."""
    world = make_world(jail=True)
    world.install_action()

    result = world.console.test_execution(world.action_id)

    assert result.exit_code == 0, result.stdout
    assert "Connection test passed" in result.stdout
    assert "TLS: certificate verified" in result.stdout
    assert not world.cdm.starts
    assert "Connection test passed" in world.get("index").text


@pytest.mark.parametrize("same_id", [True, False], ids=["the same id", "different ids"])
def test_twenty_identical_triggers_at_once_are_one_restore(
    make_world: MakeWorld, same_id: bool
) -> None:
    """One run; the other nineteen are answered with why not."""
    world = make_world(restore_seconds=1.0, cooldown_s=900)
    gate = threading.Barrier(20)

    def send(number: int) -> dict[str, Any]:
        gate.wait()
        request_id = "request-same" if same_id else f"request-{number:04}"
        answer = world.trigger(request_id, rule_id=RULE_ID)
        assert answer.status_code == 202
        body: dict[str, Any] = answer.json()
        return body

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))

    other = "duplicate" if same_id else "already_running"
    assert Counter(answer["outcome"] for answer in answers) == {"accepted": 1, other: 19}
    assert {answer["run_id"] for answer in answers} == {1}
    assert all(answer["message"] for answer in answers)
    run = state_of(world, 1, "ready")
    assert run["repeats"] == 19
    assert len(world.cdm.starts) == 1


def test_two_rules_with_two_mappings_of_one_job_start_it_once(make_world: MakeWorld) -> None:
    """One attack matches several rules; the job is what counts."""
    world = make_world(restore_seconds=0.5)
    document = world.document(cooldown_s=900)
    twin = {**document["mappings"][0], "name": "The same attack, seen elsewhere", "rule_id": 7}
    document["mappings"].append(twin)
    world.configure("import", "-", text=json.dumps(document))

    first = world.trigger("request-0001", rule_id=RULE_ID).json()
    second = world.trigger("request-0002", rule_id=7).json()

    assert (first["outcome"], second["outcome"]) == ("accepted", "already_running")
    state_of(world, 1, "ready")
    assert len(world.cdm.starts) == 1


def test_a_hanging_cdm_delays_no_other(make_world: MakeWorld) -> None:
    """CDM A answers nothing; CDM B's restore gets up while A still hangs."""
    world = make_world(restore_seconds=0.5, second_cdm=True)
    assert world.other_cdm is not None
    world.cdm.add_fault("hang", stage="accept", times=None)
    world.cdm.expire_api_sessions()
    stuck = world.trigger("request-0001", rule_id=RULE_ID).json()

    moving = world.trigger("request-0002", rule_id=RULE_ID + 1).json()

    assert world.other_cdm.wait_for(lambda: world.other_cdm.starts, timeout=5)
    state_of(world, moving["run_id"], "ready")
    assert world.run(stuck["run_id"])["state"] == "queued"
    world.cdm.release()


def test_a_hanging_job_log_delays_no_other_restore_of_its_cdm(make_world: MakeWorld) -> None:
    """The next start goes out before the log is asked for again, and its copy is told as up."""
    world = make_world(restore_seconds=0.5, jobs=6)
    jobs = [job for job in world.cdm.jobs if job["type"] == "recovery"]
    document = world.document()
    first = document["mappings"][0]
    other = {"name": "Other", "rule_id": RULE_ID + 1, "job_id": jobs[1]["id"]}
    document["mappings"].append({**first, **other, "job_name": jobs[1]["name"]})
    world.configure("import", "-", text=json.dumps(document))
    hang = world.cdm.add_fault("hang", path="/log/job", times=None)
    world.trigger("request-0001", rule_id=RULE_ID)
    assert world.cdm.wait_for(lambda: hang.hits, timeout=30)

    moving = world.trigger("request-0002", rule_id=RULE_ID + 1).json()

    assert world.cdm.wait_for(lambda: len(world.cdm.starts) == 2, timeout=30)
    assert hang.hits == 1
    state_of(world, moving["run_id"], "ready")
    state_of(world, 1, "ready")
    world.cdm.release()


def test_triggers_are_answered_while_thirty_pages_wait(make_world: MakeWorld) -> None:
    """Console and CDM hang, thirty pages wait for them: a trigger is answered all the same."""
    world = make_world()
    cookies = [world.console.login("analyst") for _ in range(30)]
    world.console.switches.paths = {"/api/": PathSwitch(hang=True)}
    world.cdm.add_fault("hang", times=None)
    address = f"http://127.0.0.1:{world.container.port}"
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        pages = [
            pool.submit(requests.get, f"{address}/runs", cookies=each, timeout=30)
            for each in cookies
        ]
        answer = requests.post(
            f"{address}/api/v1/triggers",
            data={"request_id": "request-0001", "rule_id": RULE_ID},
            headers={"X-Trigger-Token": world.trigger_token},
            timeout=30,
        )
        # Not by the clock: the pages give up after seconds.
        answered_first = not all(page.done() for page in pages)
        statuses = {page.result().status_code for page in pages}

    assert answer.status_code == 202
    assert answered_first
    assert statuses == {503}
    world.console.switches.paths = {}
    world.cdm.release()


def test_silent_callers_hold_no_thread(make_world: MakeWorld) -> None:
    """Connections to the raw port that say nothing, or stop in the middle, keep no trigger out."""
    world = make_world()
    port = world.container.port
    half = b"POST /api/v1/triggers HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nrequest_id="
    with contextlib.ExitStack() as stack:
        for number in range(100):
            caller = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            caller.sendall(half if number % 2 else b"")
        answer = requests.post(
            f"http://127.0.0.1:{port}/api/v1/triggers",
            data={"request_id": "request-0001", "rule_id": RULE_ID},
            headers={"X-Trigger-Token": world.trigger_token},
            timeout=15,
        )

    assert answer.status_code == 202
    assert "Traceback" not in world.container.logs()


@pytest.mark.parametrize("form", ["header", "cookie", "both"])
def test_a_trigger_arrives_in_whatever_form_the_proxy_hands_on_its_token(
    make_world: MakeWorld, form: str
) -> None:
    """How a service's SEC reaches the app is not documented; a trigger must not depend on it."""
    world = make_world()
    world.console.switches.token_reaches_app = form

    assert world.trigger("request-0001", rule_id=RULE_ID).json()["outcome"] == "accepted"


def test_a_flood_of_wrong_tokens_keeps_no_right_one_out(make_world: MakeWorld) -> None:
    """They are refused without a word to the console, and right ones are answered in between."""
    world = make_world()
    right, world.trigger_token = world.trigger_token, "wrong"
    asked = len(world.console.api_calls)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        flood = [
            pool.submit(world.trigger, f"request-{number:04}", rule_id=RULE_ID)
            for number in range(400)
        ]
        answers = [world.trigger("right-one-0001", rule_id=RULE_ID, token=right) for _ in range(5)]
        statuses = {each.result().status_code for each in flood}

    assert statuses <= {401, 429}
    assert 401 in statuses
    assert {answer.status_code for answer in answers} == {202}
    assert len(world.console.api_calls) == asked
    assert len(world.run(1)["triggers"]) == 5


def test_the_history_as_a_table(make_world: MakeWorld) -> None:
    """What an auditor takes away: one row for each run."""
    world = make_world(restore_seconds=0.2)
    world.cdm.switches.outcome = "FAILED"
    world.trigger("request-0001", rule_id=RULE_ID, rule_name="=cmd|' /C calc'!A0")
    state_of(world, 1, "failed")

    answer = world.get("api/v1/runs.csv")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [(row["id"], row["state"]) for row in rows] == [("1", "failed")]
    assert rows[0]["rule_name"].startswith("'=")


def test_no_secret_is_left_anywhere(make_world: MakeWorld) -> None:
    """Passwords, tokens and API sessions are in no log, page, column or process list."""
    world = make_world(restore_seconds=0.3)
    world.install_action()
    world.fire().wait()
    run = state_of(world, 1, "ready")
    world.post(f"api/v1/runs/{run['id']}/clean-up")
    state_of(world, 1, "completed")
    sessions = set(world.cdm.live_api_sessions)
    world.cdm.expire_api_sessions()
    world.cdm.password = "another"
    world.trigger("request-0002", rule_id=RULE_ID)
    wait_for(lambda: world.run(2)["error"], seconds=20)
    sessions |= {logout.api_session for logout in world.cdm.logouts}
    secrets = {
        "pässwörd-of-cdm",
        world.trigger_token,
        world.console.token("restore-trigger"),
        *sessions,
    }
    assert len(secrets) >= 4

    pages = "index runs runs/1 runs/2 connections mappings settings api/v1/runs api/v1/runs/2"
    places = {path: world.get(path, user="admin").text for path in pages.split()}
    places["config"] = world.get("api/v1/config", user="admin").text
    places["health"] = world.get("api/v1/health").text
    places["processes"] = _command_lines(world)
    for path in world.store.rglob("*"):
        if path.is_file():
            places[path.name] = path.read_bytes().decode("utf-8", errors="replace")

    found = {
        (name, secret[:4]) for name, text in places.items() for secret in secrets if secret in text
    }
    assert not found
    assert "SQL clean-room restore" in places["runs/1"]


def _command_lines(world: World) -> str:
    pids = [pid for group in world.container.processes().values() for pid in group]
    return "\n".join(
        Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids
    )
