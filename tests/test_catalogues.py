# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The catalogues: each language says everything, with all that is in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from packing.catalogues import LOCALES, extracted, update

FILES = sorted(LOCALES.glob("*/LC_MESSAGES/messages.po"))
HOW = "run `python -m packing.catalogues update`, then translate what is empty"


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extracted()


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


def keys(catalogue: Catalog) -> set[tuple[object, object]]:
    return {(message.id, message.context) for message in catalogue if message.id}


def places(text: str) -> set[str]:
    return set(re.findall(r"\{\w*\}", text))


def test_german_is_there() -> None:
    assert [path.parents[1].name for path in FILES] == ["de"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parents[1].name)
def test_a_language_says_everything_and_nothing_else(path: Path, template: Catalog) -> None:
    catalogue = read(path)
    assert keys(template) - keys(catalogue) == set(), HOW
    assert keys(catalogue) - keys(template) == set(), HOW
    assert [one.id for one in catalogue if one.id and (one.fuzzy or not all(said(one)))] == [], HOW


def said(message: object) -> Iterator[str]:
    """What a message is in the catalogue's language; of a count, each of its forms."""
    text = message.string
    yield from text if isinstance(text, tuple | list) else (text,)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parents[1].name)
def test_a_translation_has_the_places_of_its_message(path: Path) -> None:
    wrong = []
    for one in read(path):
        forms = one.id if isinstance(one.id, tuple) else (one.id,)
        wanted = set().union(*map(places, forms))
        wrong += [text for text in said(one) if one.id and places(text) != wanted]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parents[1].name)
def test_an_update_changes_nothing_while_no_words_have(
    path: Path, template: Catalog, tmp_path: Path
) -> None:
    copy = tmp_path / path.parents[1].name / "LC_MESSAGES" / "messages.po"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(path.read_bytes())
    update(copy, template)
    assert copy.read_text() == path.read_text(), HOW


def test_an_update_brings_what_is_new_and_drops_what_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "de" / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    path.write_text(
        'msgid ""\nmsgstr ""\n\nmsgid "old"\nmsgstr "alt"\n\nmsgid "up"\nmsgstr "oben"\n'
    )
    wanted = Catalog()
    for text in ("up", "new"):
        wanted.add(text)
    update(path, wanted)
    assert {one.id: one.string for one in read(path) if one.id} == {"up": "oben", "new": ""}
    assert "old" not in path.read_text()
