# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which copy each mapped job would bring up, looked at while there is nothing else to do.

So a start need not wait for it: the run begins with what was seen last, and CDM is asked again once
the start is on its way (`app.restore.reading`).
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from app.restore.drift import Runs
from app.restore.model import CopyManagerError, Mapping
from app.restore.model.copies import SeenCopy
from app.restore.ports import ClientFor, SeenCopies
from app.restore.waits import Steady

logger = logging.getLogger(__name__)

EVERY_S = 300.0  # for each job, also after one that could not be read


class Mappings(Protocol):
    def for_connection(self, connection_id: int) -> Sequence[Mapping]: ...


class Store(Protocol):
    @property
    def mappings(self) -> Mappings: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def seen_copies(self) -> SeenCopies: ...


class CopyLooks:
    """The looks of one connection's lane."""

    def __init__(self, steady: Steady) -> None:
        self._steady = steady
        self._next: dict[str, float] = {}  # job → when it is looked at again, by the steady clock

    def look(
        self, store: Store, connection_id: int, client_for: ClientFor, now: Callable[[], datetime]
    ) -> None:
        """Look at the job that has waited longest, if one is due: a restore may come meanwhile."""
        jobs = {mapping.job_id for mapping in store.mappings.for_connection(connection_id)}
        due = [job for job in sorted(jobs) if self._next.get(job, 0.0) <= self._steady()]
        if not due or store.runs.queued(connection_id):
            return
        job_id = min(due, key=lambda job: self._next.get(job, 0.0))
        try:
            copy = client_for(connection_id).copy_to_restore(job_id)
        except CopyManagerError as error:
            logger.warning("job %s: its copy could not be read: %s", job_id, error)
        else:
            store.seen_copies.note(connection_id, job_id, SeenCopy(copy, now()))
        self._next[job_id] = self._steady() + EVERY_S
