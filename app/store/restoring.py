# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts a copy of the store back, or lets a lost one begin anew; while the app runs, or not.

What is put back is treated first (`put_back.distrust`), in a file of its own: at no moment does a
process find an old store that still wants to start something.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from app.message import Message
from app.store.copies import CopyFailed, copies, open_copy, replace_store, write_copy
from app.store.database import Database, StoreBusy, StoreFailed, connect
from app.store.marks import mark_file, mark_files, read_mark
from app.store.migrate import MIGRATIONS, apply_pending, forget_failure, locked, newest_schema
from app.store.put_back import distrust
from app.store.store import Store

_AHEAD = 1000  # marks that processes may make while a copy takes the store's place


def put_copy_back(path: Path, name: str, *, by: str, now: datetime) -> str:
    """Put the copy in the file ``name`` beside the store in its place; give what to tell.

    Raises `CopyFailed`; the store is then as it was.
    """
    with locked(path):
        offers = copies(path, newest_schema=newest_schema(MIGRATIONS))
        chosen = next((one for one in offers if one.file.name == name), None)
        if chosen is None:
            there = ", ".join(one.file.name for one in offers) or "none"
            raise CopyFailed(f"There is no copy {name} that can be put back; there are: {there}.")
        why = Message(
            "The copy {name} of {at} UTC was put back by {by}.",
            name=name,
            at=f"{chosen.made_at:%Y-%m-%d %H:%M}",
            by=by,
        )
        with _draft(path) as draft:
            try:
                with closing(open_copy(chosen.file)) as source:
                    write_copy(source, draft)
                apply_pending(draft, MIGRATIONS)
                _treat(draft, why, above=_number(path) + _AHEAD, now=now)
                replace_store(path, draft)
            except (StoreFailed, StoreBusy, OSError, ValueError) as error:
                raise CopyFailed(f"The copy {name} could not be put back: {error}.") from error
        store = Store(Database(path))
        store.marks.make(now, files=mark_files(path))
        store.close()
        forget_failure(path)
    return why


def start_anew(path: Path) -> None:
    """Let the next start make an empty store where one was lost. Raises `CopyFailed`.

    The copies stay, under names under which they are no longer offered.
    """
    with locked(path):
        if path.exists() and path.stat().st_size:
            with closing(connect(path, mode="rw")) as connection:
                if connection.execute("PRAGMA user_version").fetchone()[0]:
                    raise CopyFailed("There is a database with content; it stays.")
        for file in mark_files(path):
            file.unlink(missing_ok=True)
        for one in copies(path, newest_schema=newest_schema(MIGRATIONS)):
            one.file.replace(one.file.with_name(f"{one.file.name}.old"))
        forget_failure(path)


def _treat(draft: Path, why: str, *, above: int, now: datetime) -> None:
    store = Store(Database(draft))
    distrust(store, why, now=now, above=above, files=())
    store.close()  # the last connection: nothing stays in a -wal


def _number(path: Path) -> int:
    """The highest mark that the store at ``path`` or its file may have."""
    beside = read_mark(mark_file(path))
    numbers = [0 if beside is None else beside.number]
    try:
        with closing(connect(path, mode="rw")) as connection:
            numbers.append(connection.execute("SELECT mark FROM installation").fetchone()[0])
    except StoreFailed:
        return numbers[0]  # damaged or gone: the file was written after the store's last mark
    return max(numbers)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    draft = path.with_name(f"{path.name}.putting-back")
    try:
        yield draft
    finally:
        for file in path.parent.glob(f"{draft.name}*"):
            file.unlink(missing_ok=True)
