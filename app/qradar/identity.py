# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who is calling and what they may do, as the console says (design.md §6, qradar-platform §3.4).

The console is asked on the authority of the caller's own token, and the answer is kept for a
minute under the token's hash.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal, Protocol

from app.qradar.console import ConsoleAnswer, ConsoleRefused, ConsoleUnavailable
from app.qradar.failed_asks import FailedAsks

_ACCESS = "/api/config/access"
_LOCKED_OUT = 24  # QRadar's code for "this host failed too often" (§3.4)
_ADMINS = frozenset({"ADMIN", "SAASADMIN"})
_TOKEN = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")


class Right(StrEnum):
    """What a page or an endpoint may demand."""

    VIEW = "view"
    OPERATE = "operate"
    ADMINISTER = "administer"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token belongs to: a user, or an authorized service (``name`` is its label)."""

    name: str
    kind: Literal["user", "service"]
    capabilities: frozenset[str]
    roles: frozenset[str]  # names of user roles; QRadar gives each account one
    id: int | None = None
    role_ids: frozenset[int] = frozenset()


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


class Console(Protocol):
    """What is asked of; `app.qradar.console.ConsoleClient` is one."""

    def request(
        self, method: str, path: str, *, sec: str | None, params: Mapping[str, str] | None
    ) -> ConsoleAnswer: ...


def token_of(
    headers: Mapping[str, str], cookies: Mapping[str, str]
) -> tuple[str | None, Literal["header", "cookie", "none"]]:
    """The caller's QRadar token and where it was: header ``SEC``, else cookie ``SEC`` (§3.2)."""
    if token := headers.get("SEC"):
        return token, "header"
    if token := cookies.get("SEC"):
        return token, "cookie"
    return None, "none"


def rights_of(
    caller: Caller, operator_roles: Collection[str], services: Collection[str]
) -> frozenset[Right]:
    """What ``caller`` may do (design.md §6).

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


class Identity:
    """Tells who a token belongs to; may be used by many threads."""

    KEPT = 60.0
    """Seconds an answer serves, good or bad."""

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
        clock: Callable[[], float] = time.monotonic,
        *,
        place: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """
        Args:
            clock: seconds that never go back.
            place: taken around every wait for the console, also for another thread's ask; raises
                when there is none (`framework.bulkhead.Bulkhead.place`).
        """
        self._console, self._clock, self._place = console, clock, place
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._refused: OrderedDict[bytes, tuple[float, str]] = OrderedDict()
        self._flights: dict[bytes, Future[Caller]] = {}
        self._failed = FailedAsks()
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
            raise NotAuthenticated("The request carries no QRadar token, or one that can't be one.")
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
                self._check_may_ask(key, source)
                known = self._known.get(key)
                mine: Future[Caller] = Future()
                self._flights[key] = mine
        if flight is not None:
            return flight.result()
        try:
            caller = self._ask(token, known.caller if known else None)
        except BaseException as error:  # whatever it is, those who wait must hear of it
            self._note_failure(key, error, source)
            self._land(key, mine)
            mine.set_exception(error)
            raise
        with self._lock:
            self._known[key] = _Known(caller, self._clock())
            self._answered_at, self._silent = self._clock(), None
            self._known.move_to_end(key)
            _trim(self._known, self.MOST)
        self._land(key, mine)
        mine.set_result(caller)
        return caller

    def _remembered(self, key: bytes, fresh: bool) -> Caller | None:
        """A cached answer. A bad one serves even ``fresh``: asking again is what a flood wants."""
        now = self._clock()
        if (refusal := self._refused.get(key)) is not None:
            if now < refusal[0]:
                raise NotAuthenticated(refusal[1])
            del self._refused[key]
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

    def _check_may_ask(self, key: bytes, source: str) -> None:
        now = self._clock()
        if now < self._locked_out_until:
            raise _locked_out()
        if key in self._known:
            return
        if wait := self._failed.wait(now, source):
            raise NotAuthenticated(
                "Too many unknown tokens were sent in the last minute: QRadar was not asked.",
                retry_after=max(1, round(wait)),
            )

    def _note_failure(self, key: bytes, error: BaseException, source: str) -> None:
        with self._lock:
            now = self._clock()
            if isinstance(error, ConsoleUnavailable):
                self._silent, self._silent_at = error, now
            if isinstance(error, NotAuthenticated):
                self._answered_at, self._silent = now, None
                if self._known.pop(key, None) is None:
                    self._failed.add(now, source)
                self._refused[key] = (now + self.KEPT, str(error))
                _trim(self._refused, self.MOST)
            elif isinstance(error, _LockedOut):
                self._locked_out_until = now + self.KEPT

    def _land(self, key: bytes, flight: "Future[Caller]") -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]

    def _ask(self, token: str, known: Caller | None) -> Caller:
        """One request for rights, and one for the name (two for an authorized service's).

        A session never changes its user, so a later ask is about rights only; a service's label,
        by which settings name it, can change.
        """
        roles = self._rows(token, "user_roles", "current_user_role")
        names = frozenset(str(row["name"]) for row in roles if row.get("name"))
        capabilities = frozenset(name for row in roles for name in _capabilities(row))
        ids = frozenset(row["id"] for row in roles if isinstance(row.get("id"), int))
        if known is not None and known.kind == "user":
            return replace(known, capabilities=capabilities, roles=names, role_ids=ids)
        for kind, path, parameter, field in (
            ("user", "users", "current_user", "username"),
            ("service", "authorized_services", "current_authorized_service", "label"),
        ):
            for row in self._rows(token, path, parameter, may_be_refused=True):
                if row.get(field):
                    number = row["id"] if isinstance(row.get("id"), int) else None
                    name = str(row[field])[:255]
                    whose: Literal["user", "service"] = "user" if kind == "user" else "service"
                    return Caller(name, whose, capabilities, names, number, ids)
        # rights but no name: as a service that no setting can name it counts only with ADMIN
        return Caller("", "service", capabilities, names, None, ids)

    def _rows(
        self, token: str, path: str, parameter: str, *, may_be_refused: bool = False
    ) -> list[dict[str, Any]]:
        try:
            answer = self._console.request(
                "GET", f"{_ACCESS}/{path}", sec=token, params={parameter: "true"}
            )
        except ConsoleRefused as error:
            if error.code == _LOCKED_OUT:
                raise _locked_out() from error
            if error.status == 401 or (error.status == 403 and not may_be_refused):
                raise NotAuthenticated(f"{error}") from error
            if may_be_refused:
                return []
            raise ConsoleUnavailable(f"QRadar does not say who is calling: {error}") from error
        if not isinstance(answer.body, list):
            raise ConsoleUnavailable(f"QRadar's answer about {path} is not a list.")
        return [row for row in answer.body if isinstance(row, dict)]


class _LockedOut(ConsoleUnavailable):
    """QRadar refuses this host whatever the token: says nothing about the token."""


def _locked_out() -> _LockedOut:
    return _LockedOut(
        "QRadar has locked out the app's host.",
        cause="Too many requests with invalid tokens came from it.",
        advice="It opens again by itself after some minutes; see the console's log for the source.",
    )


def _capabilities(role: dict[str, Any]) -> list[str]:
    entries = role.get("capabilities")
    if not isinstance(entries, list):
        return []
    return [str(each["name"]) for each in entries if isinstance(each, dict) and each.get("name")]


def _trim(cache: "OrderedDict[bytes, Any]", most: int) -> None:
    while len(cache) > most:
        cache.popitem(last=False)
