# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the app's command lines share: streams, exit codes, the store with its owner's rights."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from app.framework import logs, paths
from app.store.database import Database
from app.store.migrate import migrate
from app.store.store import Store

BY = "command line"
DONE, FAILED, WRONG_USAGE = 0, 1, 2


class Stop(Exception):
    """Ends the program with a sentence on standard error."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Streams:
    """Where input comes from and output goes to."""

    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)

    def give(self, text: str) -> None:
        """What was asked for."""
        print(text, file=self.stdout, flush=True)

    def tell(self, text: str) -> None:
        """All else."""
        print(text, file=self.stderr, flush=True)


@contextmanager
def opened_store() -> Iterator[Store]:
    """The store, brought up to date first if need be."""
    path = database()
    migrate(path)
    store = Store(Database(path))
    try:
        yield store
    finally:
        store.close()


def database() -> Path:
    """Where the store is, with the rights of its owner."""
    try:
        path = paths.database_path()
    except KeyError as error:
        raise Stop(FAILED, "APP_ROOT is not set: run this in the app's container.") from error
    _become_owner(path.parent)
    logs.set_up("configure")
    return path


def _become_owner(folder: Path) -> None:
    """Give up root's rights: files that root makes in the store, the app's user could not write."""
    if os.geteuid() != 0 or not folder.exists():
        return
    owner = folder.stat()
    if owner.st_uid != 0:
        os.setgroups([owner.st_gid])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


def utc_now() -> datetime:
    return datetime.now(UTC)
