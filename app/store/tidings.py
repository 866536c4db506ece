# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The second outbox: what offenses are told whose triggers made no run (issue 8, 7).

An offense is told of a run twice at most, and once a day why nothing was started: unique indexes
hold that. A text is written at its first try, so that it tells of the run as it is then.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.message import Message, Sentence, restored, stored
from app.restore.model import Run
from app.restore.notes import as_posted
from app.restore.tidings import TOLD_ONCE_MORE, attack_text, first_text, second_text
from app.store.audit import Audit
from app.store.database import Database
from app.store.owed import CALLER
from app.store.rows import from_row
from app.store.run_rows import SELECT, run_from_row
from app.store.settings import spoken
from app.store.times import from_text, is_due, to_text
from app.store.triggers import Triggers

_OPEN = "posted_at IS NULL AND given_up_at IS NULL"
_UNFINISHED = (  # word for word the condition of the index tidings_unfinished
    "part = 1 AND told_state IN"
    " ('awaiting_approval', 'queued', 'starting', 'restoring', 'cleaning_up', 'needs_decision')"
)
_OWN_TELLS = Message("The run's own notes stand in this offense.")


@dataclass(frozen=True, slots=True)
class Tiding:
    """One note of this outbox; ``text`` is empty until it is first tried."""

    id: int
    offense_id: int
    run_id: int | None
    mark: str
    text: str
    created_at: datetime
    due_at: datetime
    attempts: int
    posted_at: datetime | None
    given_up_at: datetime | None
    error: Sentence | None

    @property
    def subject(self) -> str:
        """What the log calls it."""
        return f"offense {self.offense_id}"

    @property
    def may_be_there(self) -> bool:
        """Whether an earlier try may have put it there."""
        return self.attempts > 0


class Tidings:
    """This outbox in the store."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db, self._audit, self._triggers = db, audit, Triggers(db)

    def due(self, now: datetime) -> Sequence[Tiding]:
        """Give the next one that is due, with its text; none or one."""
        for row in self._open():
            if is_due(from_text(row["due_at"]), now) and (note := self._worded(row, now)):
                return [note]
        return []

    def next_due(self, now: datetime) -> datetime | None:
        """Give when the next one is due."""
        times = [from_text(row["due_at"]) for row in self._open()]
        return min((now if is_due(at, now) else at for at in times), default=None)

    def add_seconds(self, now: datetime) -> None:
        """Let offenses be told once more whose run has come to rest, or needs a person, since."""
        states = ", ".join(f"'{state}'" for state in sorted(TOLD_ONCE_MORE))
        rows = self._db.execute(
            "SELECT tidings.id FROM tidings INDEXED BY tidings_unfinished"  # noqa: S608 - our own text
            f" JOIN runs ON runs.id = tidings.run_id WHERE {_UNFINISHED} AND posted_at IS NOT NULL"
            f" AND runs.state IN ({states}) AND runs.state <> told_state AND NOT EXISTS"
            " (SELECT 1 FROM tidings AS other WHERE other.offense_id = tidings.offense_id"
            " AND other.run_id = tidings.run_id AND other.part = 2) LIMIT 1000"
        ).fetchall()
        if not rows:
            return
        with self._db.transaction():
            for row in rows:
                self._db.execute(
                    "INSERT OR IGNORE INTO tidings (offense_id, run_id, reason, day, part,"
                    " trigger_id, probably, created_at, due_at) SELECT offense_id, run_id,"
                    " 'at_rest', ?, 2, trigger_id, probably, ?, ? FROM tidings WHERE id = ?",
                    (to_text(now)[:10], to_text(now), to_text(now), row["id"]),
                )

    def of_offense(self, offense_id: int) -> Sequence[Tiding]:
        """Give what an offense was told, or is to be, oldest first."""
        return [
            self._tiding(row) for row in self._all("WHERE offense_id = ? ORDER BY id", offense_id)
        ]

    def of_run(self, run_id: int, *, limit: int) -> Sequence[Tiding]:
        """Give what other offenses are told of a run, the newest first."""
        rows = self._all("WHERE run_id = ? ORDER BY id DESC LIMIT ?", run_id, limit)
        return [self._tiding(row) for row in rows]

    # --- as `app.qradar.outbox` calls it ---------------------------------------------------------

    def trying(self, note: Tiding, *, due_at: datetime) -> None:
        """Note, before it is sent, that it may have been sent, and when to look for it again."""
        self._set(note, "attempts = attempts + 1, due_at = ?", to_text(due_at))

    def failed(self, note: Tiding, error: str) -> None:
        """Note why it did not land this time."""
        self._set(note, "error = ?", stored(error))

    def posted(self, note: Tiding, *, now: datetime) -> None:
        """Note that it stands in the offense."""
        self._set(note, "posted_at = ?, error = NULL", to_text(now))

    def give_up_one(self, note: Tiding, why: str, *, now: datetime) -> None:
        """Give up one note."""
        with self._db.transaction():
            self._set(note, "given_up_at = ?, error = ?", to_text(now), stored(why))
            self._audit.append("app", "offense.note_given_up", note.subject, why, now=now)

    def offense_gone(self, note: Tiding, why: str, *, now: datetime) -> None:
        """Give up all that waits for an offense that is there no more."""
        with self._db.transaction():
            self._db.execute(
                f"UPDATE tidings SET given_up_at = ?, error = ? WHERE offense_id = ? AND {_OPEN}",  # noqa: S608 - our own text
                (to_text(now), stored(why), note.offense_id),
            )
            self._audit.append("app", "offense.note_given_up", note.subject, why, now=now)

    # --- within -----------------------------------------------------------------------------------

    def _worded(self, row: sqlite3.Row, now: datetime) -> Tiding | None:
        """The note with its text, which is written now if it was never tried; None: not needed."""
        run = self._run(row["run_id"])
        own = run is not None and run.offense_by != CALLER and run.offense_id == row["offense_id"]
        if own:
            self._set(
                self._tiding(row), "given_up_at = ?, error = ?", to_text(now), stored(_OWN_TELLS)
            )
            return None
        if row["attempts"]:
            return self._tiding(row)
        text = as_posted(
            self._text(row, run, now),
            self._tiding(row).mark,
            spoken(self._db),
            probably=bool(row["probably"]),
        )
        with self._db.transaction():
            self._db.execute(
                "UPDATE tidings SET text = ?, told_state = ? WHERE id = ?",
                (text, None if run is None else run.state, row["id"]),
            )
        (row,) = self._all("WHERE id = ?", row["id"])
        return self._tiding(row)

    def _text(self, row: sqlite3.Row, run: Run | None, now: datetime) -> Message:
        if row["part"] == 2 and row["reason"] == "at_rest" and run is not None:
            return second_text(run, now=now)
        attack = self._db.execute(
            "SELECT why FROM attacks WHERE trigger_id = ?", (row["trigger_id"],)
        ).fetchone()
        if attack is not None:
            return attack_text(restored(attack["why"]), run, now=now)
        return first_text(self._triggers.get(row["trigger_id"]), run, now=now)

    def _run(self, run_id: int | None) -> Run | None:
        if run_id is None:
            return None
        row = self._db.execute(f"{SELECT} WHERE runs.id = ?", (run_id,)).fetchone()
        return run_from_row(row)

    def _open(self) -> Sequence[sqlite3.Row]:
        return self._all(f"WHERE {_OPEN} ORDER BY id LIMIT 1000")

    def _all(self, condition: str, *values: object) -> Sequence[sqlite3.Row]:
        return self._db.execute(
            f"SELECT tidings.*, (SELECT instance FROM qradar) AS instance FROM tidings {condition}",  # noqa: S608 - our own text
            values,
        ).fetchall()

    def _set(self, note: Tiding, columns: str, *values: object) -> None:
        with self._db.transaction():
            self._db.execute(f"UPDATE tidings SET {columns} WHERE id = ?", (*values, note.id))  # noqa: S608 - our own text

    def _tiding(self, row: sqlite3.Row) -> Tiding:
        mark = f"[SR-T{row['id']}-{row['instance']}]"
        return from_row(Tiding, row, mark=mark, text=row["text"] or "")
