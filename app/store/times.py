# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Times as they stand in the database and in JSON: ISO 8601, UTC, milliseconds, a Z at the end."""

from datetime import UTC, datetime, timedelta

LARGEST_GAP = timedelta(minutes=10)
"""A row that is due later than this is one whose clock stepped: it is due now."""


def to_text(at: datetime) -> str:
    """Give ``at`` as text that sorts by time. Raises `ValueError` for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime has no place in the store")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_text_or_none(at: datetime | None) -> str | None:
    return None if at is None else to_text(at)


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


def from_text_or_none(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)


def is_due(at: datetime, now: datetime) -> bool:
    """Say whether what was to be done at ``at`` is to be done now."""
    return at <= now or at > now + LARGEST_GAP
