# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What whoever holds a trigger token can put into the store, and what tells who it was."""

from datetime import timedelta
from typing import Any

import pytest

from app.store.triggers import KEPT_A_MINUTE
from tests.web.conftest import ADMIN, World

PATH = "/api/v1/triggers"
BIG = {f"field-{number}": "x" * 600 for number in range(90)}


@pytest.fixture
def armed(world: World) -> World:
    connection = world.add_connection()
    world.add_mapping(connection)
    world.add_mapping(connection, name="Other", rule_id=200, rule_name="Other rule", job_id="2000")
    world.arm()
    return world


@pytest.fixture
def token(world: World) -> str:
    return world.store.tokens.new("test", by="test", now=world.clock())


def send(world: World, token: str, number: int, /, **fields: Any) -> Any:
    fields = {"request_id": f"request-{number:05}", "rule_id": "100231"} | fields
    answer = world.client().post(PATH, data=fields, headers={"X-Trigger-Token": token})
    assert answer.status_code == 202, answer.json
    return answer.json


def kept(world: World) -> list[bool]:
    """Of each trigger, the oldest first, whether it was kept whole."""
    return [one.not_kept is None for one in reversed(world.store.triggers.recent(1000))]


def size(world: World) -> int:
    pages, page = (
        world.store.triggers._db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "page_size")
    )
    return int(pages) * int(page)


def test_at_most_32_fields_of_1_kb_are_kept_and_the_rest_is_named(armed: World, token: str) -> None:
    junk = {f"a{number:02}": "y" for number in range(40)}
    answer = send(armed, token, 1, **junk, username="ü" * 600, **{"n" * 65: "z"})

    fields = armed.store.triggers.recent(1)[0].fields
    assert len(fields) == 32
    assert {"rule_id", "username", "a00", "a29"} <= set(fields)
    assert fields["username"] == "ü" * 512
    assert "Only the first 1024 bytes are kept of: username." in answer["message"]
    assert "a30, a31" in answer["message"]
    assert "a39 and 1 more." in answer["message"]
    assert answer["outcome"] == "accepted"


def test_what_a_restore_needs_is_kept_whatever_stands_before_it(armed: World, token: str) -> None:
    junk = "&".join(f"a{number}=y" for number in range(500))
    body = f"{junk}&request_id=req-00001&rule_id=100231&offense_id=77&event_time=1795500000123"
    answer = armed.client().post(
        PATH,
        data=body,
        content_type="application/x-www-form-urlencoded",
        headers={"X-Trigger-Token": token},
    )
    assert answer.json["outcome"] == "accepted"
    assert len(answer.json["message"]) < 1000
    run = armed.store.runs.get(1)
    assert (run.offense_id, run.detected_at is not None) == (77, True)


def test_no_part_of_the_token_is_left_where_a_value_is_cut(armed: World, token: str) -> None:
    answer = send(armed, token, 1, username="x" * 1010 + token, **{token: "y"})
    assert token[:10] not in str(armed.store.triggers.recent(1)[0].fields)
    assert token[:10] not in answer["message"]


def test_of_a_flood_only_what_tells_where_it_came_from_is_kept(armed: World, token: str) -> None:
    run_id = send(armed, token, 0, **BIG)["run_id"]
    for number in range(1, KEPT_A_MINUTE + 3):
        answer = send(armed, token, number, offense_id="77", **BIG)
        assert answer["outcome"] == "already_running"
        assert answer["message"], "the answer is whole"

    # the one that made the run does not count
    assert kept(armed) == [True] * (1 + KEPT_A_MINUTE) + [False] * 2
    last = armed.store.triggers.recent(1)[0]
    assert last.fields == {"offense_id": "77"}
    assert last.message == "Not kept: more than 60 of the same rule came in that minute."
    assert (last.outcome, last.run_id, last.mapping) == ("already_running", run_id, "SQL attack")
    assert (last.rule_id, last.token, last.peer) == (100231, "test", "127.0.0.1")
    told = armed.client(ADMIN).get(f"/api/v1/runs/{run_id}").json["triggers"]
    assert [one["not_kept"] for one in told[-3:]] == [None, "flood", "flood"]
    assert "Not kept" in armed.client(ADMIN).get(f"/runs/{run_id}").text


def test_every_request_id_of_a_flood_is_known_again(armed: World, token: str) -> None:
    for number in range(KEPT_A_MINUTE + 3):
        send(armed, token, number)
    for number in (0, KEPT_A_MINUTE, KEPT_A_MINUTE + 2):
        again = send(armed, token, number, rule_id="other")
        assert (again["outcome"], again["run_id"]) == ("duplicate", 1)
    assert "it was then already_running: Not kept" in again["message"]


def test_a_flood_strips_no_other_rules_evidence_nor_another_tokens(
    armed: World, token: str
) -> None:
    """Nor can it make itself room by naming rules that are not there."""
    other = armed.store.tokens.new("other", by="test", now=armed.clock())
    for number in range(KEPT_A_MINUTE + 5):
        send(armed, token, number, rule_id=f"{900 + number}")
    for number in range(500, 500 + KEPT_A_MINUTE + 5):
        send(armed, token, number, rule_id=f"{number}", mapping="SQL attack")
    assert kept(armed).count(False) == 5 + 4

    send(armed, token, 1000, rule_id="200")
    send(armed, token, 1001, rule_id="200")
    send(armed, other, 1002, rule_id="900")
    assert kept(armed)[-3:] == [True] * 3


def test_the_next_minute_has_room_again(armed: World, token: str) -> None:
    for number in range(KEPT_A_MINUTE + 3):
        send(armed, token, number)
    assert kept(armed)[-1] is False
    armed.clock.now += timedelta(minutes=1)
    send(armed, token, 900)
    assert kept(armed)[-1] is True


def test_a_trigger_that_starts_something_is_kept_whole_in_a_flood(armed: World, token: str) -> None:
    mapping = armed.store.mappings.find("SQL attack")
    assert mapping is not None
    armed.store.mappings.change(mapping.id, enabled=False)
    for number in range(KEPT_A_MINUTE + 3):
        send(armed, token, number, username="anna")
    armed.store.mappings.change(mapping.id, enabled=True)
    assert send(armed, token, 900, username="anna")["outcome"] == "accepted"
    assert kept(armed)[-2:] == [False, True]


def test_a_flood_takes_little_room_on_disk(armed: World, token: str) -> None:
    """244 a second of 61 kB each filled 15 MB a second; a name takes room with each, too."""
    for number in range(KEPT_A_MINUTE + 5):
        send(armed, token, number, rule_id="1", rule_name="r" * 60_000)
    before = size(armed)
    for number in range(1000, 1200):
        send(armed, token, number, rule_id=f"{number}", rule_name="r" * 50_000, **{"f" * 60: "x"})
    assert (size(armed) - before) / 200 < 900


def test_who_sent_a_trigger_stands_on_the_runs_page_and_in_the_api(
    armed: World, token: str
) -> None:
    for number in range(2):
        armed.client().post(
            PATH,
            data={"request_id": f"request-{number}", "rule_id": "100231"},
            headers={"X-Trigger-Token": token, "X-Forwarded-For": "203.0.113.9"},
            environ_overrides={"REMOTE_ADDR": f"192.0.2.{7 + number}"},
        )
    told = armed.client(ADMIN).get("/api/v1/runs/1").json["triggers"]
    assert [(one["token"], one["peer"]) for one in told] == [
        ("test", "192.0.2.7"),
        ("test", "192.0.2.8"),
    ]
    page = armed.client(ADMIN).get("/runs/1").text
    assert "Sent with trigger token test from 192.0.2.7." in page
    assert "Sent with trigger token test from 192.0.2.8." in page
    assert "203.0.113.9" not in page


def test_the_log_tells_where_a_refused_trigger_came_from(
    armed: World, caplog: pytest.LogCaptureFixture
) -> None:
    armed.client().post(
        PATH,
        data={"request_id": "request-1", "token": "wrong"},
        headers={"X-Forwarded-For": "203.0.113.9"},
        environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert "a trigger from 192.0.2.7 was refused: bad token" in caplog.text


@pytest.mark.parametrize(
    ("ahead", "believed"), [(-40 * 86400, True), (299, True), (301, False), (73 * 31536000, False)]
)
def test_an_event_from_later_on_is_unreadable(
    armed: World, token: str, ahead: int, believed: bool
) -> None:
    at_ms = str(int(armed.clock().timestamp() + ahead) * 1000)
    answer = send(armed, token, 1, event_time=at_ms)
    assert (armed.store.runs.get(1).detected_at is not None) == believed
    assert armed.store.triggers.recent(1)[0].fields["event_time"] == at_ms
    assert ("event_time is not a time up to now" in answer["message"]) != believed
