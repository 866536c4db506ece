# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Addresses of our own pages as the browser sees them, behind QRadar's app proxy."""

from qpylib import qpylib


def absolute_url(endpoint: str, **values: object) -> str:
    """The full https address of a Flask endpoint, for redirects; needs a request (§3.3).

    Outside QRadar, where the app has no number, it is root-relative.
    """
    return str(qpylib.q_url_for(endpoint, **values))


def console_url() -> str:
    """The console's own pages, where this request's browser sees them."""
    before, plugins, _ = str(qpylib.get_app_base_url()).partition("plugins/")
    return before if plugins else "/console/"
