# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview's health strip."""

from collections.abc import Sequence
from datetime import datetime

from app.message import Message, counted, joined
from app.restore.model import Mode
from app.web.texts.common import date, listed

WORKER = "Worker"
WORKER_NOT_SEEN = "Worker not seen"
WORKER_AT_WORK = "Worker at work"
WORKER_NOT_RUNNING = "Worker not running"
QRADAR = "QRadar"
CDM = "CDM {name}"
ACTION = "Custom action"
MAPPINGS = "Mappings"
RULES = "Rules"
STORE = "Store"
LAST_TRIGGER = "Last trigger"
MODES = {Mode.ARMED: "Armed", Mode.OBSERVE: "Observe", Mode.DISARMED: "Disarmed"}

SERVICE_TOKEN = "The service token"
CONSOLE_CERTIFICATE = "The console's certificate"
CA_CERTIFICATE = "The CA certificate"
SERVER_CERTIFICATE = "The server's certificate"

ARMED = "Rules start restores."
OBSERVING = "Triggers are decided and recorded, nothing is started."
DISARMED = "Triggers are recorded, nothing is started."
TOKENS_WAIT = "What rules ask for is refused until an administrator confirms the trigger tokens."
WORKER_NEW = "It has not started yet: triggers are kept, nothing is started until it has."
QRADAR_OK = "QRadar has told within the last minute who you are and what you may do."
OFFENSES_UNWATCHED = "Without a service token offenses are neither found nor watched."
CDM_NEW = "It was not contacted yet: test the connection, or wait for the first run."
NO_TRIGGER = "No rule has called yet."
AWAY = "does not answer"  # read out: who, then this
LOW_DISK = "Little room is left: when it is full, triggers are refused."


def worker_ok(ago: str) -> str:
    """The worker's last sign of life, when it is recent."""
    return f"At work, last seen {ago}."


def worker_late(ago: str) -> str:
    """The worker shows no sign of life."""
    return (
        "The worker is not running: triggers are kept, nothing is started until it is back."
        f" It was last seen {ago}; worker.log says why."
    )


def qradar_trouble(reason: str, ago: str) -> list[str]:
    """The worker can't reach the console, although this page could ask it."""
    return [
        Message("The worker could not speak with the console: {reason}", reason=reason),
        Message("Last answer: {ago}.", ago=ago),
    ]


def qradar_silent(reason: str, ago: str) -> list[str]:
    """The console did not say, just now, who is looking at this page."""
    return [
        Message("QRadar does not answer: {reason} Last answer: {ago}.", reason=reason, ago=ago),
        Message(
            "Pages are shown for up to a minute after that. Restores that run go on; rules may not"
            " reach the app, and notes wait."
        ),
    ]


def cdm_ok(ago: str) -> str:
    """A CDM that answered last time."""
    return f"Answered {ago}."


def cdm_trouble(reason: str, ago: str) -> list[str]:
    """A CDM that did not answer last time."""
    return [
        reason or Message("It does not answer."),
        Message(
            "Last answer: {ago}. Restores that run there go on; the app keeps asking.", ago=ago
        ),
    ]


def last_trigger(ago: str, outcome: str) -> Message:
    """The last call of a rule."""
    return Message("{ago}: {outcome}.", ago=ago, outcome=outcome)


def store_size(used: str, free: str) -> str:
    """How large the database is, and the room beside it."""
    return f"The database has {used}; {free} are free."


def unwritable(problem: str) -> list[str]:
    """The database, by trying, can't be written."""
    return [
        Message("Nothing can be written to the database: {problem}.", problem=problem),
        Message(
            "Triggers are refused and nothing is started until that is over: look at the disk of"
            " the app's store, whether it is full or read-only."
        ),
    ]


def ends(what: str, at: datetime, now: datetime) -> Message:
    """When a certificate or token ends, or that it has."""
    days = (at - now).days
    if at <= now:
        return Message("{what} has expired on {date}.", what=what, date=date(at))
    if days < 1:
        return Message("{what} expires within a day, on {date}.", what=what, date=date(at))
    return counted(
        "{what} is valid until {date}, for {n} more day.",
        "{what} is valid until {date}, for {n} more days.",
        n=days,
        what=what,
        date=date(at),
    )


def _two(first: Message, second: Message) -> Message:
    return joined((first, second), " ")


def pinned(at: datetime | None, now: datetime) -> list[str]:
    """What is known of a certificate that a connection has pinned; ``at`` is its end."""
    if at is None:
        return [PINNED]
    if at <= now:
        ended = Message(
            "It has expired on {date}; while it is pinned it is accepted all the same.",
            date=date(at),
        )
        return [_two(PINNED, ended), PIN_ANEW]
    still = ends(Message("It"), at, now)
    return [_two(PINNED, still), *([PIN_ANEW] if (at - now).days < 30 else [])]


PINNED = Message("The server's certificate is pinned by its fingerprint.")
PIN_ANEW = Message("Once it is renewed, no restore starts until the new one is pinned.")


def never_called(mappings: Sequence[str]) -> Message:
    """The app is armed, and these mappings' rules may well not have the custom action."""
    names = listed(mappings[:3], more=len(mappings) - 3)
    if len(mappings) == 1:
        return Message(
            "Armed, but no rule of mapping {name} has ever called. Whether one can is not proven:"
            " Deploy Changes and the rule's response may be missing.",
            name=names,
        )
    return Message(
        "Armed, but no rule of the mappings {names} has ever called. Whether one can is not proven:"
        " Deploy Changes and the rule's response may be missing.",
        names=names,
    )


def drift(mapping: str, reason: str) -> str:
    """A mapping whose rule or job is not what it was."""
    return f"{mapping}: {reason}"
