# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Every button of every page, and of every page that a button leads to, does what it says.

What each says is declared here: a new button without a declaration fails.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.qradar.console import ConsoleClient
from app.restore.attacks import Noticed
from app.restore.model import LogLine, RunState, Trigger
from app.restore.triggers import accept
from app.restore.watched import WatchedOffense, WatchState
from app.web.services import EXTENSION
from tests.simulators.console import ConsoleSimulator
from tests.web.browsing import Browser
from tests.web.conftest import ADMIN, World, job_entry
from tests.web.crawling import Crawl, Does
from tests.web.test_rights_matrix import address
from tests.web.test_runs_api import make_run, to_state

# What somebody types where a field is empty.
ENTERED = {
    "name": "typed",
    "host": "typed.example",
    "username": "typed",
    "password": "pass-Word-8!",
    "job_session_id": "9001",
    "reason": "typed",
    "own_log_sources": "162",
    "own_qids": "1002000001, 1002000002",
    "token": "",  # set by the fixture: one that the console knows
}


def writes(*tables: str) -> frozenset[str]:
    return frozenset(tables)


LEFT, TOLD = writes("requests", "audit"), writes("offense_notes")
MOVED = writes("runs", "transitions", "audit")
TESTED = "Test of the connection.*(The name resolves|No password is stored)"
MODE = writes("settings", "audit")
# (the part of the app that the page belongs to, the button's words) → what it does
EXPECTED: dict[tuple[str, str], Does] = {
    ("overview", "Dismiss"): Does("overview.show", writes=writes("watch_offenses")),
    ("overview", "Acknowledge"): Does(
        "overview.show", "is acknowledged", writes=writes("attacks", "audit"), may=writes("runs")
    ),
    ("by_hand", "Start now"): Does(
        "(runs|overview).show", "Run|disarmed", writes=writes("triggers"), may=MOVED | TOLD
    ),
    ("connections", "Show certificate"): Does(
        "connections.(show|show_new)",
        "Issued to CN=&lt;b&gt;cdm",
        asks=("certificate",),
        keeps=True,
    ),
    ("connections", "Pin this certificate"): Does(
        "connections.(show|show_new)", "The fingerprint is filled in", keeps=True
    ),
    ("connections", "Save"): Does(
        "connections.show", "is saved", writes=writes("connections", "audit")
    ),
    ("connections", "Test connection"): Does("connections.test", "Not tested", keeps=True),
    ("connections", "Delete .+"): Does(
        "connections.show_list",
        "is deleted",
        writes=writes("connections", "audit"),
        drops="what was typed is of the connection that is deleted",
    ),
    ("mappings", "Next"): Does("mappings.show_new", "Connection: .*Restore job"),
    ("mappings", "Search QRadar's rules"): Does(
        "mappings.(show|show_new)",
        "of 2 rules match",
        may=writes("console_rules", "qradar"),
        keeps=True,
    ),
    ("mappings", "Read again"): Does(
        "mappings.(show|show_new)",
        "The list of rules was read from QRadar just now",
        may=writes("console_rules", "qradar"),
        keeps=True,
    ),
    ("mappings", "Choose"): Does("mappings.(show|show_new)", "id 10023[12]", keeps=True),
    ("mappings", "Show all jobs"): Does(
        "mappings.(show|show_new)", "Nightly", asks=("client",), keeps=True
    ),
    ("mappings", "Show restore jobs only"): Does(
        "mappings.(show|show_new)", "restore nothing", asks=("client",), keeps=True
    ),
    ("mappings", "Search jobs"): Does("mappings.(show|show_new)", asks=("client",), keeps=True),
    ("mappings", "Save"): Does(
        "mappings.show_list", "is saved", writes=writes("mappings", "audit")
    ),
    ("mappings", "Delete .+"): Does(
        "mappings.show_list",
        "is deleted",
        writes=writes("mappings", "audit"),
        drops="what was typed is of the mapping that is deleted",
    ),
    ("set_up", "Test (prod|bare)"): Does("connections.test", TESTED, may=writes("connections")),
    ("set_up", "(Set up|Update) the custom action"): Does(
        "set_up.show", "is on the console", writes=writes("settings", "trigger_tokens", "audit")
    ),
    ("set_up", "Remove the custom action"): Does(
        "set_up.show",
        "is removed",
        may=writes("mappings"),
        writes=writes("settings", "trigger_tokens", "audit"),
    ),
    ("set_up", "Remove safeguarded-restore-.+"): Does(
        "set_up.show",
        "The authorized service .* is removed",
        writes=writes("settings", "trigger_tokens", "audit"),
    ),
    ("set_up", "Simulate an attack"): Does(
        "simulation.show", "Simulation", writes=writes("triggers"), may=MOVED
    ),
    ("simulation", "Simulate again"): Does(
        "simulation.show", "Simulation", writes=writes("triggers"), may=MOVED
    ),
    **{
        (part, words): Does(f"{part}.show", said, writes=MODE)
        for part in ("set_up", "settings")
        for words, said in {
            "Arm the app": "The app is armed",
            "Only observe": "The app is observing",
            "Disarm the app": "The app is disarmed",
        }.items()
    },
    ("settings", "Make a trigger token"): Does(
        "settings.new_token", "New trigger token typed", writes=writes("trigger_tokens", "audit")
    ),
    ("settings", "Revoke .+"): Does(
        "settings.show", "is revoked", writes=writes("trigger_tokens", "audit")
    ),
    ("settings", "(Store|Replace) the service token"): Does(
        "settings.show", "is stored", writes=writes("qradar", "audit")
    ),
    ("settings", "Remove it"): Does(
        "settings.show", "The service token is removed", writes=writes("qradar", "audit")
    ),
    ("settings", "Save the operator roles"): Does(
        "settings.show", "The operator roles are saved", writes=MODE
    ),
    ("settings", "Save the language"): Does("settings.show", "language is saved", may=MODE),
    ("settings", "Save the ids"): Does("settings.show", "own events are saved", writes=MODE),
    ("settings", "Switch on"): Does("settings.show", "log are on", writes=MODE),
    ("settings", "Switch off"): Does("settings.show", "log are off", writes=MODE),
    ("runs", "Filter"): Does("runs.show_list", keeps=True),
    ("runs", "Show these"): Does("runs.show"),
    ("runs", "Approve: .+"): Does("runs.show", "queued", writes=MOVED, may=TOLD),
    ("runs", "Reject: .+"): Does("runs.show", "cancelled", writes=MOVED, may=TOLD),
    ("runs", "Cancel: .+"): Does(
        "runs.show", "cancel(led| asked for)", writes=writes("audit"), may=LEFT | MOVED | TOLD
    ),
    ("runs", "Clean up: .+"): Does("runs.show", "clean up asked for", writes=LEFT),
    ("runs", "It was started: .+"): Does("runs.show", "asked", writes=LEFT),
    ("runs", "(It was not started|Try to start it again): .+"): Does(
        "runs.show", "queued", writes=MOVED, may=TOLD
    ),
    ("runs", "Follow that job session: .+"): Does("runs.show", "asked", writes=LEFT),
    ("runs", "Clean up that job session, then start: .+"): Does(
        "runs.show", "queued", writes=MOVED
    ),
    ("runs", "Give up: .+"): Does("runs.show", "cancelled", writes=MOVED, may=TOLD),
}


@pytest.fixture
def crawl(world: World) -> Iterator[Crawl]:
    with ConsoleSimulator(jail="none") as console:
        client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=5.0)
        cookies = console.login("admin")
        world.identity.callers[cookies["SEC"]] = world.identity.callers[ADMIN]
        browser = world.client(cookies["SEC"])
        browser.set_cookie("QRadarCSRF", cookies["QRadarCSRF"])
        extensions = world.app.extensions
        extensions[EXTENSION] = replace(extensions[EXTENSION], console_api=client)
        for number, name in enumerate(("Attack on SQL", "Attack on files")):
            console.add_rule(100231 + number, name)
        world.cdm.jobs = [
            job_entry(str(number), "Restore") for number in (*range(1001, 1010), 1044)
        ]
        world.cdm.jobs += [job_entry(str(n), "Nightly", is_restore=False) for n in (1, 2)]
        entered = ENTERED | {"token": console.token("restore-service")}
        yield Crawl(world, Browser(browser), console, EXPECTED, entered)
        client.close()


def pages(crawl: Crawl) -> Iterator[str]:
    """Every address with a page, read from the app's routes."""
    for rule in crawl.world.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint in {"static", "debug"}:
            continue
        numbers = range(1, 20) if rule.arguments else range(1)
        for number in numbers:
            path = address(rule).replace("1", str(number)) if number > 1 else address(rule)
            with crawl.browser.client.get(path) as answer:
                if answer.mimetype == "text/html":
                    yield path
                if answer.status_code == 404:
                    break


def look_everywhere(crawl: Crawl, but: str = "") -> None:
    for rule in crawl.world.app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not rule.rule.startswith(("/api/", but or "/api/")):
            crawl.submit_nothing(address(rule))
    for path in [*pages(crawl), "/nothing/here", "/mappings/new?connection=1"]:
        crawl.open(path)
    crawl.run()


def check(crawl: Crawl) -> None:
    assert crawl.wrong == [], "\n".join(crawl.wrong)


def test_of_an_empty_app(crawl: Crawl) -> None:
    look_everywhere(crawl)
    check(crawl)


def test_of_an_app_with_connections(crawl: Crawl) -> None:
    """One with a password that was tested in vain, one without."""
    crawl.world.add_connection()
    crawl.world.store.connections.add(name="bare", host="b.example", port=8443, username="u")
    look_everywhere(crawl)
    check(crawl)


def test_of_an_app_with_all_that_can_be(crawl: Crawl) -> None:
    """A connection with open runs takes no other host: what it says to that is left out here."""
    fill(crawl.world)
    look_everywhere(crawl, but="/connections/<int:connection_id>")
    check(crawl)
    assert set(EXPECTED) - crawl.pressed == set(), "no page has these buttons any more"


def fill(world: World) -> None:
    """A run in each state that has buttons, and whatever else has one."""
    world.add_connection()
    world.store.connections.add(name="bare", host="b.example", port=8443, username="u")
    now, after_start = world.clock(), (RunState.STARTING, RunState.RESTORING)
    for number, states in enumerate(
        [
            (),
            (RunState.STARTING,),
            after_start,
            (*after_start, RunState.READY),
            (*after_start, RunState.READY, RunState.CLEANING_UP),
            (RunState.STARTING, RunState.NEEDS_DECISION),
            (RunState.STARTING, RunState.FAILED),
            (*after_start, RunState.READY, RunState.COMPLETED),
        ],
        start=1,
    ):
        to_state(world, make_run(world, number), *states)
    blocked = to_state(world, make_run(world, 9), RunState.NEEDS_DECISION)
    world.store.runs.note(blocked, blocked_by="9001")
    lines = [LogLine(str(n), now, kind, "x") for n, kind in enumerate(("INFO", "WARN"))]
    world.store.runs.add_log(1, lines)
    world.arm()
    world.add_mapping(world.store.connections.get(1), rule_id=10, needs_approval=1)
    accept(world.store, Trigger("request-0010", now, rule_id=10), now)
    noticed = Noticed(4, "New attack while run 4 is still mounted: wait.")
    of_run_4 = replace(world.store.mappings.list()[0], job_id="4")
    world.store.attacks.add(noticed, of_run_4, trigger_id=1, now=now)
    shown = WatchedOffense(1, 4711, WatchState.SHOWN, 3, 0, 0, 1, "Rule", now, "")
    world.store.watch.keep(shown)
    world.store.tokens.new("by hand", by="anna", now=now)
