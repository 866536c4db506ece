# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""POST /api/v1/triggers: what refuses a trigger, in which order, and what never does."""

import io
import json
import sqlite3
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.store.database import StoreBusy
from tests.web.conftest import World

PATH = "/api/v1/triggers"


@pytest.fixture
def token(world: World) -> str:
    return world.store.tokens.new("test", by="test", now=world.clock())


@pytest.fixture
def armed(world: World) -> World:
    world.add_mapping(world.add_connection())
    world.arm()
    return world


def send(world: World, token: str, fields: dict[str, Any], **options: Any) -> Any:
    return world.client().post(PATH, data=fields, headers={"X-Trigger-Token": token}, **options)


def stored(world: World) -> int:
    return len(world.store.triggers.recent(100))


def test_a_rule_with_a_mapping_gets_a_run(armed: World, token: str) -> None:
    answer = send(armed, token, {"request_id": "req-00001", "rule_id": "100231"})
    assert answer.status_code == 202
    assert set(answer.json) == {"trigger_id", "outcome", "run_id", "message"}
    assert answer.json["outcome"] == "accepted"
    assert armed.store.runs.get(answer.json["run_id"]).rule_id == 100231


def test_json_says_the_same_as_a_form(armed: World, token: str) -> None:
    answer = armed.client().post(
        PATH, json={"request_id": "req-00001", "rule_id": 100231, "token": token, "magnitude": 7}
    )
    assert (answer.status_code, answer.json["outcome"]) == (202, "accepted")
    (trigger,) = armed.store.triggers.recent(1)
    assert trigger.fields == {"rule_id": "100231", "magnitude": "7"}


def test_the_token_may_stand_in_the_body_and_is_not_kept(armed: World, token: str) -> None:
    fields = {"request_id": "req-00001", "rule_id": "100231", "token": token}
    assert armed.client().post(PATH, data=fields).status_code == 202
    assert token not in armed.path.read_text(errors="replace")
    assert "token" not in armed.store.triggers.recent(1)[0].fields


def test_a_token_among_the_events_values_is_blotted_out(armed: World, token: str) -> None:
    """Parameters of the custom action in the wrong order send it as a user name."""
    fields = {"request_id": "req-00001", "rule_id": "100231", "username": f"x{token}"}
    answer = send(armed, token, fields)
    assert answer.status_code == 202
    assert "order of the custom action's parameters" in answer.json["message"]
    assert armed.store.triggers.recent(1)[0].fields["username"] == "x(token)"


def test_a_token_in_the_query_counts_for_nothing(armed: World, token: str) -> None:
    fields = {"request_id": "req-00001", "rule_id": "100231"}
    answer = armed.client().post(f"{PATH}?token={token}&X-Trigger-Token={token}", data=fields)
    assert answer.status_code == 401
    assert stored(armed) == 0


def test_no_qradar_token_is_asked_for_and_the_console_is_not_asked(
    armed: World, token: str
) -> None:
    armed.identity.down = True
    assert send(armed, token, {"request_id": "req-00001"}).status_code == 200
    assert armed.identity.asked == []


def test_a_call_without_rule_and_mapping_is_a_connection_test(armed: World, token: str) -> None:
    answer = send(armed, token, {"request_id": "req-00001", "rule_id": " ", "mapping": ""})
    assert (answer.status_code, answer.json["outcome"]) == (200, "test")
    assert stored(armed) == 1


def test_the_same_request_id_is_the_same_trigger(armed: World, token: str) -> None:
    first = send(armed, token, {"request_id": "req-00001", "rule_id": "100231"})
    again = send(armed, token, {"request_id": "req-00001", "rule_id": "other"})
    assert (again.status_code, again.json["outcome"]) == (202, "duplicate")
    assert again.json["run_id"] == first.json["run_id"]


def error(answer: Any) -> tuple[int, str, str | None]:
    assert set(answer.json) == {"error"}
    assert set(answer.json["error"]) == {"code", "message", "field"}
    assert answer.json["error"]["message"]
    return answer.status_code, answer.json["error"]["code"], answer.json["error"]["field"]


@pytest.mark.parametrize(
    "request_id",
    [None, "", "short", "x" * 65, "with blank", "ümlaut-id", "semi;colon", "line\nbreak1"],
)
def test_a_missing_or_odd_request_id_refuses(armed: World, token: str, request_id: Any) -> None:
    fields = {"rule_id": "100231"} | ({} if request_id is None else {"request_id": request_id})
    assert error(send(armed, token, fields)) == (400, "invalid", "request_id")
    assert stored(armed) == 0


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"text"', b"{", b"[" * 30_000, b'{"request_id": "req-00001"', b"\xff\xfe"]
)
def test_json_that_is_no_object_refuses(armed: World, token: str, body: bytes) -> None:
    answer = armed.client().post(
        PATH, data=body, content_type="application/json", headers={"X-Trigger-Token": token}
    )
    assert error(answer)[:2] == (400, "bad_json")
    assert stored(armed) == 0


def test_the_errors_come_in_the_documented_order(armed: World, token: str) -> None:
    client, big = armed.client(), b"x" * 70_000
    assert error(client.get(f"{PATH}/nothing"))[0] == 404
    assert error(client.put(PATH, data=big))[0] == 405
    assert error(client.post(PATH, data=big, content_type="text/plain"))[0] == 413
    assert error(client.post(PATH, data=b"x", content_type="text/plain"))[0] == 415
    assert error(client.post(PATH, data=b"{", content_type="application/json"))[0] == 401
    assert error(client.post(PATH, data={"token": token}))[0] == 400
    assert stored(armed) == 0


def test_405_says_what_is_allowed(world: World) -> None:
    assert "POST" in world.client().get(PATH).headers["Allow"]


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "text/json", ""])
def test_other_kinds_of_body_refuse(armed: World, token: str, kind: str) -> None:
    answer = armed.client().post(
        PATH, data=b"request_id=req-00001", content_type=kind, headers={"X-Trigger-Token": token}
    )
    assert error(answer) == (415, "unsupported_type", "Content-Type")


def test_a_compressed_body_refuses(armed: World, token: str) -> None:
    answer = armed.client().post(
        PATH,
        data={"request_id": "req-00001"},
        headers={"X-Trigger-Token": token, "Content-Encoding": "gzip"},
    )
    assert error(answer)[0] == 415


def post_chunked(client: FlaskClient, body: bytes, token: str) -> Any:
    """A body without a Content-Length, as gunicorn hands over a chunked one."""
    return client.open(
        PATH,
        method="POST",
        input_stream=io.BytesIO(body),
        environ_overrides={"wsgi.input_terminated": True},
        content_type="application/x-www-form-urlencoded",
        headers={"X-Trigger-Token": token, "Transfer-Encoding": "chunked"},
    )


def test_a_chunked_body_is_read_and_bounded(armed: World, token: str) -> None:
    assert post_chunked(armed.client(), b"request_id=req-00001", token).status_code == 200
    start = b"request_id=req-00002&a="
    for size, status in ((65_536, 200), (65_537, 413), (70_000, 413), (3_000_000, 413)):
        body = start + b"x" * (size - len(start))
        assert post_chunked(armed.client(), body, token).status_code == status, size
    assert stored(armed) == 2


def test_a_body_of_exactly_64_kib_is_taken(armed: World, token: str) -> None:
    start = b"request_id=req-00001&username="
    body = start + b"x" * (65_536 - len(start))
    kind = "application/x-www-form-urlencoded"
    headers = {"X-Trigger-Token": token}
    taken = armed.client().post(PATH, data=body, content_type=kind, headers=headers)
    assert taken.status_code == 200
    refused = armed.client().post(PATH, data=body + b"x", content_type=kind, headers=headers)
    assert error(refused)[0] == 413


@pytest.mark.parametrize("bad", [None, "", "wrong", "ü" * 5])
def test_a_missing_or_wrong_token_refuses(armed: World, bad: str | None) -> None:
    answer = armed.client().post(PATH, data={"request_id": "req-00001", "token": bad or ""})
    assert error(answer) == (401, "not_authenticated", "X-Trigger-Token")
    assert stored(armed) == 0


def test_a_revoked_token_refuses_at_once(armed: World, token: str) -> None:
    armed.store.tokens.revoke("test", by="test", now=armed.clock())
    assert send(armed, token, {"request_id": "req-00001"}).status_code == 401


def test_a_flood_of_bad_tokens_gets_429_and_hinders_no_right_one(armed: World, token: str) -> None:
    codes = [send(armed, "wrong", {"request_id": "req-00001"}).status_code for _ in range(5)]
    assert codes == [401, 401, 401, 429, 429]
    refused = send(armed, "wrong", {"request_id": "req-00001"})
    assert error(refused)[0] == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert send(armed, token, {"request_id": "req-00001"}).status_code == 200


def test_a_store_that_cannot_commit_says_try_again(
    armed: World, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StoreBusy("database is locked")

    monkeypatch.setattr("app.restore.triggers.accept", busy)
    answer = send(armed, token, {"request_id": "req-00001"})
    assert error(answer)[0] == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_database_that_fails_says_try_again(
    armed: World, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
        raise error

    monkeypatch.setattr("app.store.settings.TriggerTokens.name_of", fail)
    answer = send(armed, token, {"request_id": "req-00001"})
    assert error(answer)[0] == 503
    assert "Retry-After" in answer.headers
    assert "I/O" not in answer.text


def test_a_mistake_in_our_own_sql_is_a_crash_with_its_trace(
    armed: World, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not "try again": it would fail for ever, and nobody would learn of it."""
    store_class = type(armed.store.triggers)
    monkeypatch.setattr(
        store_class, "find", lambda self, _id: self._db.execute("SELECT no_such_column")
    )
    armed.app.testing = False
    answer = send(armed, token, {"request_id": "req-00001"})
    assert error(answer)[0] == 500
    assert "Retry-After" not in answer.headers
    assert any(one.exc_info and "no_such_column" in str(one.exc_info[1]) for one in caplog.records)


DECORATION = {
    "bad UTF-8 in a form": b"request_id=req-00001&rule_id=100231&username=%ff%fe\xc3",
    "a text as time": b"request_id=req-00001&rule_id=100231&event_time=yesterday",
    "a time far away": b"request_id=req-00001&rule_id=100231&event_time=99999999999999999",
    "a negative time": b"request_id=req-00001&rule_id=100231&event_time=-1",
    "a 60 KB user name": b"request_id=req-00001&rule_id=100231&username=" + b"u" * 60_000,
    "a NUL": b"request_id=req-00001&rule_id=100231&username=a%00b",
    "a field twice": b"request_id=req-00001&rule_id=100231&rule_id=5&rule_id=6",
    "a huge number": b"request_id=req-00001&rule_id=100231&offense_id=" + b"9" * 400,
    "no address": b"request_id=req-00001&rule_id=100231&source_ip=here",
    "other digits": "request_id=req-00001&rule_id=100231&qid=٣".encode(),
    "a name instead of an id": b"request_id=req-00001&rule_id=null&rule_name=Attack on SQL",
    "many fields": b"request_id=req-00001&rule_id=100231&" + b"a=1&" * 16_000,
    "odd framing": b"&&&=&=x&request_id=req-00001&&rule_id=100231&%=%&",
}


@pytest.mark.parametrize("name", DECORATION)
def test_decoration_never_refuses(armed: World, token: str, name: str) -> None:
    answer = armed.client().post(
        PATH,
        data=DECORATION[name],
        content_type="application/x-www-form-urlencoded; charset=latin-1",
        headers={"X-Trigger-Token": token},
    )
    assert (answer.status_code, answer.json["outcome"]) == (202, "accepted"), answer.json


JSON_DECORATION: dict[str, Any] = {
    "true and null": {"username": True, "qid": None, "magnitude": False},
    "nested values": {"extra": {"a": [1, {"b": None}]}, "source_ip": ["10.0.0.1"]},
    "a huge number": {"offense_id": int("9" * 4000)},
    "a float": {"magnitude": 7.5, "event_time": 1.0e300},
    "odd constants": {"magnitude": float("nan"), "qid": float("inf")},
    "half a character": {"username": "\ud800"},
    "a NUL": {"username": "a\0b", "ke\0y": "x"},
}


@pytest.mark.parametrize("name", JSON_DECORATION)
def test_json_decoration_never_refuses(armed: World, token: str, name: str) -> None:
    body = {"request_id": "req-00001", "rule_id": 100231} | JSON_DECORATION[name]
    answer = armed.client().post(
        PATH,
        data=json.dumps(body),
        content_type="application/json",
        headers={"X-Trigger-Token": token},
    )
    assert (answer.status_code, answer.json["outcome"]) == (202, "accepted"), answer.json
    assert armed.client("admin-token").get("/runs/1").status_code == 200


def test_an_unreadable_value_is_kept_and_named(armed: World, token: str) -> None:
    fields = {"request_id": "req-00001", "rule_id": "100231", "event_time": "yesterday"}
    answer = send(armed, token, fields)
    assert "event_time" in answer.json["message"]
    assert "'yesterday'" in answer.json["message"]
    assert armed.store.triggers.recent(1)[0].fields["event_time"] == "yesterday"
    assert armed.store.runs.get(answer.json["run_id"]).detected_at is None


def test_an_event_time_in_milliseconds_becomes_the_time_of_detection(
    armed: World, token: str
) -> None:
    fields = {"request_id": "req-00001", "rule_id": "100231", "event_time": "1795500000123"}
    run_id = send(armed, token, fields).json["run_id"]
    detected = armed.store.runs.get(run_id).detected_at
    assert detected is not None
    assert round(detected.timestamp() * 1000) == 1795500000123


def test_a_rule_id_that_is_no_number_and_no_name_is_unmatched_not_a_test(
    armed: World, token: str
) -> None:
    answer = send(armed, token, {"request_id": "req-00001", "rule_id": "$RULE_ID"})
    assert (answer.status_code, answer.json["outcome"]) == (202, "unmatched")


def test_quotes_line_breaks_and_umlauts_arrive_intact(armed: World, token: str) -> None:
    name = 'Jürgen "O\'Neil"\n$(reboot) `id` 日本'
    send(armed, token, {"request_id": "req-00001", "rule_id": "100231", "username": name})
    assert armed.store.triggers.recent(1)[0].fields["username"] == name


def test_an_answer_says_names_in_their_own_letters(armed: World, token: str) -> None:
    """The custom action prints it as it comes; QRadar's Test Execution shows that."""
    fields = {"request_id": "req-00001", "rule_name": "Größe 日本"}
    raw = send(armed, token, fields).get_data()
    assert "Größe 日本".encode() in raw
    assert json.loads(raw)["outcome"] == "unmatched"


def test_half_a_character_is_no_reason_to_fail(world: World) -> None:
    with world.app.app_context():
        answer = world.app.json.response(message="half \ud800")
    assert json.loads(answer.get_data()) == {"message": "half \ud800"}
