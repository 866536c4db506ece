# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the code stands on is in the repository: every citation leads to a heading of ``docs/``."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
CITATION = re.compile(
    r"(?:\b(?P<page>[a-z-]+)(?:\]\([^)]*\))?[,.]?\s+(?:[#;*-]+\s+)?)?§(?P<number>\d+(?:\.\d+)*)"
)
FOLLOWS = re.compile(r"§[\d.]+(?: row \d+)?(?:,|,? and| to| or|-)\s*(?:[#;*]+\s*)?$")
LINK = re.compile(r"\]\((?!https?:)(?P<file>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")
OUTSIDE = re.compile(
    r"\bcdm-api\b|\bqradar-platform\b|\bdesign\.md\b|\bstyle\.md\b|\bpeers [A-Z]\.\d|\.\./shared"
)


def texts() -> list[Path]:
    """Every text of the repository that people write."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True, text=True
    )
    kinds = {".py", ".sh", ".md", ".sql", ".html", ".js", ".css", ".conf", ".toml", ".txt"}
    return [
        ROOT / name
        for name in listed.stdout.split("\0")
        if Path(name).suffix in kinds and Path(name) != Path(__file__).relative_to(ROOT)
    ]


@cache
def sections(page: str) -> frozenset[str]:
    """The numbers of a page's headings."""
    heading = re.compile(r"^#+ (\d+(?:\.\d+)*)\.? ", re.MULTILINE)
    return frozenset(heading.findall((DOCS / f"{page}.md").read_text()))


def citations(path: Path) -> Iterator[tuple[str, str]]:
    """Page and section of each citation; a list names its page once, a page of facts not at all."""
    text, page = path.read_text(), path.stem if path.parent == DOCS else ""
    for found in CITATION.finditer(text):
        named = found["page"] or ""
        if (DOCS / f"{named}.md").exists():
            page = named
        elif path.parent == DOCS:
            page = path.stem
        elif not FOLLOWS.search(text[: found.start("number") - 1]):
            page = f"(no page: {named})"
        yield page, found["number"]


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_citation_leads_to_a_heading(path: Path) -> None:
    wrong = [
        f"{page} §{number}"
        for page, number in citations(path)
        if page.startswith("(") or number not in sections(page)
    ]
    assert wrong == []


def test_there_are_citations_to_check() -> None:
    pages = {page for path in texts() for page, _ in citations(path)}
    assert {"architecture", "cdm", "qradar"} <= pages


def test_nothing_refers_to_a_page_that_is_not_here() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in texts()
        for found in OUTSIDE.finditer(path.read_text())
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS))
)
def test_every_link_between_pages_leads_somewhere(path: Path) -> None:
    wrong = [
        found["file"]
        for found in LINK.finditer(path.read_text())
        if found["file"] and not (path.parent / found["file"]).exists()
    ]
    assert wrong == []
