# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview's health strip: each part a sentence, never a code."""

import shutil
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from app.message import Message
from app.remote.trust import read_certificate
from app.restore.model import CopyManagerError, Mode, Outcome, Trust
from app.store.qradar import Console
from app.web.frame.listing import listed
from app.web.frame.presentation import ago, outcome_words
from app.web.mappings.attachment import attachments
from app.web.services import Services
from app.web.set_up.action_book import expiry_notice
from app.web.status.expiry import expiry, pinned
from app.web.status.health import ConnectionHealth, Health
from app.web.status.unreachable import cdm_silent, qradar_silent, store_unwritable

ENDS_SOON = timedelta(days=30)
LOW_DISK = 100 * 2**20  # bytes; a backup before a migration needs as much as the database

_MODES = {
    Mode.ARMED: ("good", Message("Armed"), Message("Rules start restores.")),
    Mode.OBSERVE: (
        "attention",
        Message("Observe"),
        Message("Triggers are decided and recorded, nothing is started."),
    ),
    Mode.DISARMED: (
        "attention",
        Message("Disarmed"),
        Message("Triggers are recorded, nothing is started."),
    ),
}


@dataclass(frozen=True, slots=True)
class Signal:
    """One part of the health strip."""

    tone: str  # good, bad, attention or done
    title: str
    sentences: Sequence[str]
    page: str | None = None  # the endpoint of the page that helps


def signals(services: Services, health: Health) -> list[Signal]:
    """The strip: the app's mode, its parts and neighbours, what ends when, the last trigger."""
    mode = Mode(health.mode)
    return [
        _mode(services, mode, health),
        _worker(health),
        _qradar(services, health.console),
        *(_cdm(one, services.clock()) for one in health.connections),
        *_action(services),
        *_never_called(services, mode),
        *_drifted(health),
        _store(services, health),
        _last_trigger(health),
    ]


def _mode(services: Services, mode: Mode, health: Health) -> Signal:
    tone, title, sentence = _MODES[mode]
    store = services.store
    if health.store_problem is not None:
        tone, sentence = (
            "bad",
            Message("What rules ask for is refused: nothing can be written to the database."),
        )
    elif store.tokens.wait_for_confirmation():
        tone, sentence = (
            "bad",
            Message(
                "What rules ask for is refused until an administrator confirms the trigger tokens."
            ),
        )
    elif mode is Mode.ARMED and not store.tokens.list():
        tone, sentence = "bad", Message("No rule can start a restore: there is no trigger token.")
    elif mode is Mode.ARMED and not any(one.enabled for one in store.mappings.list()):
        tone, sentence = (
            "bad",
            Message("No rule can start a restore: no mapping is switched on."),
        )
    return Signal(tone, title, [sentence])


def _worker(health: Health) -> Signal:
    if health.store_problem is not None:
        words = Message("Nothing can be written: whether it is at work can't be seen.")
        return Signal("attention", Message("Worker not seen"), [words])
    if health.worker_at is None:
        return Signal(
            "bad",
            Message("Worker not seen"),
            [
                Message(
                    "It has not started yet: triggers are kept, nothing is started until it has."
                )
            ],
        )
    if health.worker_ok:
        words = Message("At work, last seen {ago}.", ago=ago(health.worker_at))
        return Signal("good", Message("Worker at work"), [words])
    words = Message(
        "The worker is not running: triggers are kept, nothing is started until it is"
        " back. It was last seen {ago}; worker.log says why.",
        ago=ago(health.worker_at),
    )
    return Signal("bad", Message("Worker not running"), [words])


def _qradar(services: Services, console: Console) -> Signal:
    """The page is shown, so the console has told within a minute who looks at it.

    Whether it answers still is known a quarter of a minute after it does not.
    """
    now, silent = services.clock(), qradar_silent(services)
    tone, page = "good", None
    sentences: list[str] = [
        Message("QRadar has told within the last minute who you are and what you may do.")
    ]
    if silent:
        tone, sentences = "bad", silent
    elif console.token_label is None:
        sentences.append(Message("Without a service token offenses are neither found nor watched."))
        page = "settings.show"
    elif console.contact_error:
        tone = "attention"
        sentences += [
            Message(
                "The worker could not speak with the console: {reason}",
                reason=console.contact_error,
            ),
            Message("Last answer: {ago}.", ago=ago(console.contact_at)),
        ]
    elif warning := console.token_warning(now):
        tone, page = "attention", "settings.show"
        sentences.append(warning)
    elif console.token_expires_at:
        sentences.append(expiry(Message("The service token"), console.token_expires_at, now))
    if console.certificate_ends_at:
        tone = _with_end(tone, console.certificate_ends_at, now)
        what = Message("The console's certificate")
        sentences.append(expiry(what, console.certificate_ends_at, now))
    return Signal(tone, Message("QRadar"), sentences, page)


def _cdm(one: ConnectionHealth, now: datetime) -> Signal:
    tone = "bad" if one.ok is False else "good" if one.ok else "done"
    sentences: list[str]
    if one.ok is None:
        sentences = [
            Message("It was not contacted yet: test the connection, or wait for the first run.")
        ]
    elif one.ok:
        sentences = [Message("Answered {ago}.", ago=ago(one.contact.at))]
    else:
        sentences = cdm_silent(one.contact.error or "", one.contact.at)
    connection, end = one.connection, one.contact.certificate_ends_at
    authority = ca_end(connection.ca_pem or "") if connection.trust is Trust.CA else None
    if authority is not None and authority != end:  # the same one: it was uploaded itself
        tone = _with_end(tone, authority, now)
        sentences.append(expiry(Message("The CA certificate"), authority, now))
    if connection.trust is Trust.FINGERPRINT:
        # What is pinned is compared only, its dates say nothing: but it will be renewed.
        if end is not None and end <= now + ENDS_SOON and tone != "bad":
            tone = "attention"
        sentences += pinned(end, now)
    elif end is not None:
        tone = _with_end(tone, end, now)
        sentences.append(expiry(Message("The server's certificate"), end, now))
    title = Message("CDM {name}", name=connection.name)
    return Signal(tone, title, sentences, "connections.show_list")


def _with_end(tone: str, end: datetime, now: datetime) -> str:
    """The tone of a part one of whose certificates ends then."""
    if end <= now:
        return "bad"
    return "attention" if end <= now + ENDS_SOON and tone != "bad" else tone


@lru_cache(maxsize=64)
def ca_end(pem: str) -> datetime | None:
    """When the first of these CA certificates ends; None when none can be read."""
    ends = []
    for part in pem.split("-----END CERTIFICATE-----")[:-1]:
        begin = part.find("-----BEGIN CERTIFICATE-----")
        try:
            der = ssl.PEM_cert_to_DER_cert(part[begin:] + "-----END CERTIFICATE-----\n")
            ends.append(read_certificate(der).not_after)
        except (CopyManagerError, ValueError):
            continue
    return min(ends, default=None)


def _action(services: Services) -> Iterator[Signal]:
    notice = expiry_notice(services.store, services.clock())
    if notice:
        yield Signal("attention", Message("Custom action"), [notice], "set_up.show")


def _never_called(services: Services, mode: Mode) -> Iterator[Signal]:
    names = [one.mapping.name for one in attachments(services.store) if not one.done]
    if names and mode is Mode.ARMED:
        words = _no_call(names)
        yield Signal("attention", Message("Rules"), [words], "set_up.show")


def _drifted(health: Health) -> Iterator[Signal]:
    if health.drift:
        words = [
            Message("{mapping}: {reason}", mapping=name, reason=words[0])
            for name, words in health.drift
        ]
        yield Signal("attention", Message("Mappings"), words[:5], "mappings.show_list")


def _store(services: Services, health: Health) -> Signal:
    used, free = store_bytes(services)
    words = Message("The database has {used}; {free} are free.", used=size(used), free=size(free))
    if health.store_problem is not None:
        return Signal("bad", Message("Store"), store_unwritable(health.store_problem))
    if free < LOW_DISK:
        return Signal(
            "bad",
            Message("Store"),
            [words, Message("Little room is left: when it is full, triggers are refused.")],
        )
    return Signal("good", Message("Store"), [words])


def store_bytes(services: Services) -> tuple[int, int]:
    """How many bytes the database has with what belongs to it, and how many are free beside it."""
    path = services.database_path
    files = [path, path.with_name(f"{path.name}-wal")]
    return sum(one.stat().st_size for one in files if one.exists()), shutil.disk_usage(
        path.parent
    ).free


def size(number: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


def _last_trigger(health: Health) -> Signal:
    if health.last_trigger is None:
        return Signal("done", Message("Last trigger"), [Message("No rule has called yet.")])
    at, outcome = health.last_trigger
    words = Message("{ago}: {outcome}.", ago=ago(at), outcome=outcome_words(Outcome(outcome)))
    return Signal("done", Message("Last trigger"), [words])


def _no_call(mappings: Sequence[str]) -> Message:
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
