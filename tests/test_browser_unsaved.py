# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What is typed into one form of a page is not lost by another's button unasked; in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser import Person, at_the_console
from tests.site import Site
from tests.web.crawling import OWN_BUTTON

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]
_WOULD_ASK = """() => !window.dispatchEvent(new Event("beforeunload", {cancelable: true}))"""


@contextmanager
def somebody(browser: Browser, site: Site, *, script: bool = True) -> Iterator[Person]:
    with at_the_console(browser, site, "admin", java_script_enabled=script) as person:
        yield person
        assert not person.complaints


def asked(page: Page, *, leave: bool) -> list[str]:
    """The kinds of questions that the browser asks from now on, each answered so."""
    kinds = list[str]()

    def answer(question: Dialog) -> None:
        kinds.append(question.type)
        question.accept() if leave else question.dismiss()

    page.on("dialog", answer)
    return kinds


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.click()


def test_another_forms_button_asks_first(browser: Browser, site: Site) -> None:
    with somebody(browser, site) as person:
        page = person.page
        person.open("settings")
        before = site.store.settings.values().leef
        page.fill("#name", "typed")
        kinds = asked(page, leave=False)
        press(page, "Switch off" if before else "Switch on")
        expect(page.locator("#name")).to_have_value("typed")
        assert kinds == ["beforeunload"]
        assert site.store.settings.values().leef is before
        press(page, "Make a trigger token")  # a second press, of the typed text's own button
        expect(page.locator("section.good")).to_contain_text("New trigger token typed")
        assert kinds == ["beforeunload"]


def test_who_wants_to_go_on_can(browser: Browser, site: Site) -> None:
    with somebody(browser, site) as person:
        page = person.page
        person.open("set-up")
        page.locator("summary", has_text="More").click()
        page.fill("#console", "192.0.2.7")
        kinds = asked(page, leave=True)
        press(page, "Simulate an attack")
        expect(page.locator("#told")).to_contain_text("The test trigger has come in.")
        assert kinds == ["beforeunload"]


@pytest.mark.parametrize("change", ["#role-1", "#name"])
def test_a_link_asks_too(browser: Browser, site: Site, change: str) -> None:
    with somebody(browser, site) as person:
        page = person.page
        person.open("settings")
        if change == "#name":
            page.fill(change, "typed")
        else:
            page.locator(f"label[for={change[1:]}]").click()
        kinds = asked(page, leave=False)
        page.get_by_role("link", name="Runs").click()
        expect(page.locator("h1")).to_have_text("Settings")
        assert kinds == ["beforeunload"]


def test_what_came_back_unsaved_is_typed_still(browser: Browser, site: Site) -> None:
    with somebody(browser, site) as person:
        page = person.page
        person.open("connections/new")
        page.fill("#host", "cdm.example")
        press(page, "Save")
        expect(page.locator("#errors")).to_be_focused()
        kinds = asked(page, leave=False)
        page.get_by_role("link", name="Runs").click()
        expect(page.locator("#host")).to_have_value("cdm.example")
        assert kinds == ["beforeunload"]


def test_who_has_typed_nothing_is_not_asked(browser: Browser, site: Site) -> None:
    with somebody(browser, site) as person:
        for path in set(site.pages()) - {"nothing/here"}:  # a 404 is complained of
            person.open(path)
            assert not person.page.evaluate(_WOULD_ASK), path


@pytest.mark.parametrize(("path", "forms"), [("settings", 5), ("set-up", 1)])
def test_without_the_script_the_forms_say_so(
    browser: Browser, site: Site, path: str, forms: int
) -> None:
    with somebody(browser, site, script=False) as person:
        person.open(path)
        for summary in person.page.locator("summary").all():
            summary.click()
        said = person.page.get_by_text(OWN_BUTTON)
        expect(said).to_have_count(forms)
        expect(said.last).to_be_visible()
    with somebody(browser, site) as person:
        person.open(path)
        for one in person.page.get_by_text(OWN_BUTTON).all():
            expect(one).to_be_hidden()
