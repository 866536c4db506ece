# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The service token: what the worker's own calls to the console are made with.

A second authorized service beside the trigger's, which an administrator makes and stores here. SEM
is enough for offenses and notes; the console's rules are listed only to ADMIN.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.message import Message
from app.qradar.administrator import AsksConsole
from app.qradar.console import ConsoleRefused
from app.qradar.offenses import number_in, rows_of

_SERVICES = "/api/config/access/authorized_services"
_OFFENSES = "/api/siem/offenses"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What the console says of a token; ``expires_at`` None: never, or not told."""

    name: str
    expires_at: datetime | None


class NotAService(Exception):
    """The token is valid but a user's: it ends with the session."""


class LacksOffenses(Exception):
    """The authorized service's role does not include Offenses."""


def facts_of(console: AsksConsole, sec: str) -> TokenFacts:
    """Ask whose token it is. Raises `NotAService`, and what `ConsoleClient.request` raises."""
    params = {"current_authorized_service": "true"}
    rows = rows_of(console.request("GET", _SERVICES, sec=sec, params=params))
    if not rows:
        raise NotAService(Message("This is not the token of an authorized service."))
    ends_ms = number_in(rows[0], "expiration_date")
    return TokenFacts(
        name=str(rows[0].get("label") or ""),
        expires_at=None if ends_ms is None else datetime.fromtimestamp(ends_ms / 1000, UTC),
    )


def check(console: AsksConsole, sec: str) -> TokenFacts:
    """Ask whether a token can do the worker's work, before it is stored.

    Raises `NotAService`, `LacksOffenses`, and what `ConsoleClient.request` raises.
    """
    facts = facts_of(console, sec)
    try:
        params = {"fields": "id"}
        console.request("GET", _OFFENSES, sec=sec, params=params, headers={"Range": "items=0-0"})
    except ConsoleRefused as error:
        if error.status != 403:
            raise
        raise LacksOffenses(
            Message("The authorized service's role does not include Offenses.")
        ) from error
    return facts
