# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How a run stands in its row, and how a list of runs is narrowed."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.restore.memory import Memory
from app.restore.model import Run
from app.restore.model.copies import SeenCopy
from app.store import seen_copies
from app.store.memories import from_json, to_json
from app.store.rows import from_row
from app.store.times import to_text

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
            " OR runs.job_session_id = ? OR english(runs.error) LIKE ? ESCAPE '\\')"
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
    if isinstance(value, SeenCopy):
        return seen_copies.to_json(value)
    if isinstance(value, bool):
        return int(value)
    return value


def run_from_row(row: sqlite3.Row) -> Run:
    """Give the run that stands in a row of `SELECT`."""
    copy = seen_copies.from_json(row["copy"])
    return from_row(Run, row, memory=from_json(row["memory"]), copy=copy)
