# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Triggers as they were received, and what came of each."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from app.message import Message, Sentence, stored
from app.restore.model import SIMULATION, Outcome, Trigger
from app.store import owed
from app.store.database import Database
from app.store.rows import from_row
from app.store.times import to_text, to_text_or_none

KEPT_A_MINUTE = 60
"""So many triggers that start nothing are kept whole in a minute, of each token and rule."""

FLOOD = "flood"
"""Why a trigger's fields and message were not kept."""

_NOT_KEPT = Message(
    "Not kept: more than {most} of the same rule came in that minute.", most=KEPT_A_MINUTE
)
_LONGEST_NAME = 128  # characters of a rule's or mapping's name that are kept of a flood

# By which rule a trigger (rule id, its name, mapping, token, minute) is counted, and how many of it
# were kept in that minute: a flood of one leaves others their room. Only what is known here has
# room of its own; the names in a flood are anybody's invention, and all unknown count together.
_KEPT = """
SELECT its.rule, ifnull(counts.kept, 0) FROM (SELECT CASE
    WHEN EXISTS (SELECT 1 FROM console_rules WHERE rule_id = ?1)
        OR EXISTS (SELECT 1 FROM mappings WHERE rule_id = ?1) THEN 'rule ' || ?1
    WHEN EXISTS (SELECT 1 FROM console_rules WHERE name = ?2)
        OR EXISTS (SELECT 1 FROM mappings WHERE rule_name = ?2) THEN 'rule ' || ?2
    WHEN EXISTS (SELECT 1 FROM mappings WHERE name = ?3) THEN 'mapping ' || ?3
    ELSE '' END AS rule) AS its
LEFT JOIN trigger_counts AS counts
    ON counts.token = ?4 AND counts.rule = its.rule AND counts.minute = ?5
"""


@dataclass(frozen=True, slots=True)
class ReceivedTrigger:
    """A trigger's row: what arrived and what it was answered."""

    id: int
    request_id: str
    received_at: datetime
    outcome: Outcome
    message: Sentence
    run_id: int | None
    mapping: str | None
    rule_id: int | None
    rule_name: str | None
    fields: Mapping[str, str]
    source: str
    token: str | None = None  # the name of the trigger token that it came with
    peer: str | None = None  # the address that it came from
    cooling_until: datetime | None = None  # when the cool-down that it met ends
    not_kept: str | None = None  # why fields and message were dropped; None: they are here


@dataclass(frozen=True, slots=True)
class TriggersOfRun:
    """The triggers of a run, oldest first, as far as there is room to show them."""

    shown: Sequence[ReceivedTrigger]
    bare: Set[int]  # the ids of those whose fields are left out
    more: int  # how many are left out


_CUSTOM_ACTION = "custom_action"  # the source of what a rule sends


class Triggers:
    """The triggers in the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(
        self,
        trigger: Trigger,
        outcome: Outcome,
        message: str,
        *,
        run_id: int | None,
        mapping: str | None,
        cooling_until: datetime | None = None,
        in_the_way: str | None = None,
        whole: bool = False,
    ) -> int:
        """Keep a trigger and its outcome; give its id.

        Of a flood, little more than the request id, from whom it came and what came of it is kept:
        else whoever holds a trigger token fills the disk. ``whole``: this one is kept all the same.
        ``in_the_way``: as in `app.restore.decisions.Verdict`.
        """
        mapping = mapping or trigger.mapping
        with self._db.transaction():
            self._note_call(trigger, mapping)
            first = run_id is not None and self._is_first(run_id)
            fields, rule_name, not_kept = trigger.fields, trigger.rule_name, None
            if not first and self._is_flood(trigger, mapping) and not whole:
                told = "" if trigger.offense_id is None else str(trigger.offense_id)
                fields = {"offense_id": told} if told else {}
                message, not_kept = _NOT_KEPT, FLOOD
                mapping, rule_name = _short(mapping), _short(rule_name)
            cursor = self._db.execute(
                "INSERT INTO triggers (request_id, received_at, outcome, message, run_id, mapping,"
                " rule_id, rule_name, fields, source, event_at, token, peer, cooling_until,"
                " not_kept) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *(trigger.request_id, to_text(trigger.received_at), outcome),
                    *(stored(message), run_id),
                    *(mapping, trigger.rule_id, rule_name),
                    json.dumps(dict(fields), ensure_ascii=False),
                    trigger.source,
                    to_text(trigger.detected_at or trigger.received_at),
                    *(trigger.token, trigger.peer, to_text_or_none(cooling_until), not_kept),
                ),
            )
            trigger_id = int(cursor.lastrowid or 0)
            owed.look_for(
                *(self._db, trigger_id, trigger, outcome),
                run_id=run_id,
                first=first,
                mapping=mapping,
                in_the_way=in_the_way,
            )
        return trigger_id

    def _is_first(self, run_id: int) -> bool:
        before = "SELECT 1 FROM triggers WHERE run_id = ? LIMIT 1"
        return self._db.execute(before, (run_id,)).fetchone() is None

    def _note_call(self, trigger: Trigger, mapping: str | None) -> None:
        """A call that names a rule proves that this rule has the custom action: keep the first.

        Test Execution names none, a simulation and the offense watch are no calls.
        """
        by_a_rule = trigger.rule_id is not None or trigger.rule_name is not None
        if trigger.source != _CUSTOM_ACTION or not by_a_rule:
            return
        self._db.execute(
            "UPDATE mappings SET called_at = ? WHERE called_at IS NULL AND"
            " (name = ? OR rule_id = ? OR (rule_id IS NULL AND rule_name = ?))",
            (to_text(trigger.received_at), mapping, trigger.rule_id, trigger.rule_name),
        )

    def _is_flood(self, trigger: Trigger, mapping: str | None) -> bool:
        """Count a trigger that started nothing; say whether it is one too many in this minute."""
        if trigger.token is None:
            return False
        minute = to_text(trigger.received_at)[:16]
        named = (trigger.rule_id, trigger.rule_name, mapping)
        rule, kept = self._db.execute(_KEPT, (*named, trigger.token, minute)).fetchone()
        self._db.execute(
            "INSERT OR REPLACE INTO trigger_counts (token, rule, minute, kept) VALUES (?,?,?,?)",
            (trigger.token, rule, minute, kept + 1),
        )
        return bool(kept >= KEPT_A_MINUTE)

    def find(self, request_id: str) -> ReceivedTrigger | None:
        """Give the first trigger that came with this request id."""
        found = self._all("WHERE request_id = ? AND outcome <> 'duplicate'", request_id)
        return found[0] if found else None

    def get(self, trigger_id: int) -> ReceivedTrigger:
        """Give one trigger. Raises `LookupError`."""
        found = self._all("WHERE id = ?", trigger_id)
        if not found:
            raise LookupError(f"there is no trigger {trigger_id}")
        return found[0]

    def recent(self, limit: int = 20, *, simulated: bool = True) -> Sequence[ReceivedTrigger]:
        """Give the newest triggers first, with or without the simulated ones."""
        which = "" if simulated else f"WHERE source <> '{SIMULATION}' "
        return self._all(f"{which}ORDER BY id DESC LIMIT ?", limit)

    def last_simulation(self) -> ReceivedTrigger | None:
        """Give the trigger by which somebody last tried out what would happen."""
        found = self._all(f"WHERE source = '{SIMULATION}' ORDER BY id DESC LIMIT 1")
        return found[0] if found else None

    def for_run(self, run_id: int, *, limit: int = 1000) -> Sequence[ReceivedTrigger]:
        """Give the trigger that made a run and those it swallowed, oldest first."""
        return self._all("WHERE run_id = ? ORDER BY id LIMIT ?", run_id, limit)

    def of_run(self, run_id: int, *, most: int, room: int) -> TriggersOfRun:
        """Give the first trigger of a run, and the newest of the others.

        :param most: how many in all
        :param room: characters for the fields of all; the first and the newest have theirs before
            the others
        """
        shown: dict[int, ReceivedTrigger] = {}
        bare: set[int] = set()
        newest = self._db.execute(
            "SELECT * FROM triggers WHERE run_id = ? ORDER BY id DESC LIMIT ?", (run_id, most)
        )
        oldest = self._db.execute(
            "SELECT * FROM triggers WHERE run_id = ? ORDER BY id LIMIT 1", (run_id,)
        )
        for row in chain(oldest, newest):  # one by one: all of them may be large
            if row["id"] in shown or len(shown) == most:
                continue
            shown[row["id"]] = from_row(ReceivedTrigger, row)
            if len(row["fields"]) <= room:
                room -= len(row["fields"])
            else:
                shown[row["id"]] = replace(shown[row["id"]], fields={})
                bare.add(row["id"])
        of_it = "SELECT COUNT(*) FROM triggers WHERE run_id = ?"
        (count,) = self._db.execute(of_it, (run_id,)).fetchone()
        return TriggersOfRun([shown[each] for each in sorted(shown)], bare, count - len(shown))

    def _all(self, condition: str, *values: object) -> Sequence[ReceivedTrigger]:
        rows = self._db.execute(f"SELECT * FROM triggers {condition}", values)  # noqa: S608 - our own text
        return [from_row(ReceivedTrigger, row) for row in rows]


def _short(name: str | None) -> str | None:
    return None if name is None else name[:_LONGEST_NAME]
