# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Tells the offenses of triggers that made no run what came of them.

An attack makes many offenses, each of which calls for the same restore. Their triggers' offenses
are searched in rounds, all of one rule in one call, and told one note a turn: whatever a run has to
tell its own offense goes before, however many these are. Together they call the console 60 times a
minute at most.
"""

import logging
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from app.qradar import outbox
from app.qradar.administrator import AsksConsole
from app.qradar.attribution import AROUND_MS, distance, fitting
from app.qradar.finding import Others, Rules, Search, another_of, event_ms, having_part
from app.qradar.offenses import Contribution, Offenses
from app.qradar.ration import Rationed

logger = logging.getLogger(__name__)

ROUND_EVERY_S = 15.0
LOOKS = 40
"""So many answered looks, at least ten minutes, a trigger's offense is searched."""
CALLS_A_MINUTE = 60
_CALLS_FOR_LOOKS = 15
_CALLS_OF_A_LOOK, _CALLS_OF_A_NOTE = 3, 2
_SETTLED = 8  # after so many looks, two minutes, an event's own share would be there
_CLAIMS = 50  # offenses that callers named, checked in one look
_MOST = 2000  # triggers of a rule that are attributed in one look


class Key(Protocol):
    """How a rule was named; `app.store.trigger_offenses.RuleKey` is one."""

    @property
    def mapping(self) -> str | None: ...
    @property
    def rule_id(self) -> int | None: ...
    @property
    def rule_name(self) -> str | None: ...


class Pending(Protocol):
    """A trigger whose offense is searched; `app.store.trigger_offenses.Pending` is one."""

    @property
    def trigger_id(self) -> int: ...
    @property
    def run_id(self) -> int | None: ...
    @property
    def event_ms(self) -> int: ...
    @property
    def claimed(self) -> int | None: ...
    @property
    def looks(self) -> int: ...


class Triggers(Others, Protocol):
    """These triggers in the store; `app.store.trigger_offenses.TriggerOffenses` is one."""

    def rules(self) -> Sequence[Any]: ...
    def pending(self, key: Any, *, limit: int) -> Sequence[Pending]: ...
    def given(self, offense_ids: Iterable[int]) -> Counter[int]: ...
    def looked(self, triggers: Sequence[Any]) -> None: ...
    def end_round(self) -> None: ...
    def found(self, known: Sequence[tuple[int, int, str]], *, now: datetime) -> None: ...
    def reject_claim(self, trigger: Any, *, now: datetime) -> None: ...
    def give_up(self, trigger_ids: Sequence[int]) -> None: ...


class Tidings(outbox.Outbox[Any], Protocol):
    """What is to be told; `app.store.tidings.Tidings` is one."""

    def next_due(self, now: datetime) -> datetime | None: ...
    def add_seconds(self, now: datetime) -> None: ...


class Runs(Protocol):
    """The runs whose offense is searched; `app.store.notes.Notes` is one."""

    def open_search(self, run_id: int) -> Search | None: ...
    def found(self, run_id: int, offense_id: int, *, now: datetime, by: str = ...) -> None: ...


class MappedRules(Rules, Protocol):
    def rule_of_mapping(self, mapping: str | None) -> tuple[int | None, str | None]: ...


class Telling:
    """This work of one worker, on the authority of one token."""

    def __init__(
        self,
        triggers: Triggers,
        tidings: Tidings,
        runs: Runs,
        rules: MappedRules,
        *,
        console: AsksConsole,
        sec: str,
    ) -> None:
        self._triggers, self._tidings, self._runs, self._rules = triggers, tidings, runs, rules
        self._look_ration = Rationed(console, _CALLS_FOR_LOOKS)
        self._note_ration = Rationed(console, CALLS_A_MINUTE - _CALLS_FOR_LOOKS)
        self._looks, self._notes = (
            Offenses(self._look_ration, sec),
            Offenses(self._note_ration, sec),
        )
        self._round: deque[Key] = deque()
        self._round_at = 0.0

    def turn(self, now: datetime, tick: float) -> bool:
        """Look once, or tell one offense; say whether the console was asked.

        Raises what the console's client does; the next turn goes on where this one ended.
        """
        self._tidings.add_seconds(now)
        return self._look(now, tick) or self._tell(now, tick)

    def nap(self, now: datetime, tick: float) -> float | None:
        """Give the seconds until there is something to do; None: until something happens."""
        naps = []
        if self._round:
            naps.append(self._look_ration.wait_s(_CALLS_OF_A_LOOK))
        elif self._triggers.rules():
            naps.append(self._round_at - tick)
        due_at = self._tidings.next_due(now)
        if due_at is not None:
            wait_s = self._note_ration.wait_s(_CALLS_OF_A_NOTE)
            naps.append(max((due_at - now).total_seconds(), wait_s))
        return min(naps, default=None)

    # --- telling ----------------------------------------------------------------------------------

    def _tell(self, now: datetime, tick: float) -> bool:
        if self._note_ration.room(tick) < _CALLS_OF_A_NOTE:
            return False
        return outbox.post_due(self._tidings, self._notes, now)

    # --- looking ----------------------------------------------------------------------------------

    def _look(self, now: datetime, tick: float) -> bool:
        if not self._round:
            if tick < self._round_at:
                return False
            self._round.extend(self._triggers.rules())
            if not self._round:
                return False
        room = self._look_ration.room(tick)
        if room < _CALLS_OF_A_LOOK:
            return False
        asked = self._look_for(self._round[0], room, now)
        self._round.popleft()
        if not self._round:
            self._triggers.end_round()
            self._round_at = tick + ROUND_EVERY_S
        return asked

    def _look_for(self, key: Key, room: int, now: datetime) -> bool:
        """Look once for the offenses of a rule's triggers; say whether the console was asked."""
        pending = self._triggers.pending(key, limit=_MOST)
        ids = self._ids(key)
        if pending and ids:
            shares = self._looks.contributions(
                ids,
                since_ms=min(each.event_ms for each in pending) - AROUND_MS,
                until_ms=max(each.event_ms for each in pending) + AROUND_MS,
                most_pages=room - _CALLS_OF_A_LOOK + 1,
            )
            known = self._checked(pending, ids, shares, now)
            self._find_runs(pending, shares, now)
            done = {trigger_id for trigger_id, _, _ in known}
            known += _matched(
                [each for each in pending if each.trigger_id not in done and _is_free(each)],
                *(shares, self._triggers, ids, key.mapping),
            )
            self._triggers.found(known, now=now)
        over = [each.trigger_id for each in pending if each.looks >= LOOKS]
        self._triggers.give_up(over)
        self._triggers.looked(pending)
        return bool(pending and ids)

    def _ids(self, key: Key) -> Sequence[int]:
        """The ids of a rule, by the mapping where the triggers named it by no number."""
        rule_id, rule_name = key.rule_id, key.rule_name
        if rule_id is None:
            rule_id, mapped_name = self._rules.rule_of_mapping(key.mapping)
            rule_name = rule_name or mapped_name
        return self._rules.same_rules(rule_id, rule_name) if rule_id or rule_name else []

    def _checked(
        self,
        pending: Sequence[Pending],
        ids: Sequence[int],
        shares: Sequence[Contribution],
        now: datetime,
    ) -> list[tuple[int, int, str]]:
        """The offenses that callers named, where the rule has a part; other claims end here."""
        claims = {each.claimed for each in pending if each.claimed is not None}
        part = {share.offense_id for share in shares}
        unknown = sorted(claims - part)[:_CLAIMS]
        if unknown:
            part |= having_part(self._looks, ids, unknown)
        for each in pending:
            if each.claimed in set(unknown) - part and _is_free(each):
                self._triggers.reject_claim(each, now=now)
        return [
            (each.trigger_id, each.claimed, "checked")
            for each in pending
            if each.claimed is not None and each.claimed in part
        ]

    def _find_runs(
        self, pending: Sequence[Pending], shares: Sequence[Contribution], now: datetime
    ) -> None:
        """Find runs' own offenses among these, too: no run's is to be told that it is a repeat."""
        for run_id in {each.run_id for each in pending if each.run_id is not None}:
            search = self._runs.open_search(run_id)
            if search is None or search.claimed is not None:
                continue
            fits = fitting(
                event_ms(search.run), shares, settled=False, is_anothers=lambda _a, _b: True
            )
            if len(fits) == 1:
                self._runs.found(run_id, fits[0].offense_id, now=now)


def _is_free(trigger: Pending) -> bool:
    """Whether an offense is looked for by time: a caller's word has had the time to prove true."""
    return trigger.claimed is None or trigger.looks >= _SETTLED


def _matched(
    pending: Sequence[Pending],
    shares: Sequence[Contribution],
    triggers: Triggers,
    ids: Sequence[int],
    mapping: str | None,
) -> list[tuple[int, int, str]]:
    """Each trigger's offense by time; of those that fit alike, one that no other was given yet."""
    given = triggers.given({share.offense_id for share in shares})
    known: list[tuple[int, int, str]] = []
    for each in pending:
        at_ms = each.event_ms
        fits = fitting(
            at_ms,
            shares,
            settled=each.looks >= _SETTLED,
            is_anothers=another_of(triggers, ids, mapping, run_id=each.run_id, at_ms=at_ms),
        )
        if fits:
            best = min(fits, key=lambda share: (given[share.offense_id], distance(share, at_ms)))
            given[best.offense_id] += 1
            by = "found" if len(fits) == 1 else "probably"
            known.append((each.trigger_id, best.offense_id, by))
    return known
