# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""From a fresh console to a restore: set-up page, one button, deploy, rule, ready."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import FrameLocator, Locator, expect

from tests.browser import at_the_console, chromium
from tests.simulators.console import Firing
from tests.simulators.console.actions import Action
from tests.simulators.container import Image
from tests.world import EVENT, RULE_ID, RULE_NAME, World, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


@pytest.fixture
def world(image: Image) -> Iterator[World]:
    """A console on which nothing of the app is yet but the app; connected, mapped, disarmed."""
    with World(image, restore_seconds=0.3) as world:
        world.console.switches.rest_needs_csrf = True
        world.set_up(mode="disarmed", cooldown_s=0)
        yield world


def seen_from_the_jail(world: World) -> str:
    """The simulated console does not listen on 443, and no name server knows it."""
    return f"console.example:{world.console.port}@127.0.0.1"


def the_action(world: World) -> Action:
    (action,) = world.console.custom_actions.actions.values()
    return action


def value(action: Action, name: str) -> str:
    return next(one.value for one in action.parameters if one.name == name)


def fire(world: World) -> Firing:
    return world.console.fire_rule(RULE_ID, RULE_NAME, event=EVENT)


def is_ready(world: World) -> dict[str, Any] | None:
    """The newest run, once the copy is up."""
    runs = world.runs()
    return runs[0] if runs and runs[0]["state"] == "ready" else None


class Form:
    """The forms of the app's pages, sent without JavaScript."""

    def __init__(self, world: World, session: requests.Session) -> None:
        self.world, self.session = world, session

    def page(self, path: str) -> str:
        answer = self.session.get(self.world.url(path), timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, *, page: str, **fields: str) -> str:
        token = re.findall(r'name="csrf_token" value="([^"]+)"', self.page(page))[0]
        answer = self.session.post(
            self.world.url(path), data={"csrf_token": token, **fields}, timeout=60
        )
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.mark.jail
def test_set_up_by_one_button_then_a_rule_starts_a_restore(world: World) -> None:
    with world.session("admin") as session:
        form = Form(world, session)
        role = re.findall(r'<option value="(\d+)"[^>]*>Restore trigger<', form.page("set-up"))[0]
        install = {"role_id": role, "days": "365", "console": seen_from_the_jail(world)}

        page = form.send("set-up/custom-action", page="set-up", **install)

        assert "up to date" in page
        assert "What remains to be done in QRadar" in page
        first = the_action(world)
        assert fire(world).skipped == "the rule has no custom action"
        world.console.add_rule(RULE_ID, RULE_NAME, action=first.id)
        assert fire(world).skipped == "the custom action has not been deployed"
        test = world.console.test_execution(first.id)
        assert (test.exit_code, test.stdout[:10]) == (0, "No RULE_ID")
        assert "test passed" in form.page("set-up")
        form.send("settings/mode", page="settings", mode="armed")
        world.console.deploy()

        result = fire(world).wait()

        assert result is not None
        assert (result.exit_code, result.stdout[:9]) == (0, "accepted:")
        wait_for(lambda: is_ready(world), seconds=60)

        page = form.send("set-up/custom-action", page="set-up", **install)
        second = the_action(world)
        assert second.id == first.id
        assert "Old authorized services" in page
        world.console.test_execution(second.id)
        assert_called(fire(world), "the old one is deployed and still works")
        world.console.deploy()
        assert_called(fire(world), "the new one works")
        refused = world.trigger("req-old-token", token=value(first, "token"))
        assert refused.status_code == 401, "its successor has called"

        page = form.send("set-up/custom-action/remove", page="set-up")
        assert "not installed" in page
    assert world.console.custom_actions.actions == {}
    assert world.console.custom_actions.scripts == {}
    labels = {one.label for one in world.console.identity.services.values()}
    assert labels == {"restore-trigger", "restore-service"}


def assert_called(firing: Firing, why: str) -> None:
    result = firing.wait()
    assert result is not None
    assert result.exit_code == 0, f"{why}: {result.stdout}"


@pytest.mark.browser
@pytest.mark.jail
def test_an_administrator_sets_the_app_up_in_a_browser(world: World) -> None:
    with chromium() as browser, at_the_console(browser, world, "admin") as admin:
        app, console = admin.app, world.console
        go_to(app, "Set-up")
        expect(app.locator("#action-state")).to_contain_text("not installed")
        role = app.get_by_label("User role of the authorized service")
        role.select_option(label="Restore trigger")
        app.get_by_text("More", exact=True).click()
        app.get_by_label("Console's address for the script").fill(seen_from_the_jail(world))
        app.get_by_role("button", name="Set up the custom action").click()

        expect(app.locator("#action-state")).to_contain_text("up to date", timeout=20_000)
        expect(told(app, "Two steps remain")).to_be_visible()
        picture = app.get_by_role("img", name="Execute Custom Action is ticked")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.naturalWidth") == 560
        action = the_action(world)
        assert console.test_execution(action.id).exit_code == 0
        go_to(app, "Set-up")
        expect(app.locator("#test")).to_contain_text("test passed")

        go_to(app, "Settings")
        app.get_by_label("Token", exact=True).fill(console.token("restore-service"))
        app.get_by_role("button", name="Store the service token").click()
        expect(app.locator("#qradar")).to_contain_text("restore-service", timeout=20_000)
        app.get_by_text("Arm", exact=True).click()
        app.get_by_role("button", name="Arm the app").click()
        expect(told(app, "armed")).to_be_visible()
        console.add_rule(RULE_ID, RULE_NAME, action=action.id)
        console.deploy()
        firing = fire(world)
        assert_called(firing, "it is deployed")
        wait_for(lambda: is_ready(world), seconds=60)
        offense_id = firing.wait_for_offense()
        assert offense_id is not None
        wait_for(
            lambda: any("READY" in note["note_text"] for note in console.notes[offense_id]),
            seconds=60,
        )
        go_to(app, "Runs")
        expect(app.get_by_role("row", name="Run 1")).to_contain_text("ready in the clean room")

        go_to(app, "Set-up")
        app.get_by_text("Remove the custom action", exact=True).first.click()
        app.get_by_role("button", name="Remove the custom action").click()
        expect(app.locator("#action-state")).to_contain_text("not installed", timeout=20_000)
        assert console.custom_actions.actions == {}
        assert admin.complaints == []


def told(app: FrameLocator, words: str) -> Locator:
    """What the page says has just been done; one more status is there for screen readers."""
    return app.get_by_role("status").filter(has_text=words)


def go_to(app: FrameLocator, page: str) -> None:
    app.get_by_role("navigation", name="Pages").get_by_role("link", name=page, exact=True).click()
