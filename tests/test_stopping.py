# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""CDM, QRadar or the worker stops under one's feet: a sentence on the open page, within 30 s.

Real processes, and a real browser with the overview in the console's frame and a run in a tab of
its own. The pages stay, and are as before once what was stopped is back, without a hand.
"""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.browser import Person, at_the_console
from tests.simulators.console import PathSwitch
from tests.site import running
from tests.world import World, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(300)]
MakeWorld = Callable[..., World]
IN_TIME_MS = 30_000
A_MINUTE_AND_MORE_MS = 90_000


def tab(person: Person, path: str) -> Page:
    """A page of the app in a tab of its own."""
    page = person.page.context.new_page()
    page.on("console", lambda said: said.type != "error" or person.complaints.append(said.text))
    page.goto(person.world.url(path))
    return page


def tile(page: Page | FrameLocator, title: str) -> Locator:
    """A part of the overview's strip."""
    return page.locator(".strip li").filter(has_text=title)


def start_a_run(world: World) -> None:
    assert world.trigger("request-0001", rule_id=100231).status_code == 202
    wait_for(lambda: world.runs()[0]["job_session_id"])


def test_a_cdm_that_stops(make_world: MakeWorld, browser: Browser) -> None:
    """While nothing is open; in the middle of a restore; and it hangs while a copy is mounted."""
    world = make_world(restore_seconds=20.0)
    with at_the_console(browser, world, "analyst") as analyst:
        cdm = tile(analyst.app, "CDM prod")
        expect(cdm).to_contain_text("Answered", timeout=IN_TIME_MS)
        expect(cdm).to_contain_text("for 364 more days", timeout=IN_TIME_MS)

        world.cdm.stop()
        expect(cdm).to_contain_text("Last answer:", timeout=IN_TIME_MS)
        expect(cdm).to_contain_text("CDM at cdm.example:8443")
        world.cdm.start()
        expect(cdm).to_contain_text("Answered", timeout=IN_TIME_MS)

        start_a_run(world)
        run = tab(analyst, "runs/1")
        world.cdm.stop()
        expect(run.get_by_text("Contact with CDM was lost").first).to_be_visible(timeout=IN_TIME_MS)
        expect(cdm).to_contain_text("Last answer:", timeout=IN_TIME_MS)
        world.cdm.start()
        expect(run.get_by_text("ready in the clean room").first).to_be_visible(
            timeout=2 * IN_TIME_MS
        )
        expect(run.get_by_text("Contact with CDM was lost")).to_have_count(0)
        expect(cdm).to_contain_text("Answered", timeout=IN_TIME_MS)

        # The network takes what is sent, and nothing comes back.
        world.cdm.add_fault("hang", times=None)
        # While it is asked, and once the call has come to its time-out after ten seconds.
        silent = re.compile("has said nothing for more than 8 s|did not answer in time")
        expect(cdm).to_contain_text(silent, timeout=IN_TIME_MS)
        expect(run.locator("#first")).to_contain_text(silent, timeout=IN_TIME_MS)
        world.cdm.switches.faults.clear()
        world.cdm.release()
        expect(cdm).to_contain_text("Answered", timeout=2 * IN_TIME_MS)
        assert len(world.cdm.starts) == 1
        assert analyst.complaints == []


def test_a_console_that_does_not_answer(make_world: MakeWorld, browser: Browser) -> None:
    """Its proxy still serves. First 500, then nobody listens, then it hangs; then it is back."""
    world = make_world(restore_seconds=0.3)
    start_a_run(world)
    with at_the_console(browser, world, "analyst") as analyst:
        run, qradar = tab(analyst, "runs/1"), tile(analyst.app, "QRadar")
        expect(qradar).to_contain_text("QRadar has told within the last minute")
        expect(qradar).to_contain_text("The console's certificate is valid until")

        world.console.switches.paths = {"/api/": PathSwitch(status=500)}
        silent = re.compile("QRadar does not answer: The console answered HTTP 500.+Last answer: ")
        expect(qradar).to_contain_text(silent, timeout=IN_TIME_MS)
        expect(run.get_by_text(silent).first).to_be_visible(timeout=IN_TIME_MS)

        world.console.switches.paths = {"/api/": PathSwitch(down=True)}
        expect(qradar).to_contain_text("can't be reached", timeout=IN_TIME_MS)

        # Whoever comes anew is told why there is nothing to be seen, and what to do.
        world.console.switches.paths = {"/api/": PathSwitch(hang=True)}
        with at_the_console(browser, world, "admin") as admin:
            expect(admin.app.get_by_role("heading", name="Not available just now")).to_be_visible(
                timeout=IN_TIME_MS
            )
            for words in ("who you are", "does not answer in time", "comes by itself"):
                expect(admin.app.locator("#live").get_by_text(words).first).to_be_visible()

            # After its minute nothing can be shown anew: what was shown stays, and says of when.
            for page in (analyst.app, run):
                stale = page.locator("#stale")
                expect(stale).to_be_visible(timeout=A_MINUTE_AND_MORE_MS)
                expect(stale).to_contain_text("can't ask the QRadar console who you are")
                expect(stale).to_contain_text("does not answer in time")
                expect(stale).to_contain_text("What is shown here is what was known at 20")
            expect(analyst.app.get_by_role("link", name="Run 1").first).to_be_visible()
            expect(run.get_by_role("heading", name="Run 1")).to_be_visible()

            world.console.switches.paths = {}
            expect(qradar).to_contain_text("QRadar has told within", timeout=IN_TIME_MS)
            expect(analyst.app.locator("#stale")).to_be_hidden()
            expect(run.locator("#stale")).to_be_hidden(timeout=IN_TIME_MS)
            expect(run.locator("main")).not_to_contain_text("QRadar does not answer")
            overview = admin.app.get_by_role("heading", name="Overview")
            expect(overview).to_be_visible(timeout=IN_TIME_MS)
            # The page itself was a 503, as it should be; its refreshes were none.
            assert len(admin.complaints) == 1, admin.complaints
        assert analyst.complaints == []


def test_a_worker_that_hangs(make_world: MakeWorld, browser: Browser) -> None:
    """One that is killed is started again by supervisord; this one is stopped."""
    world = make_world(restore_seconds=600.0)
    start_a_run(world)
    with at_the_console(browser, world, "analyst") as analyst:
        run, words = tab(analyst, "runs/1"), "The worker is not running"
        expect(tile(analyst.app, "Worker at work")).to_be_visible(timeout=IN_TIME_MS)
        worker = world.container.processes()["worker"][0]
        os.kill(worker, signal.SIGSTOP)
        try:
            expect(tile(analyst.app, "Worker not running")).to_contain_text(
                words, timeout=IN_TIME_MS
            )
            expect(run.get_by_text(words).first).to_be_visible(timeout=IN_TIME_MS)
        finally:
            os.kill(worker, signal.SIGCONT)
        expect(tile(analyst.app, "Worker at work")).to_be_visible(timeout=IN_TIME_MS)
        expect(run.locator("main")).not_to_contain_text(words, timeout=IN_TIME_MS)

        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: world.container.processes().get("worker", [worker])[0] != worker)
        wait_for(lambda: world.get("api/v1/health").json()["worker"]["ok"])
        expect(tile(analyst.app, "Worker at work")).to_be_visible(timeout=IN_TIME_MS)
        assert analyst.complaints == []


def test_a_page_whose_app_cannot_be_reached_at_all(browser: Browser, tmp_path: Path) -> None:
    """Nobody answers whom the page could quote: its own words, and it goes on by itself."""
    with running(tmp_path) as site, at_the_console(browser, site, "analyst") as analyst:
        heading = analyst.app.get_by_role("heading", name="Overview")
        stale = analyst.app.locator("#stale")
        expect(heading).to_be_visible()
        expect(stale).to_be_hidden()
        for switch in (PathSwitch(down=True), PathSwitch(status=502), PathSwitch(hang=True)):
            site.console.switches.paths = {"/console/plugins": switch}
            expect(stale).to_contain_text("QRadar's console can't be reached", timeout=IN_TIME_MS)
            expect(stale).to_be_visible(timeout=IN_TIME_MS)
            expect(heading).to_be_visible()
            site.console.switches.paths = {}
            expect(stale).to_be_hidden(timeout=IN_TIME_MS)
