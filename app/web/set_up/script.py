# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The custom action's script for the console that this app belongs to."""

from pathlib import Path
from urllib.parse import urlsplit

from app.framework import paths
from app.framework.bulkhead import Bulkhead
from app.message import Message
from app.qradar.custom_action import NoIssuers, find_issuers, generate_script
from app.remote.trust import fetch_certificate
from app.restore.model import CopyManagerError
from app.web.frame.problems import Problem


def make_script(bulkhead: Bulkhead, system_ca: str | None) -> str:
    """The script with the console's address and the issuers of its certificate inside.

    `Problem` 503 when the console's certificate or its issuers can't be found.
    """
    try:
        fqdn = paths.console_fqdn()
        where = urlsplit(f"https://{fqdn}")
        with bulkhead.place():
            leaf = fetch_certificate(where.hostname or "", where.port or 443).pem
        bundle = Path(system_ca).read_text(encoding="utf-8", errors="replace") if system_ca else ""
        issuers = find_issuers(leaf, bundle)
        return generate_script(fqdn, _address(), issuers_pem=issuers, version=paths.app_version())
    except (CopyManagerError, NoIssuers, OSError, KeyError, ValueError) as error:
        raise Problem(
            503,
            Message("The script can't be made just now."),
            code="no_script",
            # The message is worded for CDM, only the cause is about any server.
            cause=error.cause if isinstance(error, CopyManagerError) else str(error),
            advice=Message(
                "The script must hold the certificates of the console's issuers: check that the"
                " app reaches the console on port 443 and that its CA file holds them."
            ),
        ) from error


def _address() -> str:
    """The console's IP address, for hosts without name service; empty when QRadar doesn't say."""
    try:
        return paths.console_address()
    except KeyError:
        return ""
