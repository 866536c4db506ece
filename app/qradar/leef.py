# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Tells QRadar's log what the app does: LEEF 2.0 over UDP syslog (qradar §9), if wanted.

A rule that matches these events must not feed the app with them. Each event names `OWN_USER` as its
user and `HOST` as its source: a trigger whose log source and event id are known to be ours starts
nothing, one that only names our user starts at most once in its full cool-down
(`app.restore.own_events`), and an offense made of nothing but our log source is not watched
(`restore.watch`). Triggers that a run swallows are not told of at all but as a new attack, once.
And refused triggers, the only events that one of ours could bring about without a restore in
between, are not told of where the event is known to be ours, and else at most ten times a minute,
with the number of those left out.
"""

import logging
import re
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from app.message import Message, Words
from app.restore.model import SIMULATION, Run
from app.restore.model.recovery_point import point_of

logger = logging.getLogger(__name__)

OWN_USER = HOST = "safeguarded-restore"
PORT = 514
_VENDOR = _PRODUCT = "Safeguarded Restore"
_PRIORITY = 14  # user, informational
_LONGEST_VALUE = 1000
_TIME_FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSSZ"
_TRY_AGAIN_S = 30.0
_LONGEST_NAP_S = 5.0
_REFUSALS_A_MINUTE = 10
# Control characters, Unicode's line ends, and the marks that steer the direction of text.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")

_STATES = {
    "restoring": ("RESTORE_STARTED", 5),
    "ready": ("RESTORE_READY", 5),
    "completed": ("RESTORE_COMPLETED", 3),
    "observed": ("RESTORE_OBSERVED", 3),
    "failed": ("RESTORE_FAILED", 8),
}
_ATTACKS = {
    "attack.noticed": ("NEW_ATTACK", 9),
    "attack.acknowledged": ("NEW_ATTACK_ACKNOWLEDGED", 3),
    "attack.ended": ("NEW_ATTACK_ANSWERED", 3),
}
EVENT_IDS = frozenset(
    {"RESTORE_REQUESTED", "TRIGGER_REJECTED", "CONFIG_CHANGED"}
    | {name for name, _ in (*_STATES.values(), *_ATTACKS.values())}
)
"""Every event that is told, by its id."""
_REFUSALS = ("unmatched", "disarmed", "mapping_disabled", "limit_reached")


class Happening(Protocol):
    """A row that was not told yet; `app.store.happenings.Happening` is one."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def what(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def from_state(self) -> str | None: ...
    @property
    def run(self) -> Run | None: ...
    @property
    def mapping(self) -> str | None: ...
    @property
    def rule_id(self) -> int | None: ...
    @property
    def rule_name(self) -> str | None: ...
    @property
    def token(self) -> str | None: ...
    @property
    def peer(self) -> str | None: ...
    @property
    def is_own(self) -> bool: ...


def event_of(happening: Happening) -> tuple[str, int, Mapping[str, object]] | None:
    """Give event id, severity (1 to 10) and attributes; None when it isn't told."""
    run = happening.run
    if happening.kind == "transition" and run is not None:
        if run.source == SIMULATION:
            return None
        name, severity = _STATES.get(happening.what, ("", 0))
        if happening.from_state is None and not run.dry_run:
            name, severity = "RESTORE_REQUESTED", 6
        if not name:
            return None
        return name, severity, {"actor": happening.by, "reason": happening.text, **_facts(run)}
    if happening.kind == "trigger" and happening.what in _REFUSALS and not happening.is_own:
        attributes = {
            "outcome": happening.what,
            "reason": happening.text,
            "mapping": happening.mapping,
            "ruleId": happening.rule_id,
            "ruleName": happening.rule_name,
            "triggerToken": happening.token,
            "peer": happening.peer,
        }
        return "TRIGGER_REJECTED", 6, attributes
    if happening.kind == "change" and happening.what in _ATTACKS:
        name, severity = _ATTACKS[happening.what]
        attributes = {
            "actor": happening.by,
            "subject": happening.subject,
            "reason": happening.text,
        }
        return name, severity, attributes
    if happening.kind == "change" and not happening.what.startswith("run"):
        attributes = {
            "actor": happening.by,
            "action": happening.what,
            "subject": happening.subject,
            "reason": happening.text,
        }
        return "CONFIG_CHANGED", 4, attributes
    return None


def _facts(run: Run) -> Mapping[str, object]:
    return {
        "runId": run.id,
        "mapping": run.mapping,
        "connection": run.connection,
        "jobName": run.job_name,
        "jobId": run.job_id,
        "jobSession": run.job_session_id,
        "ruleId": run.rule_id,
        "ruleName": run.rule_name,
        "offenseId": run.offense_id,
        **_copy(run),
    }


def _copy(run: Run) -> Mapping[str, object]:
    """The copy that comes up, and how it stands to the detection (architecture §7)."""
    point = point_of(run)
    if run.copy is None or point is None:
        return {}
    made_at = run.copy.copy.made_at
    return {
        "copy": run.copy.copy.which,
        "copyMadeAt": made_at.isoformat(timespec="seconds") if made_at else None,
        "copyAge": None if point.age_s is None else round(point.age_s),
        "copyRelation": point.relation,
    }


def line(
    event: str,
    severity: int,
    attributes: Mapping[str, object],
    *,
    at: datetime,
    version: str,
    words: Words | None = None,
) -> str:
    """Give one event as a syslog line: RFC 5424's header as QRadar takes it, then LEEF 2.0.

    What is said in it is said in the language of ``words``. Attributes are parted by a tab, the
    default; within a value a tab is a blank, and backslash, ``=`` and line ends are escaped by a
    backslash, as is ``|`` in the header.
    """
    at = at.astimezone(UTC)
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "")
    header = "|".join(_in_header(part) for part in (_VENDOR, _PRODUCT, version, event))
    every: dict[str, object] = {
        "devTime": f"{stamp}+0000",
        "devTimeFormat": _TIME_FORMAT,
        "sev": severity,
        "cat": event,
        "usrName": OWN_USER,
        **attributes,
    }
    body = "\t".join(
        f"{key}={_value(value, words)}" for key, value in every.items() if value is not None
    )
    return f"<{_PRIORITY}>1 {stamp}Z {HOST} LEEF:2.0|{header}|x09|{body}"


def _in_header(text: str) -> str:
    return _printable(text.replace("\\", "\\\\").replace("|", "\\|"))


def _value(value: object, words: Words | None) -> str:
    text = value.said(words) if words and isinstance(value, Message) else str(value)
    if len(text) > _LONGEST_VALUE:
        text = text[: _LONGEST_VALUE - 1] + "…"
    for plain, escaped in (("\\", "\\\\"), ("=", "\\="), ("\r", "\\r"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return _printable(text)


def _printable(text: str) -> str:
    """Without what is not seen: a line end could make a second event, a mark reorder this one."""
    return _UNSEEN.sub(" ", text)


H = TypeVar("H", bound=Happening)


class Untold(Protocol[H]):
    """The store's rows that were not told yet; `app.store.happenings.Happenings` is one."""

    def begun(self) -> bool: ...
    def begin(self) -> None: ...
    def end(self) -> None: ...
    def untold(self) -> Sequence[H]: ...
    def told(self, happenings: Sequence[H]) -> None: ...


class Teller(Generic[H]):
    """Sends what has happened since it was switched on, each row at least once."""

    def __init__(
        self,
        untold: Untold[H],
        is_wanted: Callable[[], bool],
        *,
        words: Callable[[], Words],
        address: str,
        version: str,
        port: int = PORT,
    ) -> None:
        """``words`` are said; ``address`` is the console's, an IPv6 one as it comes."""
        self._untold, self._is_wanted, self._words = untold, is_wanted, words
        self._address, self._port, self._version = address.strip("[]"), port, version
        self._not_before = 0.0
        self._refusals: deque[float] = deque()
        self._left_out = 0

    def turn(self, now: datetime, tick: float) -> float:
        """Tell what is new; give the seconds until the next turn. Times are those of the rows."""
        if not self._is_wanted():
            if self._untold.begun():
                self._untold.end()
            return _LONGEST_NAP_S
        if not self._untold.begun():
            self._untold.begin()
        if tick < self._not_before:
            return min(self._not_before - tick, _LONGEST_NAP_S)
        new = self._untold.untold()
        if not new:
            return _LONGEST_NAP_S
        try:
            self._send(new, tick)
        except OSError as error:
            logger.warning("QRadar's syslog can't be reached: %s", error)
            self._not_before = tick + _TRY_AGAIN_S
            return _LONGEST_NAP_S
        self._untold.told(new)
        return 0.0

    def close(self) -> None:
        """Nothing is kept open."""

    def _send(self, happenings: Sequence[Happening], tick: float) -> None:
        info = socket.getaddrinfo(
            self._address, self._port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )
        family, kind, protocol, _, address = info[0]
        words = self._words()
        with socket.socket(family, kind, protocol) as sender:
            for happening in happenings:
                event = event_of(happening)
                if event is None or not self._may_tell(event[0], tick):
                    continue
                name, severity, attributes = event
                if self._left_out and name == "TRIGGER_REJECTED":
                    attributes, self._left_out = {**attributes, "leftOut": self._left_out}, 0
                text = line(
                    name,
                    severity,
                    attributes,
                    at=happening.at,
                    version=self._version,
                    words=words,
                )
                sender.sendto(text.encode("utf-8", "replace"), address)

    def _may_tell(self, name: str, tick: float) -> bool:
        if name != "TRIGGER_REJECTED":
            return True
        while self._refusals and tick - self._refusals[0] >= 60.0:
            self._refusals.popleft()
        if len(self._refusals) >= _REFUSALS_A_MINUTE:
            self._left_out += 1
            return False
        self._refusals.append(tick)
        return True
