# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a copy manager tells pages, beyond what the heart asks: jobs, the steps of tests."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was tried, how it went, and if it didn't, why and what to do."""

    name: str
    ok: bool
    ms: int
    message: str
    cause: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class JobEntry:
    """A job in the list of a copy manager, whatever it does."""

    id: str
    name: str
    type: str  # recovery, protection, maintenance; anything else is the manager's own word
    subtype: str
    status: str
    last_run: datetime | None
    last_status: str | None
    description: str
    is_restore: bool
    policy_id: str | None = None  # given back to it, its copy is found sooner
