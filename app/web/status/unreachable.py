# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who does not answer just now, in sentences for the top of any page; nobody is asked for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask

from app.message import Message, joined
from app.restore.model import Run
from app.web.frame.presentation import ago
from app.web.services import Services, services
from app.web.status.health import WORKER_LATE_S


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part or a neighbour of the app that does not answer."""

    name: str
    sentence: str


def register(app: Flask) -> None:
    """Make them known to the templates of ``app``, and the time that a page is of."""
    app.add_template_global(troubles)
    app.add_template_global(lambda: services().clock(), "now")
    app.add_template_global(lambda: services().store.marks.put_back(), "put_back")


def troubles(run: Run | None = None) -> list[Trouble]:
    """QRadar or the worker away; the CDM of an open run too."""
    found = services()
    return [*_qradar(found), *(_store(found) or _worker(found)), *_cdm(found, run)]


def qradar_silent(found: Services) -> list[str]:
    """What there is to say when the console did not answer who is looking; [] if it did."""
    silence = found.identity.silence()
    if silence is None:
        return []
    last: datetime | None = None
    if silence.last_answer_s is not None:
        last = found.clock() - timedelta(seconds=silence.last_answer_s)
    return [
        Message(
            "QRadar does not answer: {reason} Last answer: {ago}.",
            reason=silence.error,
            ago=ago(last),
        ),
        Message(
            "Pages are shown for up to a minute after that. Restores that run go on; rules may not"
            " reach the app, and notes wait."
        ),
    ]


def cdm_silent(reason: str, last: datetime | None) -> list[str]:
    """What there is to say of a CDM that did not answer last time."""
    return [
        reason or Message("It does not answer."),
        Message(
            "Last answer: {ago}. Restores that run there go on; the app keeps asking.",
            ago=ago(last),
        ),
    ]


def _qradar(found: Services) -> Iterator[Trouble]:
    sentences = qradar_silent(found)
    if sentences:
        yield Trouble(Message("QRadar"), joined(sentences, " "))


def store_unwritable(problem: str) -> list[str]:
    """What there is to say while nothing can be written to the store."""
    return [
        Message("Nothing can be written to the database: {problem}.", problem=problem),
        Message(
            "Triggers are refused and nothing is started until that is over: look at the"
            " disk of the app's store, whether it is full or read-only."
        ),
    ]


def _store(found: Services) -> list[Trouble]:
    problem = found.store_problem()
    if problem is None:
        return []
    return [Trouble(Message("Database"), joined(store_unwritable(problem), " "))]


def _worker(found: Services) -> Iterator[Trouble]:
    """A worker that shows no sign of life; where nothing can be written, none could."""
    beat = found.store.heartbeats.all().get("worker")
    if beat is not None and (found.clock() - beat[0]).total_seconds() > WORKER_LATE_S:
        yield Trouble(
            Message("Worker"),
            Message(
                "The worker is not running: triggers are kept, nothing is started until it is"
                " back. It was last seen {ago}; worker.log says why.",
                ago=ago(beat[0]),
            ),
        )


def _cdm(found: Services, run: Run | None) -> Iterator[Trouble]:
    if run is None or run.ended_at is not None or run.contact_lost_since is not None:
        return  # what a run has lost contact with is told with the run
    contact = found.store.connections.contact(run.connection_id)
    if contact.error:
        words = cdm_silent(contact.error, contact.at)
        yield Trouble(Message("CDM {name}", name=run.connection), joined(words, " "))
