# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A restore that does not start because its CDM can't be reached, or hangs: told aloud, and soon.

CDM may never have said anything, so nothing here builds on that it has.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.message import Message
from app.restore import clock
from app.restore.model import Overtaken, Run, RunState
from app.restore.notes import not_started_note
from app.restore.ports import Store
from app.restore.still_wanted import STALE_S

logger = logging.getLogger(__name__)

TOLD_AFTER = timedelta(seconds=30)  # on pages
NOTED_AFTER = timedelta(minutes=1)  # in the offense


@dataclass(frozen=True, slots=True)
class NotStarted:
    """What there is to tell of such a run."""

    run: Run
    since: datetime
    tried_at: datetime | None  # None: the first try has no answer yet
    next_at: datetime | None  # None: it is being tried now
    asked_at: datetime  # about when a person is asked


def not_started(run: Run, now: datetime, *, after: timedelta = TOLD_AFTER) -> NotStarted | None:
    """Say that ``run`` does not start, if CDM has kept it from that for so long."""
    since = run.contact_lost_since
    if run.state is not RunState.QUEUED or run.dry_run or since is None:
        return None
    if timedelta(0) <= now - since < after:  # one that lies ahead is a clock that was set back
        return None
    tried_at, left_s = run.memory.waited_at, STALE_S - run.memory.waited_s
    return NotStarted(
        run,
        since,
        tried_at,
        None if clock.is_due(run.due_at, now) else run.due_at,
        clock.later(tried_at or run.state_since or now, max(left_s, 0.0)),
    )


def note_silence(store: Store, connection_id: int, silent_s: float, now: datetime) -> None:
    """Note that a CDM hangs, and which runs can't start for it; their lane waits for the answer."""
    try:
        at = store.connections.get(connection_id)
    except LookupError:
        return  # deleted meanwhile
    problem = Message(
        "{manager} at {host}:{port} does not answer: it was asked, and has said nothing.",
        manager=at.kind.product,
        host=at.host,
        port=at.port,
    )
    if store.connections.contact(connection_id).error != problem:
        logger.warning("connection %d: %s", connection_id, problem)
        store.connections.note_contact(connection_id, problem, now=now)
    began = clock.later(now, -silent_s)
    for run in store.runs.open(connection_id):
        if run.state is RunState.QUEUED and run.contact_lost_since is None:
            since = max(began, min(run.state_since or began, now))
            with suppress(Overtaken):
                store.runs.note(run, contact_lost_since=since, error=problem)


def tell_offenses(store: Store, now: datetime) -> None:
    """Put a note into the outbox for each run that does not start, once for a run."""
    for run in store.runs.open():
        found = not_started(run, now, after=NOTED_AFTER)
        if found is not None:
            note = not_started_note(run, found.since, found.asked_at, now=now)
            store.runs.tell_once(run, note, now=now)
