# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""New attacks that could start nothing, and when a trigger of each CDM job last came."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.message import Message, stored
from app.restore.attacks import Attack, NoSuchAttack, Noticed
from app.restore.model import Mapping, Run, RunState
from app.restore.notes import new_attack_note
from app.store import owed
from app.store.audit import Audit
from app.store.database import Database
from app.store.notes import Notes
from app.store.rows import from_row
from app.store.run_rows import LIVE, SELECT, run_from_row
from app.store.times import to_text, to_text_or_none


@dataclass(frozen=True, slots=True)
class LastTrigger:
    """When a trigger of a CDM job last came, and the last that met a cool-down."""

    at: datetime
    cooling_at: datetime | None
    cooling_run_id: int | None  # the run after which the job cooled down


class Attacks:
    """The new attacks in the store."""

    def __init__(self, db: Database, audit: Audit, notes: Notes) -> None:
        self._db, self._audit, self._notes = db, audit, notes

    # --- reading ------------------------------------------------------------------------------

    def get(self, attack_id: int) -> Attack:
        """Give one new attack. Raises `NoSuchAttack`."""
        found = self._all("WHERE id = ?", attack_id)
        if not found:
            raise NoSuchAttack(f"there is no new attack {attack_id}")
        return found[0]

    def open(self) -> Sequence[Attack]:
        """Give those that neither a start nor a person has answered, the newest first."""
        return self._all("WHERE ended_at IS NULL ORDER BY id DESC")

    def open_of_job(self, connection_id: int, job_id: str) -> Attack | None:
        """Give the open one of a CDM job."""
        found = self._all(
            "WHERE connection_id = ? AND job_id = ? AND ended_at IS NULL", connection_id, job_id
        )
        return found[0] if found else None

    def ended_since(self, connection_id: int, job_id: str, since: datetime) -> bool:
        """Say whether a new attack of a CDM job has ended since then."""
        found = self._db.execute(
            "SELECT 1 FROM attacks WHERE connection_id = ? AND job_id = ? AND ended_at >= ?",
            (connection_id, job_id, to_text(since)),
        )
        return found.fetchone() is not None

    def of_run(self, run_id: int) -> Sequence[Attack]:
        """Give those that a run stood in the way of, oldest first."""
        return self._all("WHERE attacks.run_id = ? ORDER BY id", run_id)

    def is_tied(self, run_id: int, offense_id: int) -> bool:
        """Say whether an offense is that of a run, or of a trigger that the run has swallowed.

        What a trigger named that version 1.0.0 swallowed is not known: it counts as another.
        """
        found = self._db.execute(
            "SELECT 1 FROM runs WHERE id = ? AND offense_id = ? UNION ALL"
            " SELECT 1 FROM trigger_offenses WHERE offense_id = ? AND run_id = ? LIMIT 1",
            (run_id, offense_id, offense_id, run_id),
        )
        return found.fetchone() is not None

    def last_trigger(self, connection_id: int, job_id: str) -> LastTrigger | None:
        """Give when a trigger of a CDM job last came, by whichever mapping."""
        row = self._db.execute(
            "SELECT * FROM job_triggers WHERE connection_id = ? AND job_id = ?",
            (connection_id, job_id),
        ).fetchone()
        return None if row is None else from_row(LastTrigger, row)

    def met_cooling(self) -> Map[tuple[int, str], LastTrigger]:
        """Give the jobs of which a trigger ever met a cool-down, by connection and job."""
        rows = self._db.execute("SELECT * FROM job_triggers WHERE cooling_run_id IS NOT NULL")
        return {(row["connection_id"], row["job_id"]): from_row(LastTrigger, row) for row in rows}

    # --- writing ------------------------------------------------------------------------------

    def note_trigger(self, connection_id: int, job_id: str, *, now: datetime) -> None:
        """Note that a trigger of a CDM job came."""
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO job_triggers (connection_id, job_id, at) VALUES (?,?,?)"
                " ON CONFLICT (connection_id, job_id) DO UPDATE SET at = excluded.at",
                (connection_id, job_id, to_text(now)),
            )

    def note_cooling(self, connection_id: int, job_id: str, *, run_id: int, now: datetime) -> None:
        """Note that a trigger met the cool-down of a job, and after which run it cools down."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE job_triggers SET cooling_at = ?, cooling_run_id = ?"
                " WHERE connection_id = ? AND job_id = ?",
                (to_text(now), run_id, connection_id, job_id),
            )

    def add(
        self,
        noticed: Noticed,
        mapping: Mapping,
        *,
        trigger_id: int,
        now: datetime,
    ) -> bool:
        """Keep a new attack unless one of its job is open, which then counts the trigger.

        Written with it: its audit row, and the note in the offense of the run in its way. Say
        whether it is new.
        """
        with self._db.transaction():
            if self.count(mapping.connection_id, mapping.job_id):
                return False
            self._insert(noticed, mapping.name, trigger_id=trigger_id, at=now, now=now)
        return True

    def add_late(
        self,
        run_id: int,
        why: str,
        *,
        mapping: str,
        trigger_id: int,
        at: datetime,
        answering_run_id: int | None,
        now: datetime,
    ) -> None:
        """Keep one that a trigger which came at ``at`` turns out to be only now.

        No other of its job is open. ``answering_run_id``: the run whose start was sent since.
        """
        with self._db.transaction():
            noticed = Noticed(run_id, why)
            attack_id = self._insert(noticed, mapping, trigger_id=trigger_id, at=at, now=now)
            self._db.execute(
                "UPDATE attacks SET answering_run_id = ?, triggers = (SELECT count(*) FROM triggers"
                " WHERE run_id = ? AND id >= ? AND outcome = 'already_running'"
                " AND source <> 'manual') WHERE id = ?",
                (answering_run_id, run_id, trigger_id, attack_id),
            )

    def _insert(
        self, noticed: Noticed, mapping: str, *, trigger_id: int, at: datetime, now: datetime
    ) -> int:
        run = self._run(noticed.run_id)
        cursor = self._db.execute(
            "INSERT INTO attacks (at, connection_id, connection, job_id, job_name, mapping,"
            " trigger_id, run_id, why, start_possible_at) VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                *(to_text(at), run.connection_id, run.connection, run.job_id, run.job_name),
                *(mapping, trigger_id, run.id, stored(noticed.why)),
                to_text_or_none(noticed.start_possible_at),
            ),
        )
        self._flag(run.id)
        note = new_attack_note(run, noticed.why, now=now)
        self._notes.add(run.id, note.kind, note.words, now=now)
        owed.tell(self._db, trigger_id, now=now)
        attack = self.get(int(cursor.lastrowid or 0))
        self._tell("app", "noticed", attack, attack.why, now=now)
        return attack.id

    def count(self, connection_id: int, job_id: str) -> bool:
        """Count one more trigger that could start nothing; say whether an attack is open."""
        with self._db.transaction():
            cursor = self._db.execute(
                "UPDATE attacks SET triggers = triggers + 1"
                " WHERE connection_id = ? AND job_id = ? AND ended_at IS NULL",
                (connection_id, job_id),
            )
        return cursor.rowcount > 0

    def open_of_offense(self, offense_id: int) -> Sequence[Attack]:
        """Give those of the open ones whose trigger belongs to an offense."""
        return self._all("WHERE ended_at IS NULL AND offense_id = ? ORDER BY id DESC", offense_id)

    def acknowledge(self, attack_id: int, *, by: str, now: datetime) -> Attack:
        """Note that a person has seen a new attack; it ends, unless it has ended before.

        Raises `NoSuchAttack`.
        """
        with self._db.transaction():
            attack = self.get(attack_id)
            if attack.ended_at is None:
                self._db.execute(
                    "UPDATE attacks SET acknowledged_at = ?, acknowledged_by = ? WHERE id = ?",
                    (to_text(now), by, attack_id),
                )
                self._end(attack, by, "acknowledged", attack.why, now=now)
        return self.get(attack_id)

    def follow(self, run: Run, *, now: datetime) -> None:
        """Note what the new state of ``run`` means for its job's new attack.

        A start that is sent after the attack answers it, once CDM shows its job session: a start
        from before, which is only found again, does not.
        """
        with self._db.transaction():
            if run.state is RunState.STARTING:
                self._db.execute(
                    "UPDATE attacks SET answering_run_id = ?"
                    " WHERE connection_id = ? AND job_id = ? AND ended_at IS NULL",
                    (run.id, run.connection_id, run.job_id),
                )
            elif run.state is RunState.RESTORING:
                for attack in self._all("WHERE answering_run_id = ? AND ended_at IS NULL", run.id):
                    self._end(
                        attack, "app", "ended", Message("run {run} restores", run=run.id), now=now
                    )

    def _end(self, attack: Attack, by: str, what: str, detail: str, *, now: datetime) -> None:
        self._db.execute("UPDATE attacks SET ended_at = ? WHERE id = ?", (to_text(now), attack.id))
        self._flag(attack.run_id)
        self._tell(by, what, attack, detail, now=now)

    def _flag(self, run_id: int) -> None:
        # In the run's own row: every list of runs shows it.
        self._db.execute(
            f"UPDATE runs SET new_attack = ({LIVE}) AND EXISTS (SELECT 1 FROM attacks"  # noqa: S608 - our own text
            " WHERE run_id = runs.id AND ended_at IS NULL) WHERE id = ?",
            (run_id,),
        )

    def _tell(self, by: str, what: str, attack: Attack, detail: str, *, now: datetime) -> None:
        subject = f"new attack {attack.id}: job {attack.job_name} on {attack.connection}"
        self._audit.append(by, f"attack.{what}", subject, detail, now=now)

    def _run(self, run_id: int) -> Run:
        return run_from_row(self._db.execute(f"{SELECT} WHERE runs.id = ?", (run_id,)).fetchone())

    def _all(self, condition: str, *values: object) -> list[Attack]:
        rows = self._db.execute(
            "SELECT attacks.*, its.offense_id, its.offense_by FROM attacks"  # noqa: S608 - our own text
            " LEFT JOIN trigger_offenses AS its ON its.trigger_id = attacks.trigger_id"
            f" {condition}",
            values,
        )
        return [from_row(Attack, row) for row in rows]
