# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who is calling and what they may do, as the console says (architecture §6, qradar §3.4).

The console is asked on the authority of the caller's own token, and the answer is kept for a
minute under the token's hash.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal

from app.message import Message
from app.qradar.caller import Caller, Console, read_caller
from app.qradar.console import ConsoleRefused, ConsoleUnavailable, LockedOut, NoAnswer
from app.qradar.refused_asks import NoRoom, RefusedAsks, Whose

_ADMINS = frozenset({"ADMIN", "SAASADMIN"})
_TOKEN = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")


class Right(StrEnum):
    """What a page or an endpoint may demand."""

    VIEW = "view"
    OPERATE = "operate"
    ADMINISTER = "administer"


class NotAuthenticated(Exception):
    """The console doesn't know the token; with ``retry_after`` (seconds) it was not even asked."""

    def __init__(self, message: str, *, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Silence:
    """The console did not answer when it was last asked."""

    error: ConsoleUnavailable
    last_answer_s: float | None  # seconds since it last did; None: never yet


def token_of(
    headers: Mapping[str, str], cookies: Mapping[str, str]
) -> tuple[str | None, Literal["header", "cookie", "none"]]:
    """The caller's QRadar token and where it was: header, else cookie ``SEC`` (qradar §3.2)."""
    if token := headers.get("SEC"):
        return token, "header"
    if token := cookies.get("SEC"):
        return token, "cookie"
    return None, "none"


def rights_of(
    caller: Caller, operator_roles: Collection[str], services: Collection[str]
) -> frozenset[Right]:
    """What ``caller`` may do (architecture §6).

    ``operator_roles`` are the names of the user roles that may operate; an authorized service
    counts like a user if its label is in ``services``, and else only with ADMIN: the trigger
    service, whose token lies on every event processor, has SEM and may nothing.
    """
    if caller.kind == "service" and caller.name not in services:
        return frozenset(Right) if "ADMIN" in caller.capabilities else frozenset()
    if not _ADMINS.isdisjoint(caller.capabilities):
        return frozenset(Right)
    rights = set()
    if "SEM" in caller.capabilities:
        rights.add(Right.VIEW)
    if not caller.roles.isdisjoint(operator_roles):
        rights.add(Right.OPERATE)
    return frozenset(rights)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    asked_at: float


@dataclass(frozen=True, slots=True)
class _Refused:
    message: str
    until: float
    kept: float


class Identity:
    """Tells who a token belongs to; may be used by many threads."""

    KEPT = 60.0
    """Seconds a good answer serves."""

    REFUSED = (600.0, 3600.0)
    """Seconds a bad answer serves, the first time and, doubling, at most: pages of ended sessions
    go on asking for themselves."""

    ASKED_ANEW = 15.0
    """Seconds after which a good answer is asked for anew while it still serves: so a console that
    does not answer is noticed in time to tell of it within half a minute."""

    PAUSE = 5.0
    """Seconds in which a console that did not answer is not asked about somebody still known."""

    REMEMBERED = 12 * 3600.0
    """Seconds since the last good answer in which a token may be asked about whatever the flood."""

    MOST = 2000
    """Tokens remembered of each kind, about a kilobyte each."""

    def __init__(
        self,
        console: Console,
        refused_asks: RefusedAsks,
        clock: Callable[[], float] = time.monotonic,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        console_peers: Collection[str] = (),
        place: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """
        Args:
            refused_asks: how many more bad tokens the console may be asked about.
            clock: seconds that never go back.
            now: the time of day.
            console_peers: the addresses that requests through the console come from, as far as
                known; one that brought a good token counts as one.
            place: taken around every wait for the console, also for another thread's ask; raises
                when there is none (`framework.bulkhead.Bulkhead.place`).
        """
        self._console, self._place, self._refused_asks = console, place, refused_asks
        self._clock = clock
        self._clocks: Callable[[], tuple[datetime, float]] = lambda: (now(), clock())
        self._console_peers = frozenset(console_peers)
        self._peers: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._refused: OrderedDict[bytes, _Refused] = OrderedDict()
        self._flights: dict[bytes, Future[Caller]] = {}
        self._locked_out_until = float("-inf")
        self._silent: ConsoleUnavailable | None = None
        self._silent_at = float("-inf")
        self._answered_at: float | None = None

    def silence(self) -> Silence | None:
        """Whether the console did not answer the last time that it was asked."""
        with self._lock:
            if self._silent is None:
                return None
            last = None if self._answered_at is None else self._clock() - self._answered_at
            return Silence(self._silent, last)

    def who(self, token: str | None, fresh: bool = False, *, source: str = "") -> Caller:
        """The caller whose ``token`` it is.

        ``fresh`` asks the console again although a good answer is at hand: before writes.
        ``source`` is the peer's address. Raises `NotAuthenticated`; `ConsoleUnavailable`; and what
        ``place`` raises.
        """
        if not token or not _TOKEN.fullmatch(token):
            raise NotAuthenticated(
                Message("The request carries no QRadar token, or one that can't be one.")
            )
        key = sha256(token.encode()).digest()
        with self._lock:
            caller = self._remembered(key, fresh)
        if caller is not None:
            return caller
        try:
            with self._place():
                return self._ask_once(key, token, fresh, source)
        except NotAuthenticated:
            raise
        except Exception:  # no place, or no answer: what was said within a minute serves
            with self._lock:
                known = self._known.get(key)
                if fresh or known is None or self._clock() - known.asked_at >= self.KEPT:
                    raise
                return known.caller

    def _ask_once(self, key: bytes, token: str, fresh: bool, source: str) -> Caller:
        """Ask, or wait for a thread that asks about the same token already.

        A fresh ask never joins one that began before it.
        """
        with self._lock:
            caller = self._remembered(key, fresh)
            if caller is not None:
                return caller
            flight = None if fresh else self._flights.get(key)
            if flight is None:
                if self._clock() < self._locked_out_until:
                    raise LockedOut
                mine: Future[Caller] = Future()
                self._flights[key] = mine
        if flight is not None:
            return flight.result()
        try:
            with self.room(token, source):
                caller = self._ask(key, token, self._whose(source))
        except BaseException as error:  # whatever it is, those who wait must hear of it
            self._land(key, mine)
            mine.set_exception(error)
            raise
        self._note_success(key, caller, source)
        self._land(key, mine)
        mine.set_result(caller)
        return caller

    def _ask(self, key: bytes, token: str, whose: Whose) -> Caller:
        known = self._known.get(key)
        try:
            return read_caller(self._console, token, known.caller if known else None)
        except ConsoleRefused as error:
            self._note_refusal(key, str(error), whose)
            raise NotAuthenticated(str(error)) from error
        except ConsoleUnavailable as error:
            with self._lock:
                self._silent, self._silent_at = error, self._clock()
                if isinstance(error, LockedOut):
                    self._locked_out_until = self._clock() + self.KEPT
            if known is None and whose is Whose.OTHER and isinstance(error, NoAnswer):
                self._count(whose)  # it may have been a failed log-in all the same
            raise

    @contextmanager
    def room(self, token: str, source: str) -> Iterator[None]:
        """Hold room for asking the console about a token that may be bad; one known needs none.

        Raises `NotAuthenticated` when there is none; `ConsoleUnavailable` while it is silent.
        """
        if sha256(token.encode()).digest() in self._known:
            yield
            return
        try:
            with self._refused_asks.room(self._whose(source), self._clocks):
                yield
        except NoRoom as error:
            if self._silent is not None:  # nobody was refused: it is the console that is away
                raise self._silent from error
            raise NotAuthenticated(
                Message(
                    "QRadar has refused other tokens in the last ten minutes. It was not asked"
                    " about this one: it locks a host out that shows it too many bad ones."
                ),
                retry_after=max(1, round(error.wait_s)),
            ) from error

    def refused(self, token: str, message: str) -> None:
        """Note that the console has refused a token that was sent it for something else."""
        self._note_refusal(sha256(token.encode()).digest(), message, Whose.CONSOLE)

    def _remembered(self, key: bytes, fresh: bool) -> Caller | None:
        """A cached answer. A bad one serves even ``fresh``: asking again is what a flood wants."""
        now = self._clock()
        if (refusal := self._refused.get(key)) is not None and now < refusal.until:
            raise NotAuthenticated(refusal.message)
        known = self._known.get(key)
        if known is None:
            return None
        if now - known.asked_at >= self.REMEMBERED:
            del self._known[key]
            return None
        self._known.move_to_end(key)
        age = now - known.asked_at
        if fresh or age >= self.KEPT:
            return None
        paused = now - self._silent_at < self.PAUSE
        return known.caller if age < self.ASKED_ANEW or paused else None

    def _whose(self, source: str) -> Whose:
        seen_at = self._peers.get(source, float("-inf"))
        lately = self._clock() - seen_at < self.REMEMBERED
        return Whose.CONSOLE if lately or source in self._console_peers else Whose.OTHER

    def _note_success(self, key: bytes, caller: Caller, source: str) -> None:
        with self._lock:
            now = self._clock()
            self._refused.pop(key, None)
            self._known[key] = _Known(caller, now)
            self._known.move_to_end(key)
            self._peers[source] = now
            self._peers.move_to_end(source)
            self._answered_at, self._silent = now, None
            _trim(self._known, self.MOST)
            _trim(self._peers, self.MOST)

    def _note_refusal(self, key: bytes, message: str, whose: Whose) -> None:
        with self._lock:
            now = self._clock()
            self._answered_at, self._silent = now, None
            self._known.pop(key, None)
            before, (first, longest) = self._refused.get(key), self.REFUSED
            kept = min(before.kept * 2, longest) if before else first
            self._refused[key] = _Refused(message, now + kept, kept)
            self._refused.move_to_end(key)
            _trim(self._refused, self.MOST)
        self._count(whose)

    def _count(self, whose: Whose) -> None:
        now, tick = self._clocks()
        self._refused_asks.add(whose, now=now, tick=tick)

    def _land(self, key: bytes, flight: "Future[Caller]") -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]


def _trim(cache: "OrderedDict[Any, Any]", most: int) -> None:
    while len(cache) > most:
        cache.popitem(last=False)
