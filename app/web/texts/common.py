# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Words that many pages use, and how days and numbers are said."""

from collections.abc import Sequence
from datetime import datetime

APP = "Safeguarded restore"
TITLE = "{page} – Safeguarded restore"
RUN = "Run {id}"
OFFENSE = "Offense {id}"
OFFENSE_DOUBT = {
    "caller": "as the caller says, not confirmed",
    "probably": "probably: another one fits as well",
}
LIKELY_CAUSE = "Likely cause: {cause}"
WHAT_TO_DO = "What to do: {advice}"
SHOW_ALL = "Show all"
NEVER = "never"
JUST_NOW = "just now"
AGO = "{time} ago"
HOURS = "{number} h"
MINUTES = "{number} min"
SECONDS = "{number} s"
TIME = "%Y-%m-%d %H:%M:%S UTC"
CLOCK_TIME = "%H:%M:%S UTC"
RAW_MS = "{value} ms since 1970, as it was sent"
YES = "yes"
NO = "no"


def date(at: datetime) -> str:
    """A day for people."""
    return f"{at.day} {at:%B %Y}"


def plural(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 run", "1,200 runs"."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def listed(names: Sequence[str], more: int = 0) -> str:
    """Names in a sentence: "A, B and C", "A, B, C and 2 more"."""
    parts = [*names, f"{more} more"] if more > 0 else list(names)
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
