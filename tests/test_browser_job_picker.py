# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Picking a restore job with the keyboard, with and without the page's script."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import at_the_console
from tests.looks import LOOKS, Look, faults, in_each_width
from tests.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]

WIDE = {"width": 1600, "height": 900}


def person_at(browser: Browser, site: Any, **options: Any) -> Any:
    return at_the_console(browser, site, "admin", **{"viewport": WIDE} | options)


def mapping_of(site: Site, job_id: str) -> int:
    """The mapping to a job."""
    return next(one.id for one in site.store.mappings.list() if one.job_id == job_id)


def chosen(page: Page) -> str:
    return page.locator("input[name=job_id]:checked").input_value()


def test_enter_searches_in_the_search_field_and_saves_in_every_other(
    browser: Browser, site: Site
) -> None:
    with person_at(browser, site) as person:
        page, mapping_id = person.page, mapping_of(site, "1045")
        person.open(f"mappings/{mapping_id}")
        page.fill("#name", "Renamed")
        for words, count in (("payroll", 2), ("payroll", 2), ("", 5)):
            page.fill("#job_q", words)
            page.press("#job_q", "Enter")
            expect(page.locator("input[name=job_id]")).to_have_count(count)
            expect(page.locator("#name")).to_have_value("Renamed")
        assert chosen(page) == "1045"
        assert site.store.mappings.get(mapping_id).name != "Renamed"

        page.fill("#job_q", "payroll")
        page.press("#name", "Enter")
        expect(page.get_by_text("Mapping Renamed is saved.")).to_be_visible()
        assert not person.complaints


def test_without_the_script_it_is_the_same_as_long_as_nothing_is_searched_for(
    browser: Browser, site: Site
) -> None:
    with person_at(browser, site, java_script_enabled=False) as person:
        page = person.page
        person.open(f"mappings/{mapping_of(site, '1046')}")
        page.fill("#name", "By hand")
        page.fill("#job_q", "payroll")
        page.press("#job_q", "Enter")
        expect(page.locator("input[name=job_id]")).to_have_count(2)
        expect(page.locator("#name")).to_have_value("By hand")
        page.fill("#job_q", "")
        page.press("#job_q", "Enter")
        expect(page.locator("input[name=job_id]")).to_have_count(5)
        page.press("#name", "Enter")
        expect(page.get_by_text("Mapping By hand is saved.")).to_be_visible()


def test_a_job_is_reached_and_chosen_with_the_keyboard_alone(browser: Browser, site: Site) -> None:
    with person_at(browser, site) as person:
        page = person.page
        person.open(f"mappings/{mapping_of(site, '1044')}")
        page.get_by_role("button", name="Show all jobs").click()
        page.focus("#job_q")
        page.keyboard.press("Tab")
        expect(page.locator("#look")).to_be_focused()
        for _ in range(3):  # the table can be scrolled, so it can be focused; then the chosen job
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "job_id":
                break
        assert chosen(page) == "1044"
        seen = []
        for _ in range(5):
            page.keyboard.press("ArrowDown")
            seen.append(chosen(page))
        assert sorted(seen) == ["1044", "1045", "1046", "1047", "1048"]  # and never a backup
        assert page.locator("input[name=job_id][disabled]").count() == 1
        group = page.get_by_role("group", name="Restore job")
        pinned = group.get_by_role("radio", name="ERP of last week")
        expect(pinned).to_have_accessible_description(re.compile("NOT the latest"))


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_an_error_leads_to_the_group_of_jobs(browser: Browser, site: Site, look: Look) -> None:
    size = {"width": look.width, "height": 900}
    with person_at(browser, site, viewport=size, color_scheme=look.theme) as person:
        page = person.page
        person.open(f"mappings/new?connection=1&ui=new&theme={look.theme}")
        page.fill("#name", "Without a job")
        page.get_by_role("button", name="Save").click()
        page.locator("#errors a").first.click()
        group = page.get_by_role("group", name="Restore job")
        expect(group).to_be_focused()
        described = (group.get_attribute("aria-describedby") or "").split()
        assert "must be chosen" in page.locator(f"#{described[0]}").inner_text()
        for each in in_each_width(page, look):
            wrong = faults(page)
            assert not wrong, "\n".join([str(each), *wrong])
