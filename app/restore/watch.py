# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The offense watch: offenses of mapped rules that brought no trigger (architecture §2, issue 3).

The second way to a restore. QRadar's response limiter silences custom actions by design, rules of
type OFFENSE may not run one at all, and an event processor may not reach the console.

Nothing is skipped: every look reads again what QRadar persisted in the five minutes before the last
one, and every offense with a number above the highest one seen, which no stepping clock can hide.
Nothing comes twice: each (offense, mapping) has a row and, in `accept`, a request id of its own.
QRadar's times are compared with QRadar's only; how long a custom action may still take is counted
in looks.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app.message import Message
from app.restore import triggers
from app.restore.model import Mapping, Mode, Trigger, Watch
from app.restore.watch_ports import Contribution, Offense, Offenses, Store
from app.restore.watched import WatchedOffense, WatchState

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 15.0
GRACE_LOOKS = 5
"""So many looks, at least a minute, a custom action gets until its offense is judged."""
COVERS_MS = 5 * 60 * 1000
"""A trigger covers an offense if its event is no further from the rule's events in it."""
OVERLAP_MS = 5 * 60 * 1000
OWN_LOG_SOURCE = "safeguarded-restore"
"""Our own LEEF events come from a host of this name: what they set off starts nothing."""

SOURCE = "offense_watch"
_DONE = {WatchState.COVERED, WatchState.TRIGGERED}
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A mapping that is watched now, and since when: by our clock, and by QRadar's."""

    mapping: Mapping
    rule_ids: frozenset[int]
    since: datetime
    switching: str  # names this switching on: a clock that is set back can't make two look alike
    begin_ms: int | None  # None: it was switched on since the last look

    def of(self, offense: Offense) -> bool:
        return not offense.rule_ids.isdisjoint(self.rule_ids)


def look(store: Store, offenses: Offenses, now: datetime) -> None:
    """Look once at what is new, and judge what has waited long enough.

    To be called every `LOOK_EVERY_S`. A look that the console ends half-way has changed nothing
    that the next one would miss.
    """
    watched = _watched(store)
    going_on = [each for each in watched if each.begin_ms is not None]
    new = [each for each in watched if each.begin_ms is None]
    found = _changed(store, offenses, _rule_ids(going_on), now)
    for each in going_on:
        begin_ms = each.begin_ms or 0
        if _qradar_now(offenses, now) < begin_ms:
            # QRadar's clock was set back: what it calls now must not count as before.
            begin_ms = min(_begin_ms(each, offenses, now), _qradar_now(offenses, now) - OVERLAP_MS)
        _look_at(store, offenses, each, found, begin_ms=begin_ms, now=now)
    if new:
        found += _begin(store, offenses, new, now)
    if watched:
        _remember(store, found, here_ms=_qradar_now(offenses, now))


def _watched(store: Store) -> Sequence[_Watched]:
    disarmed = store.settings.mode is Mode.DISARMED
    found = []
    for mapping in store.mappings.list():
        if not mapping.enabled or mapping.watch is Watch.OFF:
            continue
        if mapping.watch is Watch.ACT and disarmed:
            continue
        if mapping.rule_id is None and mapping.rule_name is None:
            continue
        ids = frozenset(store.qradar.same_rules(mapping.rule_id, mapping.rule_name))
        # When its watch was switched on, or the app was armed for it, whichever is later.
        armed_at = store.settings.mode_since if mapping.watch is Watch.ACT else None
        since = max(mapping.watch_since or _LONG_AGO, armed_at or _LONG_AGO)
        switching = f"{mapping.watch_since} {armed_at}"
        known = store.watch.begin(mapping.id)
        begin_ms = known[1] if known is not None and known[0] == switching else None
        if ids:
            found.append(_Watched(mapping, ids, since, switching, begin_ms))
    return found


def _rule_ids(watched: Sequence[_Watched]) -> Sequence[int]:
    return sorted({number for each in watched for number in each.rule_ids})


def _changed(
    store: Store, offenses: Offenses, rule_ids: Sequence[int], now: datetime
) -> list[Offense]:
    if not rule_ids:
        return []
    newest_ms, above = store.watch.read_up_to()
    since_ms = (newest_ms or int(now.timestamp() * 1000)) - OVERLAP_MS
    found = list(offenses.changed(rule_ids, since_ms=since_ms, above=above))
    here_ms = _qradar_now(offenses, now)
    if here_ms < since_ms + OVERLAP_MS:  # QRadar's clock was set back
        found += offenses.changed(rule_ids, since_ms=here_ms - OVERLAP_MS, above=above)
    return found


def _begin(
    store: Store, offenses: Offenses, new: Sequence[_Watched], now: datetime
) -> list[Offense]:
    """Take the first look for mappings that were switched on."""
    found = list(offenses.open(_rule_ids(new)))
    for each in new:
        begin_ms = _begin_ms(each, offenses, now)
        found += offenses.changed(sorted(each.rule_ids), since_ms=begin_ms - OVERLAP_MS, above=None)
        with store.transaction():
            store.watch.forget_undecided(each.mapping.id)
        _look_at(store, offenses, each, found, begin_ms=begin_ms, now=now)
    return found


def _begin_ms(watched: _Watched, offenses: Offenses, now: datetime) -> int:
    """QRadar's time of the switching on, reckoned back: the console may have been away then."""
    ago = timedelta(0) if watched.since == _LONG_AGO else max(now - watched.since, timedelta(0))
    return _qradar_now(offenses, now) - int(ago.total_seconds() * 1000)


def _qradar_now(offenses: Offenses, now: datetime) -> int:
    return int(now.timestamp() * 1000) if offenses.now_ms is None else offenses.now_ms


def _look_at(
    store: Store,
    offenses: Offenses,
    watched: _Watched,
    found: Sequence[Offense],
    *,
    begin_ms: int,
    now: datetime,
) -> None:
    mapping = watched.mapping
    mine = {each.id: each for each in found if watched.of(each) and not _is_our_own(each)}
    before = {pair.offense_id: pair for pair in _undecided(store, mapping)}
    before |= {
        number: pair for number in mine if (pair := store.watch.get(mapping.id, number)) is not None
    }
    numbers = sorted(n for n in {*mine, *before} if n not in before or before[n].state not in _DONE)
    shares: dict[int, list[Contribution]] = {number: [] for number in numbers}
    if numbers:
        for share in offenses.contributions(watched.rule_ids, offense_ids=numbers):
            shares.setdefault(share.offense_id, []).append(share)
    for number in numbers:
        pair = _pair(watched, number, mine.get(number), shares[number], before.get(number), now=now)
        if pair is not None and (not shares[number] or pair.last_ms >= begin_ms):
            if not shares[number] and watched.begin_ms is None and pair.first_ms < begin_ms:
                pair = replace(pair, state=WatchState.BEFORE)
            _judge(store, watched, pair, now)
    if watched.begin_ms != begin_ms:
        store.watch.keep_begin(mapping.id, watched.switching, begin_ms)


def _undecided(store: Store, mapping: Mapping) -> Sequence[WatchedOffense]:
    states = [WatchState.WAITING]
    if mapping.watch is Watch.NOTIFY:
        states.append(WatchState.SHOWN)  # a late trigger takes the notice back
    return [pair for pair in store.watch.in_state(*states) if pair.mapping_id == mapping.id]


def _pair(
    watched: _Watched,
    number: int,
    offense: Offense | None,
    shares: Sequence[Contribution],
    before: WatchedOffense | None,
    *,
    now: datetime,
) -> WatchedOffense | None:
    """The pair as QRadar shows it now, one look further; None when it shows nothing at all.

    A rule of type OFFENSE contributes no events; the offense lists it all the same.
    """
    state = WatchState.WAITING if before is None else before.state
    looks = 1 if before is None or watched.begin_ms is None else before.looks + 1
    rule_name = watched.mapping.rule_name
    if shares:
        first_ms = min(share.first_ms for share in shares)
        last_ms = max(share.last_ms for share in shares)
        rule_id, rule_name = shares[0].rule_id, shares[0].rule_name or rule_name
        if state is WatchState.BEFORE:
            state, looks = WatchState.WAITING, 1
    elif offense is not None:
        first_ms, last_ms = offense.start_ms, offense.updated_ms
        rule_id = min(offense.rule_ids & watched.rule_ids)
    else:
        return None if before is None else replace(before, looks=looks)
    return WatchedOffense(
        mapping_id=watched.mapping.id,
        offense_id=number,
        state=state,
        looks=looks,
        first_ms=first_ms,
        last_ms=last_ms,
        rule_id=rule_id,
        rule_name=rule_name,
        at=now,
    )


def _is_our_own(offense: Offense) -> bool:
    """Whether nothing but our own events (and QRadar's about them) made it."""
    others = [name for name in offense.log_sources if not name.startswith("Custom Rule Engine")]
    return bool(others) and all(OWN_LOG_SOURCE in name.lower() for name in others)


def _judge(store: Store, watched: _Watched, pair: WatchedOffense, now: datetime) -> None:
    with store.transaction():
        mapping = watched.mapping
        if mapping not in store.mappings.list():
            return  # it was changed meanwhile; the next look begins with what it is now
        if store.watch.has_trigger(
            mapping,
            sorted(watched.rule_ids),
            pair.first_ms - COVERS_MS,
            to_ms=pair.last_ms + COVERS_MS,
        ):
            store.watch.keep(replace(pair, state=WatchState.COVERED, at=now))
        elif pair.state is WatchState.BEFORE or pair.looks < GRACE_LOOKS:
            store.watch.keep(pair)
        elif mapping.watch is Watch.ACT:
            if store.settings.mode is not Mode.DISARMED:
                _act(store, mapping, pair, now)
        elif pair.state is WatchState.WAITING:
            logger.warning("offense %d brought no trigger (%s)", pair.offense_id, mapping.name)
            store.watch.keep(replace(pair, state=WatchState.SHOWN, at=now))


def _act(store: Store, mapping: Mapping, pair: WatchedOffense, now: datetime) -> None:
    trigger = Trigger(
        request_id=f"offense-{pair.offense_id}-{mapping.id}",
        received_at=now,
        mapping=mapping.name,
        rule_id=pair.rule_id,
        rule_name=pair.rule_name,
        detected_at=datetime.fromtimestamp(pair.first_ms / 1000, UTC),
        offense_id=pair.offense_id,
        fields={"offense_id": str(pair.offense_id), "event_time": str(pair.first_ms)},
        remarks=(
            Message(
                "Offense {offense} brought no trigger of a custom action.", offense=pair.offense_id
            ),
        ),
        source=SOURCE,
    )
    decision = triggers.accept(store, trigger, now)
    logger.warning("offense %d brought no trigger: %s", pair.offense_id, decision.message)
    done = replace(pair, state=WatchState.TRIGGERED, at=now, message=decision.message)
    store.watch.keep(done)


def _remember(store: Store, seen: Sequence[Offense], *, here_ms: int) -> None:
    """Go on from the newest that was looked at, never from a time that QRadar hasn't reached."""
    old_ms, old_number = store.watch.read_up_to()
    newest_ms = max([old_ms or 0, *(offense.persisted_ms for offense in seen)])
    newest_ms = min(newest_ms or here_ms, here_ms)
    numbers = [offense.id for offense in seen]
    if old_number is not None:
        numbers.append(old_number)
    number = max(numbers, default=None)
    if (newest_ms, number) != (old_ms, old_number):
        store.watch.keep_read_up_to(newest_ms, number)
