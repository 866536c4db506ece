# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The languages that the app speaks: English stands in the code, every other is a catalogue.

A catalogue is ``app/locales/LANGUAGE/LC_MESSAGES/messages.po``, which the build compiles.
"""

import gettext
from functools import cache
from pathlib import Path

ENGLISH = "en"
_DOMAIN = "messages"
LOCALES = Path(__file__).parent / "locales"


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The words of ``language``; of one that has no catalogue, the English ones."""
    return gettext.translation(_DOMAIN, LOCALES, [language], fallback=True)


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are, English first."""
    found = sorted(path.parents[1].name for path in LOCALES.glob(f"*/LC_MESSAGES/{_DOMAIN}.mo"))
    return (ENGLISH, *found)


def names() -> dict[str, str]:
    """How each language calls itself, by the language."""
    return {one: catalogue(one).pgettext("this language", "English") for one in languages()}
