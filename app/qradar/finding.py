# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the offense that a run belongs to, so that its notes can be posted there.

The offense appears 5 to 120 s after the event (qradar-platform §5.5); it is looked for at growing
gaps. Only looks that the console answered count: while it is away nothing is given up.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from app.qradar.offenses import Contribution, Offenses
from app.restore.model import Run

logger = logging.getLogger(__name__)

GAPS_S = (2, 3, 5, 10, 15, 25, *[60] * 9)
"""Seconds until the next look, after one, two … that found nothing: ten minutes in all."""
_AROUND_MS = 5 * 60 * 1000
_EXACT_MS = 1000  # a time may have been cut to the second on its way
_SETTLED = 7  # after so many looks, two minutes, the offense of this very event would be there


class Search(Protocol):
    """A run whose offense is looked for; `app.store.notes.Search` is one."""

    @property
    def run(self) -> Run: ...
    @property
    def rule_id(self) -> int | None: ...
    @property
    def attempts(self) -> int: ...


class Outbox(Protocol):
    """The store's notes, by what is called here."""

    def searches_due(self, now: datetime) -> Sequence[Search]: ...
    def look_again(self, run_id: int, *, due_at: datetime) -> None: ...
    def found(self, run_id: int, offense_id: int, *, now: datetime) -> None: ...
    def give_up_search(self, run_id: int, why: str, *, now: datetime) -> None: ...


class Rules(Protocol):
    def same_rules(self, rule_id: int | None, rule_name: str | None) -> Sequence[int]: ...


def find_due(outbox: Outbox, rules: Rules, offenses: Offenses, now: datetime) -> bool:
    """Look once for the offense of each run that is due; say whether the console was asked.

    Raises what the console's client does.
    """
    asked = False
    for search in outbox.searches_due(now):
        run = search.run
        ids = rules.same_rules(search.rule_id, run.rule_name)
        if search.rule_id is None and run.rule_name is None:
            why = "The trigger named no rule: its offense can't be looked for."
            outbox.give_up_search(run.id, why, now=now)
            continue
        offense_id = _offense_of(run, ids, offenses, settled=search.attempts >= _SETTLED)
        asked |= bool(ids)
        if offense_id is not None:
            logger.info("run %d belongs to offense %d", run.id, offense_id)
            outbox.found(run.id, offense_id, now=now)
        elif search.attempts >= len(GAPS_S):
            why = "No offense of this rule was found within ten minutes."
            logger.warning("run %d: %s", run.id, why)
            outbox.give_up_search(run.id, why, now=now)
        else:
            gap = timedelta(seconds=GAPS_S[search.attempts])
            outbox.look_again(run.id, due_at=now + gap)
    return asked


def _offense_of(
    run: Run, rule_ids: Sequence[int], offenses: Offenses, *, settled: bool
) -> int | None:
    """The offense whose contribution of the run's rule covers the event, the newest of several.

    One that only comes near may be an older attack's, while this one's is still being made.
    """
    if not rule_ids:
        return None
    at_ms = int((run.detected_at or run.received_at).timestamp() * 1000)
    shares = offenses.contributions(
        rule_ids, since_ms=at_ms - _AROUND_MS, until_ms=at_ms + _AROUND_MS
    )
    shares = [share for share in shares if settled or _distance(share, at_ms) <= _EXACT_MS]
    there = offenses.existing([share.offense_id for share in shares]) if shares else {}
    shares = [share for share in shares if share.offense_id in there]
    if not shares:
        return None

    def fitness(share: Contribution) -> tuple[bool, bool, int, int]:
        is_open = there[share.offense_id].status != "CLOSED"
        is_exact = _distance(share, at_ms) <= _EXACT_MS
        return is_exact, is_open, share.last_ms, share.offense_id

    return max(shares, key=fitness).offense_id


def _distance(share: Contribution, at_ms: int) -> int:
    return max(share.first_ms - at_ms, at_ms - share.last_ms, 0)
