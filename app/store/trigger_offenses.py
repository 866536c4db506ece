# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The offenses of triggers that made no run: repeats of one, and those that started nothing.

Each is looked for in rounds. A trigger keeps the number of the round in which it was first looked
for, so that its age is counted in looks that the console answered.
"""

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.message import restored
from app.store import owed
from app.store.attacks import Attacks
from app.store.audit import Audit
from app.store.database import Database
from app.store.rows import from_row
from app.store.run_rows import LIVE
from app.store.times import from_text, to_text

logger = logging.getLogger(__name__)

_BURST_MS = 10_000
_PART = 500  # rows written in one transaction: a trigger must not wait for more


@dataclass(frozen=True, slots=True)
class RuleKey:
    """By what a rule was named: its triggers are looked at together."""

    mapping: str | None
    rule_id: int | None
    rule_name: str | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A trigger whose offense is looked for; ``looks`` counts the answered ones before."""

    trigger_id: int
    run_id: int | None
    event_ms: int
    claimed: int | None  # the offense that the caller named
    looks: int


@dataclass(frozen=True, slots=True)
class CameTo:
    """Triggers of an offense that came to the same."""

    trigger_id: int  # the newest
    run_id: int | None
    number: int
    doubt: int  # 0: they belong to it; 1: probably; 2: as the caller says, who was not checked


class TriggerOffenses:
    """The offenses of these triggers in the store."""

    def __init__(self, db: Database, audit: Audit, attacks: Attacks) -> None:
        self._db, self._audit, self._attacks = db, audit, attacks

    def rules(self) -> Sequence[RuleKey]:
        """Give the rules of triggers whose offense is looked for, those of mappings first.

        Not more than 200: whoever holds a trigger token can name any rule.
        """
        rows = self._db.execute(
            "SELECT DISTINCT mapping, rule_id, rule_name FROM trigger_offenses WHERE ended = 0"
            " ORDER BY mapping DESC LIMIT 200"
        )
        return [from_row(RuleKey, row) for row in rows]

    def pending(self, key: RuleKey, *, limit: int) -> Sequence[Pending]:
        """Give a rule's triggers whose offense is looked for, the least looked for first.

        A storm of thousands that have no offense must not keep the next ones waiting.
        """
        rows = self._db.execute(
            "SELECT trigger_offenses.*, (SELECT offense_rounds FROM qradar) AS round"
            " FROM trigger_offenses WHERE ended = 0 AND mapping IS ? AND rule_id IS ?"
            " AND rule_name IS ? ORDER BY first_round IS NOT NULL, first_round DESC, event_at"
            " LIMIT ?",
            (key.mapping, key.rule_id, key.rule_name, limit),
        )
        return [_pending(row) for row in rows]

    def came_to(self, offense_id: int, *, limit: int = 20) -> Sequence[CameTo]:
        """Give what came of an offense's triggers, the newest first, alike ones together."""
        return self._came_to("offense_id = ?", offense_id, limit)

    def unattributed(self, *, limit: int = 20) -> Sequence[CameTo]:
        """Give what came of the triggers whose offense is looked for, the newest first."""
        return self._came_to("ended = 0 AND offense_id IS NULL", limit)

    def _came_to(self, condition: str, *values: object) -> Sequence[CameTo]:
        rows = self._db.execute(
            "SELECT max(trigger_id) AS newest, run_id, count(*) AS number,"  # noqa: S608 - our own text
            " min(CASE offense_by WHEN 'caller' THEN 2 WHEN 'probably' THEN 1 ELSE 0 END) AS doubt"
            f" FROM trigger_offenses WHERE {condition} GROUP BY run_id, outcome"
            " ORDER BY newest DESC LIMIT ?",
            values,
        )
        return [CameTo(row["newest"], row["run_id"], row["number"], row["doubt"]) for row in rows]

    def given(self, offense_ids: Iterable[int]) -> Counter[int]:
        """Count the runs and triggers that these offenses are known to belong to."""
        every, counted = sorted(set(offense_ids)), Counter[int]()
        for first in range(0, len(every), 400):  # SQLite takes 999 values in one statement
            part = every[first : first + 400]
            marks = ", ".join("?" * len(part))
            for table in ("runs", "trigger_offenses"):
                rows = self._db.execute(
                    f"SELECT offense_id, count(*) AS number FROM {table}"  # noqa: S608 - our own text
                    f" WHERE offense_id IN ({marks}) GROUP BY offense_id",
                    part,
                )
                counted.update({row["offense_id"]: row["number"] for row in rows})
        return counted

    def looked(self, triggers: Iterable[Pending]) -> None:
        """Note the round in which these were first looked for."""
        new = [(each.trigger_id,) for each in triggers if not each.looks]
        self._many(
            "UPDATE trigger_offenses SET first_round = (SELECT offense_rounds FROM qradar)"
            " WHERE trigger_id = ? AND first_round IS NULL",
            new,
        )

    def end_round(self) -> None:
        """Note that the console has answered for every rule once more."""
        with self._db.transaction():
            self._db.execute("UPDATE qradar SET offense_rounds = offense_rounds + 1")

    def found(self, known: Sequence[tuple[int, int, str]], *, now: datetime) -> None:
        """Note triggers' offenses, and that these are to be told what came of them.

        Each is a trigger's id, its offense, and how that is known (`app.store.owed`). In the order
        in which they came: what ties an offense to a run came before what is another attack.
        """
        known = sorted(known)
        for first in range(0, len(known), _PART):
            with self._db.transaction():
                for trigger_id, offense_id, by in known[first : first + _PART]:
                    late = self._late_attack(trigger_id, offense_id)
                    self._db.execute(
                        "UPDATE trigger_offenses SET offense_id = ?, offense_by = ?, ended = 1"
                        " WHERE trigger_id = ? AND ended = 0",
                        (offense_id, by, trigger_id),
                    )
                    if late is not None:
                        self._add_attack(late, now=now)
                    owed.tell(self._db, trigger_id, now=now)

    def _late_attack(self, trigger_id: int, offense_id: int) -> sqlite3.Row | None:
        """Give a trigger that turns out to be a new attack by its offense; None: it is none.

        It is judged by what stood in its way when it came, and is none if something has answered it
        since. While no offense is known to belong to the run, this may be the run's own. Asked
        before it is noted: by that alone it would be tied to the run.
        """
        row = self._db.execute(
            "SELECT its.*, triggers.received_at, runs.connection_id, runs.job_id,"  # noqa: S608 - our own text
            " runs.job_session_id, ifnull(runs.sent_at >= triggers.received_at, 0) AS sent_since"
            " FROM trigger_offenses AS its JOIN triggers ON triggers.id = its.trigger_id"
            " JOIN runs ON runs.id = its.run_id"
            " WHERE its.trigger_id = ? AND its.ended = 0 AND its.in_the_way IS NOT NULL"
            f" AND {LIVE} AND (runs.offense_id IS NOT NULL OR EXISTS"
            " (SELECT 1 FROM tidings WHERE tidings.run_id = runs.id))",
            (trigger_id,),
        ).fetchone()
        if row is None:
            return None
        answered = row["sent_since"] and row["job_session_id"] is not None
        job, at = (row["connection_id"], row["job_id"]), from_text(row["received_at"])
        if answered or self._attacks.open_of_job(*job) or self._attacks.ended_since(*job, at):
            return None
        return None if self._attacks.is_tied(row["run_id"], offense_id) else row

    def _add_attack(self, late: sqlite3.Row, *, now: datetime) -> None:
        why = restored(late["in_the_way"])
        logger.warning("trigger %d: %s", late["trigger_id"], why)
        self._attacks.add_late(
            late["run_id"],
            why,
            mapping=late["mapping"],
            trigger_id=late["trigger_id"],
            at=from_text(late["received_at"]),
            answering_run_id=late["run_id"] if late["sent_since"] else None,
            now=now,
        )

    def reject_claim(self, trigger: Pending, *, now: datetime) -> None:
        """Forget the offense that the caller named: the rule has nothing to do with it."""
        with self._db.transaction():
            self._db.execute(
                "UPDATE trigger_offenses SET offense_id = NULL, offense_by = NULL"
                " WHERE trigger_id = ? AND offense_by = 'caller'",
                (trigger.trigger_id,),
            )
            subject = f"trigger {trigger.trigger_id}"
            self._audit.append(
                "app", "trigger.offense", subject, owed.not_its(trigger.claimed), now=now
            )

    def give_up(self, trigger_ids: Sequence[int]) -> None:
        """Look for the offenses of these no more."""
        sql = "UPDATE trigger_offenses SET ended = 1 WHERE trigger_id = ?"
        self._many(sql, [(number,) for number in trigger_ids])

    def is_another(
        self,
        rule_ids: Sequence[int],
        mapping: str | None,
        after_ms: int,
        *,
        until_ms: int,
        run_id: int | None,
        event_ms: int,
    ) -> bool:
        """Say whether another trigger of a rule tells of an event after one time, until another.

        The trigger that asks has its event at ``event_ms``. One of the same run does not count
        whose event came within seconds of it: the stamps of a burst can't be told apart, and its
        run tells them both.
        """
        marks = ", ".join("?" * len(rule_ids))
        row = self._db.execute(
            "SELECT 1 FROM triggers WHERE event_at > ? AND event_at <= ?"  # noqa: S608 - our own text
            f" AND (rule_id IN ({marks}) OR (rule_id IS NULL AND mapping = ?))"
            " AND outcome NOT IN ('duplicate', 'test') AND source <> 'simulation'"
            " AND (run_id IS NOT ? OR event_at NOT BETWEEN ? AND ?) LIMIT 1",
            (
                *(_text(after_ms), _text(until_ms), *rule_ids, mapping, run_id),
                *(_text(event_ms - _BURST_MS), _text(event_ms + _BURST_MS)),
            ),
        ).fetchone()
        return row is not None

    def _many(self, sql: str, values: Sequence[tuple[int]]) -> None:
        for first in range(0, len(values), _PART):
            with self._db.transaction():
                self._db.connection.executemany(sql, values[first : first + _PART])


def _text(ms: int) -> str:
    return to_text(datetime.fromtimestamp(ms / 1000, UTC))


def _pending(row: sqlite3.Row) -> Pending:
    first = row["first_round"]
    return Pending(
        trigger_id=row["trigger_id"],
        run_id=row["run_id"],
        event_ms=round(from_text(row["event_at"]).timestamp() * 1000),
        claimed=row["offense_id"],
        looks=0 if first is None else row["round"] - first,
    )
