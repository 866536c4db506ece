# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Reading the history page by page, both ways, by keyset: its end as fast as its start."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.restore.model import LogLine, Run
from app.store.database import Database
from app.store.rows import from_row
from app.store.run_rows import SELECT, RunFilter, run_from_row, where


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, the newest first, and the ids from which the pages beside it go on."""

    runs: Sequence[Run]
    newer: int | None  # ask for what comes after this id; None: these are the newest
    older: int | None  # ask for what comes before this id; None: these are the oldest


@dataclass(frozen=True, slots=True)
class LogPage:
    """The last lines of CDM's log for a run, oldest first."""

    lines: Sequence[LogLine]
    total: int  # how many there are of the chosen types
    types: Sequence[tuple[str, int]]  # every type of the run's lines, and how many there are of it


class History:
    """The pages of the history."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def page(
        self, chosen: RunFilter, *, before: int | None, after: int | None = None, limit: int = 50
    ) -> RunPage:
        """Give the runs that match, below the id ``before`` or, without it, above ``after``."""
        up = before is None and after is not None
        ids = self._ids(chosen, before, after if up else None, limit=limit + 1)
        more, ids = len(ids) > limit, ids[:limit]
        if up:
            ids.reverse()
        newer, older = (more, after is not None) if up else (before is not None, more)
        runs = self._runs(ids)
        return RunPage(
            runs=runs,
            newer=ids[0] if newer and ids else None,
            older=ids[-1] if older and ids else None,
        )

    def _ids(
        self, chosen: RunFilter, before: int | None, after: int | None, *, limit: int
    ) -> list[int]:
        # Ids alone come from an index, and where SQLite must sort it sorts numbers, not rows.
        condition, values = where(chosen, before)
        if after is not None:
            condition = f"{condition} AND runs.id > ?" if condition else "WHERE runs.id > ?"
            values.append(after)
        order = "DESC" if after is None else "ASC"
        rows = self._db.execute(
            f"SELECT runs.id FROM runs {condition} ORDER BY runs.id {order} LIMIT ?",  # noqa: S608 - our own text
            (*values, limit),
        )
        return [row[0] for row in rows]

    def _runs(self, ids: Sequence[int]) -> list[Run]:
        found: list[Run] = []
        for first in range(0, len(ids), 500):  # SQLite takes 999 values in one statement
            part = ids[first : first + 500]
            marks = ", ".join("?" * len(part))
            rows = self._db.execute(
                f"{SELECT} WHERE runs.id IN ({marks}) ORDER BY runs.id DESC", tuple(part)
            )
            found += [run_from_row(row) for row in rows]
        return found

    def log(
        self, run_id: int, *, types: Sequence[str] = (), before: int = 0, limit: int = 100
    ) -> LogPage:
        """Give the last lines but ``before`` of a run's log, of some types or of all."""
        counted = self._db.execute(
            "SELECT type, count(*) FROM log_lines WHERE run_id = ? GROUP BY type ORDER BY type",
            (run_id,),
        )
        kinds = [(str(row[0]), int(row[1])) for row in counted]
        only = f" AND type IN ({', '.join('?' * len(types))})" if types else ""
        rows = self._db.execute(
            f"SELECT * FROM log_lines WHERE run_id = ?{only}"  # noqa: S608 - our own text
            " ORDER BY time DESC, id DESC LIMIT ? OFFSET ?",
            (run_id, *types, limit, before),
        )
        lines = [from_row(LogLine, row) for row in rows]
        lines.reverse()
        return LogPage(
            lines=lines,
            total=sum(number for kind, number in kinds if not types or kind in types),
            types=kinds,
        )
