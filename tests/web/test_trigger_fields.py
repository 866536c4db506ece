# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a trigger's fields, only its request id can refuse it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.web.frame.bodies import FORM, read_pairs
from app.web.triggers.fields import collect, read_trigger
from tests.web.conftest import World

NOW = datetime(2026, 11, 24, tzinfo=UTC)
NAMES = st.sampled_from(
    [
        "rule_id",
        "rule_name",
        "mapping",
        "event_time",
        "source_ip",
        "offense_id",
        "qid",
        "magnitude",
        "username",
    ]
)
VALUES = st.one_of(st.text(max_size=60), st.integers().map(str), st.just("1795500000123"))


@given(st.lists(st.tuples(st.one_of(NAMES, st.text(max_size=20)), VALUES), max_size=20))
def test_any_fields_make_a_trigger(pairs: list[tuple[str, str]]) -> None:
    trigger = read_trigger(
        collect([("request_id", "req-00001"), *pairs]), NOW, token="a-trigger-token"
    )
    assert trigger.request_id == "req-00001"
    assert trigger.rule_id is None or 0 < trigger.rule_id < 2**63
    assert trigger.offense_id is None or 0 < trigger.offense_id < 2**63
    assert trigger.detected_at is None or trigger.detected_at.tzinfo is UTC
    kept = {name for name, value in pairs if value.strip()}
    assert {"request_id", "token", "sec"}.isdisjoint(trigger.fields)
    dropped = {"request_id", "token", "sec", "x-trigger-token"}
    assert {name for name in kept if name.lower() not in dropped} <= set(trigger.fields)


@given(st.binary(max_size=200))
def test_any_form_body_becomes_text_that_can_be_stored(body: bytes) -> None:
    for name, value in read_pairs(body, FORM):
        assert "\0" not in name + value
        (name + value).encode()


def test_twenty_identical_attacks_at_once_are_one_run(world: World) -> None:
    world.add_mapping(world.add_connection())
    world.arm()
    token = world.store.tokens.new("test", by="test", now=world.clock())

    def attack(number: int) -> str:
        answer = world.client().post(
            "/api/v1/triggers",
            data={"request_id": f"attack-{number:04}", "rule_id": "100231"},
            headers={"X-Trigger-Token": token},
        )
        assert answer.status_code == 202
        world.services.store.close()
        return str(answer.json["outcome"])

    with ThreadPoolExecutor(10) as pool:
        outcomes = sorted(pool.map(attack, range(20)))
    assert outcomes == ["accepted", *["already_running"] * 19]
    assert world.store.runs.get(1).repeats == 19
