# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Help inside the app: it needs nothing from outside."""

from flask import Blueprint, render_template

from app.qradar.identity import Right
from app.web.access import needs

bp = Blueprint("help", __name__)


@bp.get("/help")
@needs(Right.VIEW)
def show() -> str:
    """Set-up, roles, symptoms, the meaning of words, the version."""
    return render_template("help.html")
