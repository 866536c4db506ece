# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The custom action on a simulated console: made, updated, checked, removed, never half-done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.qradar import authorized_services
from app.qradar.action_check import Findings, check
from app.qradar.action_installer import ACTION_NAME, Installer, NameTaken, Wish, check_console
from app.qradar.administrator import Administrator, NotDone
from app.qradar.console import ConsoleClient
from app.qradar.custom_action import PARAMETERS
from app.qradar.installed_action import Book, Installation
from app.store.database import Database
from app.store.store import Store
from app.web.set_up.action_book import StoredBook, note_use
from tests.factories import put_store
from tests.simulators.console import ConsoleSimulator, PathSwitch
from tests.simulators.console.actions import Action, ActionError, Interpreter
from tests.simulators.console.wire import Hangup

ACTIONS = "/api/analytics/custom_actions/actions"
SCRIPTS = "/api/analytics/custom_actions/scripts"
SERVICES = "/api/config/access/authorized_services"
SCRIPT = "#!/bin/bash\necho version 1\n"
NAME = "Safeguarded restore"


@dataclass
class Desk:
    """An administrator at work: the console, the app's store, and the page's verbs."""

    console: ConsoleSimulator
    client: ConsoleClient
    store: Store
    now: datetime
    user: str = "admin"
    script: str = SCRIPT
    mappings: tuple[str, ...] = ("SQL attack",)

    @property
    def admin(self) -> Administrator:
        cookies = self.console.login(self.user)
        return Administrator(self.client, cookies["SEC"], cookies["QRadarCSRF"])

    @property
    def keeper(self) -> StoredBook:
        return StoredBook(self.store, by=self.user, now=self.now)

    @property
    def book(self) -> Book:
        return self.keeper.read()

    @property
    def installer(self) -> Installer:
        return Installer(self.admin, self.keeper, by=self.user, now=self.now, version="1.2.3")

    def wish(self, **changes: Any) -> Wish:
        role = self.console.identity.role("Restore trigger").id
        return replace(Wish(role, self.now + timedelta(days=365)), **changes)

    def install(self, **changes: Any) -> Installation:
        return self.installer.install(self.wish(**changes), self.script, console="console.example")

    def check(self) -> Findings:
        return check(
            self.admin,
            self.book,
            script=self.script,
            console="console.example",
            tokens=self.keeper.token_names(),
            mappings=self.mappings,
            now=self.now,
        )

    def token_names(self) -> set[str]:
        return set(self.keeper.token_names())

    def labels(self) -> set[str]:
        """The authorized services that are ours."""
        labels = {one.label for one in self.console.identity.services.values()}
        return {label for label in labels if label.startswith(authorized_services.LABEL)}

    def action(self) -> Action:
        (action,) = self.console.custom_actions.actions.values()
        return action

    def value(self, name: str) -> str:
        return next(one.value for one in self.action().parameters if one.name == name)

    def disturb(self, path: str, **switch: Any) -> None:
        self.console.switches.paths = {path: PathSwitch(**{"methods": "POST"} | switch)}

    def calm(self) -> None:
        self.console.switches.paths = {}

    def assert_nothing_is_left(self) -> None:
        assert self.console.custom_actions.actions == {}
        assert self.console.custom_actions.scripts == {}
        assert self.labels() == set()
        assert self.token_names() == set()
        assert self.book == Book(made=self.book.made)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    put_store(tmp_path / "store.db")
    store = Store(Database(tmp_path / "store.db"))
    with ConsoleSimulator(jail="none") as console:
        console.switches.rest_needs_csrf = True
        client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
        yield Desk(console, client, store, datetime.now(UTC))
        client.close()
    store.close()


def test_one_press_makes_service_token_script_and_action(desk: Desk) -> None:
    done = desk.install()
    action = desk.action()
    assert (action.name, action.interpreter) == (ACTION_NAME, 1)
    assert [one.name for one in action.parameters] == [one.name for one in PARAMETERS]
    assert {one.name for one in action.parameters if one.encrypted} == {"sec", "token"}
    assert desk.value("console") == "console.example"
    assert desk.value("mapping") == "-"
    assert desk.console.custom_actions.scripts[action.script].content == SCRIPT.encode()
    assert desk.labels() == {authorized_services.LABEL}
    assert desk.value("sec") == desk.console.token(authorized_services.LABEL)
    assert desk.store.tokens.name_of(desk.value("token"))
    assert desk.token_names() == {done.token_name}
    assert re.fullmatch(r"custom-action-\d{4}-\d\d-\d\d-1", done.token_name)
    assert desk.check() == Findings((), desk.check().service, ())


def test_the_service_gets_the_chosen_role_and_end_and_the_makers_profile(desk: Desk) -> None:
    desk.install()
    (service,) = authorized_services.ours(desk.admin)
    role = desk.console.identity.role("Restore trigger")
    assert service.role_id == role.id
    assert service.expires_at is not None
    assert abs(service.expires_at - desk.now - timedelta(days=365)) < timedelta(seconds=1)


def test_no_token_is_in_the_store_nor_in_what_the_console_answers(
    desk: Desk, tmp_path: Path
) -> None:
    desk.install()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert desk.book.current is not None
    assert desk.book.current.token_name.encode() in content
    for name in ("sec", "token"):
        assert desk.value(name).encode() not in content
    writes = [one for one in desk.console.requests if one.method == "POST" and ACTIONS in one.path]
    assert [one.headers.get("fields") for one in writes] == ["id"]


def test_the_description_tells_the_version(desk: Desk) -> None:
    done = desk.install()
    words = desk.action().description
    assert done.is_described_by(words)
    for part in ("safeguarded-restore 1.2.3", done.script_sha256[:16], done.issuers[:16]):
        assert part in words
    assert f"expires={done.expires_at:%Y-%m-%d}" in words
    assert not replace(done, token_name=f"{done.token_name}0").is_described_by(words)


def test_an_update_changes_the_action_in_place_with_new_tokens(desk: Desk) -> None:
    first = desk.install()
    old_token, old_sec = desk.value("token"), desk.value("sec")
    desk.script = SCRIPT.replace("1", "2")
    second = desk.install(mapping="SQL attack", console="other.example:8443")
    assert (second.action_id, second.script_id) == (first.action_id, first.script_id)
    assert desk.console.custom_actions.scripts[desk.action().script].content == desk.script.encode()
    assert len(desk.console.custom_actions.scripts) == 1
    assert (desk.value("mapping"), desk.value("console")) == ("SQL attack", "other.example:8443")
    assert desk.value("token") != old_token
    assert desk.value("sec") != old_sec
    assert desk.store.tokens.name_of(old_token)
    assert desk.console.identity.find(old_sec) is not None
    findings = desk.check()
    assert findings.reasons == ()
    assert [one.label for one in findings.left_over] == [first.service_label]


def test_the_old_trigger_token_ends_with_a_rules_first_call_with_the_new_one(desk: Desk) -> None:
    first = desk.install()
    old = desk.value("token")
    desk.install()
    new = desk.value("token")
    for token, by_a_rule in ((old, True), (new, False)):
        note_use(desk.store, token, by_a_rule=by_a_rule, now=desk.now)
        assert desk.store.tokens.name_of(old), "a Test Execution runs what is not deployed yet"
    note_use(desk.store, new, by_a_rule=True, now=desk.now)
    assert not desk.store.tokens.name_of(old)
    assert desk.store.tokens.name_of(new)
    assert desk.labels() > {first.service_label}, "nobody's session was there to remove it"


def test_a_former_service_goes_with_the_update_after_its_successors_first_call(desk: Desk) -> None:
    first = desk.install()
    desk.install()
    note_use(desk.store, desk.value("token"), by_a_rule=True, now=desk.now)
    third = desk.install()
    assert first.service_label not in desk.labels()
    assert len(desk.labels()) == 2
    assert third.service_label in desk.labels()


def test_a_former_service_can_be_removed_by_hand(desk: Desk) -> None:
    first, second = desk.install(), desk.install()
    with pytest.raises(NotDone, match="in use"):
        desk.installer.remove_old(second.service_label)
    assert desk.installer.remove_old(first.service_label) == []
    assert desk.labels() == {second.service_label}
    assert desk.token_names() == {second.token_name}
    assert desk.book.old == ()


def test_only_services_of_ours_can_be_removed(desk: Desk) -> None:
    desk.install()
    desk.installer.remove_old("restore-service")
    assert desk.console.token("restore-service")


def test_a_service_of_an_earlier_installation_is_shown_and_can_be_removed(desk: Desk) -> None:
    desk.console.add_service(authorized_services.LABEL, "Restore trigger")
    assert [one.label for one in desk.check().left_over] == [authorized_services.LABEL]
    done = desk.install()
    assert done.service_label == f"{authorized_services.LABEL}-2"
    desk.installer.remove_old(authorized_services.LABEL)
    assert desk.labels() == {done.service_label}


def test_a_user_of_the_labels_name_is_in_the_way_of_no_installation(desk: Desk) -> None:
    desk.console.identity.add_user(authorized_services.LABEL, "Viewers")
    assert desk.install().service_label == f"{authorized_services.LABEL}-2"


def test_removing_takes_everything_away(desk: Desk) -> None:
    desk.install()
    desk.install()
    assert desk.installer.remove() == []
    desk.assert_nothing_is_left()
    deleted = [one.path for one in desk.console.requests if one.method == "DELETE"]
    assert ACTIONS in deleted[0]
    assert SCRIPTS in deleted[1]


def test_what_is_gone_already_is_no_failure_of_removing(desk: Desk) -> None:
    done = desk.install()
    desk.console.custom_actions.delete_action(done.action_id or 0)
    desk.console.identity.remove_service(done.service_id or 0)
    assert desk.installer.remove() == []
    desk.assert_nothing_is_left()


def test_what_cannot_be_removed_is_named_and_removed_the_next_time(desk: Desk) -> None:
    desk.install()
    desk.disturb(ACTIONS, methods="DELETE", status=403)
    problems = desk.installer.remove()
    assert len(problems) == 2
    assert problems[0].startswith(f"custom action {ACTION_NAME}")
    assert "in use" in problems[1]
    assert desk.labels() == set()
    assert desk.token_names() == set()
    desk.calm()
    assert desk.installer.remove() == []
    desk.assert_nothing_is_left()


def test_an_action_that_could_not_be_removed_is_still_ours_to_update(desk: Desk) -> None:
    first = desk.install()
    desk.disturb(ACTIONS, methods="DELETE", status=403)
    desk.installer.remove()
    desk.calm()
    assert desk.install().action_id == first.action_id
    assert desk.check().reasons == ()


@pytest.mark.parametrize("path", [SCRIPTS, SERVICES, ACTIONS])
@pytest.mark.parametrize("status", [403, 422, 500])
def test_a_refusal_at_any_step_leaves_nothing_half_done(desk: Desk, path: str, status: int) -> None:
    desk.disturb(path, status=status)
    with pytest.raises(NotDone):
        desk.install()
    desk.assert_nothing_is_left()
    desk.calm()
    desk.install()
    assert desk.check().reasons == ()
    assert desk.check().left_over == ()


@pytest.mark.parametrize("path", [SCRIPTS, SERVICES])
def test_a_lost_answer_leaves_nothing_half_done(desk: Desk, path: str) -> None:
    desk.disturb(path, lost=True)
    with pytest.raises(NotDone) as caught:
        desk.install()
    assert caught.value.perhaps
    assert desk.labels() == set()
    assert desk.token_names() == set()
    desk.calm()
    desk.install()
    assert len(desk.console.custom_actions.scripts) == 1
    assert desk.check().reasons == ()


def test_an_action_whose_answer_is_lost_is_found_again(desk: Desk) -> None:
    desk.disturb(ACTIONS, lost=True)
    done = desk.install()
    assert done.action_id == desk.action().id
    assert desk.check().reasons == ()
    assert len(desk.token_names()) == 1


def test_an_update_that_fails_leaves_the_action_as_it_was(desk: Desk) -> None:
    first = desk.install()
    before = desk.action()
    desk.disturb(f"{ACTIONS}/", status=422)
    with pytest.raises(NotDone):
        desk.install()
    assert desk.action() == before
    assert desk.book.current == first
    assert desk.book.pending is None
    assert desk.labels() == {first.service_label}
    assert desk.token_names() == {first.token_name}


@pytest.mark.parametrize("landed", [True, False])
def test_a_console_that_goes_away_midway_is_settled_by_the_next_press(
    desk: Desk, landed: bool
) -> None:
    """Whether the action was made can't be seen then; it is finished, or taken back, later."""
    put_action = desk.console.custom_actions.put_action

    def go_away(*arguments: Any, **options: Any) -> Action:
        desk.console.switches.paths = {ACTIONS: PathSwitch(down=True, lost=True)}
        if not landed:
            raise Hangup
        return put_action(*arguments, **options)

    desk.console.custom_actions.put_action = go_away  # type: ignore[method-assign]
    with pytest.raises(NotDone, match="finished or taken back"):
        desk.install()
    stranded = desk.book.pending
    assert stranded is not None
    desk.calm()
    desk.console.custom_actions.put_action = put_action  # type: ignore[method-assign]
    done = desk.install()
    assert desk.book.pending is None
    assert desk.check().reasons == ()
    expected = {done.service_label} | ({stranded.service_label} if landed else set())
    assert desk.labels() == expected
    assert (stranded.token_name in desk.token_names()) == landed


def test_an_attempt_that_was_cut_off_after_the_action_is_finished(desk: Desk) -> None:
    """The process died before it could note that the action was there."""
    done = desk.install()
    book = desk.book
    cut_off = replace(book, current=None, pending=replace(done, action_id=None, script_id=None))
    desk.keeper.write(cut_off)
    desk.installer.settle()
    assert desk.book == replace(book, pending=None)


@pytest.mark.parametrize("known", ["nothing", "the script", "the service too"])
def test_an_attempt_that_was_cut_off_before_the_action_is_taken_back(
    desk: Desk, known: str
) -> None:
    done = desk.install()
    desk.console.custom_actions.delete_action(done.action_id or 0)
    pending = replace(done, action_id=None)
    if known == "nothing":
        desk.console.custom_actions.delete_script(done.script_id or 0)
        pending = replace(pending, script_id=None, service_id=None)
    elif known == "the script":
        pending = replace(pending, service_id=None)
    desk.keeper.write(Book(pending=pending, made=1))
    desk.installer.settle()
    desk.assert_nothing_is_left()


def test_a_foreign_action_of_our_name_is_only_replaced_on_request(desk: Desk) -> None:
    put = desk.console.custom_actions
    script = put.put_script(b"echo other", "other.sh")
    foreign = put.put_action(
        {"name": ACTION_NAME, "interpreter": 2, "script": script.id, "parameters": []}
    )
    with pytest.raises(NameTaken) as caught:
        desk.install()
    assert caught.value.action.id == foreign.id
    assert desk.action() == foreign
    assert desk.token_names() == set()
    done = desk.install(adopt=foreign.id)
    assert done.action_id == foreign.id
    assert put.scripts[script.id].content == b"echo other", "others may use it"
    assert desk.check().reasons == ()


def test_bash_is_found_by_name_whatever_its_number(desk: Desk) -> None:
    desk.console.custom_actions.interpreters = {
        number: Interpreter(number, name, "/bin/bash")
        for number, name in ((1, "Perl"), (4, "GNU bash 4.4"), (7, "BASH"), (9, "bashful"))
    }
    desk.install()
    assert desk.action().interpreter == 7


def test_without_bash_nothing_is_begun(desk: Desk) -> None:
    desk.console.custom_actions.interpreters = {3: Interpreter(3, "Python", "/usr/bin/python")}
    with pytest.raises(NotDone, match="Python"):
        desk.install()
    desk.assert_nothing_is_left()


def test_only_roles_with_offenses_and_nothing_more_are_offered(desk: Desk) -> None:
    desk.console.add_role("With the app", "SEM", NAME)
    desk.console.add_role("With rules", "SEM", "SEM.RULECREATION")
    desk.console.add_role("With nothing")
    names = [role.name for role in authorized_services.fitting_roles(desk.admin, NAME)]
    assert names == ["Restore operators", "Restore trigger", "With the app"]


def test_a_user_without_the_right_is_told_which(desk: Desk) -> None:
    desk.user = "saasadmin"
    with pytest.raises(NotDone) as caught:
        desk.install()
    assert "ADMIN" in caught.value.advice
    assert "by hand" in caught.value.advice


def test_a_role_that_is_not_deployed_is_explained(desk: Desk) -> None:
    role = desk.console.identity.add_role("Fresh", "SEM", deployed=False)
    with pytest.raises(NotDone) as caught:
        desk.install(role_id=role.id)
    assert "Deploy Changes" in caught.value.advice
    desk.assert_nothing_is_left()


def test_a_session_that_has_ended_is_explained(desk: Desk) -> None:
    admin = Administrator(desk.client, "00000000-0000-0000-0000-000000000000")
    with pytest.raises(NotDone) as caught:
        authorized_services.fitting_roles(admin, NAME)
    assert "Sign in" in caught.value.advice


def test_no_error_repeats_a_token(desk: Desk) -> None:
    """The console may quote the value that it does not like."""
    quoted = []

    def refuse(document: dict[str, Any], **_options: Any) -> Action:
        quoted.extend(one["value"] for one in document["parameters"] if one["encrypted"])
        raise ActionError(f"the values {' and '.join(quoted)} are no good")

    desk.console.custom_actions.put_action = refuse  # type: ignore[method-assign]
    with pytest.raises(NotDone) as caught:
        desk.install()
    assert len(quoted) == 2
    assert "(token) and (token)" in str(caught.value)
    assert not any(token in str(caught.value) for token in quoted)


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        (400, None),
        (14.5, None),
        (9.5, "in 9 days"),
        (1.2, "in 1 day"),
        (0.5, "within a day"),
        (-1, "has"),
    ],
)
def test_a_token_that_ends_soon_is_out_of_date(
    desk: Desk, days: float, *, reason: str | None
) -> None:
    done = desk.install()
    desk.console.expire_service(done.service_label, desk.now + timedelta(days=days))
    reasons = desk.check().reasons
    assert len(reasons) == (0 if reason is None else 1)
    assert reason is None or reason in reasons[0]


def test_every_change_on_the_console_is_seen(desk: Desk) -> None:
    done = desk.install()
    put = desk.console.custom_actions
    action = desk.action()
    swapped = (action.parameters[1], action.parameters[0], *action.parameters[2:])
    for changed, word in (
        (replace(action, parameters=swapped), "parameters"),
        (replace(action, parameters=action.parameters[:-1]), "parameters"),
        (replace(action, description="mine"), "description"),
        (replace(action, script=0), "script"),
    ):
        put.actions[action.id] = changed
        (reason,) = desk.check().reasons
        assert word in reason
    put.actions[action.id] = action
    assert desk.check().reasons == ()
    put.delete_action(action.id)
    assert desk.check().reasons == ("the action was deleted on the console",)
    desk.console.identity.remove_service(done.service_id or 0)
    desk.store.tokens.revoke(done.token_name, by="test", now=desk.now)
    assert len(desk.check().reasons) == 3


def test_an_action_that_was_deleted_is_made_anew(desk: Desk) -> None:
    done = desk.install()
    desk.console.custom_actions.delete_action(done.action_id or 0)
    desk.console.custom_actions.delete_script(done.script_id or 0)
    desk.install()
    assert desk.check().reasons == ()
    assert desk.installer.remove() == []
    desk.assert_nothing_is_left()


def test_a_mapping_that_was_renamed_is_seen(desk: Desk) -> None:
    desk.install(mapping="SQL attack")
    assert desk.check().reasons == ()
    desk.mappings = ("SQL attack, renamed",)
    assert desk.check().reasons == ("there is no mapping SQL attack any more",)


def test_script_and_certificate_changes_are_told_apart(desk: Desk) -> None:
    desk.script = f"one {desk.console.ca_bundle}"
    desk.install()
    desk.script = f"two {desk.console.ca_bundle}"
    assert desk.check().reasons == ("the script changed",)
    desk.script = f"one {desk.console.root.pem}"
    assert desk.check().reasons == ("the console's certificate changed",)


@pytest.mark.parametrize("good", ["", "h", "h:8443", "h@10.0.0.1", "h:1@::1", "[::1]:443", "h@dns"])
def test_the_consoles_address_may_have_port_and_address(good: str) -> None:
    assert check_console(f" {good} ") == good


@pytest.mark.parametrize("bad", ["https://h", "h/x", "h@", "a b", "h:port", "$(id)", "h\nx"])
def test_other_addresses_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        check_console(bad)
