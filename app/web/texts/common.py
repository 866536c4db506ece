# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Words that many pages use, and how days and numbers are said."""

from datetime import datetime


def date(at: datetime) -> str:
    """A day for people."""
    return f"{at.day} {at:%B %Y}"


def plural(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 run", "1,200 runs"."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
