# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A language that nobody speaks: every message in ⟦…⟧ and a third longer.

What stands on a page outside such brackets went past the catalogues, and a layout that bursts would
burst in German too.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from app import languages
from packing.catalogues import extracted

PSEUDO = "eo"  # a language that browsers and Babel know, and that has no catalogue here


def pseudo(text: str) -> str:
    """``text`` as that language says it; its places stay."""
    words = len(re.sub(r"\{\w+\}", "", text))
    return f"⟦{text}{'~' * -(-words // 3)}⟧"


def write_catalogue(locales: Path) -> None:
    """The compiled catalogue of every message there is."""
    catalogue = Catalog(PSEUDO)
    for message in extracted():
        if message.id and message.context:  # no words: what stands between thousands, and such
            catalogue.add(message.id, message.id, context=message.context)
        elif message.id:
            several = message.id if isinstance(message.id, tuple) else (message.id,)
            said = tuple(map(pseudo, several))
            catalogue.add(message.id, said if len(said) > 1 else said[0])
    _write(catalogue, locales)


def write_empty_catalogue(locales: Path) -> None:
    """That there is such a language, and nothing said in it."""
    _write(Catalog(PSEUDO), locales)


def _write(catalogue: Catalog, locales: Path) -> None:
    folder = locales / PSEUDO / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)


@contextmanager
def spoken(locales: Path) -> Iterator[None]:
    """While it lasts the app has the languages in ``locales``."""
    cached = (languages.catalogue, languages.languages)
    with patch.object(languages, "LOCALES", locales):
        for one in cached:
            one.cache_clear()
        yield
    for one in cached:
        one.cache_clear()
