# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a request ends in what has arrived so far, so that only whole ones are handed on.

This judges nothing: what can't be framed, or is too large to be read at all, counts as having
arrived, and gunicorn's parser or the app refuses it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

BODY_LIMIT = 64 * 1024  # bytes, for every request (architecture §5)
HEAD_LIMIT = 64 * 1024  # bytes of request line and headers
# What the app finds in its environment when the body is not what was meant (app.web.frame.bodies).
BODY_PROBLEM = "safeguarded_restore.body_problem"
# Of a chunked body with its framing: chunks of a few bytes each are mostly framing.
_RAW_LIMIT = 16 * BODY_LIMIT
_CHUNK_LINE_LIMIT = 8190
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")


class Problem(StrEnum):
    """Why a body is not what its sender meant."""

    CUT = "cut"  # it ended before its length, or before its last chunk
    FRAMING = "framing"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Whole:
    """A request that ends after ``size`` bytes; of one that is too large no more is awaited."""

    size: int
    too_large: bool = False


class Framing:
    """Reads along with one request; made anew for each."""

    def __init__(self) -> None:
        self.expects_continue = False  # the sender waits for a word before it sends the body
        self._at = 0  # up to where the buffer is understood
        self._head_end: int | None = None
        self._length: int | None = None  # None: chunked
        self._decoded = 0
        self._in_trailers = False

    @property
    def has_head(self) -> bool:
        return self._head_end is not None

    def look(self, buffer: bytearray) -> Whole | None:
        """Where the request at the start of ``buffer`` ends; None while more is to come.

        ``buffer`` only grows between two calls. Of a head that is larger than `HEAD_LIMIT` the end
        is where the limit is.
        """
        if self._head_end is None:
            found = buffer.find(b"\r\n\r\n", max(self._at - 3, 0))
            self._at = len(buffer)
            if found < 0 or found > HEAD_LIMIT:
                return Whole(HEAD_LIMIT, too_large=True) if len(buffer) > HEAD_LIMIT else None
            self._head_end = self._at = found + 4
            if not self._read_head(bytes(buffer[:found])):
                return Whole(self._head_end)
        if self._length is None:
            return self._look_at_chunks(buffer)
        if self._length > BODY_LIMIT:
            return Whole(len(buffer), too_large=True)
        end = self._head_end + self._length
        return Whole(end) if len(buffer) >= end else None

    def _read_head(self, head: bytes) -> bool:
        """Learn how the body is framed; False when that can't be said."""
        lengths, codings = [], []
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            name, value = name.lower(), value.strip(b" \t").lower()
            if name == b"content-length":
                lengths.append(value)
            elif name == b"transfer-encoding":
                codings.append(value)
            elif name == b"expect":
                self.expects_continue = value == b"100-continue"
        if codings:
            return not lengths and codings == [b"chunked"]
        self._length = 0
        if lengths:
            if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
                return False
            self._length = int(lengths[0])
        return True

    def _look_at_chunks(self, buffer: bytearray) -> Whole | None:
        while True:
            if self._in_trailers:
                return self._look_at_trailers(buffer)
            if self._decoded > BODY_LIMIT or len(buffer) > _RAW_LIMIT:
                return Whole(len(buffer), too_large=True)
            end = buffer.find(b"\r\n", self._at, self._at + _CHUNK_LINE_LIMIT)
            if end < 0:
                too_long = len(buffer) - self._at >= _CHUNK_LINE_LIMIT
                return Whole(len(buffer)) if too_long else None
            size = bytes(buffer[self._at : end]).partition(b";")[0].rstrip(b" \t")
            if not _CHUNK_SIZE.fullmatch(size):
                return Whole(len(buffer))
            length = int(size, 16)
            if length == 0:
                self._in_trailers, self._at = True, end + 2
                continue
            after = end + 2 + length + 2
            if len(buffer) < after:
                too_large = self._decoded + length > BODY_LIMIT
                return Whole(len(buffer), too_large=True) if too_large else None
            self._decoded += length
            self._at = after

    def _look_at_trailers(self, buffer: bytearray) -> Whole | None:
        if buffer[self._at : self._at + 2] == b"\r\n":
            return Whole(self._at + 2)
        end = buffer.find(b"\r\n\r\n", self._at)
        if end >= 0:
            return Whole(end + 4)
        return Whole(len(buffer)) if len(buffer) - self._at > HEAD_LIMIT else None
