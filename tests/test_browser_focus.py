# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""After anything was asked for, focus and view are on what the app says to it, once; in a browser.

With the page's script and without it.
"""

import re
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser, Page, expect

from app.restore.model import Mode
from tests.browser import Person, at_the_console
from tests.site import Site
from tests.walk import open_ask

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]

with_and_without_script = pytest.mark.parametrize("script", [True, False], ids=["script", "none"])
_SAID_ELSEWHERE = """words => Array.from(
    document.querySelectorAll("[role=status], [role=alert], [aria-live]")).filter(
    one => one.textContent.includes(words) || one.contains(document.activeElement)).length"""


def somebody(browser: Browser, site: Site, *, script: bool) -> AbstractContextManager[Person]:
    """A low window, so that a page does not show all that it has."""
    size = {"width": 800, "height": 400}
    return at_the_console(browser, site, "admin", viewport=size, java_script_enabled=script)


def said(page: Page, place: str, words: str) -> None:
    """The place has focus and view, says this, and nothing else says it as well."""
    part = page.locator(place)
    expect(part).to_contain_text(words)
    expect(part).to_be_focused()
    expect(part).to_be_in_viewport()
    assert page.evaluate(_SAID_ELSEWHERE, words) == 0


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.click()


@with_and_without_script
def test_what_was_done_is_told_where_the_focus_is(
    browser: Browser, site: Site, script: bool
) -> None:
    with somebody(browser, site, script=script) as person:
        page = person.page
        person.open("connections/1")
        press(page, "Save")
        said(page, "#told", "is saved.")
        mapping = next(one for one in site.store.mappings.list() if one.job_id == "1044")
        person.open(f"mappings/{mapping.id}")
        press(page, "Save")
        said(page, "#told", "is saved.")
        person.open("set-up")
        armed = site.store.settings.mode is Mode.ARMED
        open_ask(page, "Observe" if armed else "Arm")
        press(page, "Only observe" if armed else "Arm the app")
        said(page, "#told", "The app is observing" if armed else "The app is armed.")
        press(page, "Simulate an attack")
        said(page, "#told", "The test trigger has come in.")
        person.open("settings")
        page.fill("#name", f"a token {script}")
        press(page, "Make a trigger token")
        said(page, "section.good", f"New trigger token a token {script}")
        assert not person.complaints


@with_and_without_script
def test_what_is_asked_of_a_run_is_told_where_the_focus_is(
    browser: Browser, site: Site, script: bool
) -> None:
    """Each asks for something of its own: the site is the same for both."""
    run, words, told = (4, "Cancel", "ancel") if script else (5, "Cancel", "ancelled")
    with somebody(browser, site, script=script) as person:
        person.open(f"runs/{run}")
        open_ask(person.page, words)
        person.page.get_by_role("button", name=re.compile(f"^{words}: ")).click()
        said(person.page, "#told", told)
        assert not person.complaints


@with_and_without_script
def test_what_is_wrong_is_told_where_the_focus_is(
    browser: Browser, site: Site, script: bool
) -> None:
    with somebody(browser, site, script=script) as person:
        page = person.page
        person.open("connections/1")
        page.fill("#port", "none")
        press(page, "Save")
        said(page, "#errors", "Port must be")
        press(page, "Show certificate")
        said(page, "#errors", "Port must be")
        page.fill("#port", "8443")
        page.locator("#trust").get_by_text("By a CA certificate").first.click()
        page.fill("#ca_pem", "none")
        press(page, "Save")
        said(page, "#errors", "CA certificate")


@with_and_without_script
def test_show_certificate_leads_to_what_it_found(
    browser: Browser, site: Site, script: bool
) -> None:
    with somebody(browser, site, script=script) as person:
        page = person.page
        person.open("connections/new")
        page.fill("#host", "cdm.example")
        press(page, "Show certificate")
        said(page, "#certificate", "CN=Storage CA")
        press(page, "Pin this certificate")
        said(page, "#told", "The fingerprint is filled in below.")
        person.open("connections/1")
        press(page, "Test connection")
        said(page, "h2:focus", "Test of the connection")
        press(page, "Show certificate")
        said(page, "#certificate", "CN=Storage CA")
        assert not person.complaints


def test_only_the_fields_of_the_chosen_trust_are_shown(browser: Browser, site: Site) -> None:
    with somebody(browser, site, script=True) as person:
        page = person.page
        person.open("connections/new")
        shown = {"ca_pem": False, "ca_file": False, "fingerprint": False}
        for words, own in (
            ("By the CAs", ()),
            ("By a CA certificate", ("ca_pem", "ca_file")),
            ("Only this very certificate", ("fingerprint",)),
            ("By the CAs", ()),
        ):
            page.locator("#trust").get_by_text(words).first.click()
            for name in shown:
                expect(page.locator(f"#{name}")).to_be_visible(visible=name in own)
        expect(page.get_by_text("Not used: only if")).to_have_count(2)
        expect(page.get_by_text("Not used: only if").first).to_be_hidden()


def test_without_the_script_the_fields_say_when_they_are_used(browser: Browser, site: Site) -> None:
    with somebody(browser, site, script=False) as person:
        page = person.page
        person.open("connections/new")
        group = page.get_by_role("group", name="Only this very certificate")
        expect(group).to_contain_text("Not used: only if “Only this very certificate")
        expect(group.get_by_label("Fingerprint")).to_be_visible()
        page.fill("#host", "cdm.example")
        press(page, "Show certificate")
        press(page, "Pin this certificate")
        expect(group).to_contain_text("Used now")
