# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Words that many pages use, and how days and numbers are said."""

from collections.abc import Sequence
from datetime import datetime

from app.message import Message, joined

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
NEVER = Message("never")
JUST_NOW = Message("just now")
TIME = "%Y-%m-%d %H:%M:%S UTC"
CLOCK_TIME = "%H:%M:%S UTC"
RAW_MS = "{value} ms since 1970, as it was sent"
YES = "yes"
NO = "no"


_MONTHS = (
    Message("January"),
    Message("February"),
    Message("March"),
    Message("April"),
    Message("May"),
    Message("June"),
    Message("July"),
    Message("August"),
    Message("September"),
    Message("October"),
    Message("November"),
    Message("December"),
)


def date(at: datetime) -> Message:
    """A day for people."""
    return Message("{day} {month} {year}", day=at.day, month=_MONTHS[at.month - 1], year=at.year)


def listed(names: Sequence[str], more: int = 0) -> Message | str:
    """Names in a sentence: "A, B and C", "A, B, C and 2 more"."""
    if more > 0:
        return Message("{names} and {more} more", names=joined(names, ", "), more=more)
    if len(names) < 2:
        return names[0] if names else ""
    return Message("{names} and {last}", names=joined(names[:-1], ", "), last=names[-1])
