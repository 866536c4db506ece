# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the worker does at the console, turn by turn: offenses, notes, the watch, the rules.

All of it with the service token; without one there is nothing to do. A token that is refused is not
tried again for ten minutes, nor by a worker that starts anew, unless another one was stored: QRadar
locks a host out that shows it bad tokens (`refused_asks`).
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from app.message import Message
from app.qradar import finding, outbox, own_events, refused_asks, rules, service_token, telling
from app.qradar.console import ConsoleClient, ConsoleRefused, ConsoleUnavailable, LockedOut
from app.qradar.offenses import Offenses
from app.qradar.refused_asks import Whose

logger = logging.getLogger(__name__)

RULES_EVERY_S = 600.0
CONTACT_NOTED_EVERY_S = 60.0
LONGEST_NAP_S = 5.0
_AWAY_GAPS_S = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
_REFUSED_GAPS_S = (600.0, 1800.0, 3600.0)
_LOCKED_OUT_GAPS_S = (120.0,)  # it is lifted by time, or by a person who waits for it
_NOT_ACCEPTED, _FORBIDDEN = 401, 403
_RIGHTS = (_NOT_ACCEPTED, _FORBIDDEN)


class TokenUnreadable(Exception):
    """The stored token can't be read: it must be entered again."""


class Console(Protocol):
    """The store's row about the console, by what is called here."""

    def token_label(self) -> str | None: ...
    def note_token(
        self, name: str | None, expires_at: datetime | None, *, now: datetime
    ) -> None: ...
    def note_contact(self, error: str | None, *, now: datetime) -> None: ...
    def keep_rules(self, rules: Sequence[rules.ListedRule], *, now: datetime) -> None: ...
    def same_rules(self, rule_id: int | None, rule_name: str | None) -> Sequence[int]: ...
    def rule_of_mapping(self, mapping: str | None) -> tuple[int | None, str | None]: ...


class Notes(finding.Outbox, outbox.Outbox[Any], Protocol):
    """The store's outbox of what runs tell their own offenses."""

    def open_search(self, run_id: int) -> finding.Search | None: ...
    def next_due(self, now: datetime) -> datetime | None: ...


class Settings(Protocol):
    def keep_own_events(self, log_sources: Sequence[int], qids: Sequence[int]) -> None: ...


class Store(Protocol):
    """The store, by what is called here; `app.store.Store` is one."""

    @property
    def qradar(self) -> Console: ...
    @property
    def notes(self) -> Notes: ...
    @property
    def tidings(self) -> telling.Tidings: ...
    @property
    def trigger_offenses(self) -> telling.Triggers: ...
    @property
    def refused_asks(self) -> refused_asks.Ledger: ...
    @property
    def settings(self) -> Settings: ...
    def close(self) -> None: ...


class Duties:
    """The console's work of one worker; used by one thread."""

    def __init__(
        self,
        store: Store,
        console: ConsoleClient,
        secret: Callable[[str], str],
        *,
        watch: Callable[[Offenses, datetime], None],
        watch_every_s: float,
    ) -> None:
        """
        Args:
            secret: gives the token that is stored under a label, or raises `TokenUnreadable`.
            watch: takes one look of the offense watch.
        """
        self._store, self._console, self._secret = store, console, secret
        self._watch, self._watch_every_s = watch, watch_every_s
        self._label: str | None = None
        self._offenses: Offenses | None = None
        self._telling: telling.Telling | None = None
        self._sec = ""
        self._failures, self._not_before = 0, 0.0
        self._watch_at = self._rules_at = self._tell_at = 0.0
        self._noted: tuple[float, str | None] = (-CONTACT_NOTED_EVERY_S, None)

    def turn(self, now: datetime, tick: float) -> float:
        """Do what is due; give the seconds until the next turn.

        Args:
            tick: a monotonic clock's seconds; what comes around regularly goes by it.
        """
        label = self._store.qradar.token_label()
        if label != self._label:
            self._label, self._offenses, self._telling = label, None, None
            self._failures = 0
            self._watch_at = self._rules_at = self._tell_at = tick
            self._not_before = tick + refused_asks.wait(self._store.refused_asks, Whose.OWN, now)
        if label is not None and tick >= self._not_before:
            try:
                self._work(label, now, tick)
            except LockedOut as error:
                self._back_off(str(error), _LOCKED_OUT_GAPS_S, now, tick=tick)
            except ConsoleUnavailable as error:
                self._back_off(str(error), _AWAY_GAPS_S, now, tick=tick)
            except ConsoleRefused as error:
                if error.status == _NOT_ACCEPTED:
                    self._store.refused_asks.add(Whose.OWN, now=now)
                self._back_off(_explained(error), _REFUSED_GAPS_S, now, tick=tick)
            except TokenUnreadable as error:
                self._back_off(str(error), _REFUSED_GAPS_S, now, tick=tick)
        return self._nap(now, tick)

    def close(self) -> None:
        """Close the connections to the console and to the store."""
        self._console.close()
        self._store.close()

    def _work(self, label: str, now: datetime, tick: float) -> None:
        if self._offenses is None:
            self._sec = self._secret(label)
            self._offenses = Offenses(self._console, self._sec)
        if self._telling is None:
            self._telling = self._make_telling()
        store, offenses = self._store, self._offenses
        asked = outbox.post_due(store.notes, offenses, now)
        asked |= finding.find_due(store.notes, store.trigger_offenses, store.qradar, offenses, now)
        problem = None
        if tick >= self._watch_at:
            problem, asked = self._look(self._offenses, now, tick), True
        if tick >= self._rules_at:
            self._read_rules(now)
            self._read_own_events()
            self._rules_at, asked = tick + RULES_EVERY_S, True
        if tick >= self._tell_at:  # last: all else goes before
            told, why = self._tell(self._telling, now, tick)
            problem, asked = problem or why, asked or told
        if asked:
            self._failures = 0
            self._note_contact(problem, now, tick)

    def _make_telling(self) -> telling.Telling:
        store = self._store
        return telling.Telling(
            *(store.trigger_offenses, store.tidings, store.notes, store.qradar),
            console=self._console,
            sec=self._sec,
        )

    def _look(self, offenses: Offenses, now: datetime, tick: float) -> str | None:
        """Take a look of the watch; give why the console refused it, should it.

        That must not hold up the notes: the watch asks for more than they do.
        """
        self._watch_at = tick + self._watch_every_s
        try:
            self._watch(offenses, now)
        except ConsoleRefused as error:
            if error.status in _RIGHTS:
                raise
            self._watch_at = tick + _REFUSED_GAPS_S[0]
            logger.warning("the offense watch is refused: %s", error)
            return Message("Offenses can't be watched: {why}", why=error)
        return None

    def _tell(
        self, telling_: telling.Telling, now: datetime, tick: float
    ) -> tuple[bool, str | None]:
        """Tell other offenses; say whether the console was asked, and why it refused it."""
        try:
            return telling_.turn(now, tick), None
        except ConsoleRefused as error:
            if error.status in _RIGHTS:
                raise
            self._tell_at = tick + _REFUSED_GAPS_S[0]
            logger.warning("telling the offenses of repeats is refused: %s", error)
            return True, Message("Offenses of repeats can't be found or told: {why}", why=error)

    def _read_rules(self, now: datetime) -> None:
        """Read the token's end and the console's rules; a token may not be allowed the latter."""
        try:
            facts = service_token.facts_of(self._console, self._sec)
        except service_token.NotAService:
            self._store.qradar.note_token(None, None, now=now)
        else:
            self._store.qradar.note_token(facts.name, facts.expires_at, now=now)
        try:
            listed = rules.list_rules(self._console, self._sec)
        except ConsoleRefused as error:
            if error.status != _FORBIDDEN:
                raise
            logger.info("the service token may not list the console's rules")
        else:
            self._store.qradar.keep_rules(listed, now=now)

    def _read_own_events(self) -> None:
        """Read by what our own events are known, where the token may; a setting can say it too."""
        try:
            log_sources, qids = own_events.read(self._console, self._sec)
        except ConsoleRefused as error:
            if error.status == _NOT_ACCEPTED:
                raise
            logger.info("the console does not tell of the app's own events: %s", error)
        else:
            self._store.settings.keep_own_events(log_sources, qids)

    def _back_off(self, error: str, gaps: Sequence[float], now: datetime, *, tick: float) -> None:
        gap = gaps[min(self._failures, len(gaps) - 1)]
        self._failures += 1
        self._not_before = tick + gap
        logger.warning("the console is asked again in %.0f s: %s", gap, error)
        self._note_contact(error, now, tick)

    def _note_contact(self, error: str | None, now: datetime, tick: float) -> None:
        at, noted = self._noted
        if noted == error and tick - at < CONTACT_NOTED_EVERY_S:
            return
        self._store.qradar.note_contact(error, now=now)
        self._noted = (tick, error)

    def _nap(self, now: datetime, tick: float) -> float:
        if self._label is None:
            return LONGEST_NAP_S
        if tick < self._not_before:
            return min(self._not_before - tick, LONGEST_NAP_S)
        naps = [LONGEST_NAP_S, self._watch_at - tick, self._rules_at - tick]
        due_at = self._store.notes.next_due(now)
        if due_at is not None:
            naps.append((due_at - now).total_seconds())
        if self._telling is not None and (nap := self._telling.nap(now, tick)) is not None:
            naps.append(max(nap, self._tell_at - tick))
        return max(min(naps), 0.0)


def _explained(error: ConsoleRefused) -> str:
    if error.status == _FORBIDDEN:
        return Message(
            "The service token may not do this: {why}. Its role needs Offenses: change the"
            " authorized service in QRadar, or store another token on the settings page.",
            why=error,
        )
    if error.status in _RIGHTS:
        return Message(
            "QRadar does not accept the service token: {why}. It may have expired, or Deploy"
            " Changes has not been run since it was made. Store a new one on the settings page.",
            why=error,
        )
    return str(error)
