# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A store that was put back is told on every page, and an administrator confirms its tokens."""

import html

import pytest

from app.restore.model import Mode
from app.store.put_back import distrust
from tests.web.conftest import ADMIN, ANALYST, World

REFUSED = "What rules ask for is refused until an administrator confirms the trigger tokens."
WHY = "The copy of 2026-11-24 was put back by <ann>."


@pytest.fixture
def token(world: World) -> str:
    """A trigger token of a store that was put back since."""
    world.arm()
    token = world.store.tokens.new("console", by="ann", now=world.clock())
    distrust(world.store, WHY, now=world.clock(), above=0, files=())
    return token


def call(world: World, token: str) -> tuple[int, str]:
    """The status and all that the caller is told."""
    answer = world.client().post(
        "/api/v1/triggers", data={"token": token, "request_id": "req-00001"}
    )
    error = answer.json.get("error", {})
    return answer.status_code, f"{error.get('message', '')} {error.get('advice', '')}"


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("path", ["/", "/runs", "/help"])
def test_every_page_says_that_the_store_was_put_back(world: World, path: str) -> None:
    text = world.client(ANALYST).get(path).text
    assert WHY in html.unescape(text)
    assert "by <ann>" not in text
    assert REFUSED in text
    assert "#put-back" not in text
    assert "#put-back" in world.client(ADMIN).get(path).text


def test_no_trigger_token_is_valid_before_an_administrator_has_confirmed_them(
    world: World, token: str
) -> None:
    status, message = call(world, token)
    assert status == 401
    assert "was put back: no trigger token is valid before" in message
    assert "Confirm the trigger tokens on the settings page" in message
    assert "Set the custom action's token" not in message
    client = world.client(ADMIN)
    assert "Make the trigger tokens below valid again" in client.get("/settings").text
    assert world.submit(client, "/settings/tokens/confirm").status_code == 303
    page = client.get("/settings").text
    assert "The trigger tokens are valid again. The app stays disarmed" in page
    assert 'id="put-back"' not in page
    assert call(world, token)[0] == 200
    assert world.store.settings.mode is Mode.DISARMED
    confirmed = world.store.audit.last("trigger tokens")
    assert confirmed is not None
    assert confirmed.by == "anna"
    world.submit(client, "/settings/tokens/confirm")
    assert "There is nothing to confirm" in client.get("/settings").text


def test_an_app_that_was_armed_before_its_tokens_were_confirmed_does_not_say_that_rules_start(
    world: World, token: str
) -> None:
    world.arm()
    world.add_mapping(world.add_connection())
    client = world.client(ADMIN)
    armed, sentence = "A rule that fires starts its restore job.", "Rules start restores."
    assert sentence not in client.get("/").text
    assert client.get("/").text.count(REFUSED) == 2  # first on the page, and beside the mode
    assert armed not in client.get("/settings").text
    world.submit(client, "/settings/tokens/confirm")
    page = client.get("/settings").text
    assert "The trigger tokens are valid again." in page
    assert "stays disarmed" not in page
    assert armed in page
    assert sentence in client.get("/").text


def test_a_token_that_is_nobodys_learns_nothing_new_in_a_sound_store(world: World) -> None:
    assert "put back" not in call(world, "wrong")[1]
