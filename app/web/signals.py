# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview's health strip, and what needs a person first: each a sentence, never a code."""

import shutil
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from app.cdm.trust import read_certificate
from app.restore.model import CopyManagerError, Mode, Outcome, Run, RunState, Trust
from app.restore.not_started import NotStarted, not_started
from app.store.qradar import Console
from app.web import texts
from app.web.action_book import expiry_notice
from app.web.attachment import attachments
from app.web.health import ConnectionHealth, Health
from app.web.presentation import ago, clock_time, duration, outcome_words
from app.web.services import Services
from app.web.trouble import qradar_silent

ENDS_SOON = timedelta(days=30)
MOUNTED_LONG = timedelta(hours=24)
LOW_DISK = 100 * 2**20  # bytes; a backup before a migration needs as much as the database

_MODES = {
    Mode.ARMED: ("good", texts.health.ARMED),
    Mode.OBSERVE: ("attention", texts.health.OBSERVING),
    Mode.DISARMED: ("attention", texts.health.DISARMED),
}


@dataclass(frozen=True, slots=True)
class Signal:
    """One part of the health strip."""

    tone: str  # good, bad, attention or done
    title: str
    sentences: Sequence[str]
    page: str | None = None  # the endpoint of the page that helps


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that a person should see to, and where."""

    tone: str
    sentence: str
    run: Run | None = None


def signals(services: Services, health: Health) -> list[Signal]:
    """The strip: the app's mode, its parts and neighbours, what ends when, the last trigger."""
    mode = Mode(health.mode)
    tone, sentence = _MODES[mode]
    if services.store.tokens.wait_for_confirmation():
        tone, sentence = "bad", texts.health.TOKENS_WAIT
    return [
        Signal(tone, texts.health.MODES[mode], [sentence]),
        _worker(health),
        _qradar(services, health.console),
        *(_cdm(one, services.clock()) for one in health.connections),
        *_action(services),
        *_never_called(services, mode),
        *_drifted(health),
        _store(services, health),
        _last_trigger(health),
    ]


def _worker(health: Health) -> Signal:
    if health.worker_at is None:
        return Signal("bad", texts.health.WORKER_NOT_SEEN, [texts.health.WORKER_NEW])
    if health.worker_ok:
        words = texts.health.worker_ok(ago(health.worker_at))
        return Signal("good", texts.health.WORKER_AT_WORK, [words])
    words = texts.health.worker_late(ago(health.worker_at))
    return Signal("bad", texts.health.WORKER_NOT_RUNNING, [words])


def _qradar(services: Services, console: Console) -> Signal:
    """The page is shown, so the console has told within a minute who looks at it.

    Whether it answers still is known a quarter of a minute after it does not.
    """
    now, silent = services.clock(), qradar_silent(services)
    tone, sentences, page = "good", [texts.health.QRADAR_OK], None
    if silent:
        tone, sentences = "bad", silent
    elif console.token_label is None:
        sentences.append(texts.health.OFFENSES_UNWATCHED)
        page = "settings.show"
    elif console.contact_error:
        tone = "attention"
        sentences += texts.health.qradar_trouble(console.contact_error, ago(console.contact_at))
    elif warning := console.token_warning(now):
        tone, page = "attention", "settings.show"
        sentences.append(warning)
    elif console.token_expires_at:
        sentences.append(
            texts.health.ends(texts.health.SERVICE_TOKEN, console.token_expires_at, now)
        )
    if console.certificate_ends_at:
        tone = _with_end(tone, console.certificate_ends_at, now)
        what = texts.health.CONSOLE_CERTIFICATE
        sentences.append(texts.health.ends(what, console.certificate_ends_at, now))
    return Signal(tone, texts.health.QRADAR, sentences, page)


def _cdm(one: ConnectionHealth, now: datetime) -> Signal:
    tone = "bad" if one.ok is False else "good" if one.ok else "done"
    if one.ok is None:
        sentences = [texts.health.CDM_NEW]
    elif one.ok:
        sentences = [texts.health.cdm_ok(ago(one.contact.at))]
    else:
        sentences = texts.health.cdm_trouble(one.contact.error or "", ago(one.contact.at))
    connection, end = one.connection, one.contact.certificate_ends_at
    authority = ca_end(connection.ca_pem or "") if connection.trust is Trust.CA else None
    if authority is not None and authority != end:  # the same one: it was uploaded itself
        tone = _with_end(tone, authority, now)
        sentences.append(texts.health.ends(texts.health.CA_CERTIFICATE, authority, now))
    if connection.trust is Trust.FINGERPRINT:
        # What is pinned is compared only, its dates say nothing: but it will be renewed.
        if end is not None and end <= now + ENDS_SOON and tone != "bad":
            tone = "attention"
        sentences += texts.health.pinned(end, now)
    elif end is not None:
        tone = _with_end(tone, end, now)
        sentences.append(texts.health.ends(texts.health.SERVER_CERTIFICATE, end, now))
    title = texts.health.CDM.format(name=connection.name)
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
        yield Signal("attention", texts.health.ACTION, [notice], "set_up.show")


def _never_called(services: Services, mode: Mode) -> Iterator[Signal]:
    names = [one.mapping.name for one in attachments(services.store) if not one.done]
    if names and mode is Mode.ARMED:
        words = texts.health.never_called(names)
        yield Signal("attention", texts.health.RULES, [words], "set_up.show")


def _drifted(health: Health) -> Iterator[Signal]:
    if health.drift:
        words = [texts.health.drift(name, words[0]) for name, words in health.drift]
        yield Signal("attention", texts.health.MAPPINGS, words[:5], "mappings.show_list")


def _store(services: Services, health: Health) -> Signal:
    used, free = store_bytes(services)
    words = texts.health.store_size(size(used), size(free))
    if health.store_problem is not None:
        return Signal("bad", texts.health.STORE, texts.health.unwritable(health.store_problem))
    if free < LOW_DISK:
        return Signal("bad", texts.health.STORE, [words, texts.health.LOW_DISK])
    return Signal("good", texts.health.STORE, [words])


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
        return Signal("done", texts.health.LAST_TRIGGER, [texts.health.NO_TRIGGER])
    at, outcome = health.last_trigger
    words = texts.health.last_trigger(ago(at), outcome_words(Outcome(outcome)))
    return Signal("done", texts.health.LAST_TRIGGER, [words])


def needs_person(services: Services, open_runs: Sequence[Run]) -> list[Attention]:
    """What somebody should see to, the most pressing first."""
    now = services.clock()
    decisions, mounts = [], []
    for run in open_runs:
        if run.state is RunState.NEEDS_DECISION:
            sentence = texts.attention.needs_decision(run.id, run.job_name, run.error or "")
            decisions.append(Attention("bad", sentence, run))
        elif run.state is RunState.AWAITING_APPROVAL:
            decisions.append(
                Attention("bad", texts.attention.needs_approval(run.id, run.job_name), run)
            )
        elif run.state is RunState.READY and run.ready_at and now - run.ready_at >= MOUNTED_LONG:
            since = duration((now - run.ready_at).total_seconds())
            sentence = texts.attention.still_mounted(run.id, run.job_name, since)
            mounts.append(Attention("attention", sentence, run))
    return [*decisions, *mounts]


def not_started_runs(services: Services, open_runs: Sequence[Run]) -> list[Attention]:
    """The runs that do not start because their CDM can't be reached, or hangs."""
    now = services.clock()
    found = [one for run in open_runs if (one := not_started(run, now)) is not None]
    return [Attention("bad", _not_started(one, now), one.run) for one in found]


def _not_started(one: NotStarted, now: datetime) -> str:
    return texts.attention.not_started(
        one.run,
        duration(abs((now - one.since).total_seconds())),
        tried=clock_time(one.tried_at) if one.tried_at else None,
        next_try=clock_time(one.next_at) if one.next_at else None,
        asked=clock_time(one.asked_at),
    )
