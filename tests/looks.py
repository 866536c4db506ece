# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The four looks of every page, what may be wrong with one, and the pictures that are kept.

Themes are told by an address; that the window has another width needs no new load, for all that is
fitted to it is fitted by the style sheets.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from playwright.sync_api import Error, Frame, Page

from tests import pictures

ROOT = Path(__file__).parents[1]
AXE = ROOT / ".build/styles/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
_JUDGE = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(
    found => found.violations.map(one => one.id + ": " + one.nodes.map(
        node => node.html.slice(0, 200) + " " + node.any.concat(node.all).map(
            why => why.message).join(", ")).slice(0, 3).join(" | ")))"""
_TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_SETTLED = """() => Promise.allSettled(document.getAnimations().filter(
    one => one instanceof CSSTransition).map(one => one.finished)).then(() => null)"""
# A table's region may be scrolled, but on a page of usual values nothing needs it.
_HIDDEN = """() => Array.from(document.querySelectorAll("[role=region]")).filter(
    one => one.scrollWidth > one.clientWidth).map(
    one => one.getAttribute("aria-label") + " by " + (one.scrollWidth - one.clientWidth) + " px")"""

# Words of usual length that a narrow column breaks in their middle.
_BROKEN = """() => {
  const found = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const closed = node.parentElement.closest("details:not([open]) > :not(summary)");
    if (closed || !node.parentElement.checkVisibility()) continue;
    for (const word of node.data.matchAll(/[\\p{L}\\p{N}_.]+/gu)) {
      if (word[0].length > 24) continue;
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = Array.from(range.getClientRects()).filter(one => one.width > 0);
      if (new Set(lines.map(one => Math.round(one.top))).size > 1) found.add(word[0]);
    }
  }
  return Array.from(found);
}"""


@dataclass(frozen=True)
class Look:
    """A theme and the width of the browser's window."""

    theme: str
    width: int

    def __str__(self) -> str:
        return f"{self.theme}-{self.width}"


# A page is opened in these, each theme and each width once, and looked at in both `WIDTHS`.
LOOKS = [Look("light", 800), Look("dark", 1600)]
WIDTHS = (800, 1600)


def in_each_width(page: Page, look: Look) -> Iterator[Look]:
    """Give the look in which a page is open, then the same page in the other width."""
    size = page.viewport_size
    assert size is not None
    assert size["width"] == look.width
    yield look
    page.mouse.move(0, 0)  # or what comes to lie under it fades while it is looked at
    for width in WIDTHS:
        if width != look.width:
            page.set_viewport_size({**size, "width": width})
            yield replace(look, width=width)
    page.set_viewport_size(size)


@cache
def _axe() -> str:
    return AXE.read_text()


def faults(page: Page | Frame, *, usual: bool = True) -> list[str]:
    """What is wrong with the page that is open; ``usual``: its values are of usual length."""
    if not page.evaluate("typeof axe === 'object'"):  # it is there from the other width
        page.evaluate(_axe())
    page.evaluate(_SETTLED)
    found: list[str] = page.evaluate(_JUDGE, RULES)
    if (excess := page.evaluate(_TOO_WIDE)) > 0:
        found.append(f"it is {excess} px too wide")
    if usual:
        found += [f"a table is cut off: {one}" for one in page.evaluate(_HIDDEN)]
        found += [f"a word is broken: {one}" for one in page.evaluate(_BROKEN)]
    return found


def keep_picture(page: Page, name: str, look: Look) -> None:
    """Write ``NAME-THEME-WIDTH.png`` of the whole page, if all are asked for; take the README's."""
    if pictures.ALL:
        pictures.FOLDER.mkdir(parents=True, exist_ok=True)
        file = pictures.FOLDER / f"{name}-{look}.png"
        try:
            page.screenshot(path=file, full_page=True)
        except Error:  # of a very high page a browser that is short of time takes none: its top
            page.screenshot(path=file)
    pictures.take(page, f"{name}-{look}")
