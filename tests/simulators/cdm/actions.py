# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What happens behind the client's back: the actions of tests and of the control endpoint."""

import threading
from typing import Any

from .accounts import Accounts
from .faults import Fault
from .model import RECOVERY, Job, World
from .sessions import LogEntry
from .switches import Switches


class Actions:
    """Everything a test can do to the simulated CDM; each takes the lock itself."""

    switches: Switches
    world: World
    accounts: Accounts
    lock: threading.Condition
    released: threading.Event

    def add_fault(self, do: str, **rest: Any) -> Fault:
        """Add a fault (see ``faults.py``); the returned object counts its ``hits``."""
        fault = Fault.of({"do": do, **rest})
        with self.lock:
            self.switches.faults.append(fault)
        return fault

    def release(self) -> None:
        """Let everything go on that hangs or waits now."""
        self.released.set()
        self.released.clear()

    def start_foreign_session(self, job_id: str | None = None) -> str:
        """Somebody starts the job in CDM's own pages; the new session's id."""
        with self.lock:
            if job_id is None:
                job_id = next(job.id for job in self.world.jobs.values() if job.type == RECOVERY)
            job = self.world.job(job_id)
            return self.world.create(job, None, foreign=True).id

    def advance_session(self, session_id: str, status: str, *, ended: bool | None = None) -> None:
        """Put a session into a status now, any word; it stays there.

        ``ended`` says whether it has an end; None goes by the word (unknown ones have).
        """
        with self.lock:
            self.world.advance(session_id, status, ended=ended)
            self.lock.notify_all()

    def add_past_session(
        self, job_id: str, status: str = "COMPLETED", *, ago: float = 3600, lasted: float = 60
    ) -> str:
        """A session of long ago, for a history; its id."""
        with self.lock:
            return self.world.add_past_session(job_id, status, ago=ago, lasted=lasted).id

    def vanish_session(self, session_id: str) -> None:
        """CDM no longer knows the session (404, in no list)."""
        with self.lock:
            self.world.forget(session_id)

    def purge_log(self, session_id: str) -> None:
        """Maintenance removes the session's log up to now."""
        with self.lock:
            self.world.sessions[session_id].log_purged_at = self.world.clock()

    def add_log_entry(self, session_id: str, entry_type: str, message: str) -> LogEntry:
        """One more log line."""
        with self.lock:
            return self.world.add_log_entry(session_id, entry_type, message)

    def expire_api_sessions(self) -> None:
        """End every API session."""
        with self.lock:
            self.accounts.expire_all()

    def add_job(self, name: str, **rest: Any) -> Job:
        """Define a job; fields as in ``model.Job``, ``type`` recovery unless told."""
        with self.lock:
            return self.world.add_job(name, **rest)

    def update_job(self, job_id: str, **changes: Any) -> None:
        """Change fields of a job."""
        with self.lock:
            self.world.update_job(job_id, **changes)

    def rename_job(self, job_id: str, name: str) -> None:
        """Give a job another name."""
        self.update_job(job_id, name=name)

    def set_job_type(self, job_id: str, job_type: str) -> None:
        """Give a job another type."""
        self.update_job(job_id, type=job_type)

    def delete_job(self, job_id: str) -> None:
        """Remove a job; its sessions stay until they vanish."""
        with self.lock:
            del self.world.jobs[job_id]
