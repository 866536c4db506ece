# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What pages show of QRadar: service token, rule picker, drift, the watch's notices, notes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.qradar.console import ConsoleAnswer, ConsoleRefused, ConsoleUnavailable
from app.restore.model import RunState
from app.restore.triggers import accept
from app.restore.watched import WatchedOffense, WatchState
from app.store.qradar import Rule
from app.web.mappings.attachment import attachments
from app.web.mappings.drift import drifts
from tests.factories import make_trigger
from tests.web.conftest import ADMIN, ANALYST, OPERATOR, World, job_entry

TOKEN = "01234567-89ab-cdef-0123-456789abcdef"
RULES = [
    Rule(100231, "SQL attack", "EVENT", True, "USER"),
    Rule(100232, "Offense with <b>ransomware</b>", "OFFENSE", True, "USER"),
    Rule(100233, "SQL dump at night", "FLOW", False, "USER"),
]


class FakeConsole:
    """Answers a service token's questions, and an administrator's about the rules."""

    def __init__(self) -> None:
        self.name, self.ends = "safeguarded-restore-service", datetime(2027, 1, 1, tzinfo=UTC)
        self.rules = [
            {"id": 5, "name": "Brute force", "type": "EVENT", "enabled": True, "origin": "SYSTEM"}
        ]
        self.refuses: dict[str, ConsoleRefused] = {}
        self.is_silent = False
        self.asked: list[tuple[str, str | None]] = []

    def request(
        self, method: str, path: str, *, sec: str | None = None, **_rest: Any
    ) -> ConsoleAnswer:
        self.asked.append((path, sec))
        if self.is_silent:
            raise ConsoleUnavailable("The console does not answer in time.")
        for part, error in self.refuses.items():
            if part in path:
                raise error
        ends = int(self.ends.timestamp() * 1000)
        service = [{"label": self.name, "expiration_date": ends}] if self.name else []
        bodies = {"authorized_services": service, "rules": self.rules}
        return ConsoleAnswer(200, bodies.get(path.rpartition("/")[2], []), {})


@pytest.fixture
def console(world: World) -> FakeConsole:
    fake = FakeConsole()
    object.__setattr__(world.services, "console_api", fake)
    return fake


@pytest.fixture(autouse=True)
def a_job(world: World) -> None:
    world.cdm.jobs = [job_entry("1044", "SQL clean-room restore")]


# --- the service token ----------------------------------------------------------------------------


def store_token(world: World, token: str = TOKEN) -> str:
    client = world.client(ADMIN)
    world.submit(client, "/settings/service-token", token=token)
    return str(client.get("/settings").text)


def test_a_token_is_not_checked_while_qradar_has_refused_too_many(
    world: World, console: FakeConsole
) -> None:
    """It locks a host out that shows it bad tokens: also those that a person mistypes."""
    world.identity.full = True
    text = store_token(world)
    assert TOKEN not in {sec for _, sec in console.asked}
    assert "QRadar was not asked" in text
    assert world.store.qradar.token_label() is None


def test_a_service_token_is_checked_stored_and_never_shown(
    world: World, console: FakeConsole
) -> None:
    page = store_token(world)

    kept = world.store.qradar.console()
    assert kept.token_label is not None
    assert world.secrets.kept[kept.token_label] == TOKEN
    assert kept.token_name == "safeguarded-restore-service"
    assert kept.token_expires_at == console.ends
    assert TOKEN not in page
    assert "2027-01-01" in page
    assert world.store.audit.recent(1)[0].action == "service_token.set"
    assert TOKEN not in str(world.store.audit.recent(10))


def test_another_token_takes_its_place_and_the_old_one_is_dropped(
    world: World, console: FakeConsole
) -> None:
    store_token(world)
    store_token(world, TOKEN.replace("0", "9"))

    assert list(world.secrets.kept.values()) == [TOKEN.replace("0", "9")]

    world.submit(world.client(ADMIN), "/settings/service-token/remove")

    assert world.secrets.kept == {}
    assert world.store.qradar.token_label() is None


@pytest.mark.parametrize("token", ["", "letmein", TOKEN + "0"])
def test_what_does_not_look_like_a_token_is_not_even_asked_about(
    world: World, console: FakeConsole, token: str
) -> None:
    page = store_token(world, token)

    assert "does not look like the token" in page
    assert all(sec != token for _, sec in console.asked)
    assert world.secrets.kept == {}


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (
            {"refuses": {"authorized_services": ConsoleRefused(401, 18, "No")}},
            "Deploy Changes may be needed",
        ),
        ({"refuses": {"offenses": ConsoleRefused(403, 26, "No")}}, "does not include Offenses"),
        ({"name": ""}, "not the token of an authorized service"),
        ({"name": "safeguarded-restore-trigger-2"}, "token of the custom action"),
        ({"is_silent": True}, "checked now"),
    ],
)
def test_a_token_that_cant_do_the_work_is_not_stored(
    world: World, console: FakeConsole, prepare: dict[str, Any], words: str
) -> None:
    for name, value in prepare.items():
        setattr(console, name, value)

    assert words in store_token(world)
    assert world.store.qradar.token_label() is None


def test_its_end_is_warned_of_two_weeks_before(world: World, console: FakeConsole) -> None:
    console.ends = world.clock() + timedelta(days=13, hours=1)
    assert "expires in 13 days" in store_token(world)
    assert "expires in 13 days" in world.client(ANALYST).get("/").text

    world.clock.now += timedelta(days=20)
    assert "has expired" in world.client(ANALYST).get("/").text


def test_without_a_token_the_pages_say_what_is_missing(world: World) -> None:
    run_id = make_run(world)

    assert "Without a service token" in world.client(ANALYST).get("/").text
    assert "No service token is stored" in world.client(ANALYST).get(f"/runs/{run_id}").text


# --- rules ----------------------------------------------------------------------------------------


def keep_rules(world: World) -> None:
    world.store.qradar.keep_rules(RULES, now=world.clock())


def test_the_rules_are_searched_by_words_and_id(world: World, console: FakeConsole) -> None:
    keep_rules(world)
    client = world.client(ADMIN)

    def ids(text: str) -> list[int]:
        answer = client.get("/api/v1/rules", query_string={"q": text})
        return [rule["id"] for rule in answer.json["rules"]]

    assert ids("sql") == [100231, 100233]  # the disabled one last
    assert ids("night sql") == [100233]
    assert ids("100232") == [100232]
    assert ids("nothing like it") == []
    assert len(ids("")) == 3
    assert client.get("/api/v1/rules").json["total"] == 3
    assert console.asked == []  # they were read just now


def test_rules_that_were_not_read_lately_are_read_with_the_persons_session(
    world: World, console: FakeConsole
) -> None:
    answer = world.client(ADMIN).get("/api/v1/rules?q=brute").json

    assert [rule["name"] for rule in answer["rules"]] == ["Brute force"]
    assert answer["problem"] is None
    assert ("/api/analytics/rules", ADMIN) in console.asked


def test_a_silent_console_leaves_the_list_as_it_is(world: World, console: FakeConsole) -> None:
    keep_rules(world)
    console.is_silent = True
    world.clock.now += timedelta(hours=1)

    answer = world.client(ADMIN).get("/api/v1/rules?q=sql").json

    assert len(answer["rules"]) == 2
    assert "can't be read now" in answer["problem"]


def test_a_rule_is_picked_and_not_typed(world: World, console: FakeConsole) -> None:
    """Without JavaScript: search, choose, and the form has it."""
    keep_rules(world)
    connection = world.add_connection()
    client = world.client(ADMIN)

    found = client.get(f"/mappings/new?connection={connection.id}&rule_q=offense").text
    assert "Offense with &lt;b&gt;ransomware&lt;/b&gt;" in found
    assert "<b>ransomware" not in found
    assert 'name="rule" value="100232"' in found

    chosen = client.get(f"/mappings/new?connection={connection.id}&rule=100232").text
    assert 'value="100232"' in chosen
    assert "type OFFENSE" in chosen
    assert 'checked id="watch-2"' in chosen or 'id="watch-2" name="watch" type="radio"' in chosen


FIELDS = {
    "name": "SQL attack",
    "rule_id": "100231",
    "rule_name": "",
    "job_id": "1044",
    "action_name": "",
    "cooldown_s": "900",
    "enabled": "y",
}


def save(world: World, **fields: str) -> str:
    connection = world.store.connections.list()[0]
    answer = world.submit(
        world.client(ADMIN), "/mappings/new", connection=str(connection.id), **FIELDS | fields
    )
    return str(answer.text)


def test_the_rules_name_is_kept_with_its_id(world: World, console: FakeConsole) -> None:
    keep_rules(world)
    world.add_connection()

    save(world, watch="notify")

    (mapping,) = world.store.mappings.list()
    assert (mapping.rule_name, mapping.watch) == ("SQL attack", "notify")
    assert mapping.watch_since == world.clock()


def test_the_watch_of_an_offense_rule_cant_be_off(world: World, console: FakeConsole) -> None:
    keep_rules(world)
    world.add_connection()

    page = save(world, rule_id="100232", watch="off")

    assert "is of type OFFENSE" in page
    assert world.store.mappings.list() == []


# --- drift ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([Rule(1, "Another")], "QRadar has no rule 100231 any more"),
        ([Rule(100231, "SQL attack 2", "EVENT", True)], "is called SQL attack 2 now"),
        ([Rule(100231, "Attack on SQL", "EVENT", False)], "is disabled in QRadar"),
        ([Rule(100231, "Attack on SQL", "OFFENSE", True)], "switch the offense watch on"),
    ],
)
def test_a_rule_that_has_changed_is_told_on_the_mapping_and_on_the_strip(
    world: World, console: FakeConsole, rules: list[Rule], words: str
) -> None:
    mapping = world.add_mapping(world.add_connection())
    world.store.qradar.keep_rules(rules, now=world.clock())
    client = world.client(ADMIN)

    for path in ("/", "/mappings", f"/mappings/{mapping.id}"):
        assert words.replace("'", "&#39;") in client.get(path).text, path


def test_an_unchanged_rule_and_one_that_was_never_read_raise_nothing(
    world: World, console: FakeConsole
) -> None:
    world.add_mapping(world.add_connection())
    assert "SQL attack:" not in world.client(ADMIN).get("/").text

    world.store.qradar.keep_rules([Rule(100231, "Attack on SQL", "EVENT", True)], now=world.clock())

    assert "SQL attack:" not in world.client(ADMIN).get("/").text


@pytest.mark.parametrize("links", ["override", "original"])
def test_a_system_rule_whose_override_is_enabled_is_not_called_disabled(
    world: World, console: FakeConsole, links: str
) -> None:
    """The one is linked with the other: which one says so is the console's choice."""
    world.add_mapping(world.add_connection())
    to_override, to_original = ("two", None) if links == "original" else (None, "one")
    original = Rule(100231, "Attack on SQL", "EVENT", False, "SYSTEM", "one", to_override)
    override = Rule(9, "Attack on SQL", "EVENT", True, "OVERRIDE", "two", to_original)
    world.store.qradar.keep_rules([original, override], now=world.clock())

    assert "is disabled" not in world.client(ADMIN).get("/").text


@pytest.mark.parametrize("names_it", [True, False])
def test_the_rules_of_all_mappings_are_asked_for_at_once(
    world: World, console: FakeConsole, *, names_it: bool
) -> None:
    """Of 40 mappings the overview asked 248 times."""
    asked: list[str] = []

    def count() -> int:
        asked.clear()
        world.store.runs._db.connection.set_trace_callback(asked.append)
        assert not drifts(world.store)
        attachments(world.store)
        world.store.runs._db.connection.set_trace_callback(None)
        return len(asked)

    connection = world.add_connection()
    known = [Rule(number, f"R{number}", "EVENT", True) for number in range(10)]
    world.store.qradar.keep_rules(known, now=world.clock())
    few = count()
    for rule in known:
        which = {"rule_id": None if names_it else rule.id, "rule_name": rule.name}
        world.add_mapping(connection, name=rule.name, job_id=rule.name, **which)
    assert count() == few


def test_a_rule_known_by_its_name_alone_is_missed_once_it_is_gone(
    world: World, console: FakeConsole
) -> None:
    world.add_mapping(world.add_connection(), rule_id=None, rule_name="Attack on SQL")
    world.store.qradar.keep_rules([Rule(9, "Attack on SQL", "EVENT", True)], now=world.clock())
    assert "SQL attack:" not in world.client(ADMIN).get("/").text

    world.store.qradar.keep_rules([Rule(9, "Attack on it", "EVENT", True)], now=world.clock())
    page = world.client(ADMIN).get("/").text
    assert "QRadar has no rule named Attack on SQL" in page


def test_a_job_that_has_changed_is_told_until_another_is_chosen(
    world: World, console: FakeConsole
) -> None:
    mapping = world.add_mapping(world.add_connection())
    world.store.mappings.note_job_drift(mapping.id, "Job 1044 is no restore job any more.")

    assert "no restore job any more" in world.client(ADMIN).get("/mappings").text

    world.store.mappings.note_job_drift(mapping.id, None)
    assert "no restore job any more" not in world.client(ADMIN).get("/mappings").text


# --- notices and notes ----------------------------------------------------------------------------


def test_an_offense_that_brought_no_trigger_is_shown_until_it_is_dismissed(world: World) -> None:
    mapping = world.add_mapping(world.add_connection())
    world.store.watch.keep(
        WatchedOffense(mapping.id, 4711, WatchState.SHOWN, 5, 0, 0, 1, "<i>SQL</i>", world.clock())
    )
    page = world.client(ANALYST).get("/").text
    assert "Offense 4711 of rule &lt;i&gt;SQL&lt;/i&gt; brought no trigger" in page
    assert "Dismiss" not in page

    world.store.settings.set("operator_roles", ["Storage operators"], by="t", now=world.clock())
    fields = {"mapping": str(mapping.id), "offense": "4711"}
    assert world.submit(world.client(ANALYST), "/watch/dismiss", **fields).status_code == 403
    world.submit(world.client(OPERATOR), "/watch/dismiss", **fields)

    assert "4711" not in world.client(ANALYST).get("/").text


@pytest.mark.parametrize("offense", ["", "x", "1" * 40])
def test_a_dismissal_without_numbers_is_refused(world: World, offense: str) -> None:
    answer = world.submit(world.client(ADMIN), "/watch/dismiss", mapping="1", offense=offense)

    assert answer.status_code == 400


def make_run(world: World) -> int:
    mapping = world.add_mapping(world.add_connection())
    world.arm()
    run_id = accept(world.store, make_trigger(mapping), world.clock()).run_id
    assert run_id is not None
    return run_id


def test_a_runs_notes_are_told_with_their_delivery(world: World, console: FakeConsole) -> None:
    run_id = make_run(world)
    run = world.store.runs.get(run_id)
    run = world.store.runs.record(run, RunState.STARTING, "now", by="app", now=world.clock())
    world.store.runs.record(run, RunState.FAILED, "CDM: <pool> full", by="app", now=world.clock())
    world.store.notes.found(run_id, 42, now=world.clock())

    (note,) = world.client(ANALYST).get(f"/api/v1/runs/{run_id}").json["notes"]
    page = world.client(ANALYST).get(f"/runs/{run_id}").text

    assert set(note) == {"offense_id", "text", "due_at", "posted_at", "attempts", "error"}
    assert note["offense_id"] == 42
    assert note["text"].endswith("]")
    assert "FAILED" in note["text"]
    assert (note["posted_at"], note["attempts"], note["error"]) == (None, 0, None)
    assert "CDM: &lt;pool&gt; full" in page
    assert "summaryId=42" in page


def test_leef_is_switched_on_and_off(world: World) -> None:
    assert world.store.settings.values().leef is False
    world.submit(world.client(ADMIN), "/settings/leef", leef="on")
    assert world.store.settings.values().leef is True
    assert world.submit(world.client(ADMIN), "/settings/leef", leef="x").status_code == 400
    world.submit(world.client(ADMIN), "/settings/leef", leef="off")
    assert world.store.settings.values().leef is False
