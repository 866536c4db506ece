# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which version of the console's REST API is spoken: the newest that both sides know."""

from json import loads

import requests

TESTED_VERSIONS = tuple(f"{number}.0" for number in range(29, 20, -1))
"""The API versions of QRadar 7.5.0 UP7 to 7.6.0, newest first (qradar §0, §7.1)."""


def best_version(response: requests.Response, content: bytes) -> str | None:
    """The newest tested version that is offered, else the newest offered; None: can't be read."""
    try:
        entries = loads(content) if response.ok else None
    except ValueError:
        return None
    if not isinstance(entries, list):
        return None
    offered = {
        entry["version"]
        for entry in entries
        if isinstance(entry, dict)
        and isinstance(entry.get("version"), str)
        and not entry.get("removed")
    }
    for version in TESTED_VERSIONS:
        if version in offered:
            return version
    numbers = {tuple(map(int, each.split("."))): each for each in offered if _is_number(each)}
    return numbers[max(numbers)] if numbers else None


def _is_number(version: str) -> bool:
    return version.isascii() and all(part.isdigit() for part in version.split("."))
