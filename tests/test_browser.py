# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What people see, in a real browser, through the console's own log-in and iframe."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import at_the_console
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(180)]
MakeWorld = Callable[..., World]
SOON_MS = 30_000


def test_an_analyst_watches_the_copy_come_up(make_world: MakeWorld, browser: Browser) -> None:
    """The overview, open in the console's tab, shows the new run and its end by itself."""
    world = make_world(restore_seconds=3.0, cooldown_s=900)
    world.install_action()
    with at_the_console(browser, world, "analyst") as analyst:
        expect(analyst.app.get_by_text("SQL clean-room restore")).to_have_count(0)

        world.fire()

        run = analyst.app.get_by_role("link", name="Run 1").first
        expect(run).to_be_visible(timeout=SOON_MS)
        expect(analyst.app.get_by_text("ready in the clean room").first).to_be_visible(
            timeout=SOON_MS
        )
        run.click()
        expect(
            analyst.app.get_by_text("The copy is mounted on the clean-room host.")
        ).to_be_visible(timeout=SOON_MS)
        assert analyst.complaints == []


def test_an_administrator_cleans_up(make_world: MakeWorld, browser: Browser) -> None:
    """The button asks first, then the page shows CDM's clean-up to its end."""
    world = make_world(restore_seconds=0.3)
    world.trigger("request-0001", rule_id=100231)
    with at_the_console(browser, world, "admin") as admin:
        admin.open("runs/1")
        expect(admin.page.get_by_text("ready in the clean room").first).to_be_visible(
            timeout=SOON_MS
        )
        admin.page.reload()
        admin.page.locator("summary", has_text="Clean up").click()
        admin.page.get_by_role("button", name="Clean up").last.click()
        expect(admin.page.get_by_text("completed").first).to_be_visible(timeout=SOON_MS)
        assert admin.complaints == []


def test_a_viewer_without_the_right_is_told_which_one_is_missing(
    make_world: MakeWorld, browser: Browser
) -> None:
    """No blank page and no log-in loop: a sentence."""
    world = make_world()
    with at_the_console(browser, world, "viewer") as viewer:
        expect(viewer.app.get_by_text("Offenses").first).to_be_visible(timeout=SOON_MS)
