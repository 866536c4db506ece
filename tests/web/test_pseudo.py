# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Every page in a language that brackets all it knows: what stands outside went past the catalogue.

What stands there rightly are values: names that people gave, and what CDM and QRadar said.
"""

import re
from collections.abc import Iterable
from dataclasses import astuple
from html.parser import HTMLParser
from pathlib import Path

from app import languages
from app.configuration.kinds import Kind
from tests.pseudo import PSEUDO, spoken, write_catalogue
from tests.web.crawling import Crawl
from tests.web.test_every_button import crawl as crawl
from tests.web.test_every_button import fill, pages

_SAID = {"aria-label", "title", "placeholder", "alt"}  # attributes that are read
_VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}  # these have no end
_VERBATIM = {"bdi", "code", "pre", "script", "style"}


class Words(HTMLParser):
    """What a page says, in text and in attributes, without what is marked as a value or quoted."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._quoted: list[str] = []  # the tags from the one that begins a quotation
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._quoted or tag in _VERBATIM or (tag != "html" and "lang" in given):
            self._quoted += [] if tag in _VOID else [tag]
        else:
            self.pieces += [str(given[name]) for name in _SAID & set(given)]

    def handle_endtag(self, tag: str) -> None:
        if self._quoted and self._quoted[-1] == tag:
            self._quoted.pop()

    def handle_data(self, data: str) -> None:
        if not self._quoted:
            self.pieces.append(data)


def outside(page: str, values: Iterable[str]) -> set[str]:
    """The words that stand in no brackets and are in none of the ``values``."""
    text, depth, kept = "|".join(Words(page).pieces), 0, []
    for part in re.split("([⟦⟧])", text):
        depth += {"⟦": 1, "⟧": -1}.get(part, 0)
        if not depth and part not in {"⟦", "⟧"}:
            kept.append(part)
    said = re.sub(r"\d\d:\d\d:\d\d UTC", "|", " ".join(" ".join(kept).split()))
    for value in sorted(values, key=len, reverse=True):
        said = said.replace(value, "|")
    return set(re.findall(r"[A-Za-z][A-Za-z'’-]{2,}", said))


def values_of(crawl: Crawl) -> set[str]:
    """What stands in the store, and what CDM and the console list, word for word."""
    cells = (cell for rows in crawl.tables().values() for row in rows for cell in row)
    jobs = (value for job in crawl.world.cdm.jobs for value in astuple(job))
    roles = (role.name for role in crawl.console.identity.roles.values())
    products = (kind.product for kind in Kind)
    said = (*cells, *jobs, *roles, *products, *languages.names().values())  # each in itself
    texts = {" ".join(cell.split()) for cell in said if isinstance(cell, str)}
    return {text for text in texts if len(text) > 2}


def test_every_page_is_said_by_the_catalogue(crawl: Crawl, tmp_path: Path) -> None:
    """But for the diagnostics, which support reads in English whoever sends them."""
    write_catalogue(tmp_path)
    with spoken(tmp_path):
        walk(crawl)


def walk(crawl: Crawl) -> None:
    crawl.browser.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = PSEUDO
    fill(crawl.world)
    wrong = {}
    for path in [*pages(crawl), "/nothing/here", "/mappings/new?connection=1"]:
        page = crawl.browser.open(path)
        if path != "/diagnostics" and (words := outside(page.html, values_of(crawl))):
            wrong[path] = words
    help_page = crawl.browser.open("/help").html
    assert "⟦" in help_page
    assert outside(help_page.replace("⟦", "").replace("⟧", ""), ())
    assert not wrong, "\n".join(f"{path}: {words}" for path, words in wrong.items())
