# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What is done to a store that was put back: nothing in it may start, end or clean up anything.

Its runs may have gone on, its trigger tokens may have been revoked since, and nobody can tell from
it. So, in one transaction: disarmed, every open run to a person, what was asked of runs dropped,
trigger tokens invalid until an administrator has confirmed them, the cut named in the audit.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from app.message import Message
from app.restore.model import Mode, RunState
from app.store.database import Database
from app.store.marks import Mark, lost_commits, mark_files, read_marks
from app.store.store import Store

BY = "the app"
_RUN = Message(
    "The app's database was put back; it is older than what has happened. What became of this"
    " restore since is not known here."
)


def settle(path: Path, now: datetime) -> str | None:
    """Compare the migrated store at ``path`` with its mark; give what was done to it, if anything.

    To be called under the migration's lock, before anybody acts on the store.
    """
    store = Store(Database(path))
    try:
        told = read_marks(path)  # before the store: the other process may be marking
        mark = store.marks.current(now)
        ahead = lost_commits(told, mark)
        why = None if ahead is None else _why(mark, ahead)
        if ahead is not None and why is not None:
            distrust(store, why, now=now, above=ahead.number, files=mark_files(path))
        elif told[0] is None:
            store.marks.make(now, files=mark_files(path))
    finally:
        store.close()
    return why


def distrust(store: Store, why: str, *, now: datetime, above: int, files: Sequence[Path]) -> None:
    """Do to a store that was put back what this module's first lines say; then mark it."""
    with store.transaction():
        store.settings.set_mode(Mode.DISARMED, by=BY, now=now)
        for run in store.runs.open():
            for request in store.runs.requests(run.id):
                store.runs.close_request(request, Message("the database was put back"), now=now)
            if run.state is RunState.NEEDS_DECISION:
                continue
            waits = run.state is RunState.AWAITING_APPROVAL
            # Of those there may be one beside a live run of the same job (I3); no start is lost.
            state = RunState.CANCELLED if waits or run.dry_run else RunState.NEEDS_DECISION
            store.runs.record(
                run, state, _RUN, by=BY, now=now, changes={"error": _RUN, "due_at": None}
            )
        store.marks.set_put_back(why, now=now)
        store.audit.append(BY, "store.put_back", "database", why, now=now)
        store.marks.make(now, files=(), above=above)
    store.marks.make(now, files=files)


def confirm(store: Store, *, by: str, now: datetime) -> bool:
    """Make the trigger tokens valid again; False if they are."""
    with store.transaction():
        if store.marks.put_back() is None:
            return False
        store.marks.set_put_back(None, now=now)
        store.audit.append(by, "store.confirm", "trigger tokens", Message("valid again"), now=now)
    return True


def _why(mark: Mark, ahead: Mark) -> str:
    if mark.name != ahead.name:
        return Message(
            "The database is not the one that stood here at {at}, but another or a much older one:"
            " it ends with change {change} and run {run}.",
            at=ahead.at,
            change=mark.audit_id,
            run=mark.run_id,
        )
    return Message(
        "The database is older than what has happened: it ends with change {change} and run {run},"
        " and at {at} there were change {later_change} and run {later_run}.",
        change=mark.audit_id,
        run=mark.run_id,
        at=ahead.at,
        later_change=ahead.audit_id,
        later_run=ahead.run_id,
    )
