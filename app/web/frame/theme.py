# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Light or dark: as QRadar says with the first address of a visit, else as the browser prefers.

QRadar from 7.5.0 UP12 on adds ``?theme=dark`` or ``light`` to the first page only (qradar
§3.2), so the word is kept in the session.
"""

from flask import Flask, g, request, session

from app.web.frame.problems import is_api

THEMES = ("light", "dark")


def register(app: Flask) -> None:
    """Note the theme of each request for the templates."""

    @app.before_request
    def note_theme() -> None:
        g.theme = None
        # A file is the same for everybody: looking into the session would tell caches otherwise.
        if is_api() or request.endpoint == "static":
            return
        asked = request.args.get("theme")
        if asked in THEMES and request.method == "GET" and session.get("theme") != asked:
            session["theme"] = asked
        kept = session.get("theme")
        g.theme = kept if kept in THEMES else None
