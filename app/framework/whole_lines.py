# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A log file in which each record stands whole or not at all, also on a disk that is full.

Python's own files write what fits of a record and keep the rest for later: lines of two records
then stand in one.
"""

import errno
import os
from contextlib import suppress
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any


def is_full(error: BaseException | None) -> bool:
    """Whether a disk, or what a user may take of it, is full."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


class WholeLines:
    """What a `RotatingFileHandler` takes for its stream; nobody else writes to the file."""

    def __init__(self, path: str) -> None:
        """Raises OSError. What a killed process has left half written gets its end of line."""
        self._lost = 0  # records, while the disk was full
        self._file = Path(path).open("a+b", buffering=0)  # noqa: SIM115 - closed by its handler
        with suppress(OSError):
            if self._file.seek(0, os.SEEK_END):
                self._file.seek(-1, os.SEEK_END)
                if self._file.read(1) != b"\n":
                    self._file.write(b"\n")

    def write(self, text: str) -> None:
        """Append ``text``. Raises OSError, and nothing of it is then in the file.

        After a disk was full, a line of its own says first how many did not get in.
        """
        if self._lost:
            text = f"{self._lost} log records were lost here: the disk was full\n{text}"
        data, before = text.encode("utf-8", "backslashreplace"), self._file.seek(0, os.SEEK_END)
        try:
            while data:  # a disk with little room takes a part of it
                data = data[self._file.write(data) or 0 :]
        except OSError as error:
            self._lost += is_full(error)
            with suppress(OSError):
                self._file.truncate(before)
            raise
        self._lost = 0

    def flush(self) -> None:
        """Nothing is kept back."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


def keep_whole(handler: RotatingFileHandler) -> None:
    """Have an open handler write whole records from now on, after each rotation too."""
    opened: Any = handler  # what a handler takes from its stream is what `WholeLines` has
    opened.stream.close()
    opened._open = partial(WholeLines, handler.baseFilename)
    opened.stream = opened._open()
