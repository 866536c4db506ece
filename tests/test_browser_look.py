# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Every page in a real browser, both themes, narrow and wide: accessible, quiet, in bounds."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.web.frame.presentation import outside
from tests.browser import Person, at_the_console
from tests.looks import LOOKS, Look, faults, in_each_width, keep_picture
from tests.site import HOSTILE, Site, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("hostile"), HOSTILE) as served:
        yield served


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("month"), past=30) as served:
        yield served


def person_at(browser: Browser, site: Any, width: int, **options: Any) -> Any:
    return at_the_console(
        browser, site, "admin", viewport={"width": width, "height": 900}, **options
    )


def look_at(
    person: Person, path: str, look: Look, prefix: str = "", *, widths: bool = True
) -> list[str]:
    """Open a page and give what is wrong with it; ``widths``: in the other width too."""
    person.open(f"{path}{'&' if '?' in path else '?'}ui=new&theme={look.theme}")
    plain = "".join(letter if letter.isalnum() else "-" for letter in path).strip("-")
    found = []
    for each in in_each_width(person.page, look) if widths else [look]:
        keep_picture(person.page, f"{prefix}{plain or 'overview'}", each)
        wrong = faults(person.page, usual=not prefix.startswith("hostile"))
        found += [f"{path}, {each}: {fault}" for fault in wrong]
    return found


def said_by_browser(person: Person) -> list[str]:
    """Its complaints but for the answer 404, which one of the pages is about."""
    return [one for one in person.complaints if "nothing/here" not in one]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_page_is_accessible_and_in_bounds(browser: Browser, site: Site, look: Look) -> None:
    """No violation of WCAG 2.1 AA that axe-core finds, nothing to scroll sideways, no complaint."""
    wrong = []
    with person_at(browser, site, look.width) as person:
        for path in site.pages():
            wrong += look_at(person, path, look)
        wrong += said_by_browser(person)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_page_in_german_too(browser: Browser, site: Site, look: Look) -> None:
    """Its words are longer: nothing bursts, is cut off or broken."""
    wrong = []
    with person_at(browser, site, look.width, locale="de-DE") as person:
        for path in site.pages():
            wrong += look_at(person, path, look, "german-", widths=False)
            if person.page.locator("html").get_attribute("lang") != "de":
                wrong.append(f"{path} is not in German")
        wrong += said_by_browser(person)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_hostile_values_break_no_page(browser: Browser, hostile: Site, look: Look) -> None:
    """Markup, marks that turn text round, and 10,000 characters stay text inside the layout."""
    wrong = []
    with person_at(browser, hostile, look.width) as person:
        for path in hostile.pages():
            wrong += look_at(person, path, look, "hostile-")
            if person.page.locator("main b").count():
                wrong.append(f"{path}: markup from outside")
            if "\u202e" in person.page.locator("main").inner_text():
                wrong.append(f"{path}: a mark that turns text round")
        person.open("connections/new")
        person.page.get_by_label("Address", exact=True).fill("cdm.example")
        person.page.get_by_role("button", name="Show certificate").click()
        expect(person.page.get_by_text("Issued to")).to_be_visible()
        for each in in_each_width(person.page, look):
            keep_picture(person.page, "hostile-certificate", each)
            wrong += [f"certificate, {each}: {one}" for one in faults(person.page, usual=False)]
        wrong += said_by_browser(person)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_month_of_history(browser: Browser, month: Site, look: Look) -> None:
    """Both charts with something to show, and a full page of runs."""
    with person_at(browser, month, look.width) as person:
        wrong = look_at(person, "runs", look, "month-")
        open_tables(person.page)
        for each in in_each_width(person.page, look):
            wrong += [f"opened, {each}: {fault}" for fault in faults(person.page)]
        wrong += said_by_browser(person)
    assert not wrong, "\n".join(wrong)


def open_tables(page: Page) -> None:
    """Open what the charts show as tables."""
    for title in ("Runs per day by outcome", "Time from receipt to ready"):
        page.get_by_text(f"{title} as a table").click()
        expect(page.get_by_role("region", name=f"{title} as a table")).to_be_visible()


def test_in_the_consoles_frame_the_theme_is_kept(browser: Browser, site: Site) -> None:
    """QRadar tells the theme with the first address only; links within the frame keep it."""
    with person_at(browser, site, 800) as person:
        person.page.goto(f"{site.console.url}/console/?theme=dark")
        root = person.app.locator("html")
        expect(root).to_have_attribute("data-theme", "dark")
        person.app.get_by_role("link", name="Runs", exact=True).click()
        expect(person.app.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
        expect(root).to_have_attribute("data-theme", "dark")
        assert root.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert said_by_browser(person) == []


def test_without_a_word_from_qradar_the_browsers_preference_counts(
    browser: Browser, site: Site
) -> None:
    colours = []
    for scheme in ("light", "dark"):
        with person_at(browser, site, 800, color_scheme=scheme) as person:
            person.page.context.clear_cookies(name="session-1001")
            person.open("runs")
            style = "getComputedStyle(document.body).backgroundColor"
            colours.append(person.page.evaluate(style))
    assert colours == ["rgb(244, 244, 244)", "rgb(22, 22, 22)"]


def test_the_keyboard_comes_first_to_the_content_and_then_through_the_menu(
    browser: Browser, site: Site
) -> None:
    with person_at(browser, site, 800) as person:
        person.open("help")
        person.page.keyboard.press("Tab")
        skip = person.page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        box = skip.bounding_box()
        assert box is not None
        assert box["width"] > 100
        person.page.keyboard.press("Enter")
        expect(person.page.locator("#main")).to_be_focused()


def test_pages_work_without_javascript(browser: Browser, site: Site) -> None:
    with person_at(browser, site, 800, java_script_enabled=False) as person:
        person.open("runs")
        person.page.get_by_role("link", name="Run 1", exact=True).click()
        expect(person.page.get_by_role("heading", level=1)).to_contain_text("Run 1")


def test_a_change_is_shown_and_said_and_the_focus_stays(browser: Browser, site: Site) -> None:
    """What somebody has opened or stands on is not replaced under their hands."""
    with person_at(browser, site, 1600) as person:
        person.open("runs/5")
        summary = person.page.locator("summary", has_text="Cancel").first
        summary.click()
        site.store.runs.note(site.store.runs.get(5), offense_id=4711)
        expect(person.page.get_by_text("Offense 4711")).to_be_visible(timeout=15_000)
        expect(summary).to_be_focused()
        expect(person.page.locator("details.ask[open]")).to_have_count(1)
        expect(person.page.locator("#said")).to_be_empty()


def test_an_error_leads_to_its_field(browser: Browser, site: Site) -> None:
    with person_at(browser, site, 800) as person:
        person.open("connections/new")
        person.page.get_by_role("button", name="Save").click()
        expect(person.page.locator("#errors")).to_be_focused()
        person.page.locator("#errors a").first.click()
        field = person.page.locator("#name")
        expect(field).to_have_attribute("aria-invalid", "true")
        described = (field.get_attribute("aria-describedby") or "").split()
        assert "name-error" in described
        wrong = faults(person.page)
        assert not wrong, "\n".join(wrong)


def test_the_first_paint_is_light_and_kept(browser: Browser, site: Site) -> None:
    """HTML below 60 kB, style sheets and script below 80 kB as sent; then only pages are asked."""
    sent: dict[str, int] = {}

    def note(answer: Any) -> None:
        if not answer.from_service_worker and "/static/" in answer.url:
            sent[answer.url] = int(answer.headers["content-length"])

    with person_at(browser, site, 1600) as person:
        person.page.on("response", note)
        for path in site.pages():
            person.open(path)
            assert len(person.page.content().encode()) < 60_000, path
        light = {url: size for url, size in sent.items() if ".css" in url or ".js" in url}
        assert len(light) == 3
        assert 0 < sum(light.values()) < 80_000
        assert all("?v=" in url for url in light)


def test_what_is_sent_compressed_is_the_file(site: Site) -> None:
    with site.app.test_client() as client:
        plain = client.get("/static/carbon/carbon.css")
        small = client.get("/static/carbon/carbon.css", headers={"Accept-Encoding": "gzip"})
        again = client.get("/static/app.css", headers={"If-None-Match": "x"})
    assert gzip.decompress(small.data) == plain.data
    assert plain.headers["ETag"] != small.headers["ETag"]
    assert again.status_code == 200


def test_no_value_reorders_its_neighbours(browser: Browser) -> None:
    """As Chromium lays them out: each piece of a line begins to the right of the one before."""
    hebrew, arabic_number = "\u05d0\u05d1", "\u0661\u0662"
    values = [hebrew, f"{hebrew} 12", f"12 {hebrew}", arabic_number, "(1) x", "42", "!?", "SQL"]
    lines = [
        f"<p><i>a</i> <i>{outside(one)}</i>, <i>{outside(other)}</i> <i>(7)</i> <i>z</i></p>"
        for one in values
        for other in values
    ]
    sentence = str(outside(f"rule {hebrew} (100231) fired"))
    for piece in (hebrew, "(100231)"):
        sentence = sentence.replace(piece, f"<i>{piece}</i>")
    lines.append(f"<p>{sentence}</p>")
    page = browser.new_page()
    page.set_content("".join(lines))
    wrong = page.evaluate(
        """() => Array.from(document.querySelectorAll("p")).filter(line => {
            const letters = Array.from(line.querySelectorAll("i"));
            const at = letters.map(one => one.getBoundingClientRect().left);
            return at.some((left, i) => i && left <= at[i - 1]);
        }).map(line => line.innerHTML)"""
    )
    page.close()
    assert wrong == []
