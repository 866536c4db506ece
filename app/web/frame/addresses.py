# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Addresses of our own pages and files, as they hold behind each form of QRadar's proxy URL.

The app sees only the path behind the prefix and can't know the prefix (qradar §3.1), so
links lead up from the current page by as many steps as it is deep. Redirects are absolute.
"""

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from app.framework.links import absolute_url


def link(endpoint: str, **values: Any) -> str:
    """A relative link from the page that is being shown to ``endpoint``."""
    target = url_for(endpoint, **values).removeprefix("/")
    up = "../" * (request.path.count("/") - 1)
    return (up + target) or "./"


def go_to(endpoint: str, **values: Any) -> Response:
    """After a POST: have the browser load ``endpoint`` with a GET."""
    return redirect(absolute_url(endpoint, **values), code=303)
