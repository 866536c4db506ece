# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether the restore jobs that mappings name are still what they were saved for, on CDM's side."""

from collections.abc import Sequence
from typing import Protocol

from app.message import Message
from app.restore.model import Mapping, NotFound, RestoreJob
from app.restore.ports import ClientFor

ANSWER_S = 10.0  # a look is nice to know: a restore that comes meanwhile waits no longer for it


class Mappings(Protocol):
    def for_connection(self, connection_id: int) -> Sequence[Mapping]: ...
    def note_job_drift(self, mapping_id: int, drift: str | None) -> None: ...


class Runs(Protocol):
    def queued(self, connection_id: int) -> frozenset[int]: ...


def look_at_jobs(mappings: Mappings, runs: Runs, connection_id: int, client_for: ClientFor) -> None:
    """Ask for each mapped job of a connection and note what is wrong with it.

    Stops for a start that comes meanwhile. Raises `CopyManagerError` when CDM can't be read; what
    was noted before then stays.
    """
    seen: dict[str, RestoreJob | None] = {}
    waiting = runs.queued(connection_id)
    for mapping in mappings.for_connection(connection_id):
        if not runs.queued(connection_id) <= waiting:
            return
        if mapping.job_id not in seen:
            try:
                job = client_for(connection_id).job(mapping.job_id, within=ANSWER_S)
                seen[mapping.job_id] = job
            except NotFound:
                seen[mapping.job_id] = None
        mappings.note_job_drift(mapping.id, drift_of(mapping, seen[mapping.job_id]))


def drift_of(mapping: Mapping, job: RestoreJob | None) -> str | None:
    """Say what is wrong with a mapping's job as CDM shows it; None: nothing."""
    if job is None:
        return Message(
            "CDM shows no job {job_id} ({job}) any more.",
            job_id=mapping.job_id,
            job=mapping.job_name,
        )
    if not job.is_restore:
        return Message("Job {job} is no restore job any more.", job=job.name)
    if job.name != mapping.job_name:
        return Message(
            "Job {job_id} is called {name} now, not {job}.",
            job_id=job.id,
            name=job.name,
            job=mapping.job_name,
        )
    return None
