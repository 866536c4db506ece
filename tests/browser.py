# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A real headless Chromium, logged in to the simulated console."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Frame,
    FrameLocator,
    Page,
    sync_playwright,
)

from tests.simulators.console import ConsoleSimulator

# Without these Chromium asks for Google's hosts at every start.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Console(Protocol):
    """Where the app is: tests.world.World or tests.site.Site."""

    console: ConsoleSimulator

    def url(self, path: str) -> str: ...


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser for the length of a block."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or "chromium"
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Person:
    """Somebody at the console, with what their browser complained of, in whichever tab."""

    page: Page
    world: Console
    complaints: list[str] = field(default_factory=list)

    @property
    def app(self) -> FrameLocator:
        """The app, in the console's iframe."""
        return self.page.frame_locator("iframe")

    @property
    def frame(self) -> Frame:
        """The same, where something is to be asked of the document itself."""
        frame = self.page.locator("iframe").element_handle().content_frame()
        assert frame is not None
        return frame

    def open(self, path: str) -> None:
        """Go to a page of the app, without the console around it."""
        self.page.goto(self.world.url(path))

    def new_tab(self, act: Callable[[], None]) -> Page:
        """The browser's tab that ``act`` opens."""
        with self.page.context.expect_page() as opened:
            act()
        opened.value.wait_for_load_state()
        return opened.value


@contextmanager
def at_the_console(
    browser: Browser, world: Console, user: str, *, theme: str = "light", **options: Any
) -> Iterator[Person]:
    """Log in through QRadar's form and land on the console's page with the app's tab open."""
    context = browser.new_context(ignore_https_errors=True, **options)
    person = Person(context.new_page(), world)
    context.on("console", lambda said: _note(person, said))
    context.on("weberror", lambda wrong: person.complaints.append(str(wrong.error)))
    person.page.goto(f"{world.console.url}/console/logon.jsp")
    person.page.fill("input[name=user]", user)
    person.page.fill("input[type=password]", f"{user}-password")
    person.page.click("[type=submit]")
    _wait_for_the_app(person)
    if theme != "light":
        person.page.goto(f"{world.console.url}/console/?theme={theme}")
        _wait_for_the_app(person)
    yield person
    context.close()


def _wait_for_the_app(person: Person) -> None:
    """The tab's page is there, so its cookies are set: none comes late over what a test does."""
    person.app.locator("#main").wait_for()


def _note(person: Person, said: ConsoleMessage) -> None:
    """Every error but that the console, which is not the app's, has no icon."""
    where = said.location["url"]
    if said.type == "error" and not where.endswith("/favicon.ico"):
        person.complaints.append(f"{said.text} {where}")
