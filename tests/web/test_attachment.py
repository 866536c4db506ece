# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Only a rule's own call proves that it has the custom action, and that this is deployed."""

import html
import re

import pytest

from app.restore.model import Mode, Trigger, Watch
from app.restore.triggers import accept
from app.store.qradar import Rule
from tests.web.conftest import ADMIN, ANALYST, World, job_entry
from tests.web.test_set_up import Desk, desk, ticks

__all__ = ["desk"]

NEVER = "Armed, but no rule of mapping SQL attack has ever called."


def call(world: World, token: str = "", **fields: str) -> None:
    """A call of the custom action, with a token of its own unless one is given."""
    number = len(world.store.triggers.recent(1000))
    if not token:
        token = world.store.tokens.new(f"token {number}", by="test", now=world.clock())
    answer = world.client().post(
        "/api/v1/triggers",
        data={"request_id": f"request-{number:04}", **fields},
        headers={"X-Trigger-Token": token},
    )
    assert answer.status_code in {200, 202}, answer.text


def token_of(desk: Desk) -> str:
    (action,) = desk.console.custom_actions.actions.values()
    return next(one.value for one in action.parameters if one.name == "token")


def rows(page: str) -> dict[str, str]:
    """What the set-up page says of each mapping's rule."""
    table = page.partition('id="what-remains"')[2].partition("</table>")[0]
    found = {}
    for row in re.findall(r"<tr><td>(.*?)</tr>", table, re.DOTALL):
        cells = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row.split("<td>")]
        found[cells[0]] = cells[2]
    return found


def remains(page: str) -> list[str]:
    """The tags of the two things that are to be done in QRadar."""
    part = page.partition('id="what-remains"')[2].partition("</ol>")[0]
    return re.findall(r'tag__label">([^<]+)', part)


def overview(world: World) -> str:
    return html.unescape(world.client(ANALYST).get("/").text)


@pytest.fixture
def mapped(world: World) -> World:
    world.add_mapping(world.add_connection())
    return world


def test_the_set_up_reacts_to_the_test_and_to_the_rules_call(desk: Desk) -> None:
    desk.world.add_mapping(desk.world.add_connection())
    page = desk.press()
    assert remains(page) == ["not proven yet", "not proven yet"]
    assert rows(page) == {"SQL attack": "never called yet"}
    assert "waits for a rule's call" in page
    assert not ticks(page)[3]

    call(desk.world, token_of(desk), source_ip="192.0.2.1")
    page = desk.page()
    assert rows(page) == {"SQL attack": "tested, but its rule has never called"}
    assert remains(page) == ["not proven yet", "not proven yet"]
    assert not ticks(page)[3]

    call(desk.world, token_of(desk), rule_id="100231")
    page = desk.page()
    assert rows(page) == {"SQL attack": "attached: its rule has called first just now"}
    assert remains(page) == ["done", "done"]
    assert "Nothing remains to be done in QRadar" in page
    assert "rule-response.svg" not in page
    assert ticks(page)[3]


def test_a_call_of_another_rule_proves_the_deployment_only(desk: Desk) -> None:
    desk.world.add_mapping(desk.world.add_connection())
    desk.press()
    call(desk.world, token_of(desk), rule_id="5")
    page = desk.page()
    assert remains(page) == ["done", "not proven yet"]
    assert not ticks(page)[3]


def test_an_update_is_to_be_deployed_again_and_stays_attached(desk: Desk) -> None:
    desk.world.add_mapping(desk.world.add_connection())
    desk.press()
    old = token_of(desk)
    call(desk.world, old, rule_id="100231")
    page = desk.press()
    assert remains(page) == ["not proven yet", "done"]
    call(desk.world, old, rule_id="100231")
    assert remains(desk.page()) == ["not proven yet", "done"]
    call(desk.world, token_of(desk), rule_id="100231")
    assert remains(desk.page()) == ["done", "done"]


def test_what_comes_after_an_action_that_is_gone_is_attached_to_no_rule(desk: Desk) -> None:
    desk.world.add_mapping(desk.world.add_connection())
    desk.press()
    call(desk.world, token_of(desk), rule_id="100231")
    desk.press("custom-action/remove")
    page = desk.press()
    assert rows(page) == {"SQL attack": "never called yet"}
    call(desk.world, token_of(desk), rule_id="100231")
    desk.console.custom_actions.actions.clear()
    assert rows(desk.press()) == {"SQL attack": "never called yet"}


def test_every_mapping_is_to_be_called(desk: Desk) -> None:
    connection = desk.world.add_connection()
    desk.world.add_mapping(connection)
    desk.world.add_mapping(connection, name="By name", rule_id=None, rule_name=None, job_id="2")
    desk.world.add_mapping(connection, name="Off", rule_id=3, job_id="3", enabled=0)
    desk.press()
    call(desk.world, token_of(desk), rule_id="100231")
    page = desk.page()
    assert rows(page) == {
        "By name": "never called yet",
        "SQL attack": "attached: its rule has called first just now",
    }
    assert not ticks(page)[3]
    call(desk.world, token_of(desk), mapping="By name")
    assert rows(desk.page())["By name"] == "tested, but its rule has never called"
    call(desk.world, token_of(desk), mapping="By name", rule_name="Whichever")
    assert rows(desk.page())["By name"].startswith("attached")


def test_the_overview_says_that_no_rule_has_ever_called_until_one_has(mapped: World) -> None:
    assert NEVER not in overview(mapped)
    mapped.arm()
    assert NEVER in overview(mapped)
    call(mapped)
    assert NEVER in overview(mapped)
    call(mapped, mapping="SQL attack")
    assert NEVER in overview(mapped)
    mapped.submit(mapped.client(ADMIN), "/set-up/simulation", mapping="SQL attack")
    for number, source in enumerate(("simulation", "offense_watch", "manual")):
        asked = Trigger(f"other-{number:04}", mapped.clock(), rule_id=100231, source=source)
        accept(mapped.store, asked, mapped.clock())
    assert NEVER in overview(mapped)
    call(mapped, rule_id="100231")
    assert NEVER not in overview(mapped)


def test_a_call_while_nothing_is_started_is_proof_as_well(mapped: World) -> None:
    mapped.store.settings.set_mode(Mode.DISARMED, by="test", now=mapped.clock())
    call(mapped, rule_name="Attack on SQL", rule_id="100231")
    mapped.arm()
    assert NEVER not in overview(mapped)


def test_a_rule_is_known_by_its_name_and_by_the_rule_that_it_is_linked_with(
    mapped: World,
) -> None:
    rules = [Rule(100231, "A", identifier="x"), Rule(5, "A", linked_identifier="x")]
    mapped.store.qradar.keep_rules(rules, now=mapped.clock())
    connection = mapped.store.connections.get(1)
    mapped.add_mapping(connection, name="Two", rule_id=None, rule_name="Only named", job_id="2")
    mapped.arm()
    call(mapped, rule_id="5")
    assert "no rule of mapping Two has ever called" in overview(mapped)
    call(mapped, rule_name="Only named")
    assert "has ever called" not in overview(mapped)


def test_another_rule_must_call_anew_and_another_name_need_not(mapped: World) -> None:
    mapped.arm()
    call(mapped, rule_id="100231")
    form = {
        "connection": "1",
        "name": "Renamed",
        "rule_id": "100231",
        "rule_name": "Attack on SQL 2",
        "job_id": "1044",
        "cooldown_s": "900",
        "enabled": "y",
    }
    mapped.cdm.jobs = [job_entry("1044", "SQL clean-room restore")]
    client = mapped.client(ADMIN)
    assert mapped.submit(client, "/mappings/1", **form).status_code == 303
    assert "has ever called" not in overview(mapped)
    assert mapped.submit(client, "/mappings/1", **(form | {"rule_id": "7"})).status_code == 303
    assert "no rule of mapping Renamed has ever called" in overview(mapped)


def test_a_rule_of_type_offense_that_is_watched_need_not_call(mapped: World) -> None:
    mapped.store.qradar.keep_rules([Rule(100231, "A", type="OFFENSE")], now=mapped.clock())
    mapped.arm()
    assert NEVER in overview(mapped)
    mapped.store.mappings.change(1, watch=Watch.ACT.value)
    assert NEVER not in overview(mapped)


def test_several_mappings_are_named_together(mapped: World) -> None:
    connection = mapped.store.connections.get(1)
    for number in range(4):
        mapped.add_mapping(connection, name=f"M{number}", rule_id=number, job_id=str(number))
    mapped.arm()
    assert "no rule of the mappings M0, M1, M2 and 2 more has ever called" in overview(mapped)


def test_an_action_made_by_hand_is_not_called_missing_once_calls_come(desk: Desk) -> None:
    desk.world.store.tokens.new("by hand", by="t", now=desk.world.clock())
    assert "not installed" in desk.page()
    call(desk.world, rule_id="100231")
    page = desk.page().partition('id="action-state"')[2].partition("</p>")[0]
    assert "made by hand" in page
    assert "calls come with trigger token token 0" in page
    assert "not installed" not in page


def test_calls_of_the_apps_own_former_action_are_none_of_one_made_by_hand(desk: Desk) -> None:
    desk.world.add_mapping(desk.world.add_connection())
    desk.press()
    token = token_of(desk)
    call(desk.world, token, rule_id="100231")
    book = desk.world.store.settings.custom_action()
    book |= {"current": None, "old": [book["current"]]}
    desk.world.store.settings.set_custom_action(book, "", by="t", now=desk.world.clock())
    page = desk.page().partition('id="action-state"')[2].partition("</p>")[0]
    assert "not installed" in page
