# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How a person goes through the app's pages: by what is written there, never by an id or class."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Frame, Locator, Page, expect

from tests import pictures
from tests.browser import Console, Person, at_the_console
from tests.looks import Look, faults, in_each_width, keep_picture

SOON_MS = 30_000
Place = Page | Frame


class Walk:
    """One person's way, in one look, with a look round at each station."""

    def __init__(self, person: Person, look: Look, story: str) -> None:
        self.person, self.look, self.story = person, look, story
        self.wrong: list[str] = []

    @property
    def app(self) -> Frame:
        """The app in the console's frame."""
        return self.person.frame

    def station(self, name: str, place: Place | None = None) -> None:
        """Look round: accessible, in bounds, in the right theme? What is wrong is told at the end.

        ``place`` is a tab of its own; without it, the console with the app in its frame.
        """
        page = self.person.page if place is None else place
        assert isinstance(page, Page)
        where: Place = self.app if place is None else place
        page.bring_to_front()  # a tab behind another one is drawn late
        expect(where.locator("html")).to_have_attribute("data-theme", self.look.theme)
        for look in in_each_width(page, self.look):
            self.wrong += [f"{name}, {look}: {fault}" for fault in faults(where)]
            with _as_high_as_its_content(page, where):
                keep_picture(page, f"{self.story}-{name}", look)


@contextmanager
def walking(
    browser: Browser, world: Console, user: str, look: Look, story: str, **options: Any
) -> Iterator[Walk]:
    """Somebody logs in to the console, in a window of this look's width."""
    window = {"width": look.width, "height": 900}
    with at_the_console(
        browser, world, user, theme=look.theme, viewport=window, **options
    ) as person:
        walk = Walk(person, look, story)
        yield walk
        wrong = [*walk.wrong, *person.complaints]
        assert not wrong, "\n".join(wrong)


@contextmanager
def _as_high_as_its_content(page: Page, where: Place) -> Iterator[None]:
    """A frame has the window's height, so a picture of the whole needs a high window."""
    size = page.viewport_size
    assert size is not None
    if pictures.ALL and page.main_frame is not where and where is not page:
        inside = int(where.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({**size, "height": max(size["height"], inside + 80)})
    yield
    if page.viewport_size != size:
        page.set_viewport_size(size)


def go_to(app: Place, page: str) -> None:
    """Choose a page from the menu, and wait until it is there."""
    menu = app.get_by_role("navigation", name="Pages")
    link = menu.get_by_role("link", name=page, exact=True)
    with app.expect_navigation():
        link.click()
    # What has ended may have been the load of the page before.
    expect(link).to_have_attribute("aria-current", "page")


def told(app: Place, words: str) -> Locator:
    """What the page says has just been done."""
    return app.locator("#told").filter(has_text=words)


def part(app: Place, heading: str) -> Locator:
    """The part of a page under a heading that begins so."""
    begins = re.compile(rf"^{re.escape(heading)}\b")
    return app.locator("section").filter(has=app.get_by_role("heading", name=begins))


def open_ask(where: Place | Locator, words: str) -> Locator:
    """Press a button that asks before it does anything; gives what it asks."""
    where.locator("summary").filter(has_text=re.compile(rf"^\s*{re.escape(words)}\s*$")).click()
    return where.locator("details[open]").filter(has_text=words).last
