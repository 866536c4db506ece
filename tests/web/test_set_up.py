# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The set-up page and the uninstall hook, on a simulated console's REST API."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.qradar.action_installer import ACTION_NAME
from app.qradar.authorized_services import LABEL
from app.qradar.console import ConsoleClient
from app.remote.told import Step
from app.restore.model import RunState, Trigger
from app.restore.triggers import accept
from app.web.frame.problems import Problem
from app.web.services import EXTENSION
from app.web.set_up import pages as set_up
from tests.simulators.console import ConsoleSimulator, PathSwitch
from tests.web.conftest import ADMIN, ANALYST, SERVICE, World

HOOK = "/api/v1/uninstall"
MANIFEST = Path(__file__).parents[2] / "manifest.json"


@dataclass
class Desk:
    """An administrator's browser before the page, and the console behind it."""

    world: World
    console: ConsoleSimulator
    browser: FlaskClient
    sec: str

    def page(self) -> str:
        answer = self.browser.get("/set-up")
        assert answer.status_code == 200
        return html.unescape(answer.text)

    def press(self, path: str = "custom-action", **fields: str) -> str:
        """Send a form of the page and give the page that follows."""
        if path == "custom-action":
            role = self.console.identity.role("Restore trigger").id
            fields = {"role_id": str(role), "days": "365"} | fields
        answer = self.world.submit(self.browser, f"/set-up/{path}", **fields)
        if answer.status_code == 303:
            assert answer.headers["Location"].endswith("/set-up")
            return self.page()
        return html.unescape(answer.text)

    def token_names(self) -> list[str]:
        return [token.name for token in self.world.store.tokens.list()]

    def answer_with(self, **services: Any) -> None:
        extensions = self.world.app.extensions
        extensions[EXTENSION] = replace(extensions[EXTENSION], **services)


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    with ConsoleSimulator(jail="none") as console:
        console.switches.rest_needs_csrf = True
        client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
        cookies = console.login("admin")
        world.identity.callers[cookies["SEC"]] = world.identity.callers[ADMIN]
        browser = world.client(cookies["SEC"])
        browser.set_cookie("QRadarCSRF", cookies["QRadarCSRF"])
        desk = Desk(world, console, browser, cookies["SEC"])
        desk.answer_with(console_api=client)
        yield desk
        client.close()


def ticks(page: str) -> list[bool]:
    return [words == "done" for words in re.findall(r"<h2>\d\..*>([^<]+)</span></span></h2>", page)]


def test_the_steps_are_ticked_off_in_order(desk: Desk) -> None:
    world, now = desk.world, desk.world.clock()
    assert ticks(desk.page()) == [False] * 6
    connection = world.add_connection()
    assert ticks(desk.page()) == [True] + [False] * 5
    world.store.connections.note_contact(connection.id, None, now=now)
    assert ticks(desk.page()) == [True] * 2 + [False] * 4
    world.add_mapping(connection)
    assert ticks(desk.page()) == [True] * 3 + [False] * 3
    assert ticks(desk.press()) == [True] * 3 + [False] * 3
    call = Trigger("request-0001", now, rule_id=100231)
    accept(world.store, call, now)  # the app is disarmed: the rule's call is noted
    assert ticks(desk.page()) == [True] * 4 + [False] * 2
    world.submit(desk.browser, "/set-up/simulation", mapping="SQL attack")
    assert ticks(desk.page()) == [True] * 4 + [False] * 2
    (run,) = world.store.runs.open()
    world.store.runs.record(run, RunState.OBSERVED, "looked", by="app", now=now)
    assert ticks(desk.page()) == [True] * 5 + [False]
    world.arm()
    assert ticks(desk.page()) == [True] * 6


def test_the_progress_indicator_leads_to_what_is_next(desk: Desk) -> None:
    world = desk.world
    world.add_mapping(world.add_connection())
    for page in (desk.page(), html.unescape(desk.browser.get("/").text)):
        (current,) = re.findall(r'aria-current="step">\s*<a[^>]* href="([^"]+)"', page)
        assert current.endswith("set-up#test")
        assert page.count("cds--progress-step--complete") == 2
    world.store.connections.note_contact(1, "The certificate is not trusted.", now=world.clock())
    step = desk.page().partition('id="test"')[2].partition("</section>")[0]
    assert "The certificate is not trusted." in step
    assert "can't be used" in step
    assert "does not answer" not in step  # it does, but not as it should
    assert ticks(desk.page())[1] is False


def test_a_test_of_the_connection_ticks_its_step(desk: Desk) -> None:
    desk.world.add_connection()
    desk.world.submit(desk.browser, "/connections/1/test")
    page = desk.page()
    assert ticks(page)[1] is False
    assert "No answer." in page
    desk.world.cdm.steps = [Step("name", True, 3, "The name resolves.")]
    desk.world.submit(desk.browser, "/connections/1/test")
    assert ticks(desk.page())[1] is True


def test_one_press_installs_and_says_what_remains(desk: Desk) -> None:
    desk.world.add_mapping(desk.world.add_connection(), rule_name="Attack on SQL")
    assert "not installed" in desk.page()
    page = desk.press()
    assert "up to date" in page
    (action,) = desk.console.custom_actions.actions.values()
    assert action.name == ACTION_NAME
    for words in ("Deploy Changes", "Attach it to your rule", "Attack on SQL", "rule-response.svg"):
        assert words in page
    assert 'href="https://localhost/console/"' not in page
    assert re.search(r'href="https://[^"]+/console/" target="_top"', page)


def test_a_press_by_somebody_else_than_an_administrator_does_nothing(desk: Desk) -> None:
    for path in ("custom-action", "custom-action/remove", "services/remove"):
        answer = desk.world.submit(desk.world.client(ANALYST), f"/set-up/{path}")
        assert answer.status_code == 403
        assert desk.browser.post(f"/set-up/{path}", data={"a": "b"}).status_code == 403
    assert desk.console.api_calls == []


def test_the_persons_own_session_is_used_and_no_other(desk: Desk) -> None:
    desk.press()
    assert {call.who for call in desk.console.api_calls} == {"admin"}


def test_no_page_shows_a_token(desk: Desk) -> None:
    page = desk.press()
    (action,) = desk.console.custom_actions.actions.values()
    for parameter in action.parameters:
        assert not parameter.encrypted or parameter.value not in page
    assert desk.sec not in page


def test_the_end_of_the_token_is_chosen_and_shown(desk: Desk) -> None:
    assert "1 year, until 2027-11-24" in desk.page()
    desk.world.clock.now = desk.world.clock.now.replace(year=2030)
    page = desk.press(days="90")
    assert "valid until 2031-02-22" in page


@pytest.mark.parametrize(
    "fields",
    [
        {"role_id": ""},
        {"role_id": "x"},
        {"days": "0"},
        {"days": "99999"},
        {"console": "https://console/"},
        {"mapping": "no such"},
    ],
)
def test_what_the_form_does_not_offer_changes_nothing(desk: Desk, fields: dict[str, str]) -> None:
    assert "Nothing was changed" in desk.press(**fields)
    assert desk.console.custom_actions.actions == {}
    assert desk.token_names() == []


def test_without_a_fitting_role_the_page_says_how_to_make_one(desk: Desk) -> None:
    for name in ("Restore trigger", "Restore operators"):
        del desk.console.identity.roles[desk.console.identity.role(name).id]
    page = desk.page()
    assert "No user role fits" in page
    assert "User Roles" in page
    assert 'id="install"' not in page


@pytest.mark.parametrize("status", [403, 404, 422, 500, 503])
def test_where_the_console_refuses_the_steps_by_hand_are_shown(desk: Desk, status: int) -> None:
    desk.console.switches.paths = {
        "/api/analytics/custom_actions/actions": PathSwitch(status=status, methods="POST")
    }
    page = desk.press()
    assert re.search(r'notification--error" tabindex="-1" autofocus>', page)
    assert f"HTTP {status}" in page
    assert re.search(r"<details open>\s*<summary>The same by hand", page)
    assert "start_restore.sh" in page
    for name in ("console", "sec", "magnitude"):
        assert f"<code>{name}</code>" in page
    assert desk.token_names() == []
    assert "not installed" in page


def test_a_console_that_is_down_leaves_a_page_that_explains(desk: Desk) -> None:
    desk.press()
    desk.console.switches.paths = {"/api": PathSwitch(down=True)}
    page = desk.page()
    assert "not known" in page
    assert "can't be reached" in page


def test_a_script_that_cannot_be_made_is_explained(desk: Desk) -> None:
    def fail() -> str:
        raise Problem(503, "The script can't be made just now.", cause="No issuer.")

    desk.press()
    desk.answer_with(make_script=fail)
    page = desk.page()
    assert "No issuer." in page
    assert "up to date" not in page


def test_out_of_date_says_why_and_an_update_helps(desk: Desk) -> None:
    desk.press()
    desk.answer_with(make_script=lambda: "#!/bin/bash\n# newer\n")
    page = desk.page()
    assert "out of date" in page
    assert ticks(page)[3] is False
    assert "the script changed" in page
    assert "Update the custom action" in page
    page = desk.press()
    assert "up to date" in page
    assert ticks(page)[3] is True
    assert "Old authorized services" in page
    assert "stays valid until a rule has called with the new one" in page


def test_the_overview_warns_before_the_token_ends(desk: Desk) -> None:
    desk.press(days="90")
    assert "Renew it" not in desk.browser.get("/").text
    desk.world.clock.now += timedelta(days=80, hours=12)
    assert f"The token of {LABEL} expires in 9 days" in desk.browser.get("/").text
    desk.world.clock.now += timedelta(days=30)
    text = desk.world.client(ANALYST).get("/").text
    assert "has expired" in text
    assert "Renew it" not in text


def test_a_rules_call_ends_the_old_token_and_a_test_does_not(desk: Desk) -> None:
    desk.press()
    desk.press()
    (action,) = desk.console.custom_actions.actions.values()
    token = next(one.value for one in action.parameters if one.name == "token")
    first, second = desk.token_names()

    def call(request_id: str, **fields: str) -> None:
        headers = {"X-Trigger-Token": token}
        data = {"request_id": request_id, **fields}
        answer = desk.world.client().post("/api/v1/triggers", data=data, headers=headers)
        assert answer.status_code in {200, 202}

    for _twice_when_the_first_answer_was_lost in range(2):
        call("req-00001")
        assert desk.token_names() == [first, second]
    assert "last used" in desk.page()
    call("req-00002", rule_id="5")
    assert desk.token_names() == [second]
    page = desk.page()
    assert "no longer in use" in page
    assert "A rule called last" in page
    assert "Old authorized services" not in desk.press("services/remove", label=LABEL)
    assert any(one.action == "trigger_token.revoke" for one in desk.world.store.audit.recent(9))


def test_the_service_in_use_cannot_be_removed_alone(desk: Desk) -> None:
    desk.press()
    assert "is in use" in desk.press("services/remove", label=LABEL)
    assert desk.console.token(LABEL)


def test_a_test_execution_is_shown_as_passed(desk: Desk) -> None:
    desk.press()
    assert "press Test Execution" in desk.page()
    token = desk.world.store.tokens.new("mine", by="test", now=desk.world.clock())
    desk.world.client().post(
        "/api/v1/triggers",
        data={"request_id": "req-00001", "source_ip": "192.0.2.1"},
        headers={"X-Trigger-Token": token},
    )
    page = desk.page()
    assert "test passed" in page
    assert "RULE_ID does not arrive here" in page
    desk.world.clock.now = desk.world.clock.now.replace(hour=9)
    page = desk.press()
    assert "test passed" not in page
    assert "was of an earlier one" in page


def test_a_foreign_action_is_replaced_only_when_the_box_is_ticked(desk: Desk) -> None:
    put = desk.console.custom_actions
    script = put.put_script(b"echo", "other.sh")
    foreign = put.put_action(
        {"name": ACTION_NAME, "interpreter": 1, "script": script.id, "parameters": []}
    )
    page = desk.press()
    assert "this app did not make it" in page
    assert f'name="adopt" value="{foreign.id}"' in page
    assert "up to date" in desk.press(adopt=str(foreign.id))
    assert list(put.actions) == [foreign.id]


def test_removing_takes_everything_off_and_names_what_stays(desk: Desk) -> None:
    desk.press()
    desk.console.switches.paths = {
        "/api/config/access/authorized_services/": PathSwitch(status=403, methods="DELETE")
    }
    page = desk.press("custom-action/remove")
    assert "Not everything could be removed" in page
    assert f"authorized service {LABEL}" in page
    assert desk.token_names() == []
    desk.console.switches.paths = {}
    page = desk.press("custom-action/remove")
    assert "not installed" in page
    assert "Remove the custom action" not in page
    with pytest.raises(KeyError):
        desk.console.token(LABEL)


def test_two_presses_at_a_time_are_one_too_many(desk: Desk) -> None:
    with set_up._at_work:
        answer = desk.world.submit(desk.browser, "/set-up/custom-action", role_id="7", days="365")
    assert answer.status_code == 409
    assert desk.console.custom_actions.actions == {}


def test_what_the_console_names_becomes_no_markup(desk: Desk) -> None:
    desk.console.add_role("<script>alert(1)</script>", "SEM")
    text = desk.browser.get("/set-up").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_what_is_installed_and_removed_is_in_the_audit_trail_without_secrets(desk: Desk) -> None:
    desk.press()
    desk.press("custom-action/remove")
    said = [one.subject for one in desk.world.store.audit.recent(50)]
    assert "removed" in said
    assert any(subject.startswith("installed with token custom-action-") for subject in said)
    assert desk.world.store.audit.verify()


def uninstall(client: FlaskClient, **headers: str) -> dict[str, Any]:
    answer = client.post(HOOK, headers=headers)
    assert answer.status_code == 200
    document: dict[str, Any] = json.loads(answer.text)
    return document


def failed_uninstall(client: FlaskClient, **headers: str) -> str:
    """What the hook's error says."""
    answer = client.post(HOOK, headers=headers)
    assert answer.status_code == 409
    error = answer.json["error"]
    assert error["code"] == "not_removed"
    return str(error["message"])


def test_the_uninstall_hook_removes_everything_for_an_administrator(desk: Desk) -> None:
    desk.press()
    sec = desk.console.token("restore-service")
    desk.world.identity.callers[sec] = desk.world.identity.callers[SERVICE]
    answer = uninstall(desk.world.client(), SEC=sec)
    assert answer == {"message": "Everything was removed.", "not_removed": []}
    assert desk.console.custom_actions.actions == {}
    assert desk.token_names() == []


def test_the_uninstall_hook_names_what_it_could_not_remove(desk: Desk) -> None:
    desk.press()
    sec = desk.console.token("restore-service")
    desk.world.identity.callers[sec] = desk.world.identity.callers[SERVICE]
    desk.console.switches.paths = {"/api/analytics": PathSwitch(status=403, methods="DELETE")}
    said = failed_uninstall(desk.world.client(), SEC=sec)
    assert f"custom action {ACTION_NAME}" in said
    assert "script of the custom action" in said
    assert "Set-up page" in said
    first, second = uninstall(desk.world.client(), SEC=sec)["not_removed"]
    assert first.startswith(f"custom action {ACTION_NAME}")
    assert second.startswith("script")
    desk.console.switches.paths = {"/api": PathSwitch(down=True)}
    assert len(uninstall(desk.world.client(), SEC=sec)["not_removed"]) >= 1
    desk.console.switches.paths = {}
    answer = uninstall(desk.world.client(), SEC=sec)
    assert answer == {"message": "Everything was removed.", "not_removed": []}


def test_the_uninstall_hook_does_nothing_for_anybody_else(desk: Desk) -> None:
    """An administrator's browser, led here by a page from elsewhere, is not obeyed either."""
    desk.press()
    calls: list[tuple[FlaskClient, dict[str, str]]] = [
        (desk.world.client(), {}),
        (desk.world.client(), {"SEC": "unknown"}),
        (desk.world.client(), {"SEC": ANALYST}),
        (desk.browser, {}),
    ]
    errors, answers = [], []
    for client, headers in calls:
        desk.world.clock.now += timedelta(minutes=11)
        errors.append(failed_uninstall(client, **headers))
        answers.append(uninstall(client, **headers))
    assert errors == [errors[0]] * 4
    assert answers == [answers[0]] * 4
    assert len(answers[0]["not_removed"]) == 3
    for kind in (ACTION_NAME, "start_restore", LABEL):
        assert kind in errors[0]
    assert len(desk.console.custom_actions.actions) == 1
    assert len(desk.token_names()) == 1


def test_a_console_that_cannot_say_who_calls_is_no_missing_token(desk: Desk) -> None:
    desk.press()
    desk.world.identity.down = True
    said = failed_uninstall(desk.world.client(), SEC=ADMIN)
    assert "Nothing was removed." in said
    assert "no administrator's token" not in said
    assert ACTION_NAME in said


def test_without_rights_nothing_is_named_that_the_records_do_not_name(desk: Desk) -> None:
    """A fresh installation, and one whose custom action was removed before, go in silence."""
    assert uninstall(desk.world.client())["not_removed"] == []
    desk.press()
    desk.press("custom-action/remove")
    assert uninstall(desk.world.client())["not_removed"] == []


def test_what_an_attempt_that_was_cut_off_may_have_made_is_named(desk: Desk) -> None:
    desk.press()
    book = desk.world.store.settings.custom_action()
    nothing_known = {"action_id": None, "script_id": None, "service_id": None}
    desk.world.store.settings.set_custom_action(
        book | {"current": None, "pending": book["current"] | nothing_known},
        "",
        by="test",
        now=desk.world.clock(),
    )
    assert "start_restore" in failed_uninstall(desk.world.client())


def test_an_error_is_not_repeated_for_ten_minutes(desk: Desk) -> None:
    """Kept in the store, so that a restart in between does not forget it."""
    desk.press()
    failed_uninstall(desk.world.client())
    assert len(uninstall(desk.world.client())["not_removed"]) == 3
    desk.world.clock.now += timedelta(minutes=10)
    assert len(uninstall(desk.world.client())["not_removed"]) == 3
    desk.world.clock.now += timedelta(seconds=1)
    failed_uninstall(desk.world.client())
    desk.world.clock.now -= timedelta(hours=1)
    failed_uninstall(desk.world.client())
    assert len(uninstall(desk.world.client())["not_removed"]) == 3


def test_a_store_that_cannot_be_used_holds_up_no_deletion(desk: Desk) -> None:
    desk.press()
    desk.answer_with(opening=SimpleNamespace(failure="The schema is newer.", preparing=False))
    answer = uninstall(desk.world.client())
    assert len(answer["not_removed"]) == 3
    assert "token" not in answer["message"]


def test_the_page_says_to_remove_the_action_before_the_app(desk: Desk) -> None:
    assert "Before you uninstall the app" not in desk.page()
    assert "Before you uninstall the app" in desk.press()


def test_the_manifest_names_the_hook() -> None:
    manifest = json.loads(MANIFEST.read_text())
    (hook,) = manifest["uninstall_hooks"]
    (method,) = [one for one in manifest["rest_methods"] if one["name"] == hook["rest_method"]]
    assert (method["method"], method["url"]) == ("POST", HOOK)
    assert "required_capabilities" not in method
    assert hook["documentation_url"].startswith("https://")
    assert "where QRadar lets the app" in hook["description"]
