# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What came of an offense's triggers, whichever offense their run belongs to.

A trigger's offense is known some time after it came. Until then nothing says that an offense has
no restore: what is still to be attributed is shown with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.message import Message
from app.restore.notes import shouted
from app.restore.tidings import how_it_stands, what_came_of
from app.store.store import Store
from app.store.trigger_offenses import CameTo

_SHOWN = 5
_DOUBTS = (None, "probably", "caller")


@dataclass(frozen=True, slots=True)
class CameOf:
    """What came of triggers, in words; ``number`` of them, the last at ``at``."""

    what: str
    at: datetime
    run_id: int | None = None
    number: int = 1
    doubt: str | None = None  # caller or probably: whether they are this offense's at all


@dataclass(frozen=True, slots=True)
class OfOffense:
    """What is known of an offense's triggers, and of those that may yet turn out to be its."""

    attacks: Sequence[str]
    known: Sequence[CameOf]
    unattributed: Sequence[CameOf] = field(default=())
    looks: bool = True  # whether offenses are looked for: it takes a service token


def of_offense(store: Store, offense_id: int) -> OfOffense:
    """Give what came of the triggers of an offense, without those that its own run has."""
    looks = store.qradar.token_label() is not None
    known = list(_came_of(store, store.trigger_offenses.came_to(offense_id), but=offense_id))
    return OfOffense(
        attacks=[shouted(attack.why) for attack in store.attacks.open_of_offense(offense_id)],
        known=known[:_SHOWN],
        unattributed=_unattributed(store)[:_SHOWN] if looks and not known else (),
        looks=looks,
    )


def _unattributed(store: Store) -> list[CameOf]:
    """What came of the runs and triggers whose offense is looked for."""
    runs = [
        CameOf(
            Message("run {run}, {state}", run=run.id, state=how_it_stands(run)),
            run.received_at,
            run.id,
        )
        for run in store.notes.searched_runs(_SHOWN)
    ]
    return [*runs, *_came_of(store, store.trigger_offenses.unattributed())]


def _came_of(store: Store, found: Sequence[CameTo], *, but: int | None = None) -> Iterator[CameOf]:
    for each in found:
        run = None if each.run_id is None else store.runs.get(each.run_id)
        if run is not None and but is not None and run.offense_id == but:
            continue
        trigger = store.triggers.get(each.trigger_id)
        yield CameOf(
            what_came_of(trigger, run),
            trigger.received_at,
            each.run_id,
            each.number,
            _DOUBTS[each.doubt],
        )
