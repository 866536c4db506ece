# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Help inside the app: it needs nothing from outside."""

import re

from flask import Blueprint, render_template
from markupsafe import Markup, escape

from app.qradar.identity import Right
from app.web.frame.access import needs

bp = Blueprint("help", __name__)
_MARKS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*]+)\*"), r"<em>\1</em>"),
)


@bp.get("/help")
@needs(Right.VIEW)
def show() -> str:
    """Set-up, roles, symptoms, the meaning of words, the version."""
    return render_template("status/help.html")


@bp.app_template_filter()
def marked(text: str) -> Markup:
    """Draw what the help page marks: `code`, *name*, **strong**; the rest is escaped."""
    drawn = str(escape(text))
    for pattern, tags in _MARKS:
        drawn = pattern.sub(tags, drawn)
    return Markup(drawn)  # noqa: S704 - escaped above
