# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What is owed to the offense of a trigger that made no run: to find it, and to tell it.

Both are written in the transaction that makes them due: a crash forgets nothing.
"""

from datetime import datetime

from app.message import Message, stored
from app.restore.model import Outcome, Trigger
from app.store.database import Database
from app.store.times import to_text

WATCH, CALLER, CHECKED, FOUND, PROBABLY = "watch", "caller", "checked", "found", "probably"
"""How an offense is known: from the watch, from the caller (who may then be found right), by time,
by time where another one fits as well."""

_ACTION_SOURCE, _WATCH_SOURCE = "custom_action", "offense_watch"  # a person's wish has no offense
_NO_CALL = (Outcome.DUPLICATE, Outcome.TEST)


def look_for(
    db: Database,
    trigger_id: int,
    trigger: Trigger,
    outcome: Outcome,
    *,
    run_id: int | None,
    first: bool,
    mapping: str | None,
    in_the_way: str | None,
) -> None:
    """Look for a trigger's offense from now on, if there is something to tell it.

    ``first``: of its run; there the run itself tells. ``in_the_way``: why it is a new attack, if
    its offense turns out to be another than those of its run.
    """
    if first or trigger.source not in (_ACTION_SOURCE, _WATCH_SOURCE) or outcome in _NO_CALL:
        return
    by = known_by(trigger)
    if outcome is Outcome.UNMATCHED and by != WATCH and not _is_listed(db, trigger):
        return
    db.execute(
        "INSERT INTO trigger_offenses (trigger_id, outcome, run_id, mapping, rule_id, rule_name,"
        " event_at, offense_id, offense_by, in_the_way, ended) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            *(trigger_id, outcome, run_id, mapping, trigger.rule_id),
            trigger.rule_name if trigger.rule_id is None else None,
            to_text(trigger.detected_at or trigger.received_at),
            *(trigger.offense_id, by, None if in_the_way is None else stored(in_the_way)),
            int(by == WATCH),
        ),
    )
    if by == WATCH:
        tell(db, trigger_id, now=trigger.received_at)


def _is_listed(db: Database, trigger: Trigger) -> bool:
    """Whether the console lists the rule, or its list is not known: names are soon invented."""
    listed = (
        "SELECT (SELECT rules_at FROM qradar) IS NULL OR EXISTS (SELECT 1 FROM console_rules"
        " WHERE rule_id = ?1 OR (?1 IS NULL AND name = ?2))"
    )
    return bool(db.execute(listed, (trigger.rule_id, trigger.rule_name)).fetchone()[0])


def known_by(trigger: Trigger) -> str | None:
    """Say how the offense that came with a trigger is known."""
    if trigger.offense_id is None:
        return None
    return WATCH if trigger.source == _WATCH_SOURCE else CALLER


def tell(db: Database, trigger_id: int, *, now: datetime) -> None:
    """Let the offense of a trigger be told what came of it, unless its run tells there itself.

    An offense that was told of this run before is told once more if another trigger of it is a new
    attack.
    """
    is_attack = db.execute("SELECT 1 FROM attacks WHERE trigger_id = ?", (trigger_id,)).fetchone()
    if is_attack:
        db.execute(
            "UPDATE tidings SET trigger_id = ? WHERE part = 1 AND text IS NULL AND EXISTS (SELECT 1"
            " FROM trigger_offenses AS its WHERE its.trigger_id = ?"
            " AND its.offense_id = tidings.offense_id AND its.run_id = tidings.run_id)",
            (trigger_id, trigger_id),
        )
    for part in (1, 2) if is_attack else (1,):
        db.execute(
            "INSERT OR IGNORE INTO tidings (offense_id, run_id, reason, day, part, trigger_id,"
            " probably, created_at, due_at) SELECT its.offense_id, its.run_id,"
            " CASE WHEN ? = 1 THEN its.outcome ELSE 'new_attack' END, ?, ?, its.trigger_id,"
            " its.offense_by = 'probably', ?, ? FROM trigger_offenses AS its"
            " LEFT JOIN runs ON runs.id = its.run_id WHERE its.trigger_id = ?"
            " AND its.ended = 1 AND its.offense_id IS NOT NULL"
            " AND (its.offense_id IS NOT runs.offense_id OR runs.offense_by = 'caller')"
            " AND (? = 1 OR EXISTS (SELECT 1 FROM tidings AS first WHERE first.part = 1"
            " AND first.offense_id = its.offense_id AND first.run_id = its.run_id"
            " AND first.trigger_id <> its.trigger_id))",
            (
                *(part, to_text(now)[:10], part, to_text(now), to_text(now), trigger_id),
                part,
            ),
        )


def not_its(offense_id: int | None) -> str:
    """What the audit says of an offense that a caller named."""
    return Message(
        "the caller named offense {offense}, where this rule has contributed nothing",
        offense=offense_id,
    )
