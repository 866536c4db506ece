# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Names one after the other in a sentence."""

from collections.abc import Sequence

from app.message import Message, joined


def listed(names: Sequence[str], more: int = 0) -> Message | str:
    """Names in a sentence: "A, B and C", "A, B, C and 2 more"."""
    if more > 0:
        return Message("{names} and {more} more", names=joined(names, ", "), more=more)
    if len(names) < 2:
        return names[0] if names else ""
    return Message("{names} and {last}", names=joined(names[:-1], ", "), last=names[-1])
