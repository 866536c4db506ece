# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The catalogues of languages: what there is to say, brought into each catalogue, and compiled.

``python -m packing.catalogues update`` after words have changed: every catalogue gets what is
new (with an empty translation) and loses what is gone. ``… compile`` writes what the app reads.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

APP = Path(__file__).parents[1] / "app"
LOCALES = APP / "locales"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_OPTIONS = {"templates/**.html": {"silent": "false", "trimmed": "true"}}
_KEYWORDS: dict[str, object] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "Message": None,
    "counted": (1, 2),
}


def extracted(app: Path = APP) -> Catalog:
    """Every message of pages and code, with the files that say it."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    found = extract_from_dir(app, _METHODS, _OPTIONS, _KEYWORDS, comment_tags=("Translators:",))
    for file, _line, message, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        # Files without lines: a catalogue changes when words do, not when code moves.
        catalogue.add(message, None, [(file, None)], auto_comments=comments, context=context)
    return catalogue


def update(path: Path, template: Catalog) -> None:
    """Bring a catalogue's file up to date with ``template``."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parents[1].name)
    made = catalogue.creation_date
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.creation_date = made  # a date of today would be a change of its own each time
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, ignore_obsolete=True, include_lineno=False)


def compile_to(path: Path, target: Path) -> None:
    """What the standard library's ``gettext`` reads, of the catalogue at ``path``."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parents[1].name)
    with target.open("wb") as file:
        write_mo(file, catalogue)


def main(command: str) -> None:
    """What the command line asks for."""
    template = extracted() if command == "update" else None
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/messages.po")):
        if template:
            update(path, template)
        else:
            compile_to(path, path.with_suffix(".mo"))


if __name__ == "__main__":
    main(sys.argv[1])
