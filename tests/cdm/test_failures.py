# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Advice for pages has other words for a command line, wherever it is given."""

import ast
import re
from pathlib import Path

from app.message import Message
from app.remote.failures import Advice, for_terminal
from app.restore.model import NothingSent

CDM = Path(__file__).parents[2] / "app" / "cdm"
OF_PAGES = re.compile(r"\b(page|[Uu]pload|mapping|app host|restart the app)\b")


def test_a_command_line_is_told_in_its_own_words() -> None:
    advice = Advice(Message("Upload it on the page."), terminal="Give it with --ca-file.")
    error = NothingSent("It is not trusted.", cause="It is new.", advice=advice)
    again = NothingSent(error.message, cause=error.cause, advice=error.advice)
    assert str(again) == "It is not trusted. It is new. Upload it on the page."
    assert for_terminal(again) == "It is not trusted. It is new. Give it with --ca-file."
    assert for_terminal(NothingSent("No.", advice="Wait.")) == "No. Wait."


def test_no_advice_speaks_of_pages_alone() -> None:
    found = []
    for path in CDM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.keyword) or node.arg not in {"advice", "terminal"}:
                continue
            if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "Advice":
                continue  # an Advice; its terminal= is looked at by itself
            words = "".join(
                part.value
                for part in ast.walk(node.value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
            if node.arg == "advice" and OF_PAGES.search(words):
                found.append(f"{path.name}:{node.value.lineno} {words}")
            if node.arg == "terminal" and "Upload" in words:
                found.append(f"{path.name}:{node.value.lineno} {words}")
    assert found == []
