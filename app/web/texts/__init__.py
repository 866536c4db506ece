# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What people read on pages: one module per subject, so that a translation needs no template.

Constants in UPPER letters are whole sentences or labels; functions make those that hold values.
Templates know this package as ``t``: ``{{ t.run.NAME }}``, and with values or links in it
``{{ t.run.NAME | fill(job=run.job_name, page=show.anchor(t.run.PAGE, link(...))) }}``.
What they are given is shown escaped by the templates.
"""

from app.web.texts import action as action
from app.web.texts import api as api
from app.web.texts import attacks as attacks
from app.web.texts import attention as attention
from app.web.texts import charts as charts
from app.web.texts import common as common
from app.web.texts import connections as connections
from app.web.texts import decision as decision
from app.web.texts import diagnostics as diagnostics
from app.web.texts import health as health
from app.web.texts import help as help
from app.web.texts import history as history
from app.web.texts import layout as layout
from app.web.texts import mappings as mappings
from app.web.texts import mode as mode
from app.web.texts import overview as overview
from app.web.texts import problems as problems
from app.web.texts import rights as rights
from app.web.texts import rules as rules
from app.web.texts import run as run
from app.web.texts import set_up as set_up
from app.web.texts import settings as settings
from app.web.texts import simulation as simulation
from app.web.texts import states as states
