# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs, health and configuration as JSON and CSV, and what may be asked of a run."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from app.restore.model import LogLine, Outcome, Run, RunState, Trigger
from app.restore.triggers import accept
from app.web.runs import written
from tests.web.conftest import ADMIN, ANALYST, OPERATOR, SERVICE, World

FIELDS = {
    *("id", "state", "mapping", "connection", "job_id", "job_name", "job_session_id"),
    *("cdm_status", "percent", "source", "rule_id", "rule_name", "offense_id", "detected_at"),
    *("received_at", "started_at", "ready_at", "ended_at", "repeats", "error"),
}


def make_run(world: World, number: int = 1, **fields: Any) -> Run:
    """A queued run of a job of its own."""
    connection = world.store.connections.find("prod") or world.add_connection()
    columns = {"name": f"Mapping {number}", "rule_id": number, "job_id": str(1000 + number)}
    mapping = world.add_mapping(connection, **columns)
    trigger = Trigger(f"request-{number:04}", world.clock(), **{"rule_id": number} | fields)
    return world.store.runs.add(trigger, mapping, connection, now=world.clock())


def to_state(world: World, run: Run, *states: RunState, **changes: Any) -> Run:
    for state in states:
        run = world.store.runs.record(
            run, state, "because", by="engine", now=world.clock(), changes=changes
        )
    return run


def test_the_newest_runs_come_first_a_page_at_a_time(world: World) -> None:
    for number in range(1, 6):
        make_run(world, number)
    client = world.client(ANALYST)
    first = client.get("/api/v1/runs?limit=2").json
    assert [run["id"] for run in first["runs"]] == [5, 4]
    assert set(first["runs"][0]) == FIELDS | {"copy"}
    second = client.get(f"/api/v1/runs?limit=2&before={first['next_before']}").json
    assert [run["id"] for run in second["runs"]] == [3, 2]
    last = client.get(f"/api/v1/runs?limit=2&before={second['next_before']}").json
    assert ([run["id"] for run in last["runs"]], last["next_before"]) == ([1], None)


def test_times_are_iso_8601_in_utc_and_null_until_known(world: World) -> None:
    make_run(world)
    (run,) = world.client(ANALYST).get("/api/v1/runs").json["runs"]
    assert run["received_at"] == "2026-11-24T08:00:00.000Z"
    assert run["ended_at"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=queued", [2, 1]),
        ("state=ready", []),
        ("mapping=Mapping 2", [2]),
        ("connection=prod", [2, 1]),
        ("connection=other", []),
        ("offense_id=77", [2]),
        ("q=clean-room", [2, 1]),
        ("q=%25", []),
        ("from=2026-11-24", [2, 1]),
        ("from=2026-11-24T08:00:00.001Z", []),
        ("to=2026-11-24", [2, 1]),
        ("to=2026-11-24T08:00:00Z", []),
        ("to=2026-11-24T09:30:00%2B01:00&from=2026-11-24T08:30:00%2B01:00", [2, 1]),
        ("from=2026-11-24T08:30:00+01:00", [2, 1]),
        ("state=&mapping=&q=&from=&limit=&before=", [2, 1]),
        ("unknown=x", [2, 1]),
    ],
)
def test_runs_can_be_filtered(world: World, query: str, found: list[int]) -> None:
    make_run(world, 1)
    make_run(world, 2, offense_id=77)
    answer = world.client(ANALYST).get(f"/api/v1/runs?{query}")
    assert [run["id"] for run in answer.json["runs"]] == found


@pytest.mark.parametrize(
    "query",
    [
        *("state=mounted", "offense_id=x", "offense_id=0", "before=-1", "before=1.5"),
        *("limit=0", "limit=201", "limit=x", "from=yesterday", "to=2026-13-01"),
        *("before=99999999999999999999", "to=9999-12-31", "offense_id=٣"),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/runs", "/runs"])
def test_a_filter_that_cannot_be_read_is_named(world: World, path: str, query: str) -> None:
    answer = world.client(ANALYST).get(f"{path}?{query}")
    assert answer.status_code == 400
    if path.startswith("/api"):
        assert answer.json["error"]["field"] == query.partition("=")[0]


def test_a_run_has_its_history_log_and_triggers(world: World) -> None:
    world.arm()
    run = make_run(world)
    to_state(world, run, RunState.STARTING, RunState.RESTORING, job_session_id="4711")
    world.store.runs.add_log(run.id, [LogLine("1", world.clock(), "INFO", "Mounting")])
    document = world.client(ANALYST).get(f"/api/v1/runs/{run.id}").json
    assert FIELDS | {
        "copy",
        "offense_by",
        "transitions",
        "log",
        "triggers",
        "left_out",
        "notes",
    } == set(document)
    assert [step["to"] for step in document["transitions"]] == ["queued", "starting", "restoring"]
    assert set(document["transitions"][0]) == {"at", "from", "to", "reason", "by"}
    expected = {"time": "2026-11-24T08:00:00.000Z", "type": "INFO", "message": "Mounting"}
    assert document["log"] == [expected]


def test_of_many_large_triggers_the_first_and_the_newest_are_told(world: World) -> None:
    """A thousand of 33 kB each would be an answer of 33 MB."""
    world.arm()
    run = make_run(world)
    for number in range(1100):
        fields = {"note": "x" * 30_000} if number >= 1060 else {"note": "small"}
        at = world.clock() + timedelta(seconds=number)
        received = Trigger(f"swallowed-{number:04}", at, fields=fields)
        world.store.triggers.add(received, Outcome.ALREADY_RUNNING, "", run_id=run.id, mapping=None)
    answer = world.client(ANALYST).get(f"/api/v1/runs/{run.id}")
    document = answer.json
    told = document["triggers"]
    assert len(told) == 1000
    assert [one["id"] for one in told] == sorted(one["id"] for one in told)
    assert told[0]["request_id"] == "swallowed-0000"
    assert told[1]["request_id"] == "swallowed-0101"
    assert told[-1]["request_id"] == "swallowed-1099"
    assert told[-1]["fields"] == {"note": "x" * 30_000}
    bare = [one for one in told if not one["fields"]]
    assert document["left_out"] == {"triggers": 100, "fields": len(bare)}
    # 17 of 30 kB fit into half a megabyte; the newest have the room
    assert [bool(one["fields"]) for one in told[-40:]] == [False] * 23 + [True] * 17
    assert len(answer.data) < 1_500_000
    page = world.client(ANALYST).get(f"/runs/{run.id}").text
    assert "2026-11-24 08:18:19" in page  # the newest
    assert "2026-11-24 08:17:29" not in page


@pytest.mark.parametrize("number", ["7", "99999999999999999999999"])
@pytest.mark.parametrize("path", ["/api/v1/runs/{}", "/runs/{}"])
def test_a_run_that_is_not_there_is_404(world: World, path: str, number: str) -> None:
    assert world.client(ANALYST).get(path.format(number)).status_code == 404


def test_the_csv_has_a_header_and_no_cell_is_a_formula(world: World) -> None:
    make_run(world, 1, rule_name="=HYPERLINK(1)")
    make_run(world, 2, rule_name="+1")
    make_run(world, 3, rule_name='plain "quoted", with comma')
    make_run(world, 4, rule_name="\tx")
    answer = world.client(ANALYST).get("/api/v1/runs.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["rule_name"] for row in rows] == [
        *("'\tx", 'plain "quoted", with comma', "'+1", "'=HYPERLINK(1)"),
    ]
    columns = {"copy_which", "copy_made_at", "copy_age_s", "copy_relation"}
    assert set(rows[0]) == FIELDS | columns


def test_the_csv_comes_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "CSV_PART", 2)
    for number in range(1, 4):
        make_run(world, number)
    client = world.client(ANALYST)
    part = client.get("/api/v1/runs.csv?state=queued")
    assert part.headers["X-Next-Before"] == "2"
    assert part.headers["Link"] == '<runs.csv?state=queued&before=2>; rel="next"'
    rest = client.get("/api/v1/runs.csv?state=queued&before=2")
    assert [row["id"] for row in csv.DictReader(io.StringIO(rest.text))] == ["1"]
    assert "Link" not in rest.headers


def ask(world: World, token: str, path: str, body: Any = None) -> Any:
    client = world.client(token)
    headers = {"X-CSRFToken": world.csrf(client)}
    if body is None:
        return client.post(path, headers=headers)
    return client.post(path, json=body, headers=headers)


def test_a_queued_run_can_be_cancelled(world: World) -> None:
    run = make_run(world)
    answer = ask(world, ADMIN, f"/api/v1/runs/{run.id}/cancel")
    assert answer.status_code == 200
    assert answer.json["run"]["state"] == "cancelled"
    assert answer.json["message"]
    assert world.store.runs.transitions(run.id)[-1].by == "anna"


def waiting_run(world: World) -> Run:
    """A run that waits for a person's yes, while the app is armed."""
    world.arm()
    connection = world.store.connections.find("prod") or world.add_connection()
    mapping = world.add_mapping(connection, name="Ask first", rule_id=7, needs_approval=True)
    accept(world.store, Trigger("request-0007", world.clock(), rule_id=7), world.clock())
    (run,) = world.store.runs.list()
    assert (run.state, run.mapping) == (RunState.AWAITING_APPROVAL, mapping.name)
    return run


def test_a_waiting_run_can_be_approved(world: World) -> None:
    run = waiting_run(world)
    answer = ask(world, ADMIN, f"/api/v1/runs/{run.id}/approve")
    assert (answer.status_code, answer.json["run"]["state"]) == (200, "queued")
    assert world.store.runs.transitions(run.id)[-1].by == "anna"
    assert ask(world, ADMIN, f"/api/v1/runs/{run.id}/approve").status_code == 409


def test_a_waiting_run_can_be_rejected(world: World) -> None:
    run = waiting_run(world)
    answer = ask(world, ADMIN, f"/api/v1/runs/{run.id}/reject", {})
    assert (answer.status_code, answer.json["run"]["state"]) == (200, "cancelled")
    assert ask(world, ADMIN, "/api/v1/runs/99/reject").status_code == 404


@pytest.mark.parametrize(("button", "state"), [("approve", "queued"), ("reject", "cancelled")])
def test_the_runs_page_asks_before_either_answer(world: World, button: str, state: str) -> None:
    run = waiting_run(world)
    client = world.client(ADMIN)
    page = client.get(f"/runs/{run.id}").text
    assert f"/runs/{run.id}/{button}" in page
    assert run.job_name in page
    world.submit(client, f"/runs/{run.id}/{button}")
    assert world.store.runs.get(run.id).state == state


def test_a_ready_run_can_be_cleaned_up(world: World) -> None:
    run = to_state(world, make_run(world), RunState.STARTING, RunState.RESTORING, RunState.READY)
    assert ask(world, ADMIN, f"/api/v1/runs/{run.id}/clean-up", {}).status_code == 200
    assert world.store.runs.get(run.id).pending_request == "clean_up"


def test_what_does_not_fit_the_state_is_409_with_the_reason(world: World) -> None:
    run = make_run(world)
    for action, body in (("clean-up", None), ("resolve", {"decision": "give_up"})):
        answer = ask(world, ADMIN, f"/api/v1/runs/{run.id}/{action}", body)
        assert answer.status_code == 409
        assert "queued" in answer.json["error"]["message"]


def test_a_person_decides(world: World) -> None:
    run = to_state(world, make_run(world), RunState.NEEDS_DECISION)
    path = f"/api/v1/runs/{run.id}/resolve"
    for bad in ({}, {"decision": "guess"}, {"decision": 7}, {"decision": ["give_up"]}):
        assert ask(world, ADMIN, path, bad).json["error"]["field"] == "decision"
    odd = ask(world, ADMIN, path, {"decision": "started", "job_session_id": {"a": 1}})
    assert odd.json["error"]["field"] == "job_session_id"
    for session in ("a b", "x" * 65, "../1"):
        bad_id = ask(world, ADMIN, path, {"decision": "started", "job_session_id": session})
        assert bad_id.json["error"]["field"] == "job_session_id"
    answer = ask(world, ADMIN, path, {"decision": "give_up"})
    assert answer.json["run"]["state"] == "cancelled"


def test_a_decision_needs_a_json_body(world: World) -> None:
    run = to_state(world, make_run(world), RunState.NEEDS_DECISION)
    client = world.client(ADMIN)
    headers = {"X-CSRFToken": world.csrf(client)}
    path = f"/api/v1/runs/{run.id}/resolve"
    assert client.post(path, data={"decision": "give_up"}, headers=headers).status_code == 415
    assert client.post(path, data=b"{", headers=headers, content_type="application/json").json[
        "error"
    ] == {"code": "bad_json", "message": "The body is not JSON that can be read.", "field": None}


def test_a_service_with_admin_needs_no_csrf_token(world: World) -> None:
    run = make_run(world)
    client = world.client()
    answer = client.post(f"/api/v1/runs/{run.id}/cancel", headers={"SEC": SERVICE})
    assert answer.status_code == 200


def test_an_operator_role_of_the_settings_may_operate(world: World) -> None:
    run = make_run(world)
    assert ask(world, OPERATOR, f"/api/v1/runs/{run.id}/cancel").status_code == 403
    roles = ["Storage operators"]
    world.store.settings.set("operator_roles", roles, by="test", now=world.clock())
    assert ask(world, OPERATOR, f"/api/v1/runs/{run.id}/cancel").status_code == 200


def test_health_tells_what_is_wrong(world: World) -> None:
    connection = world.add_connection()
    client = world.client(ANALYST)
    health = client.get("/api/v1/health").json
    assert (health["status"], health["version"], health["mode"]) == (
        "degraded",
        "9.8.7",
        "disarmed",
    )
    assert health["worker"] == {"ok": False, "last_seen": None, "age_s": None}
    assert health["connections"][0]["ok"] is None
    assert health["last_trigger"] is None

    world.store.heartbeats.beat("worker", now=world.clock(), pid=1)
    world.store.connections.note_contact(connection.id, None, now=world.clock())
    world.clock.now += timedelta(seconds=5)
    health = client.get("/api/v1/health").json
    assert health["status"] == "ok"
    assert health["worker"]["age_s"] == 5.0
    assert health["connections"][0]["last_contact"] == "2026-11-24T08:00:00.000Z"

    run = to_state(world, make_run(world), RunState.STARTING, RunState.RESTORING)
    world.store.runs.note(run, contact_lost_since=world.clock())
    health = client.get("/api/v1/health").json
    assert health["status"] == "degraded"
    assert health["connections"][0]["contact_lost_since"] == "2026-11-24T08:00:05.000Z"


def test_a_worker_that_is_silent_for_long_is_told(world: World) -> None:
    world.store.heartbeats.beat("worker", now=world.clock(), pid=1)
    world.clock.now += timedelta(minutes=5)
    assert world.client(ANALYST).get("/api/v1/health").json["worker"]["ok"] is False


def test_the_configuration_has_no_secrets_and_is_for_administrators(world: World) -> None:
    world.add_mapping(world.add_connection())
    assert world.client(ANALYST).get("/api/v1/config").status_code == 403
    answer = world.client(ADMIN).get("/api/v1/config")
    assert set(answer.json) == {"connections", "mappings", "settings"}
    assert answer.json["mappings"][0]["connection"] == "prod"
    assert "pass-Word-7!" not in answer.text
    assert "label-prod" not in answer.text
