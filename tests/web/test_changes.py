# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The last changes on the settings page: what was done in words, not in the audit's codes."""

import re
from itertools import product
from pathlib import Path

from app.web.settings.changes import WORDS, change_words
from tests.web.conftest import ADMIN, World

APP = Path(__file__).parents[2] / "app"


def codes() -> set[str]:
    """What is written into the audit, as the code says it."""
    source = "".join(file.read_text() for file in APP.rglob("*.py") if file.name != "changes.py")
    literal = re.findall(
        r'(?:append|_note|_set|_token)\w*\([^()]*?"([a-z_]+\.[a-z_]+)"', source, flags=re.S
    )
    made = {
        *product(["connection", "mapping"], ["add", "change", "delete"]),
        *product(["attack"], re.findall(r'"(noticed|acknowledged|ended)"', source)),
        *product(["run"], ["cancel", "clean_up", "resolve"]),
    }
    return {*literal, *(".".join(parts) for parts in made)}


def test_every_code_of_the_audit_has_words() -> None:
    assert {"trigger_token.new", "settings.change", "run.offense"} <= codes()
    assert codes() - set(WORDS) == set()


def test_what_was_changed_stands_in_words(world: World) -> None:
    client = world.client(ADMIN)
    world.submit(client, "/settings/tokens", name="event processors")
    page = client.get("/settings").text
    assert "<td>trigger token made</td>" in page
    assert "trigger_token.new" not in page
    assert change_words("of.tomorrow") == "of.tomorrow"
