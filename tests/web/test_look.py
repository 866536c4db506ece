# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How pages and their files are sent: sizes, caching, and values from outside as they are shown."""

import gzip
import re
import sys
import unicodedata
from pathlib import Path

import pytest

from app.restore.model import Outcome, RunState
from app.web.frame import presentation
from app.web.frame.presentation import outside
from tests.web.conftest import ADMIN, World

FILES = ("carbon/carbon.css", "app.css", "app.js")


def test_style_sheets_and_script_are_light_as_sent(world: World) -> None:
    """At the wire, with gzip: below 80 kB together."""
    client = world.client()
    sent = [client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"}) for name in FILES]
    assert {one.headers["Content-Encoding"] for one in sent} == {"gzip"}
    assert sum(len(one.data) for one in sent) < 80_000


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_the_same_for_those_who_take_no_gzip(world: World, name: str) -> None:
    client = world.client()
    plain = client.get(f"/static/{name}")
    small = client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(small.data) == plain.data
    assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != small.headers["ETag"]


def test_a_file_is_kept_as_long_as_its_address_names_its_content(world: World) -> None:
    client = world.client(ADMIN)
    (address,) = re.findall(r'href="(static/app\.css\?v=\w+)"', client.get("/").text)
    kept, other = client.get(f"/{address}"), client.get("/static/app.css?v=old")
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["ETag"] == other.headers["ETag"]
    assert other.headers["Cache-Control"] == "private, max-age=300"
    same = client.get("/static/app.css", headers={"If-None-Match": kept.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert client.get("/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["nothing.css", "../templates/base.html", "carbon/.fingerprint"])
def test_only_files_of_the_folder_are_sent(world: World, name: str) -> None:
    answer = world.client().get(f"/static/{name}")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        (4711, "4711"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("exe\u202egnp", "exe[U+202E]gnp"),
        ("\u2066a", "[U+2066]a"),
        ("one\u2028two\u2029\x85three", "one[U+2028]two[U+2029][U+0085]three"),
        ("\x00\x1b[31m\x7f\t\n", "[U+0000][U+001B][31m[U+007F]\t\n"),
        ("\u05d0\u05d1", "<bdi>\u05d0\u05d1</bdi>"),
        ("\u05d0 7 & SQL", "<bdi>\u05d0 7 &amp; SQL</bdi>"),
        ("(1) \u05d0", "<bdi>(1) \u05d0</bdi>"),
        ("\u0661\u0662", "<bdi>\u0661\u0662</bdi>"),
        ("rule \u05d0 (7)", "rule <bdi>\u05d0</bdi> (7)"),
        (
            "job \u05d0-1 \u05d1 on <b> \u0627: 3",
            "job <bdi>\u05d0-1 \u05d1</bdi> on &lt;b&gt; <bdi>\u0627</bdi>: 3",
        ),
        ("a\u05d0" * 30, "<bdi>" + "a\u05d0" * 30 + "</bdi>"),
    ],
)
def test_a_value_from_outside_is_shown_harmless(value: object, shown: str) -> None:
    assert str(outside(value)) == shown


def test_everything_that_can_reorder_its_neighbours_is_known() -> None:
    """By Unicode's own table: right-to-left letters and numbers, and the marks that steer."""
    for character in map(chr, range(sys.maxunicode + 1)):
        match unicodedata.bidirectional(character):
            case "R" | "AL" | "AN":
                assert outside(character) == f"<bdi>{character}</bdi>", hex(ord(character))
            case "LRE" | "RLE" | "LRO" | "RLO" | "PDF" | "LRI" | "RLI" | "FSI" | "PDI":
                assert outside(character) == f"[U+{ord(character):04X}]", hex(ord(character))


def test_a_long_value_is_cut_or_boxed() -> None:
    assert str(outside("x" * 100, 10)) == "x" * 10 + "…"
    boxed = str(outside("x" * 10_000))
    assert boxed.startswith('<bdi class="clip" tabindex="0">')
    assert "x" * 10_000 in boxed


def test_each_status_has_word_tone_and_icon() -> None:
    """Nothing is told by colour alone."""
    icons = Path(presentation.__file__).parents[2] / "static/icons.svg"
    known = set(re.findall(r'symbol id="(\w+)"', icons.read_text()))
    for state in RunState:
        assert presentation.state_name(state)
        assert presentation.state_icon(state) in known
        assert presentation.state_tone(state) in known
    assert {presentation.outcome_tone(outcome) for outcome in Outcome} <= known
