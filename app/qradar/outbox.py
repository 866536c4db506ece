# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Posts the notes that wait in the outbox to their offenses, each once.

A note can't be taken back, and posting one twice looks like two events. So the offense's notes are
searched for the note's own mark before each try: after a lost answer that shows whether it landed.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from app.message import Message
from app.qradar.console import ConsoleRefused, ConsoleUnavailable
from app.qradar.offenses import Offenses

logger = logging.getLogger(__name__)

GAPS_S = (30, 60, 120, 300, 600)
"""Seconds until the next try. The first is long enough for a request whose answer was lost to have
had its effect."""

_NOT_FOUND = 404
_PASSES = (408, 425, 429)
_RIGHTS = (401, 403)


class Note(Protocol):
    """A note that is due; `app.store.notes.OffenseNote` is one.

    ``may_be_there``: an earlier try may have put it into the offense.
    """

    @property
    def subject(self) -> str: ...
    @property
    def may_be_there(self) -> bool: ...
    @property
    def offense_id(self) -> int | None: ...
    @property
    def mark(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def attempts(self) -> int: ...


N = TypeVar("N", bound=Note)


class Outbox(Protocol[N]):
    """The store's notes, by what is called here; `app.store.notes.Notes` is one."""

    def due(self, now: datetime) -> Sequence[N]: ...
    def trying(self, note: N, *, due_at: datetime) -> None: ...
    def failed(self, note: N, error: str) -> None: ...
    def posted(self, note: N, *, now: datetime) -> None: ...
    def give_up_one(self, note: N, why: str, *, now: datetime) -> None: ...
    def offense_gone(self, note: N, why: str, *, now: datetime) -> None: ...


def post_due(outbox: Outbox[N], offenses: Offenses, now: datetime) -> bool:
    """Post what is due; say whether anything was.

    Raises what ends the whole round: `ConsoleUnavailable`, and `ConsoleRefused` when the token is
    refused. The next round goes on where this one ended.
    """
    notes = outbox.due(now)
    for note in notes:
        gap = timedelta(seconds=GAPS_S[min(note.attempts, len(GAPS_S) - 1)])
        outbox.trying(note, due_at=now + gap)
        try:
            _post(note, offenses)
        except ConsoleUnavailable as error:
            outbox.failed(note, str(error))
            raise
        except ConsoleRefused as error:
            outbox.failed(note, str(error))
            if error.status in _RIGHTS:
                raise
            _refused(outbox, note, error, now)
        else:
            outbox.posted(note, now=now)
            logger.info("%s: note %s stands in the offense", note.subject, note.mark)
    return bool(notes)


def _post(note: Note, offenses: Offenses) -> None:
    if note.offense_id is None:
        raise ValueError("the outbox gave a note whose offense is not known")
    if not (note.may_be_there and offenses.has_note(note.offense_id, note.mark)):
        offenses.add_note(note.offense_id, note.text)


def _refused(outbox: Outbox[N], note: N, error: ConsoleRefused, now: datetime) -> None:
    if error.status in _PASSES:
        return
    logger.warning("%s: note %s can't be posted: %s", note.subject, note.mark, error)
    if error.status == _NOT_FOUND:
        gone = Message("Offense {offense} is gone: {why}", offense=note.offense_id, why=error)
        outbox.offense_gone(note, gone, now=now)
    else:
        not_taken = Message("QRadar does not take this note: {why}", why=error)
        outbox.give_up_one(note, not_taken, now=now)
