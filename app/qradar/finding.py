# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds the offense that a run belongs to, so that its notes can be posted there.

The offense appears 5 to 120 s after the event (qradar §5.5); it is looked for at growing
gaps. Only looks that the console answered count: while it is away nothing is given up. An offense
that the caller named is believed only if QRadar shows the rule there.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from app.message import Message
from app.qradar.attribution import AROUND_MS, IsAnothers, fitting
from app.qradar.offenses import Offenses
from app.restore.model import Run

logger = logging.getLogger(__name__)

GAPS_S = (2, 3, 5, 10, 15, 25, *[60] * 9)
"""Seconds until the next look, after one, two … that found nothing: ten minutes in all."""
_SETTLED = 7  # after so many looks, two minutes, the offense of this very event would be there


class Search(Protocol):
    """A run whose offense is looked for; `app.store.notes.Search` is one."""

    @property
    def run(self) -> Run: ...
    @property
    def rule_id(self) -> int | None: ...
    @property
    def attempts(self) -> int: ...
    @property
    def claimed(self) -> int | None: ...
    @property
    def sources(self) -> frozenset[str]: ...


class Outbox(Protocol):
    """The store's notes, by what is called here."""

    def searches_due(self, now: datetime) -> Sequence[Search]: ...
    def look_again(self, run_id: int, *, due_at: datetime) -> None: ...
    def found(self, run_id: int, offense_id: int, *, now: datetime, by: str = ...) -> None: ...
    def reject_claim(self, run_id: int, offense_id: int, *, now: datetime) -> None: ...
    def give_up_search(self, run_id: int, why: str, *, now: datetime) -> None: ...


class Others(Protocol):
    """The other triggers of a rule; `app.store.trigger_offenses.TriggerOffenses` is one."""

    def is_another(
        self,
        rule_ids: Sequence[int],
        mapping: str | None,
        after_ms: int,
        *,
        until_ms: int,
        run_id: int | None,
        event_ms: int,
    ) -> bool: ...


class Rules(Protocol):
    def same_rules(self, rule_id: int | None, rule_name: str | None) -> Sequence[int]: ...


def find_due(
    outbox: Outbox, others: Others, rules: Rules, offenses: Offenses, now: datetime
) -> bool:
    """Look once for the offense of each run that is due; say whether the console was asked.

    Raises what the console's client does.
    """
    asked = False
    for search in outbox.searches_due(now):
        run = search.run
        ids = rules.same_rules(search.rule_id, run.rule_name)
        if search.rule_id is None and run.rule_name is None:
            why = Message("The trigger named no rule: its offense can't be looked for.")
            if search.claimed is not None:
                why = Message(
                    "The trigger named no rule: offense {offense} can't be checked.",
                    offense=search.claimed,
                )
            outbox.give_up_search(run.id, why, now=now)
            continue
        known = _look(search, ids, outbox, others, offenses, now=now) if ids else None
        asked |= bool(ids)
        if known is not None:
            logger.info("run %d belongs to offense %d (%s)", run.id, *known)
            outbox.found(run.id, known[0], now=now, by=known[1])
        elif search.attempts >= len(GAPS_S):
            why = Message("No offense of this rule was found within ten minutes.")
            logger.warning("run %d: %s", run.id, why)
            outbox.give_up_search(run.id, why, now=now)
        else:
            gap = timedelta(seconds=GAPS_S[search.attempts])
            outbox.look_again(run.id, due_at=now + gap)
    return asked


def _look(
    search: Search,
    rule_ids: Sequence[int],
    outbox: Outbox,
    others: Others,
    offenses: Offenses,
    *,
    now: datetime,
) -> tuple[int, str] | None:
    """The run's offense and how it is known: as the caller said, or by the time of its event."""
    run, settled = search.run, search.attempts >= _SETTLED
    if search.claimed is not None:
        if having_part(offenses, rule_ids, [search.claimed]):
            return search.claimed, "checked"
        if not settled:
            return None
        logger.warning("run %d: its rule has no part in offense %d", run.id, search.claimed)
        outbox.reject_claim(run.id, search.claimed, now=now)
    at_ms = event_ms(run)
    shares = offenses.contributions(
        rule_ids, since_ms=at_ms - AROUND_MS, until_ms=at_ms + AROUND_MS
    )
    is_anothers = another_of(others, rule_ids, run.mapping, run_id=run.id, at_ms=at_ms)
    while fits := fitting(at_ms, shares, settled=settled, is_anothers=is_anothers):
        there = offenses.existing([share.offense_id for share in fits])
        if not there:
            gone = {share.offense_id for share in fits}
            shares = [share for share in shares if share.offense_id not in gone]
            continue
        named = [number for number, each in there.items() if each.source in search.sources]
        of_its_source = len(named) == 1
        best = max(
            (share for share in fits if share.offense_id in (named or there)),
            key=lambda share: (
                there[share.offense_id].status != "CLOSED",
                share.last_ms,
                share.offense_id,
            ),
        )
        return best.offense_id, "found" if len(there) == 1 or of_its_source else "probably"
    return None


def having_part(
    offenses: Offenses, rule_ids: Sequence[int], offense_ids: Iterable[int]
) -> set[int]:
    """Give those of the offenses in which a rule has a part: by an event, or listed there."""
    wanted = set(offense_ids)
    part = {share.offense_id for share in offenses.contributions(rule_ids, offense_ids=wanted)}
    if missing := sorted(wanted - part):
        there = offenses.existing(missing)
        part |= {n for n, each in there.items() if not each.rule_ids.isdisjoint(rule_ids)}
    return part


def event_ms(run: Run) -> int:
    """When the event was that made a run, in ms; when it was received, where nothing tells."""
    return round((run.detected_at or run.received_at).timestamp() * 1000)


def another_of(
    others: Others,
    rule_ids: Sequence[int],
    mapping: str | None,
    *,
    run_id: int | None,
    at_ms: int,
) -> IsAnothers:
    """Give the question whether another trigger than this one has an event in a time."""

    def is_anothers(after_ms: int, until_ms: int) -> bool:
        return others.is_another(
            rule_ids, mapping, after_ms, until_ms=until_ms, run_id=run_id, event_ms=at_ms
        )

    return is_anothers
