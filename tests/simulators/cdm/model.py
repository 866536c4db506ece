# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Jobs and their sessions: starting, cancelling, cleaning up. Knows the clock, not HTTP."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from .reply import ApiError, bad_request, not_found
from .sessions import LogEntry, Phase, Session, ms, phase
from .switches import Switches

RECOVERY = "recovery"
SERVICE = "com.catalogic.ecx.serviceprovider"


@dataclass(slots=True)
class Job:
    """A job definition. The last fields win over the switches of the same name."""

    id: str
    name: str
    type: str
    sub_type: str = "application"
    sub_policy_type: str = "restore"
    description: str = ""
    start_modes: list[str] | None = None
    outcome: str | None = None
    make_permanent: str | None = None
    restore_seconds: float | None = None
    sources: list[dict[str, Any]] | None = None

    @property
    def is_restore(self) -> bool:
        """Whether it restores (cdm §2)."""
        return self.type == RECOVERY

    @property
    def policy_id(self) -> str:
        """The policy's id, never the job's own: that they coincide is not established."""
        return str(int(self.id) + 1000)

    @property
    def service_id(self) -> str:
        """The service that runs it."""
        return f"{SERVICE}.{self.type}.{self.sub_type}"

    @property
    def clean_up(self) -> str | None:
        """The action that cleans a restore up (cdm §6)."""
        if not self.is_restore:
            return None
        return "end_iv" if self.sub_policy_type == "IV" else "end_ia"


KINDS = (
    ("SQL clean-room restore", RECOVERY, "application", "restore"),
    ("SQL database protection", "protection", "application", "backup"),
    ("Maintenance", "maintenance", "maintenance", "maintenance"),
    ("VM clean-room restore", RECOVERY, "vmware", "IV"),
    ("VMware inventory", "catalog", "vmware", "catalog"),
    ("VM protection", "protection", "vmware", "backup"),
    ("FlashSystem volume restore", RECOVERY, "ibmsvc", "IV"),
    ("Report script", "script", "script", "script"),
)


def make_jobs(count: int) -> dict[str, Job]:
    """``count`` jobs by id; the first is a restore job, and so is the last of more than 100."""
    jobs = {}
    for index in range(count):
        kind = index % len(KINDS)
        if index == count - 1 and count > 100:
            kind = 0
        name, job_type, sub_type, sub_policy = KINDS[kind]
        number = f" {index // len(KINDS) + 1}" if index >= len(KINDS) else ""
        job = Job(str(1044 + index), name + number, job_type, sub_type, sub_policy)
        jobs[job.id] = job
    return jobs


class World:
    """All that CDM knows. Not thread-safe by itself: callers hold the simulator's lock."""

    def __init__(
        self, switches: Switches, *, jobs: int, restore_seconds: float, clock: Callable[[], float]
    ) -> None:
        self.switches = switches
        self.clock = clock
        self.restore_seconds = restore_seconds
        self.job_count = jobs
        self.jobs: dict[str, Job] = {}
        self.sessions: dict[str, Session] = {}
        self._by_job: dict[str, list[Session]] = {}
        self._last_id = 0
        self.reset()

    def reset(self) -> None:
        """Back to the first jobs and no session; ids keep growing."""
        self.jobs = make_jobs(self.job_count)
        self.sessions = {}
        self._by_job = {}
        self.born = self.clock()

    # --- looking ---

    def job(self, job_id: str) -> Job:
        """The job, or 404."""
        if job_id not in self.jobs:
            raise not_found(f"Job {job_id}")
        return self.jobs[job_id]

    def session(self, session_id: str) -> Session:
        """The session, or 404 if it doesn't exist (yet, or any more)."""
        session = self.sessions.get(session_id)
        if session is None or not session.exists(self.clock()):
            raise not_found(f"Job session {session_id}")
        return session

    def sessions_of(self, job_id: str | None = None) -> list[Session]:
        """The visible sessions (of a job), oldest first."""
        now = self.clock()
        among = self.sessions.values() if job_id is None else self._by_job.get(job_id, [])
        return [session for session in among if session.exists(now)]

    def live_session(self, job_id: str) -> Session | None:
        """The newest session that keeps the job busy."""
        now = self.clock()
        live = [s for s in self.sessions_of(job_id) if s.is_live(now)]
        return live[-1] if live else None

    def last_run(self, job_id: str) -> Session | None:
        """What the job's lastrun tells of: it lags behind a start (cdm §3)."""
        known = self.clock() - self.switches.lastrun_lag_seconds
        old = [s for s in self.sessions_of(job_id) if s.begins <= known]
        return old[-1] if old else None

    def modes(self, job: Job) -> list[str] | None:
        """The values of the start schema, or None if the start link has none."""
        if job.start_modes is not None:
            return job.start_modes
        return self.switches.start_modes if job.is_restore else None

    def make_permanent(self, job: Job) -> str:
        """The make-permanent behaviour of a job."""
        return job.make_permanent or self.switches.make_permanent

    # --- acting ---

    def start(self, job: Job, action_name: str | None) -> list[Session]:
        """Start a job; the new sessions, or an error that says why not."""
        self._check_action_name(job, action_name)
        live = self.live_session(job.id)
        if live is not None:
            if self.switches.second_start == "same":
                return []
            self._make_way(live)
        delay = self.switches.start_visible_after
        if delay is None:
            return []
        count = self.switches.sessions_per_start
        return [self.create(job, action_name, delay=delay) for _ in range(count)]

    def _check_action_name(self, job: Job, action_name: str | None) -> None:
        modes = self.modes(job)
        if not modes or action_name in modes:
            return
        if action_name not in (None, "start") or len(modes) > 1:
            raise bad_request("The action name is not one that this job offers.")

    def _make_way(self, live: Session) -> None:
        now, rule = self.clock(), self.switches.second_start
        if live.at(now).status == "RESOURCE ACTIVE" and self.switches.start_over_mounted:
            live.turn(now, phase(now, "COMPLETED"))
        elif rule != "another":
            raise ApiError(
                int(rule), self.switches.second_start_id, "The job has an active session."
            )

    def create(
        self, job: Job, action_name: str | None, *, delay: float = 0.0, foreign: bool = False
    ) -> Session:
        """Make a session that begins ``delay`` seconds from now."""
        begins = self.clock() + delay
        session = Session(
            self.next_id(),
            job.id,
            begins,
            self._plan(job, begins),
            job.clean_up,
            action_name,
            foreign,
        )
        self._keep(session)
        return session

    def _keep(self, session: Session) -> None:
        """Add a session; all lists stay in the order in which sessions began."""
        same_job = self._by_job.setdefault(session.job_id, [])
        latest = next(reversed(self.sessions.values()), session)
        self.sessions[session.id] = session
        same_job.append(session)
        if session.begins < latest.begins:
            order = sorted(self.sessions.values(), key=lambda each: each.begins)
            self.sessions = {each.id: each for each in order}
            same_job.sort(key=lambda each: each.begins)

    def forget(self, session_id: str) -> None:
        """Remove a session from everywhere."""
        session = self.sessions.pop(session_id)
        self._by_job[session.job_id].remove(session)

    def next_id(self) -> str:
        """A growing id of 13 digits, as seen in the documentation of the sister product."""
        self._last_id = max(self._last_id + 1, ms(self.clock()))
        return str(self._last_id)

    def _plan(self, job: Job, begins: float) -> list[Phase]:
        switches = self.switches
        whole = self.restore_seconds if job.restore_seconds is None else job.restore_seconds
        pending = switches.pending_seconds
        if pending is None:
            pending = min(whole / 5, 5.0)
        plan = [phase(begins, "PENDING"), phase(begins + pending, "RUNNING")]
        outcome = (job.outcome or switches.outcome) if job.is_restore else "COMPLETED"
        if outcome == "RUNNING":
            return plan
        end = begins + max(whole, pending)
        plan.append(phase(end, outcome))
        if outcome == "RESOURCE ACTIVE" and self.make_permanent(job) == "enabled":
            plan.append(phase(end + switches.permanent_seconds, "COMPLETED"))
        return plan

    def cancel(self, session: Session) -> None:
        """Cancel a running session (cdm §6)."""
        now = self.clock()
        if session.at(now).ended:
            raise bad_request("Only a running or pending session can be cancelled.")
        done = phase(now + self.switches.cancel_seconds, "CANCELLED")
        session.turn(now, phase(now, "CANCELLING"), done)

    def resume(self, session: Session, action_name: str) -> None:
        """Clean up (``end_ia``, ``end_iv``) or turn a mounted restore into production."""
        now = self.clock()
        allowed = {session.clean_up} | ({"rrp", "clone"} if session.clean_up == "end_iv" else set())
        if action_name not in allowed:
            raise bad_request(f"{action_name} is not an action of this session.")
        if session.at(now).status != "RESOURCE ACTIVE":
            raise bad_request("The session has no active resource.")
        done = phase(now + self.switches.clean_up_seconds, self.switches.clean_up_outcome)
        session.turn(now, phase(now, "RUNNING"), done)

    # --- what happens behind the client's back ---

    def advance(self, session_id: str, status: str, *, ended: bool | None = None) -> None:
        """Put a session into a status now; it stays there."""
        now = self.clock()
        self.sessions[session_id].turn(now, phase(now, status, ended=ended))

    def add_past_session(self, job_id: str, status: str, *, ago: float, lasted: float) -> Session:
        """A session that began ``ago`` seconds ago and is in ``status`` since ``lasted`` later."""
        job, begins = self.job(job_id), self.clock() - ago
        number = ms(begins)
        while str(number) in self.sessions:
            number += 1
        phases = [phase(begins, "RUNNING"), phase(begins + lasted, status)]
        session = Session(str(number), job.id, begins, phases, job.clean_up)
        self._keep(session)
        return session

    def add_log_entry(self, session_id: str, entry_type: str, message: str) -> LogEntry:
        """One more line in a session's log, at once."""
        session, now = self.sessions[session_id], self.clock()
        number = len(session.extra_log) + 1
        entry = LogEntry(f"{session_id}9{number:03}", now, now, entry_type, message, "CTGGA9999")
        session.extra_log.append(entry)
        return entry

    def add_job(self, name: str, **rest: Any) -> Job:
        """Define another job (``type`` recovery unless told); its id is the next free one."""
        job_id = str(rest.pop("id", None) or next(self._free_ids()))
        job = Job(job_id, name, rest.pop("type", RECOVERY), **rest)
        self.jobs[job.id] = job
        return job

    def _free_ids(self) -> Iterator[int]:
        return itertools.count(max([1043, *map(int, self.jobs)]) + 1)

    def update_job(self, job_id: str, **changes: Any) -> None:
        """Change fields of a job (name, type, outcome, …)."""
        known = {each.name for each in fields(Job)} - {"id"}
        if not changes.keys() <= known:
            raise ValueError(f"no such field of a job: {', '.join(changes.keys() - known)}")
        for name, value in changes.items():
            setattr(self.jobs[job_id], name, value)

    def sessions_as_json(self) -> list[dict[str, Any]]:
        """Every session, visible or not, in the simulator's own words."""
        now = self.clock()
        return [
            {
                "id": s.id,
                "job_id": s.job_id,
                "status": s.at(now).status,
                "exists": s.exists(now),
                "live": s.is_live(now),
                "percent": s.percent(now),
                "action_name": s.action_name,
                "foreign": s.foreign,
                "phases": [asdict(p) for p in s.phases],
            }
            for s in self.sessions.values()
        ]
