# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The help page: offline, for everybody who may look, and of one mind with README."""

import html
import re
from pathlib import Path

from app.web.status.help import marked
from tests.web.conftest import ADMIN, ANALYST, World
from tests.web.test_pages import links

README = Path(__file__).parents[2] / "README.md"


def readme_symptoms() -> list[tuple[str, ...]]:
    """The rows of README's table under Troubleshooting."""
    part = README.read_text(encoding="utf-8").partition("## Troubleshooting")[2].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


def marked_again(cell: str) -> str:
    """What a cell of the page was drawn from."""
    for tag, mark in (("code", "`"), ("em", "*"), ("strong", "**")):
        cell = re.sub(f"</?{tag}>", mark, cell)
    return html.unescape(re.sub("<[^>]*>", "", cell))


def section(world: World, name: str) -> str:
    page = world.client(ADMIN).get("/help").text
    return page.partition(f'id="{name}"')[2].partition("</section>")[0]


def rows(world: World, name: str) -> list[tuple[str, ...]]:
    """The cells of a table on the help page."""
    body = section(world, name).partition("<tbody>")[2]
    return [
        tuple(marked_again(cell) for cell in re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row))
        for row in re.findall("<tr>(.*?)</tr>", body)
    ]


def test_help_and_readme_name_the_same_symptoms(world: World) -> None:
    assert rows(world, "symptoms") == readme_symptoms()


def test_help_answers_everybody_who_may_look(world: World) -> None:
    text = html.unescape(re.sub("<[^>]*>", "", world.client(ANALYST).get("/help").text))
    for part in ("Set-up", "Who may do what", "Troubleshooting by symptom", "Glossary", "9.8.7"):
        assert part in text
    assert "Deploy Changes; look at the limiter; try curl from that host" in text


def test_help_and_settings_name_what_operators_may_start_and_acknowledge(world: World) -> None:
    (_right, _who, allows) = next(row for row in rows(world, "roles") if row[0] == "Operate")
    assert "starts by hand, acknowledges new attacks" in allows
    assert "start by hand, acknowledge new attacks" in world.client(ADMIN).get("/settings").text


def test_help_needs_nothing_from_outside(world: World) -> None:
    page = world.client(ADMIN).get("/help").text
    assert all(not target.startswith(("http", "//")) for target in links(page).found)
    assert len(page) < 60_000


def test_only_administrators_are_led_to_the_diagnostics(world: World) -> None:
    assert "diagnostics" in links(world.client(ADMIN).get("/help").text).found
    assert "diagnostics" not in links(world.client(ANALYST).get("/help").text).found


def test_the_markup_escapes_what_it_does_not_know() -> None:
    drawn = marked("`a<b>` *c* **d** <i>")
    assert drawn == "<code>a&lt;b&gt;</code> <em>c</em> <strong>d</strong> &lt;i&gt;"


def test_every_word_is_explained_once_and_in_order(world: World) -> None:
    words = [word.casefold() for word in re.findall("<dt>(.*?)</dt>", section(world, "words"))]
    assert len(words) > 15
    assert words == sorted(set(words))
