# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The log of a job session, piece by piece (cdm §5). Only nice to know, so CDM has few seconds."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from app.cdm.links import Target, api
from app.cdm.pages import Get, records
from app.cdm.records import log_lines, text_id
from app.message import Message
from app.remote.failures import Cleaner, NoAnswer
from app.restore.model import CopyManagerError, LogLine

MAX_LINES = 10_000  # in one call; the next one goes on
_PAGE = 500
_OVERLAP = 20  # lines read again, so that twins across two calls are numbered alike
_LIMIT = 4.0  # seconds without an answer; logs are nice to know (`app.restore.reading`)


class JobLog:
    """Reads the logs of one CDM; ``read`` is `ApiSession.get`."""

    def __init__(
        self,
        read: Callable[..., dict[str, Any]],
        cleaner: Cleaner,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._read, self._cleaner, self._monotonic = read, cleaner, monotonic

    def read(self, session_id: str, skip: int) -> list[LogLine]:
        """The job log from record ``skip`` on, oldest first, at most `MAX_LINES` (cdm §5).

        Late lines push others back: a line may come twice, with the same key. Only nice to know, so
        CDM has few seconds for it; what has come by then is given, and the next call goes on.
        """
        condition = {"property": "jobsessionId", "value": session_id, "op": "="}
        target = api("log", "job").with_query(
            filter=[condition], sort=[{"property": "logTime", "direction": "ASC"}]
        )
        start = max(0, skip - _OVERLAP)
        what = Message("log lines of job session {id}", id=session_id)
        get = self._get_within(_LIMIT)
        pages = records(get, target, "logs", start=start, size=_PAGE, what=what)
        found: list[dict[str, Any]] = []
        try:
            found.extend(islice(pages, skip - start + MAX_LINES))
        except CopyManagerError:
            if len(found) <= skip - start:
                raise
        lines = zip(log_lines(found, self._cleaner), found, strict=True)
        return [
            line
            for line, record in islice(lines, skip - start, None)
            if text_id(record.get("jobsessionId")) in {None, session_id}
        ]

    def _get_within(self, seconds: float) -> Get:
        until = self._monotonic() + seconds

        def get(target: Target, what: str) -> dict[str, Any]:
            left = until - self._monotonic()
            if left <= 0:
                raise NoAnswer(Message("CDM did not give all {what} in time.", what=what))
            return self._read(target, what, read_timeout=left)

        return get
