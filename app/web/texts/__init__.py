# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What people read on pages: one module per subject, so that a translation needs no template.

Constants in UPPER letters are whole sentences or labels; functions make those that hold values.
Templates know this package as ``t``: ``{{ t.run.NAME }}``, and with values or links in it
``{{ t.run.NAME | fill(job=run.job_name, page=show.anchor(t.run.PAGE, link(...))) }}``.
What they are given is shown escaped by the templates.
"""

from app.web.texts import (
    api,
    attention,
    charts,
    common,
    connections,
    diagnostics,
    health,
    help,
    history,
    layout,
    overview,
    problems,
    rights,
    run,
    settings,
    states,
)

__all__ = [
    "api",
    "attention",
    "charts",
    "common",
    "connections",
    "diagnostics",
    "health",
    "help",
    "history",
    "layout",
    "overview",
    "problems",
    "rights",
    "run",
    "settings",
    "states",
]
