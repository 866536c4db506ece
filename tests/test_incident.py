# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole incident as people see it: an attack, a copy, a clean-up, a lost answer, the history.

In a real browser, through the console's own log-in and iframe, in both themes, narrow and wide.
Every look has a world of its own, so that they can run beside each other.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.looks import LOOKS, Look
from tests.simulators.console import Firing
from tests.simulators.container import Image
from tests.test_offense_end_to_end import store_service_token
from tests.walk import SOON_MS, Place, Walk, go_to, open_ask, part, walking
from tests.world import RULE_ID, RULE_NAME, World, wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.jail,
    pytest.mark.timeout(400),
]
JOB = "SQL clean-room restore"
ATTACK = [(RULE_ID, RULE_NAME), (RULE_ID + 1, "Ransom note on a file share")]
SECOND = (RULE_ID + 2, "Mass deletion on the payroll database")


@pytest.fixture
def world(image: Image) -> Iterator[World]:
    """Set up and armed: three rules start one job, role Restore operators may operate."""
    with World(image, restore_seconds=40.0, jail=True) as world:
        document = world.document(cooldown_s=900)
        (mapping,) = document["mappings"]
        rule_id, rule_name = ATTACK[1]
        twin = {**mapping, "name": "Ransom note", "rule_id": rule_id, "rule_name": rule_name}
        rule_id, rule_name = SECOND
        other = {**mapping, "name": "Deletion", "rule_id": rule_id, "rule_name": rule_name}
        document["mappings"] += [twin, {**other, "cooldown_s": 0}]
        document["settings"]["operator_roles"] = ["Restore operators"]
        world.configure("import", "-", text=json.dumps(document))
        world.install_action()
        for rule_id, rule_name in (ATTACK[1], SECOND):
            world.console.add_rule(rule_id, rule_name, action=world.action_id)
        store_service_token(world)
        world.cdm.switches.pending_seconds, world.cdm.switches.clean_up_seconds = 0.5, 5.0
        yield world


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_an_incident(world: World, browser: Browser, look: Look) -> None:
    with walking(browser, world, "analyst", look, "incident") as analyst:
        run = under_attack(world, analyst)
        ready(world, analyst, run)
        offense = from_the_offense(analyst)
        reads_the_run(analyst, offense)
        with walking(browser, world, "operator", look, "incident") as operator:
            clean_up(operator)
            lost_answer(world, operator, analyst)
            history(operator)


# --- the analyst ------------------------------------------------------------------------------


def under_attack(world: World, analyst: Walk) -> Page:
    """Twenty events, two rules: one run comes up by itself; it is opened in a tab of its own."""
    app = analyst.app
    expect(app.get_by_text("No restore is under way.")).to_be_visible()
    analyst.station("calm")
    stands_on = app.get_by_role("link", name="Runs", exact=True)
    stands_on.focus()

    firings = [world.fire(*rule, username=f"svc_{n}") for n in range(10) for rule in ATTACK]

    row = under_way(app)
    expect(row).to_contain_text("restoring", timeout=SOON_MS)
    expect(stands_on).to_be_focused()
    link = row.get_by_role("link", name="Run 1")
    run = analyst.person.new_tab(lambda: link.click(modifiers=["ControlOrMeta"]))
    expect(run.get_by_role("heading", level=1)).to_have_text(f"Run 1: {JOB}")
    run.get_by_role("navigation", name="Breadcrumb").get_by_role("link").focus()
    expect(part(run, "CDM's log")).not_to_contain_text("answers slowly")
    world.cdm.add_log_entry(session_of(world), "WARN", "The target host answers slowly.")

    assert {said(firing)[:9] for firing in firings} == {"accepted:", "already_r"}
    expect(row.get_by_role("cell").last).to_have_text("19", timeout=SOON_MS)
    expect(row.get_by_role("progressbar")).to_be_visible(timeout=SOON_MS)
    expect(row).to_contain_text(re.compile("[1-9][0-9] %"), timeout=SOON_MS)
    analyst.station("attack")
    expect(part(run, "CDM's log")).to_contain_text("answers slowly", timeout=SOON_MS)
    analyst.station("restoring", run)
    return run


def ready(world: World, analyst: Walk, run: Page) -> None:
    """Both tabs show it without a click, and neither takes the keyboard's place away."""
    world.cdm.advance_session(session_of(world), "RESOURCE ACTIVE")

    expect(under_way(analyst.app)).to_contain_text("ready in the clean room", timeout=SOON_MS)
    analyst.station("overview-ready")
    log = part(run, "CDM's log")
    expect(log).to_contain_text("The copy is mounted on the clean-room host.", timeout=SOON_MS)
    breadcrumb = run.get_by_role("navigation", name="Breadcrumb").get_by_role("link")
    expect(breadcrumb).to_be_focused()
    run.close()


def from_the_offense(analyst: Walk) -> Page:
    """Overview → offense in the console → its restores, by the button and by the summary."""
    number = under_way(analyst.app).get_by_role("link", name="Offense 1")
    expect(number).to_be_visible(timeout=2 * SOON_MS)
    offense = analyst.person.new_tab(number.click)
    expect(offense.get_by_role("heading", name="Offense 1")).to_be_visible()
    restores = offense.get_by_role("region", name="safeguarded-restore")
    expect(restores.get_by_role("row", name="Run 1")).to_contain_text("ready in the clean room")

    button = offense.get_by_role("button", name="Restores")
    runs = analyst.person.new_tab(button.click)
    expect(runs.get_by_label("Offense", exact=True)).to_have_value("1")
    expect(runs.get_by_role("row", name="Run 1")).to_have_count(1)
    analyst.station("offense-runs", runs)
    runs.close()
    return offense


def reads_the_run(analyst: Walk, offense: Page) -> None:
    link = offense.get_by_role("link", name="Run 1")
    run = analyst.person.new_tab(link.click)
    timeline = part(run, "Timeline").get_by_role("row")
    for number, state in enumerate(["ready in the clean room", "restoring", "starting", "queued"]):
        expect(timeline.nth(number + 1)).to_contain_text(state)
    expect(part(run, "Event")).to_contain_text("203.0.113.7")
    expect(part(run, "Event")).to_contain_text("svc_")
    expect(part(run, "Further triggers").get_by_role("row")).to_have_count(1 + 19)
    expect(part(run, "Further triggers")).to_contain_text("already running")
    notes = part(run, "Offense notes").get_by_role("row")
    expect(notes.filter(has_text="in the offense")).to_have_count(2, timeout=2 * SOON_MS)
    may = part(run, "What can be done")
    expect(may).to_contain_text("This needs the right to operate")
    expect(may).to_contain_text("Clean up")
    expect(may.get_by_role("button")).to_have_count(0)
    analyst.station("ready", run)

    log = part(run, "CDM's log")
    log.get_by_text("WARN (1)").click()
    log.get_by_role("button", name="Show these").click()
    lines = part(run, "CDM's log").get_by_role("row")
    expect(lines).to_have_count(1 + 1)
    expect(lines.last).to_contain_text("The target host answers slowly.")
    part(run, "CDM's log").get_by_role("link", name="Show all").click()
    expect(lines.filter(has_text="The copy is mounted")).to_have_count(1)
    run.close()
    offense.reload()
    expect(offense.get_by_role("list", name="Notes")).to_contain_text("READY")


# --- the operator -----------------------------------------------------------------------------


def clean_up(operator: Walk) -> None:
    """The button says what it does and to which job before it can be pressed; by keyboard alone."""
    app, page = operator.app, operator.person.page
    go_to(app, "Runs")
    app.get_by_role("link", name="Run 1", exact=True).click()
    summary = part(app, "What can be done").locator("summary", has_text="Clean up")
    summary.focus()
    page.keyboard.press("Enter")
    ask = part(app, "What can be done").locator("details[open]")
    expect(ask).to_contain_text(f"Restore job: {JOB} on prod, run 1.")
    operator.station("clean-up-asked")
    page.keyboard.press("Tab")
    button = ask.get_by_role("button", name=f"Clean up: {JOB}")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")

    headline = app.get_by_role("main")
    expect(headline).to_contain_text("cleaning up", timeout=SOON_MS)
    expect(part(app, "What can be done")).to_contain_text("the run has ended", timeout=SOON_MS)
    expect(part(app, "Timeline").get_by_role("row").nth(1)).to_contain_text("completed")
    expect(part(app, "Timeline").get_by_role("row").nth(2)).to_contain_text("operator")
    operator.station("cleaned-up")


def lost_answer(world: World, operator: Walk, analyst: Walk) -> None:
    """CDM loses the start's answer and shows two new sessions: a person says which is ours."""
    world.cdm.switches.sessions_per_start = 2
    world.cdm.add_fault("close", path="action=start", after=True)
    assert said(world.fire(*SECOND)).startswith("accepted:")
    wait_for(lambda: world.run(2)["state"] == "needs_decision", seconds=60)
    for page in ("Overview", "Runs", "Help"):
        go_to(analyst.app, page)
        expect(first_thing(analyst.app)).to_contain_text("Run 2")
        expect(first_thing(analyst.app)).to_contain_text("needs a decision")
        analyst.station(f"undecided-{page.lower()}")

    app = operator.app
    go_to(app, "Runs")
    first_thing(app).get_by_role("link", name="Run 2").click()
    ours = session_of(world)
    ask = open_ask(part(app, "What can be done"), "It was started: follow the job session")
    ask.locator("label").filter(has_text=ours).click()
    operator.station("decision")
    ask.get_by_role("button", name=f"It was started: follow the job session: {JOB}").click()
    expect(part(app, "Timeline")).to_contain_text(f"job session {ours}", timeout=SOON_MS)
    world.cdm.advance_session(ours, "RESOURCE ACTIVE")
    expect(part(app, "Timeline")).to_contain_text("ready in the clean room", timeout=SOON_MS)
    operator.station("decided")


def history(operator: Walk) -> None:
    """Filter, search, the charts' numbers, the table to take away, and an address that stays."""
    app = operator.app
    go_to(app, "Runs")
    expect(app.get_by_role("row", name="Run")).to_have_count(2 + 1)
    app.get_by_text("Runs per day by outcome as a table").click()
    days = app.get_by_role("region", name="Runs per day by outcome as a table")
    expect(days.get_by_role("row").filter(has_text="1").last).to_be_visible()
    operator.station("history")

    app.get_by_text("State: any").click()
    app.get_by_role("main").get_by_text("completed", exact=True).first.click()
    app.get_by_label("Text").fill("clean-room")
    app.get_by_role("button", name="Filter").click()
    expect(app.get_by_text("State: 1 chosen")).to_be_visible()
    only_run_1(app)
    operator.station("filtered")
    with operator.person.page.expect_download() as saved:
        app.get_by_role("link", name="Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text())))
    assert [(row["id"], row["state"], row["repeats"]) for row in rows] == [("1", "completed", "19")]
    again = operator.person.page.context.new_page()
    again.goto(app.url)
    only_run_1(again)
    again.close()
    app.get_by_role("link", name="Show all").click()
    expect(app.get_by_role("link", name="Run 2", exact=True)).to_be_visible()


# --- what is seen -----------------------------------------------------------------------------


def under_way(app: Place, run: str = "Run 1") -> Locator:
    """The run's row on the overview, while it is live."""
    return app.get_by_role("region", name="Restores under way").get_by_role("row", name=run)


def first_thing(app: Place) -> Locator:
    """What stands first on a page, below its menu."""
    return app.get_by_role("main").get_by_role("region", name="Needs a person")


def only_run_1(place: Place) -> None:
    expect(place.get_by_role("link", name="Run 1", exact=True)).to_have_count(1)
    expect(place.get_by_role("link", name="Run 2", exact=True)).to_have_count(0)


def session_of(world: World) -> str:
    """The newest job session at CDM."""
    newest: dict[str, Any] = world.cdm.sessions[-1]
    return str(newest["id"])


def said(firing: Firing) -> str:
    """What the custom action's script printed."""
    result = firing.wait()
    assert result is not None
    assert result.exit_code == 0, result.stdout
    return result.stdout
