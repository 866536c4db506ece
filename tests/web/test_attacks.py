# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""New attacks on every page until somebody acknowledges them, and restores started by hand."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from app.restore.attacks import Noticed
from app.restore.model import Mapping, Mode, Outcome, Run, RunState, Trigger
from app.restore.triggers import accept
from tests.web.conftest import ADMIN, ANALYST, NOBODY, OPERATOR, SERVICE, World
from tests.web.test_runs_api import to_state

S = RunState
PAGES = ["/", "/runs", "/runs/1", "/runs/start", "/help", "/connections", "/mappings", "/settings"]


@pytest.fixture
def mapping(world: World) -> Mapping:
    world.arm()
    world.store.settings.set("operator_roles", ["Storage operators"], by="t", now=world.clock())
    return world.add_mapping(world.add_connection())


def fire(world: World, **values: object) -> Outcome:
    number = len(world.store.triggers.recent(1000))
    trigger = Trigger(f"request-{number:04}", world.clock(), rule_id=100231, **values)
    return accept(world.store, trigger, world.clock()).outcome


def go(world: World, *states: RunState) -> Run:
    """Bring the newest run there."""
    run = world.store.runs.list(limit=1)[0]
    for state in states:
        changes = {"sent_at": world.clock()} if state is S.STARTING else {}
        if state is S.READY:
            changes["ready_at"] = world.clock()
        run = world.store.runs.record(run, state, "x", by="t", now=world.clock(), changes=changes)
    return run


@pytest.fixture
def attacked(world: World, mapping: Mapping) -> Mapping:
    """A copy is mounted, and a rule fires again."""
    fire(world)
    go(world, S.STARTING, S.RESTORING, S.READY)
    world.clock.now += timedelta(seconds=901)
    fire(world)
    return mapping


def banner(world: World, path: str, token: str) -> str:
    """What a page tells of new attacks first; of the overview its own part."""
    label = 'aria-label="New attack, nothing was started"'
    found = re.search(
        f"<section[^>]*{label}.*?</section>", world.client(token).get(path).text, re.DOTALL
    )
    return found[0] if found else ""


def start_form(page: str) -> dict[str, str]:
    found = re.search(r'name="request_id" id="request_id" value="([^"]+)"', page)
    assert found is not None
    return {"request_id": found[1]}


# --- new attacks ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_a_new_attack_is_shown_on_every_page_until_it_is_acknowledged(
    world: World, attacked: Mapping, path: str
) -> None:
    assert "New attack while run 1 is still mounted" in banner(world, path, ADMIN)
    world.store.attacks.acknowledge(1, by="anna", now=world.clock())
    assert banner(world, path, ADMIN) == ""


def test_other_pages_lead_to_the_overview(world: World, attacked: Mapping) -> None:
    assert 'href="index#attacks"' in banner(world, "/runs", ANALYST)
    assert 'id="attacks"' in world.client(ANALYST).get("/").text


def test_who_may_not_look_at_runs_is_told_of_none(world: World, attacked: Mapping) -> None:
    assert "New attack" not in world.client(NOBODY).get("/help").text


@pytest.mark.parametrize(("number", "more"), [(20, ""), (21, "1"), (25, "5")])
def test_the_overview_says_how_many_it_does_not_list(
    world: World, attacked: Mapping, number: int, more: str
) -> None:
    attack = world.store.attacks.open()[0]
    connection = world.store.connections.get(attacked.connection_id)
    for job in range(number - 1):
        of_job = replace(attacked, job_id=str(job))
        trigger = Trigger(f"request-of-{job}", world.clock(), rule_id=attacked.rule_id)
        run = world.store.runs.add(trigger, of_job, connection, now=world.clock())
        noticed = Noticed(run.id, "x")
        world.store.attacks.add(noticed, of_job, trigger_id=attack.trigger_id, now=world.clock())
    part = banner(world, "/", OPERATOR)
    assert part.count("Acknowledge") == 20
    said = re.search(r"And (\d+) more, which are listed once these are acknowledged", part)
    assert (said[1] if said else "") == more


def test_an_operator_acknowledges_and_the_runs_page_keeps_who_did(
    world: World, attacked: Mapping
) -> None:
    client = world.client(OPERATOR)
    answer = world.submit(client, "/attacks/1/acknowledge")
    assert answer.status_code == 303
    assert "is acknowledged" in client.get("/").text
    assert "Acknowledged by olga" in client.get("/runs/1").text
    assert world.store.attacks.open() == []
    world.submit(client, "/attacks/1/acknowledge")
    world.submit(world.client(ADMIN), "/attacks/1/acknowledge")
    assert world.store.attacks.get(1).acknowledged_by == "olga"


def test_an_analyst_sees_it_and_has_no_button(world: World, attacked: Mapping) -> None:
    client = world.client(ANALYST)
    assert "Acknowledge" not in client.get("/").text
    assert world.submit(client, "/attacks/1/acknowledge").status_code == 403
    assert len(world.store.attacks.open()) == 1


@pytest.mark.parametrize("number", ["2", "9" * 30])
def test_there_is_no_such_attack(world: World, attacked: Mapping, number: str) -> None:
    answer = world.submit(world.client(ADMIN), f"/attacks/{number}/acknowledge")
    assert answer.status_code == 404


def test_as_json(world: World, attacked: Mapping) -> None:
    client = world.client(SERVICE)
    (one,) = client.get("/api/v1/attacks").json["attacks"]
    assert (one["id"], one["run_id"], one["trigger_id"], one["triggers"]) == (1, 1, 2, 1)
    assert one["why"].startswith("New attack while run 1")
    assert one["start_possible_at"] is None
    done = client.post("/api/v1/attacks/1/acknowledge").json
    assert (done["acknowledged_by"], done["ended_at"] is None) == ("automation", False)
    assert client.get("/api/v1/attacks").json == {"attacks": []}
    assert client.post("/api/v1/attacks/7/acknowledge").status_code == 404


def test_its_offense_is_told_with_the_doubt_that_there_is(world: World, attacked: Mapping) -> None:
    world.store.trigger_offenses.found([(2, 78, "probably")], now=world.clock())
    (one,) = world.client(SERVICE).get("/api/v1/attacks").json["attacks"]
    assert (one["offense_id"], one["offense_by"]) == (78, "probably")
    assert re.search(r"Offense 78</a> \(probably\)", world.client(ANALYST).get("/").text)


def test_in_a_cool_down_the_overview_says_when_and_offers_start_now(
    world: World, mapping: Mapping
) -> None:
    world.store.mappings.change(mapping.id, cooldown_s=7200)
    fire(world)
    go(world, S.STARTING, S.RESTORING, S.READY, S.CLEANING_UP, S.COMPLETED)
    assert "runs/start?mapping=" not in world.client(OPERATOR).get("/").text
    world.clock.now += timedelta(seconds=30)
    assert fire(world) is Outcome.COOLING_DOWN
    page = world.client(OPERATOR).get("/").text
    assert "A rule fired just now and started nothing." in page
    assert "starts it again at 10:00:00 UTC" in page
    assert 'href="runs/start?mapping=SQL+attack"' in page
    assert "runs/start?mapping=" not in world.client(ANALYST).get("/").text
    world.store.settings.set_mode(Mode.DISARMED, by="t", now=world.clock())
    assert "A rule fired" not in world.client(OPERATOR).get("/").text
    world.arm()
    world.clock.now += timedelta(seconds=900)
    fire(world)
    world.store.settings.set_mode(Mode.OBSERVE, by="t", now=world.clock())
    assert "The next start by a trigger" not in world.client(OPERATOR).get("/").text
    world.arm()
    page = world.client(OPERATOR).get("/").text
    assert "New attack in the cool-down after run 1" in page
    assert "The next start by a trigger is possible at 2026-11-24 10:00:00 UTC." in page
    assert "A rule fired" not in page
    assert 'href="runs/start?mapping=SQL+attack"' in page
    world.clock.now += timedelta(seconds=7200)
    page = world.client(OPERATOR).get("/").text
    assert "A trigger can start it again since 2026-11-24 10:00:00 UTC." in page


# --- by hand ----------------------------------------------------------------------------------


def test_start_now_after_a_failure_sent_twice_is_one_run(world: World, mapping: Mapping) -> None:
    fire(world)
    go(world, S.STARTING, S.RESTORING)
    world.clock.now += timedelta(seconds=6)
    go(world, S.FAILED)
    assert fire(world) is Outcome.COOLING_DOWN
    client = world.client(OPERATOR)
    page = client.get("/runs/start?mapping=SQL+attack").text
    assert '<option value="SQL attack" selected>' in page
    form = start_form(page) | {"mapping": "SQL attack", "reason": "the pool is back"}
    answers = [world.submit(client, "/runs/start", **form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert [answer.headers["Location"].endswith("/runs/2") for answer in answers] == [True] * 2
    assert len(world.store.runs.list()) == 2
    run = world.store.runs.get(2)
    assert (run.state, run.source) == (S.QUEUED, "manual")
    assert "started by hand: the pool is back" in client.get("/runs/2").text
    made = world.store.runs.transitions(2)[0]
    assert made.by == "olga"
    kept = [(one.outcome, one.source) for one in world.store.triggers.for_run(2)]
    assert kept == [(Outcome.ACCEPTED, "manual"), (Outcome.DUPLICATE, "manual")]


def test_a_start_that_a_run_stands_in_the_way_of_says_that_nothing_was_started(
    world: World, mapping: Mapping
) -> None:
    """Its state alone, "run 1 is ready", reads as if the button had brought it about."""
    fire(world)
    go(world, S.STARTING, S.RESTORING, S.READY)
    client = world.client(OPERATOR)
    form = start_form(client.get("/runs/start").text) | {"mapping": "SQL attack", "reason": "now"}
    answer = world.submit(client, "/runs/start", **form)
    assert answer.headers["Location"].endswith("/runs/1")
    page = client.get("/runs/1").text
    assert "Nothing was started. Run 1 of job SQL clean-room restore is ready." in page


def test_each_form_is_a_wish_of_its_own(world: World, mapping: Mapping) -> None:
    client = world.client(ADMIN)
    assert start_form(client.get("/runs/start").text) != start_form(client.get("/runs/start").text)


def test_a_bad_form_comes_again_with_what_was_entered(world: World, mapping: Mapping) -> None:
    client = world.client(ADMIN)
    form = start_form(client.get("/runs/start").text) | {"mapping": "SQL attack", "reason": " "}
    answer = world.submit(client, "/runs/start", **form)
    assert answer.status_code == 200
    assert "Nothing was started." in answer.text
    assert "Nothing was saved." not in answer.text
    assert "Reason is empty: say why the restore is started by hand." in answer.text
    assert start_form(answer.text)["request_id"] == form["request_id"]
    assert world.store.runs.list() == []


def test_a_form_without_its_request_id_gets_another(world: World, mapping: Mapping) -> None:
    client = world.client(ADMIN)
    answer = world.submit(client, "/runs/start", mapping="SQL attack", reason="x", request_id="?")
    assert start_form(answer.text)["request_id"].startswith("manual-")


def test_an_analyst_may_not_start(world: World, mapping: Mapping) -> None:
    client = world.client(ANALYST)
    assert "Start now" not in client.get("/runs/start").text
    assert "right to operate" in client.get("/runs/start").text
    fields = {"mapping": "SQL attack", "reason": "x", "request_id": "manual-0001"}
    assert world.submit(client, "/runs/start", **fields).status_code == 403
    assert client.post("/api/v1/runs", json=fields).status_code == 403
    assert world.store.runs.list() == []


def test_as_json_it_is_answered_like_a_trigger(world: World, mapping: Mapping) -> None:
    client = world.client(SERVICE)
    body = {"mapping": "SQL attack", "reason": "drill", "request_id": "manual-0001"}
    answers = [client.post("/api/v1/runs", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json == {
        "trigger_id": 1,
        "outcome": "accepted",
        "run_id": 1,
        "message": "Run 1 will start job SQL clean-room restore on prod.",
    }
    assert (answers[1].json["outcome"], answers[1].json["run_id"]) == ("duplicate", 1)
    other = client.post("/api/v1/runs", json=body | {"request_id": "manual-0002"})
    assert other.json["outcome"] == "already_running"
    unknown = client.post(
        "/api/v1/runs", json=body | {"request_id": "manual-0003", "mapping": "nowhere"}
    )
    assert (unknown.status_code, unknown.json["outcome"]) == (202, "unmatched")


def test_a_browser_needs_its_csrf_token(world: World, mapping: Mapping) -> None:
    client = world.client(ADMIN)
    body = {"mapping": "SQL attack", "reason": "drill", "request_id": "manual-0001"}
    assert client.post("/api/v1/runs", json=body).json["error"]["code"] == "csrf"
    headers = {"X-CSRFToken": world.csrf(client)}
    assert client.post("/api/v1/runs", json=body, headers=headers).status_code == 202


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mapping", None),
        ("mapping", ""),
        ("mapping", ["SQL attack"]),
        ("reason", None),
        ("reason", "  "),
        ("reason", "x" * 501),
        ("request_id", None),
        ("request_id", "short"),
        ("request_id", "with blank 1"),
        ("request_id", "x" * 65),
    ],
)
def test_what_is_wrong_is_named(world: World, mapping: Mapping, field: str, value: object) -> None:
    body = {"mapping": "SQL attack", "reason": "drill", "request_id": "manual-0001"}
    answer = world.client(SERVICE).post("/api/v1/runs", json=body | {field: value})
    assert answer.status_code == 400
    assert answer.json["error"]["field"] == field
    assert world.store.triggers.recent() == []


def test_the_mode_holds_for_people_too(world: World, mapping: Mapping) -> None:
    world.store.settings.set_mode(Mode.DISARMED, by="t", now=world.clock())
    client = world.client(ADMIN)
    form = start_form(client.get("/runs/start").text) | {"mapping": "SQL attack", "reason": "now"}
    answer = world.submit(client, "/runs/start", **form)
    assert answer.status_code == 303
    page = client.get("/").text
    assert "The app is disarmed: nothing was started." in page
    assert "Nothing was started." not in page  # not twice
    assert world.store.runs.list() == []


def test_a_run_by_hand_waits_for_no_offense(world: World, mapping: Mapping) -> None:
    world.store.qradar.set_token("label", name="s", expires_at=None, by="t", now=world.clock())
    body = {"mapping": "SQL attack", "reason": "drill", "request_id": "manual-0001"}
    world.client(SERVICE).post("/api/v1/runs", json=body)
    to_state(world, world.store.runs.get(1), S.STARTING, S.RESTORING)
    assert world.store.notes.for_run(1) == []
    assert world.store.notes.searches_due(world.clock()) == []
    assert "started by hand, without an attack" in world.client(ADMIN).get("/runs/1").text


def test_a_run_over_a_new_attack_is_of_that_attack(world: World, attacked: Mapping) -> None:
    attack = world.store.attacks.open()[0]
    go(world, S.CLEANING_UP, S.COMPLETED)
    body = {"mapping": "SQL attack", "reason": "again", "request_id": "manual-0001"}
    answer = world.client(SERVICE).post("/api/v1/runs", json=body)
    assert answer.json["outcome"] == "accepted"
    run = world.store.runs.get(2)
    assert run.detected_at == attack.at
    assert [one.run.id for one in world.store.notes.searches_due(world.clock())] == [1, 2]
    go(world, S.STARTING, S.RESTORING)
    assert world.store.attacks.open() == []
    assert "Answered by" in world.client(ADMIN).get("/runs/1").text
