# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The outbox of offense notes, and the runs whose offense is still looked for.

A note's row is written in the transaction of what it tells of. It leaves once the run's offense is
known; the notes of one run leave in their order. What it says is kept as a message until it is
first tried, then as it was sent: so it stands in QRadar, whatever language is set later.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.message import Message, Sentence, Words, joined, restored, stored
from app.restore.model import Run
from app.restore.notes import PROBABLY, as_posted
from app.store import owed
from app.store.audit import Audit
from app.store.database import Database
from app.store.rows import from_row
from app.store.run_rows import SELECT, run_from_row
from app.store.settings import spoken
from app.store.times import from_text, is_due, to_text

_SOURCES = ("source_ip", "destination_ip", "username")  # what offenses are made of, mostly
_OPEN = "posted_at IS NULL AND given_up_at IS NULL"


@dataclass(frozen=True, slots=True)
class OffenseNote:
    """One note; once it was tried ``mark`` stands at the end of ``text``."""

    id: int
    run_id: int
    offense_id: int | None
    mark: str
    kind: str
    text: Sentence
    created_at: datetime
    due_at: datetime
    attempts: int
    posted_at: datetime | None
    given_up_at: datetime | None
    error: Sentence | None
    probably: bool = False  # whether another offense fits its run as well

    may_be_there = True  # a store that was put back may have posted it before

    @property
    def with_mark(self) -> str:
        """What stands in the offense, or will, with its mark."""
        if self.mark in self.text:
            return self.text
        return joined((self.text, *((PROBABLY,) if self.probably else ()), self.mark), " ")

    @property
    def subject(self) -> str:
        """What the log calls it."""
        return f"run {self.run_id}"


@dataclass(frozen=True, slots=True)
class Search:
    """A run whose offense is looked for; ``attempts`` counts looks that were answered.

    ``rule_id`` is the mapping's where the trigger told none; ``claimed`` is the offense that the
    caller named, until it is checked; ``sources`` are what the event names as an offense may do.
    """

    run: Run
    rule_id: int | None
    attempts: int
    claimed: int | None
    sources: frozenset[str]


class Notes:
    """The offense notes in the store."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db, self._audit = db, audit

    # --- notes --------------------------------------------------------------------------------

    def add(self, run_id: int, kind: str, text: str, *, now: datetime) -> None:
        """Put a note into the outbox; its mark is put at the end of ``text`` when it is sent."""
        with self._db.transaction():
            row = self._db.execute(
                "SELECT instance, (SELECT count(*) FROM offense_notes WHERE run_id = ?) AS before"
                " FROM qradar",
                (run_id,),
            ).fetchone()
            mark = f"[SR-{run_id}-{row['before'] + 1}-{row['instance']}]"
            self._db.execute(
                "INSERT INTO offense_notes (run_id, mark, kind, text, created_at, due_at)"
                " VALUES (?,?,?,?,?,?)",
                (run_id, mark, kind, stored(text), to_text(now), to_text(now)),
            )
            ended = self._db.execute(
                "SELECT result FROM offense_searches WHERE run_id = ? AND result IS NOT NULL",
                (run_id,),
            ).fetchone()
            if ended is not None:
                self.give_up(run_id, restored(ended["result"]), now=now)

    def for_run(self, run_id: int) -> Sequence[OffenseNote]:
        """Give a run's notes, oldest first."""
        return self._all("WHERE run_id = ? ORDER BY offense_notes.id", run_id)

    def due(self, now: datetime) -> Sequence[OffenseNote]:
        """Give the next note of each run whose offense is known, oldest first, as it is sent."""
        due = [note for note in self._next_ones() if is_due(note.due_at, now)]
        return [_worded(note, spoken(self._db)) for note in due]

    def next_due(self, now: datetime) -> datetime | None:
        """Give when the next note, or the next look for an offense, is due."""
        times = [note.due_at for note in self._next_ones()]
        times += [from_text(row["due_at"]) for row in self._searches("")]
        return min((now if is_due(at, now) else at for at in times), default=None)

    def posted(self, note: OffenseNote, *, now: datetime) -> None:
        """Note that it stands in the offense."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE offense_notes SET posted_at = ?, error = NULL WHERE id = ?",
                (to_text(now), note.id),
            )

    def trying(self, note: OffenseNote, *, due_at: datetime) -> None:
        """Note, before it is sent, that it may have been sent, and when to look for it again."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE offense_notes SET attempts = attempts + 1, due_at = ?, text = ?"
                " WHERE id = ?",
                (to_text(due_at), note.text, note.id),
            )

    def failed(self, note: OffenseNote, error: str) -> None:
        """Note why it did not land this time."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE offense_notes SET error = ? WHERE id = ?", (stored(error), note.id)
            )

    def give_up_one(self, note: OffenseNote, why: str, *, now: datetime) -> None:
        """Give up one note; those after it are posted all the same."""
        self._give_up("id = ?", note.id, why, run_id=note.run_id, now=now)

    def offense_gone(self, note: OffenseNote, why: str, *, now: datetime) -> None:
        """Give up all notes of the run whose offense is there no more."""
        self.give_up(note.run_id, why, now=now)

    def give_up(self, run_id: int, why: str, *, now: datetime) -> None:
        """Give up a run's notes that have not landed."""
        self._give_up("run_id = ?", run_id, why, run_id=run_id, now=now)

    def _give_up(self, condition: str, value: int, why: str, *, run_id: int, now: datetime) -> None:
        with self._db.transaction():
            cursor = self._db.execute(
                "UPDATE offense_notes SET given_up_at = ?, error = ?"  # noqa: S608 - our own text
                f" WHERE {condition} AND {_OPEN}",
                (to_text(now), stored(why), value),
            )
            if cursor.rowcount:
                subject = f"run {run_id}"
                self._audit.append("app", "run.notes_given_up", subject, why, now=now)

    def _next_ones(self) -> Sequence[OffenseNote]:
        # Opened from the small index of open notes: the outbox's history can be long.
        return self._all(
            "WHERE offense_notes.id IN (SELECT min(id) FROM offense_notes"  # noqa: S608 - our own text
            f" WHERE {_OPEN} GROUP BY run_id) AND runs.offense_id IS NOT NULL"
            " AND runs.offense_by IS NOT 'caller'"
            " ORDER BY offense_notes.id"
        )

    def _all(self, condition: str, *values: object) -> Sequence[OffenseNote]:
        rows = self._db.execute(
            "SELECT offense_notes.*, runs.offense_id, runs.offense_by IS 'probably' AS probably"  # noqa: S608 - our own text
            " FROM offense_notes"
            f" JOIN runs ON runs.id = offense_notes.run_id {condition}",
            values,
        )
        return [from_row(OffenseNote, row) for row in rows]

    # --- the offense of a run -----------------------------------------------------------------

    def begin_search(self, run_id: int, *, now: datetime, claimed: int | None = None) -> None:
        """Look for a run's offense from now on; check ``claimed``, which the caller named."""
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO offense_searches (run_id, due_at, claimed) VALUES (?,?,?)"
                " ON CONFLICT (run_id) DO NOTHING",
                (run_id, to_text(now), claimed),
            )

    def open_search(self, run_id: int) -> Search | None:
        """Give the search of a run whose offense is still looked for."""
        rows = self._searches(f"AND run_id = {run_id:d}")
        return self._search(rows[0]) if rows else None

    def searches_due(self, now: datetime) -> Sequence[Search]:
        """Give the runs whose offense is to be looked for now, oldest first."""
        return [
            self._search(row)
            for row in self._searches("ORDER BY run_id")
            if is_due(from_text(row["due_at"]), now)
        ]

    def searched_runs(self, limit: int) -> Sequence[Run]:
        """Give the newest runs whose offense is looked for."""
        rows = self._db.execute(
            f"{SELECT} JOIN offense_searches ON offense_searches.run_id = runs.id"
            " WHERE offense_searches.ended_at IS NULL ORDER BY runs.id DESC LIMIT ?",
            (limit,),
        )
        return [run_from_row(row) for row in rows]

    def search_of(self, run_id: int) -> str | None:
        """Say in words why a run's offense is not known, as far as that is known."""
        row = self._db.execute(
            "SELECT ended_at, result FROM offense_searches WHERE run_id = ?", (run_id,)
        ).fetchone()
        if row is None:
            return None
        if row["ended_at"] is None:
            return Message("It is looked for.")
        return None if row["result"] is None else restored(row["result"])

    def look_again(self, run_id: int, *, due_at: datetime) -> None:
        """Note a look that was answered and found nothing."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE offense_searches SET attempts = attempts + 1, due_at = ? WHERE run_id = ?",
                (to_text(due_at), run_id),
            )

    def found(self, run_id: int, offense_id: int, *, now: datetime, by: str = owed.FOUND) -> None:
        """Note a run's offense, and how it is known: the run's notes can be posted now."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE runs SET offense_id = ?, offense_by = ? WHERE id = ?"
                " AND (offense_id IS NULL OR offense_by = 'caller')",
                (offense_id, by, run_id),
            )
            self._end_search(run_id, None, now)
            detail = Message("offense {offense} belongs to this run", offense=offense_id)
            if by == owed.PROBABLY:
                detail = Message(
                    "offense {offense} probably belongs to this run", offense=offense_id
                )
            self._audit.append("app", "run.offense", f"run {run_id}", detail, now=now)

    def reject_claim(self, run_id: int, offense_id: int, *, now: datetime) -> None:
        """Forget the offense that the caller named, and look as if none had been."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE runs SET offense_id = NULL, offense_by = NULL WHERE id = ?"
                " AND offense_by = 'caller'",
                (run_id,),
            )
            self._db.execute(
                "UPDATE offense_searches SET claimed = NULL WHERE run_id = ?", (run_id,)
            )
            detail = owed.not_its(offense_id)
            self._audit.append("app", "run.offense", f"run {run_id}", detail, now=now)

    def give_up_search(self, run_id: int, why: str, *, now: datetime) -> None:
        """Give up looking for a run's offense, and with it the run's notes."""
        with self._db.transaction():
            self._end_search(run_id, why, now)
            self.give_up(run_id, why, now=now)

    def _end_search(self, run_id: int, result: str | None, now: datetime) -> None:
        self._db.execute(
            "UPDATE offense_searches SET ended_at = ?, result = ? WHERE run_id = ?",
            (to_text(now), None if result is None else stored(result), run_id),
        )

    def _searches(self, order: str) -> Sequence[sqlite3.Row]:
        return self._db.execute(
            f"SELECT * FROM offense_searches WHERE ended_at IS NULL {order}"  # noqa: S608 - our own text
        ).fetchall()

    def _search(self, row: sqlite3.Row) -> Search:
        run = run_from_row(
            self._db.execute(f"{SELECT} WHERE runs.id = ?", (row["run_id"],)).fetchone()
        )
        rule_id = run.rule_id
        if rule_id is None:
            mapping = self._db.execute(
                "SELECT rule_id FROM mappings WHERE id = ?", (run.mapping_id,)
            ).fetchone()
            rule_id = None if mapping is None else mapping["rule_id"]
        fields = self._db.execute(
            "SELECT fields FROM triggers WHERE run_id = ? ORDER BY id LIMIT 1", (run.id,)
        ).fetchone()
        known = {} if fields is None else json.loads(fields["fields"])
        sources = frozenset(known[name] for name in _SOURCES if name in known)
        return Search(run, rule_id, row["attempts"], row["claimed"], sources)


def _worded(note: OffenseNote, words: Words) -> OffenseNote:
    """A note as it is sent: once it was tried, as it was then."""
    if note.attempts:
        return note
    text = note.text
    if not isinstance(text, Message):
        text = text.removesuffix(note.mark).rstrip()  # version 1.0.0 wrote the mark at once
    return replace(note, text=as_posted(text, note.mark, words, probably=note.probably))
