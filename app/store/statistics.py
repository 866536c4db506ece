# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Sums over the history, counted by SQLite: what the charts and the diagnostics page show."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.restore.model import RunState
from app.store.database import Database
from app.store.run_rows import RunFilter, where
from app.store.times import from_text

PERIODS = {"day": 10, "month": 7, "year": 4}  # and how much of a time's text names one
MOST_TIMES = 5000
"""So many durations at most are read for medians; of more, every second, third … run."""

_TABLES = ("connections", "mappings", "trigger_tokens", "runs", "transitions", "log_lines")
_MORE_TABLES = ("requests", "triggers", "audit")
_SECONDS = "CAST(round((julianday(ready_at) - julianday(received_at)) * 86400) AS INTEGER)"


@dataclass(frozen=True, slots=True)
class Counted:
    """How many runs of a period are in a state; how many of them had their copy up."""

    period: str  # 2026-11-24, 2026-11 or 2026, in UTC
    state: RunState
    runs: int
    ready: int


@dataclass(frozen=True, slots=True)
class ReadyTimes:
    """Seconds from receipt to ready of a period's runs, the shortest first."""

    times: Mapping[str, list[int]]
    every: int  # of so many runs one was looked at


class Statistics:
    """Sums over the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def span(self) -> tuple[datetime, datetime] | None:
        """Give when the first and the last run was received; None while there is none."""
        first, last = (
            self._db.execute(f"SELECT {which}(received_at) FROM runs").fetchone()[0]  # noqa: S608 - our own text
            for which in ("min", "max")  # both in one statement would read every row
        )
        return None if first is None else (from_text(first), from_text(last))

    def by_period(self, chosen: RunFilter, period: str) -> list[Counted]:
        """Count the runs that match by day, month or year, and state."""
        condition, values = where(chosen, None)
        rows = self._db.execute(
            f"SELECT substr(received_at, 1, {PERIODS[period]}) AS period, state, count(*),"  # noqa: S608 - our own text
            f" count(ready_at) FROM runs {condition} GROUP BY 1, 2 ORDER BY 1, 2",
            values,
        )
        return [Counted(row[0], RunState(row[1]), row[2], row[3]) for row in rows]

    def ready_times(self, chosen: RunFilter, period: str, *, ready: int) -> ReadyTimes:
        """Give the times from receipt to ready of the runs that match and had their copy up.

        ``ready`` is how many those are. QRadar's clock may be ahead of ours: nothing takes less
        than 0 seconds.
        """
        every = max(1, -(-ready // MOST_TIMES))
        condition, values = where(chosen, None)
        also = f"{condition} AND" if condition else "WHERE"
        rows = self._db.execute(
            f"SELECT substr(received_at, 1, {PERIODS[period]}), max(0, {_SECONDS}) FROM runs"  # noqa: S608 - our own text
            f" {also} runs.id % ? = 0 AND ready_at IS NOT NULL ORDER BY 2",
            (*values, every),
        )
        times: dict[str, list[int]] = {}
        for row in rows:
            times.setdefault(row[0], []).append(row[1])
        return ReadyTimes(times, every)

    def rows(self) -> Mapping[str, int]:
        """Give how many rows the tables of the history and the configuration have."""
        return {
            table: int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own names
            for table in (*_TABLES, *_MORE_TABLES)
        }

    def versions(self) -> Mapping[str, str]:
        """Give SQLite's version and the schema's."""
        return {
            "SQLite": sqlite3.sqlite_version,
            "schema": str(self._db.execute("PRAGMA user_version").fetchone()[0]),
        }
