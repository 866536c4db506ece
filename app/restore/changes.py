# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a step changes of a run, beside its state."""

from datetime import datetime
from typing import TypedDict

from app.restore.memory import Memory
from app.restore.model import Evidence
from app.restore.model.copies import SeenCopy


class Changes(TypedDict, total=False):
    """The new values; what is not in it stays."""

    due_at: datetime | None
    attempts: int
    memory: Memory
    error: str | None
    dry_run: bool
    sent_at: datetime | None  # the start, from which the job cools down
    started_at: datetime | None
    ready_at: datetime | None
    job_session_id: str | None
    cdm_status: str | None
    percent: int | None
    with_warnings: bool
    evidence: Evidence | None
    blocked_by: str | None
    contact_lost_since: datetime | None
    copy: SeenCopy | None
