# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""From a fresh console to a restore: set-up page, one button, deploy, rule, ready."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Frame, expect

from tests.looks import LOOKS, Look
from tests.simulators.console import Firing
from tests.simulators.console.actions import Action
from tests.simulators.container import Image
from tests.walk import SOON_MS, Walk, go_to, open_ask, part, told, walking
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


# --- a new user, in a browser -----------------------------------------------------------------


@pytest.fixture
def fresh(image: Image) -> Iterator[World]:
    """The app as it is after its installation; the console has a rule."""
    with World(image, restore_seconds=0.3, jail=True) as world:
        world.console.switches.rest_needs_csrf = True
        world.console.add_rule(RULE_ID, RULE_NAME)
        yield world


@pytest.mark.browser
@pytest.mark.jail
@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_an_administrator_sets_the_app_up_in_a_browser(
    fresh: World, browser: Browser, look: Look
) -> None:
    """From nothing to a mounted copy: each step leads to the next, and nothing starts before."""
    with walking(browser, fresh, "admin", look, "set-up") as admin:
        finds_the_set_up(admin)
        connects(fresh, admin)
        tries_the_connection(fresh, admin)
        maps(admin)
        installs_the_action(fresh, admin)
        simulates(fresh, admin)
        stores_the_service_token(fresh, admin)
        arms(admin)
        assert not fresh.cdm.starts
        sees_the_rule_start_a_restore(fresh, admin)
        removes_the_action(fresh, admin)


def next_step(app: Frame, name: str) -> None:
    """The progress indicator of the set-up page says what comes next."""
    steps = app.get_by_role("navigation", name="Steps of the set-up").get_by_role("listitem")
    expect(steps.filter(has_text=name)).to_have_attribute("aria-current", "step")


def finds_the_set_up(admin: Walk) -> None:
    """The tab opens with the overview, which says what to do before a rule can start anything."""
    app = admin.app
    expect(part(app, "Before a rule can start a restore")).to_be_visible()
    admin.station("overview")
    go_to(app, "Set-up")
    next_step(app, "Connection")
    admin.station("nothing")


def connects(world: World, admin: Walk) -> None:
    """The self-signed certificate is looked at, and so pinned, before the password is entered."""
    app = admin.app
    app.get_by_role("link", name="Add a connection").click()
    app.get_by_label("Name", exact=True).fill("prod")
    app.get_by_label("Address", exact=True).fill("cdm.example")
    app.get_by_role("button", name="Show certificate").click()
    expect(app.get_by_text("Issued to")).to_be_visible()
    expect(app.get_by_text(re.compile("CN=cdm.example")).first).to_be_visible()
    shown = app.get_by_role("main").inner_text().replace(":", "").lower()
    assert world.cdm.fingerprint in shown
    admin.station("certificate")
    expect(app.get_by_text("So pinning it is chosen above")).to_be_visible()
    expect(app.get_by_label("Fingerprint", exact=True)).to_have_value(world.cdm.fingerprint)
    expect(app.get_by_role("radio", name="Only this very certificate")).to_be_checked()
    assert not world.cdm.logins
    app.get_by_label("User", exact=True).fill(world.cdm.user)
    app.get_by_label("Password", exact=True).fill(world.cdm.password)
    app.get_by_role("button", name="Save").click()
    expect(told(app, "Connection prod is saved.")).to_be_visible()


def tries_the_connection(world: World, admin: Walk) -> None:
    app = admin.app
    go_to(app, "Set-up")
    next_step(app, "Test")
    app.get_by_role("button", name="Test prod").click()
    steps = part(app, "Test of the connection").get_by_role("listitem")
    expect(steps).to_have_count(6)
    expect(steps.filter(has_text="passed")).to_have_count(6)
    expect(steps.filter(has_text=" ms")).to_have_count(6)
    admin.station("tested")


def maps(admin: Walk) -> None:
    """The rule is picked from QRadar's, the job from CDM's; jobs that restore nothing can't be."""
    app = admin.app
    go_to(app, "Set-up")
    next_step(app, "Mapping")
    app.get_by_role("link", name="Add a mapping").click()
    app.get_by_label("Rule name or id").fill("payroll")
    app.get_by_role("button", name="Search QRadar's rules").click()
    app.get_by_role("row", name=RULE_NAME).get_by_role("button", name="Choose").click()
    expect(app.get_by_label("Rule id", exact=True)).to_have_value(str(RULE_ID))
    app.get_by_label("Name", exact=True).fill("SQL attack")
    app.get_by_text("SQL clean-room restore").first.click()
    jobs = app.get_by_role("region", name="Jobs").get_by_role("radio")
    expect(jobs.and_(app.locator(":disabled"))).to_have_count(0)
    admin.station("mapping")
    app.get_by_role("button", name="Save").last.click()
    expect(told(app, "Mapping SQL attack is saved.")).to_be_visible()
    go_to(app, "Mappings")
    admin.station("mapped")


def installs_the_action(world: World, admin: Walk) -> None:
    """One button; then the test in QRadar's dialog, the rule's response and Deploy Changes."""
    app, console = admin.app, world.console
    go_to(app, "Set-up")
    next_step(app, "Custom action")
    action = part(app, "4. Custom action")
    expect(action).to_contain_text("not installed")
    role = app.get_by_label("User role of the authorized service")
    role.select_option(label="Restore trigger")
    app.get_by_text("More", exact=True).click()
    app.get_by_label("Console's address for the script").fill(seen_from_the_jail(world))
    app.get_by_role("button", name="Set up the custom action").click()

    expect(action).to_contain_text("up to date", timeout=SOON_MS)
    expect(told(app, "Two steps remain")).to_be_visible()
    picture = app.get_by_role("img", name="Execute Custom Action is ticked")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 560
    number = the_action(world).id
    assert console.test_execution(number).exit_code == 0
    go_to(app, "Set-up")
    expect(action).to_contain_text("test passed")
    admin.station("action")
    console.add_rule(RULE_ID, RULE_NAME, action=number)
    console.deploy()


def simulates(world: World, admin: Walk) -> None:
    """The whole way but the start, and what would come of it."""
    app = admin.app
    go_to(app, "Set-up")
    next_step(app, "Simulate")
    app.get_by_role("button", name="Simulate an attack").click()
    expect(app.get_by_role("main")).to_contain_text(
        "Once the app is armed, a real trigger starts the job.", timeout=SOON_MS
    )
    admin.station("simulated")
    assert not world.cdm.starts


def stores_the_service_token(world: World, admin: Walk) -> None:
    app = admin.app
    go_to(app, "Settings")
    app.get_by_label("Token", exact=True).fill(world.console.token("restore-service"))
    app.get_by_role("button", name="Store the service token").click()
    expect(part(app, "Service token")).to_contain_text("restore-service", timeout=SOON_MS)
    admin.station("settings")


def arms(admin: Walk) -> None:
    """It asks first, and records who."""
    app = admin.app
    go_to(app, "Set-up")
    next_step(app, "Arm")
    ask = open_ask(part(app, "6. Arm the app"), "Arm")
    admin.station("arming")
    ask.get_by_role("button", name="Arm the app").click()
    expect(told(app, "armed")).to_be_visible()
    go_to(app, "Set-up")
    expect(part(app, "6. Arm the app")).to_contain_text("Set by admin")
    next_step(app, "Custom action")
    expect(part(app, "4. Custom action")).to_contain_text("tested, but its rule has never called")
    admin.station("armed")
    go_to(app, "Overview")
    expect(app.get_by_text("no rule of mapping SQL attack has ever called")).to_be_visible()


def sees_the_rule_start_a_restore(world: World, admin: Walk) -> None:
    app, notes = admin.app, world.console.notes
    firing = fire(world)
    assert_called(firing, "it is deployed")
    wait_for(lambda: is_ready(world), seconds=60)
    offense_id = firing.wait_for_offense()
    assert offense_id is not None
    wait_for(lambda: any("READY" in note["note_text"] for note in notes[offense_id]), seconds=60)
    go_to(app, "Overview")
    row = app.get_by_role("region", name="Restores under way").get_by_role("row", name="Run")
    expect(row.last).to_contain_text("ready in the clean room")
    expect(app.get_by_text("has ever called")).to_have_count(0)
    go_to(app, "Set-up")
    expect(part(app, "4. Custom action")).to_contain_text("Nothing remains to be done in QRadar")
    expect(app.get_by_role("listitem").filter(has_text="Not complete")).to_have_count(0)
    admin.station("called")


def removes_the_action(world: World, admin: Walk) -> None:
    app = admin.app
    go_to(app, "Set-up")
    ask = open_ask(part(app, "4. Custom action"), "Remove the custom action")
    ask.get_by_role("button", name="Remove the custom action").click()
    expect(part(app, "4. Custom action")).to_contain_text("not installed", timeout=SOON_MS)
    assert world.console.custom_actions.actions == {}
