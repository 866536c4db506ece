# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Safeguarded restore, a QRadar app; `create_app` wires its web process and nothing else."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.web.services import Services


def create_app(services: "Services | None" = None) -> "Flask":
    """The Flask app that gunicorn serves, with ``services`` built from QRadar's environment.

    What Flask and qpylib bring is imported here, not with the package: the worker and the command
    lines are modules of the same package and need none of it.
    """
    from app.web.wiring import build_app

    return build_app(services)
