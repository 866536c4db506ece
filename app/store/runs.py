# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs: their rows, their history, CDM's log lines, and what people ask of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from app.message import Message, stored
from app.restore.changes import Changes
from app.restore.model import (
    MANUAL,
    CdmConnection,
    LogLine,
    Mapping,
    NoSuchRun,
    Overtaken,
    Request,
    Run,
    RunState,
    Transition,
    Trigger,
)
from app.restore.notes import Note, note_of
from app.restore.states import FINAL_STATES, check_arrow
from app.store.attacks import Attacks
from app.store.audit import Audit
from app.store.database import Database
from app.store.notes import Notes
from app.store.owed import WATCH, known_by
from app.store.rows import from_row
from app.store.run_rows import LIVE, OPEN, SELECT, RunFilter, run_from_row, to_column, where
from app.store.times import to_text, to_text_or_none


class Runs:
    """The runs in the store."""

    def __init__(self, db: Database, audit: Audit, notes: Notes, attacks: Attacks) -> None:
        self._db, self._audit, self._notes, self._attacks = db, audit, notes, attacks

    # --- reading ------------------------------------------------------------------------------

    def get(self, run_id: int) -> Run:
        """Give one run. Raises `NoSuchRun`."""
        row = self._db.execute(f"{SELECT} WHERE runs.id = ?", (run_id,)).fetchone()
        if row is None:
            raise NoSuchRun(f"there is no run {run_id}")
        return run_from_row(row)

    def list(
        self, chosen: RunFilter | None = None, before: int | None = None, *, limit: int = 50
    ) -> list[Run]:
        """Give the newest runs first, those below the id ``before`` if it is given."""
        condition, values = where(chosen or RunFilter(), before)
        rows = self._db.execute(
            f"{SELECT} {condition} ORDER BY runs.id DESC LIMIT ?", (*values, limit)
        )
        return [run_from_row(row) for row in rows]

    def open(self, connection_id: int | None = None) -> Sequence[Run]:
        """Give every run that is not at its end, oldest first, of one connection or of all."""
        sql, values = f"{SELECT} WHERE {OPEN}", list[object]()
        if connection_id is not None:
            sql, values = f"{sql} AND runs.connection_id = ?", [connection_id]
        return [run_from_row(row) for row in self._db.execute(f"{sql} ORDER BY runs.id", values)]

    def queued(self, connection_id: int) -> frozenset[int]:
        """Give the ids of a connection's runs that are to be started, dry runs left out."""
        rows = self._db.execute(
            "SELECT id FROM runs WHERE state = 'queued' AND dry_run = 0 AND connection_id = ?",
            (connection_id,),
        )
        return frozenset(row["id"] for row in rows)

    def live_of_job(self, connection_id: int, job_id: str) -> Run | None:
        """Give the one live run of a CDM job."""
        return self._of_job(connection_id, job_id, LIVE)

    def unapproved(self, connection_id: int, job_id: str) -> Run | None:
        """Give the run of a CDM job that waits for a person's yes."""
        return self._of_job(connection_id, job_id, "state = 'awaiting_approval'")

    def last_observed(self, connection_id: int, job_id: str) -> Run | None:
        """Give the newest run that a rule brought about and that must not start a CDM job."""
        which = "dry_run = 1 AND source <> 'simulation' ORDER BY id DESC"
        return self._of_job(connection_id, job_id, which)

    def _of_job(self, connection_id: int, job_id: str, which: str) -> Run | None:
        row = self._db.execute(
            f"{SELECT} WHERE runs.connection_id = ? AND runs.job_id = ? AND {which}",
            (connection_id, job_id),
        ).fetchone()
        return None if row is None else run_from_row(row)

    def transitions(self, run_id: int) -> Sequence[Transition]:
        """Give a run's history, oldest first."""
        return [
            from_row(Transition, row)
            for row in self._db.execute(
                "SELECT * FROM transitions WHERE run_id = ? ORDER BY id", (run_id,)
            )
        ]

    def log(self, run_id: int, *, limit: int = 5000) -> Sequence[LogLine]:
        """Give CDM's log lines of a run as far as they were read, in CDM's order."""
        rows = self._db.execute(
            "SELECT * FROM log_lines WHERE run_id = ? ORDER BY time, id LIMIT ?", (run_id, limit)
        )
        return [from_row(LogLine, row) for row in rows]

    def requests(self, run_id: int) -> Sequence[Request]:
        """Give what was asked of a run and is not done yet, oldest first."""
        rows = self._db.execute(
            "SELECT * FROM requests WHERE run_id = ? AND done_at IS NULL ORDER BY id", (run_id,)
        )
        return [from_row(Request, row) for row in rows]

    # --- writing ------------------------------------------------------------------------------

    def add(
        self,
        trigger: Trigger,
        mapping: Mapping,
        connection: CdmConnection,
        *,
        now: datetime,
        state: RunState = RunState.QUEUED,
        dry_run: bool = False,
    ) -> Run:
        """Make a run for ``trigger``; it keeps its own copy of connection and job."""
        with self._db.transaction():
            cursor = self._db.execute(
                "INSERT INTO runs (state, state_since, connection_id, connection, host, port,"
                " mapping_id, mapping, job_id, job_name, action_name, source, rule_id, rule_name,"
                " offense_id, offense_by, detected_at, received_at, due_at, dry_run, kind)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *(state, to_text(now), connection.id, connection.name),
                    *(connection.host, connection.port, mapping.id, mapping.name, mapping.job_id),
                    *(mapping.job_name, mapping.action_name, trigger.source, trigger.rule_id),
                    *(trigger.rule_name or mapping.rule_name, trigger.offense_id),
                    known_by(trigger),
                    *(to_text_or_none(trigger.detected_at), to_text(trigger.received_at)),
                    *(to_text(now), dry_run, connection.kind),
                ),
            )
            run_id = int(cursor.lastrowid or 0)
            reason, by = _why(trigger)
            self._write_history(run_id, None, state, reason=reason, by=by, now=now)
            self._look_for_offense(run_id, trigger, now=now)
            self._add_note(None, self.get(run_id), reason, now=now)
        return self.get(run_id)

    def record(
        self,
        run: Run,
        to_state: RunState,
        reason: str,
        *,
        by: str,
        now: datetime,
        changes: Changes | None = None,
    ) -> Run:
        """Move ``run`` to another state, with history, audit row and offense note; give it then.

        Compare-and-set: raises `Overtaken` when the run is no longer in ``run.state``, and
        `IllegalTransition` where no arrow leads. ``changes`` are set with it.
        """
        check_arrow(run.state, to_state)
        columns: dict[str, object] = {**(changes or {}), "state": to_state, "state_since": now}
        if to_state in FINAL_STATES:
            columns.update(ended_at=now, due_at=None)
        if "sent_at" in columns:
            columns["cools_from"] = columns["sent_at"]
        if to_state is RunState.FAILED and run.ready_at is None:
            columns["cools_from"] = now
        with self._db.transaction():
            self._update(run, columns)
            if to_state in FINAL_STATES:
                self._db.execute(
                    "UPDATE requests SET done_at = ?, result = 'the run has ended'"
                    " WHERE run_id = ? AND done_at IS NULL",
                    (to_text(now), run.id),
                )
            self._write_history(run.id, run.state, to_state, reason=reason, by=by, now=now)
            if "cools_from" in columns:
                self._db.execute(
                    "UPDATE runs SET cools_order = (SELECT max(id) FROM transitions) WHERE id = ?",
                    (run.id,),
                )
            moved = self.get(run.id)
            self._attacks.follow(moved, now=now)
            self._add_note(run.state, moved, reason, now=now)
        return moved

    def note(self, run: Run, **changes: Unpack[Changes]) -> Run:
        """Change what is known of a run that stays in its state. Raises `Overtaken`."""
        with self._db.transaction():
            self._update(run, dict(changes))
        return self.get(run.id)

    def count_repeat(self, run_id: int) -> None:
        """Note that a run swallowed one more trigger."""
        with self._db.transaction():
            self._db.execute("UPDATE runs SET repeats = repeats + 1 WHERE id = ?", (run_id,))

    def tell_once(self, run: Run, note: Note, *, now: datetime) -> None:
        """Put a note about a run into the outbox, unless one of its kind was before."""
        with self._db.transaction():
            if all(one.kind != note.kind for one in self._notes.for_run(run.id)):
                self._notes.add(run.id, note.kind, note.words, now=now)

    def add_log(self, run_id: int, lines: Sequence[LogLine]) -> int:
        """Keep CDM's log lines, each once; give how many were new."""
        if not lines:
            return 0
        with self._db.transaction():
            before = self._db.connection.total_changes
            self._db.execute_many(
                "INSERT INTO log_lines (run_id, key, time, type, message) VALUES (?,?,?,?,?)"
                " ON CONFLICT (run_id, key) DO NOTHING",
                [
                    (run_id, line.key, to_text_or_none(line.time), line.type, line.message)
                    for line in lines
                ],
            )
            return self._db.connection.total_changes - before

    def ask(
        self,
        run: Run,
        kind: str,
        *,
        by: str,
        now: datetime,
        decision: str | None = None,
        job_session_id: str | None = None,
    ) -> None:
        """Leave a request for the worker; asking again while one is pending changes nothing."""
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO requests (run_id, kind, decision, job_session_id, at, by)"
                " VALUES (?,?,?,?,?,?) ON CONFLICT (run_id, kind) WHERE done_at IS NULL DO NOTHING",
                (run.id, kind, decision, job_session_id, to_text(now), by),
            )
            self._db.execute("UPDATE runs SET due_at = ? WHERE id = ?", (to_text(now), run.id))
            self._audit.append(by, f"run.{kind}", f"run {run.id}", decision or "", now=now)

    def close_request(self, request: Request, result: str, *, now: datetime) -> None:
        """Note that a request was dealt with, and how."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE requests SET done_at = ?, result = ? WHERE id = ?",
                (to_text(now), stored(result), request.id),
            )

    def _look_for_offense(self, run_id: int, trigger: Trigger, *, now: datetime) -> None:
        if known_by(trigger) == WATCH or trigger.simulated:
            return
        self._notes.begin_search(run_id, claimed=trigger.offense_id, now=now)
        if trigger.source == MANUAL and trigger.detected_at is None:
            why = Message("It was started by hand, without an attack that it belongs to.")
            self._notes.give_up_search(run_id, why, now=now)

    def _add_note(self, before: RunState | None, run: Run, reason: str, *, now: datetime) -> None:
        note = note_of(before, run, reason, now=now)
        if note is not None:
            self._notes.add(run.id, note.kind, note.words, now=now)

    def _update(self, run: Run, columns: dict[str, object]) -> None:
        if isinstance(error := columns.get("error"), str):
            columns = {**columns, "error": stored(error)}
        assignments = ", ".join(f"{name} = ?" for name in columns)
        cursor = self._db.execute(
            f"UPDATE runs SET {assignments} WHERE id = ? AND state = ?",  # noqa: S608 - our own column names
            (*map(to_column, columns.values()), run.id, run.state),
        )
        if cursor.rowcount != 1:
            raise Overtaken(f"run {run.id} is no longer {run.state}")

    def _write_history(
        self,
        run_id: int,
        from_state: RunState | None,
        to_state: RunState,
        *,
        reason: str,
        by: str,
        now: datetime,
    ) -> None:
        self._db.execute(
            "INSERT INTO transitions (run_id, at, from_state, to_state, reason, by)"
            " VALUES (?,?,?,?,?,?)",
            (run_id, to_text(now), from_state, to_state, stored(reason), by),
        )
        arrow = f"{from_state or 'new'} -> {to_state}"
        self._audit.append(by, f"run {arrow}", f"run {run_id}", reason, now=now)


def _why(trigger: Trigger) -> tuple[str, str]:
    """What made a run, and who."""
    if trigger.rule_name and trigger.rule_id is not None:
        rule = Message("rule {rule} ({rule_id})", rule=trigger.rule_name, rule_id=trigger.rule_id)
    elif trigger.rule_name or trigger.rule_id is not None:
        rule = Message("rule {rule}", rule=trigger.rule_name or trigger.rule_id)
    else:
        rule = Message("a call that names the mapping {mapping}", mapping=trigger.mapping)
    if trigger.source == MANUAL:
        said = trigger.fields.get("reason", "")
        by = trigger.fields.get("started_by", "somebody")
        return Message("started by hand: {reason}", reason=said), by
    if trigger.simulated:
        by = trigger.fields.get("simulated_by", "somebody")
        return Message("simulated as {rule}", rule=rule), by
    return Message("triggered by {rule}", rule=rule), "rule"
