# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Addresses of our own pages as the browser sees them, behind QRadar's app proxy."""

import os
import re
from urllib.parse import urlsplit

from qpylib import qpylib

_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


def absolute_url(endpoint: str, **values: object) -> str:
    """A Flask endpoint's address for redirects, with https and host; needs a request (qradar §3.3).

    The host is the one that the browser used, as the proxy says in X-Console-Host. On the raw port
    anybody may say anything there: a name that isn't known for the console's is left out, and what
    remains holds on whatever host the browser is. Outside QRadar, where the app has no number, it
    is root-relative.
    """
    return _on_the_console(str(qpylib.q_url_for(endpoint, **values)))


def console_url() -> str:
    """The console's own pages, where this request's browser sees them."""
    before, plugins, _ = _on_the_console(str(qpylib.get_app_base_url())).partition("plugins/")
    return before if plugins else "/console/"


def _on_the_console(url: str) -> str:
    """``url`` as it is where its host is the console's, else without scheme and host."""
    _, scheme, rest = url.partition("://")
    if not scheme:
        return url
    host, slash, path = rest.rpartition("/console/plugins/")
    known = _HOST.fullmatch(host)
    if known and known[1].lower() in _console_names():
        return url
    return f"{slash}{path}"


def _console_names() -> set[str]:
    names = ("QRADAR_CONSOLE_FQDN", "QRADAR_CONSOLE_HOSTNAME", "QRADAR_CONSOLE_IP")
    found = {urlsplit(f"//{os.environ.get(name, '').lower()}").hostname or "" for name in names}
    return found | {f"[{name}]" for name in found if ":" in name}
