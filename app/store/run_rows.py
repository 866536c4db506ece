# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How a run stands in its row, and how a list of runs is narrowed."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.restore.memory import Memory
from app.restore.model import Evidence, Run, RunState
from app.store.memories import from_json, to_json
from app.store.times import from_text, from_text_or_none, to_text

SELECT = (
    "SELECT runs.*, (SELECT kind FROM requests WHERE run_id = runs.id AND done_at IS NULL"
    " AND kind <> 'resolve' ORDER BY id LIMIT 1) AS pending_request FROM runs"
)


# LIVE is word for word the condition of the index runs_live, or SQLite can't use it.
LIVE = (
    "state IN ('queued', 'starting', 'restoring', 'ready', 'cleaning_up', 'needs_decision')"
    " AND dry_run = 0"
)
OPEN = (
    "state IN ('awaiting_approval', 'queued', 'starting', 'restoring', 'ready', 'cleaning_up',"
    " 'needs_decision')"
)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What a list of runs is narrowed to; times compare with ``received_at``."""

    state: str | None = None
    mapping: str | None = None
    connection: str | None = None
    offense_id: int | None = None
    q: str | None = None
    from_: datetime | None = None
    to: datetime | None = None
    states: tuple[str, ...] = ()  # any of these


def where(chosen: RunFilter, before: int | None) -> tuple[str, list[object]]:
    """Give the condition for a filter and its values."""
    conditions: list[str] = []
    values: list[object] = []
    for condition, value in (
        ("runs.state = ?", chosen.state),
        ("runs.mapping = ?", chosen.mapping),
        ("runs.connection = ?", chosen.connection),
        ("runs.offense_id = ?", chosen.offense_id),
        ("runs.received_at >= ?", None if chosen.from_ is None else to_text(chosen.from_)),
        ("runs.received_at < ?", None if chosen.to is None else to_text(chosen.to)),
        ("runs.id < ?", before),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if chosen.states:
        conditions.append(f"runs.state IN ({', '.join('?' * len(chosen.states))})")
        values += chosen.states
    if chosen.q:
        conditions.append(
            "(runs.job_name LIKE ? ESCAPE '\\' OR runs.mapping LIKE ? ESCAPE '\\'"
            " OR runs.rule_name LIKE ? ESCAPE '\\' OR runs.connection LIKE ? ESCAPE '\\'"
            " OR runs.job_session_id = ? OR runs.error LIKE ? ESCAPE '\\')"
        )
        like = f"%{_escape_like(chosen.q)}%"
        values += [like, like, like, like, chosen.q, like]
    return (f"WHERE {' AND '.join(conditions)}" if conditions else ""), values


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def to_column(value: object) -> object:
    """Give a value as SQLite takes it."""
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Memory):
        return to_json(value)
    if isinstance(value, bool):
        return int(value)
    return value


def run_from_row(row: sqlite3.Row) -> Run:
    """Give the run that stands in a row of `SELECT`."""
    return Run(
        id=row["id"],
        state=RunState(row["state"]),
        connection_id=row["connection_id"],
        connection=row["connection"],
        job_id=row["job_id"],
        job_name=row["job_name"],
        received_at=from_text(row["received_at"]),
        mapping_id=row["mapping_id"],
        mapping=row["mapping"],
        action_name=row["action_name"],
        source=row["source"],
        rule_id=row["rule_id"],
        rule_name=row["rule_name"],
        offense_id=row["offense_id"],
        offense_by=row["offense_by"],
        detected_at=from_text_or_none(row["detected_at"]),
        started_at=from_text_or_none(row["started_at"]),
        ready_at=from_text_or_none(row["ready_at"]),
        ended_at=from_text_or_none(row["ended_at"]),
        repeats=row["repeats"],
        error=row["error"],
        dry_run=bool(row["dry_run"]),
        job_session_id=row["job_session_id"],
        cdm_status=row["cdm_status"],
        percent=row["percent"],
        with_warnings=bool(row["with_warnings"]),
        new_attack=bool(row["new_attack"]),
        evidence=None if row["evidence"] is None else Evidence(row["evidence"]),
        blocked_by=row["blocked_by"],
        contact_lost_since=from_text_or_none(row["contact_lost_since"]),
        pending_request=row["pending_request"],
        state_since=from_text(row["state_since"]),
        due_at=from_text_or_none(row["due_at"]),
        attempts=row["attempts"],
        memory=from_json(row["memory"]),
    )
