# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""When certificates and tokens expire, in sentences."""

from datetime import datetime

from app.message import Message, counted, joined

_PINNED = Message("The server's certificate is pinned by its fingerprint.")
_PIN_ANEW = Message("Once it is renewed, no restore starts until the new one is pinned.")
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


def expiry(what: str, at: datetime, now: datetime) -> Message:
    """When a certificate or token ends, or that it has."""
    days = (at - now).days
    if at <= now:
        return Message("{what} has expired on {date}.", what=what, date=_date(at))
    if days < 1:
        return Message("{what} expires within a day, on {date}.", what=what, date=_date(at))
    return counted(
        "{what} is valid until {date}, for {n} more day.",
        "{what} is valid until {date}, for {n} more days.",
        n=days,
        what=what,
        date=_date(at),
    )


def pinned(at: datetime | None, now: datetime) -> list[str]:
    """What is known of a certificate that a connection has pinned; ``at`` is its end."""
    if at is None:
        return [_PINNED]
    if at <= now:
        ended = Message(
            "It has expired on {date}; while it is pinned it is accepted all the same.",
            date=_date(at),
        )
        return [joined((_PINNED, ended), " "), _PIN_ANEW]
    still = expiry(Message("It"), at, now)
    return [joined((_PINNED, still), " "), *([_PIN_ANEW] if (at - now).days < 30 else [])]


def _date(at: datetime) -> Message:
    """A day for people."""
    return Message("{day} {month} {year}", day=at.day, month=_MONTHS[at.month - 1], year=at.year)
