# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What QRadar's page of an offense shows of ours, in a real browser: fragment and button."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Person, at_the_console
from tests.site import APP_ID, Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def open_offense(site: Site, person: Person) -> int:
    """An offense that the first run belongs to, opened in the console."""
    number = site.console.fire_rule(100231, "Attack", event={}).wait_for_offense()
    assert number is not None
    site.store.runs.note(site.store.runs.get(1), offense_id=number)
    person.page.goto(f"{site.console.url}/console/do/sem/offensesummary?summaryId={number}")
    return number


def press(person: Person) -> Page:
    return person.new_tab(person.page.get_by_role("button", name="Restores").click)


@pytest.mark.parametrize("sent", ["appContext", "context", "both"])
def test_the_button_leads_to_the_offenses_restores(site: Site, browser: Browser, sent: str) -> None:
    site.console.switches.button_argument = sent
    with at_the_console(browser, site, "analyst") as analyst:
        number = open_offense(site, analyst)
        opened = press(analyst)
        expect(opened).to_have_url(re.compile(rf"/{APP_ID}/app_proxy/runs\?offense_id={number}$"))
        expect(opened.get_by_role("link", name="Run 1")).to_be_visible()
        assert analyst.complaints == []


def test_a_button_that_names_no_offense_says_so(site: Site, browser: Browser) -> None:
    site.console.switches.button_argument = "none"
    with at_the_console(browser, site, "analyst") as analyst:
        open_offense(site, analyst)
        opened = press(analyst)
        expect(opened.get_by_role("heading", name="No offense was given.")).to_be_visible()
        assert analyst.complaints == []
