# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Every page in a real browser, both themes, narrow and wide: accessible, quiet, in bounds."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Person, at_the_console, chromium
from tests.site import HOSTILE, Site, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[1]
AXE = ROOT / ".build/styles/node_modules/axe-core/axe.min.js"
SCREENSHOTS = ROOT / ".build/screenshots"
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (800, 1600)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
JUDGE = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(
    found => found.violations.map(one => one.id + ": " + one.nodes.map(
        node => node.html.slice(0, 200) + " " + node.any.concat(node.all).map(
            why => why.message).join(", ")).slice(0, 3).join(" | ")))"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running_browser:
        yield running_browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("hostile"), HOSTILE) as served:
        yield served


def person_at(browser: Browser, site: Any, width: int, **options: Any) -> Any:
    return at_the_console(
        browser, site, "admin", viewport={"width": width, "height": 900}, **options
    )


def faults(page: Page) -> list[str]:
    """What is wrong with the page that is open."""
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(JUDGE, RULES)
    if (excess := page.evaluate(TOO_WIDE)) > 0:
        found.append(f"it is {excess} px too wide")
    return found


def look_at(person: Person, path: str, theme: str, name: str) -> list[str]:
    """Open a page, keep a picture of it, and give what is wrong with it."""
    person.open(f"{path}{'&' if '?' in path else '?'}ui=new&theme={theme}")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    person.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    return [f"{path}: {fault}" for fault in faults(person.page)]


def file_name(path: str, theme: str, width: int) -> str:
    plain = "".join(letter if letter.isalnum() else "-" for letter in path).strip("-")
    return f"{plain or 'overview'}-{theme}-{width}"


def said_by_browser(person: Person) -> list[str]:
    """Its complaints but for the answer 404, which one of the pages is about."""
    return [one for one in person.complaints if "nothing/here" not in one]


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_page_is_accessible_and_in_bounds(
    browser: Browser, site: Site, theme: str, width: int
) -> None:
    """No violation of WCAG 2.1 AA that axe-core finds, nothing to scroll sideways, no complaint."""
    wrong = []
    with person_at(browser, site, width) as person:
        for path in site.pages():
            wrong += look_at(person, path, theme, file_name(path, theme, width))
        wrong += said_by_browser(person)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("theme", "width"), LOOKS[1:3])
def test_hostile_values_break_no_page(
    browser: Browser, hostile: Site, theme: str, width: int
) -> None:
    """Markup, marks that turn text round, and 10,000 characters stay text inside the layout."""
    wrong = []
    with person_at(browser, hostile, width) as person:
        for path in hostile.pages():
            name = f"hostile-{file_name(path, theme, width)}"
            wrong += look_at(person, path, theme, name)
            if person.page.locator("main b").count():
                wrong.append(f"{path}: markup from outside")
            if "\u202e" in person.page.locator("main").inner_text():
                wrong.append(f"{path}: a mark that turns text round")
        wrong += said_by_browser(person)
    assert not wrong, "\n".join(wrong)


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
