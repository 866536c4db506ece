# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""CDM's records as ours: ids, times, jobs, job sessions, log lines (cdm §2, §4, §5, §9)."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from app.cdm.status import is_busy, phase
from app.message import Message
from app.remote.failures import Cleaner
from app.remote.told import JobEntry
from app.restore.model import JobSession, LogLine, RestoreJob, Unknown

MAX_MESSAGE = 4000
_LAST_MS = 253_402_300_799_000  # the end of the year 9999

Json = dict[str, Any]


def text_id(value: object) -> str | None:
    """An id as text: CDM sends strings of digits, some releases numbers; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def when(value: object) -> datetime | None:
    """A time from epoch milliseconds, as a number or text; None for absent, 0, nonsense."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        ms = float(value)
    except ValueError:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC) if 0 < ms <= _LAST_MS else None


def is_restore(job: Json) -> bool:
    """Whether a job restores: ``type == "recovery"`` and nothing else (cdm §2)."""
    return job.get("type") == "recovery"


def job_entry(job: Json, cleaner: Cleaner) -> JobEntry | None:
    """A list entry; None if it has no id."""
    job_id = text_id(job.get("id"))
    if job_id is None:
        return None
    last = _map(job.get("lastrun"))
    status = job.get("lastSessionStatus") or last.get("status")
    return JobEntry(
        id=job_id,
        name=_text(job.get("name")),
        type=_text(job.get("type")),
        subtype=_text(job.get("subType")),
        status=_text(job.get("status")),
        last_run=when(job.get("lastRunTime")) or when(last.get("start")),
        last_status=status if isinstance(status, str) else None,
        description=cleaner.clean(_text(job.get("description"))),
        is_restore=is_restore(job),
        policy_id=text_id(job.get("policyId")),
    )


def restore_job(job: Json, job_id: str, cleaner: Cleaner) -> RestoreJob:
    """A job as the engine looks at it before a start."""
    status = _text(job.get("status"))
    return RestoreJob(
        id=job_id,
        name=_text(job.get("name")),
        is_restore=is_restore(job),
        status=cleaner.clean(status, 60),
        busy=is_busy(status),
    )


def job_session(
    raw: object, cleaner: Cleaner, *, was_running: bool = False, job_id: str | None = None
) -> JobSession:
    """One job session; raise `Unknown` if it lacks one of the three fields that all have.

    :param was_running: whether it was seen running before, which settles what PENDING means
    :param job_id: stands in for a missing ``jobId``, where the source is the job itself
    """
    record = _map(raw)
    session_id = text_id(record.get("id"))
    job = text_id(record.get("jobId")) or job_id
    status = record.get("status")
    if session_id is None or job is None or not isinstance(status, str):
        raise Unknown(Message("CDM shows a job session without id, job or status."))
    ended = when(record.get("end"))
    results = record.get("results")
    results = cleaner.clean(results) if isinstance(results, str) and results.strip() else None
    return JobSession(
        id=session_id,
        job_id=job,
        status=cleaner.clean(status, 60),
        phase=phase(status, ended=ended is not None, results=results, was_running=was_running),
        start=when(record.get("start")),
        end=ended,
        percent=_percent(record.get("percent")),
        results=results,
    )


def log_lines(records: Iterable[Json], cleaner: Cleaner) -> list[LogLine]:
    """Log lines with a key each: CDM's own id, else a digest and the number among equals.

    Identical twins in one millisecond both survive, and a line read twice has one key, as long as
    what has its time is read together.
    """
    twins: Counter[str] = Counter()
    lines = []
    for record in records:
        own = text_id(record.get("id"))
        message = cleaner.clean(_text(record.get("message")), MAX_MESSAGE)
        kind = cleaner.clean(_text(record.get("type")), 30) or "INFO"
        if own is None:
            digest = hashlib.sha256(
                "\0".join((str(record.get("logTime")), kind, message)).encode()
            ).hexdigest()[:32]
            own = f"{digest}-{twins[digest]}"
            twins[digest] += 1
        lines.append(LogLine(own, when(record.get("logTime")), kind, message))
    return lines


def _percent(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= 100 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _map(value: object) -> Json:
    return value if isinstance(value, dict) else {}
