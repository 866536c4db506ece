# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A little CDM at the seam (`app.restore.ports.CopyManager`): jobs, job sessions, logs, faults.

Its clock is years from ours and its ids go up and down, for nothing may be built on either. What
reached it is written down in ``calls``, `CopyManagerError` of the next calls are scripted with
`fail`, and ``hook`` is called around every call, so that a test can kill or interfere there.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from app.restore.model import (
    Busy,
    CopyManagerError,
    JobSession,
    LogLine,
    NotFound,
    Phase,
    Refused,
    RestoreJob,
)
from app.restore.model.copies import Copy, Which
from tests.factories import JOB_ID, JOB_NAME, copy_of

LAST_NIGHT = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)
# As little an order as CDM's ids may have.
_IDS = tuple(str((number * 7919) % 100_003 + 100_000) for number in range(1, 5000))
WORDS = {
    Phase.RUNNING: "RUNNING",
    Phase.READY: "RESOURCE ACTIVE",
    Phase.COMPLETED: "COMPLETED",
    Phase.PARTIAL: "PARTIAL",
    Phase.FAILED: "FAILED",
    Phase.CANCELLED: "CANCELLED",
    Phase.UNKNOWN: "PONDERING",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A start that the engine sends."""

    job_id: str
    action_name: str | None
    cdm: "FakeCdm"

    def send(self) -> None:
        self.cdm.start(self)


@dataclass(slots=True)
class Fault:
    """What the next call of a verb does instead of answering well."""

    error: CopyManagerError
    with_effect: bool = False  # the request is carried out, only its answer is lost


@dataclass(slots=True)
class FakeJob:
    """A job and how it behaves."""

    job: RestoreJob
    make_permanent: bool = False
    modes: tuple[str, ...] = ("start",)
    answers_busy: bool = True  # whether a start while a session is open is refused as `Busy`


@dataclass(slots=True)
class FakeCdm:
    """The copy manager of one connection."""

    jobs: dict[str, FakeJob] = field(default_factory=dict)
    shown: dict[str, JobSession] = field(default_factory=dict)
    logs: dict[str, list[LogLine]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: defaultdict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    down: CopyManagerError | None = None  # every call fails with it
    hook: Callable[[str], None] = lambda point: None
    appear_after: int = 0  # how many lists are read before a new session is in one
    cancel_works: bool = True
    clean_up_works: bool = True
    unfiltered: bool = False  # lists show the sessions of every job (cdm §4)
    year: int = 1999  # what CDM's clock shows
    ours: list[str] = field(default_factory=list)  # sessions made by our starts
    ignores_skip: bool = False  # a log is always read from its beginning
    most_lines: int = 10_000  # of a log in one answer
    skips: list[int] = field(default_factory=list)  # how much of a log was not asked for
    was_running: list[bool] = field(default_factory=list)  # what was known of each session asked
    modes_sent: list[str | None] = field(default_factory=list)  # action names of our starts
    said: defaultdict[str, set[Phase]] = field(default_factory=lambda: defaultdict(set))
    copy: Copy = field(default_factory=lambda: copy_of(Which.LATEST, LAST_NIGHT, "Daily"))
    until: list[datetime | None] = field(default_factory=list)  # what each look at it asked for
    _late: dict[str, tuple[JobSession, int]] = field(default_factory=dict)
    _made: int = 0

    def __post_init__(self) -> None:
        self.add_job()

    # --- what a test arranges -----------------------------------------------------------------

    def add_job(
        self,
        job_id: str = JOB_ID,
        name: str = JOB_NAME,
        *,
        is_restore: bool = True,
        make_permanent: bool = False,
        modes: tuple[str, ...] = ("start",),
        answers_busy: bool = True,
    ) -> None:
        """Add a job, or replace it."""
        job = RestoreJob(
            id=job_id,
            name=name,
            is_restore=is_restore,
            status="IDLE",
            busy=False,
        )
        self.jobs[job_id] = FakeJob(job, make_permanent, modes, answers_busy)

    def change_job(self, job_id: str = JOB_ID, **changes: object) -> None:
        """Change what CDM says of a job."""
        self.jobs[job_id].job = replace(self.jobs[job_id].job, **changes)

    def add_session(
        self, phase: Phase = Phase.RUNNING, *, job_id: str = JOB_ID, start: datetime | None = None
    ) -> str:
        """Add a job session that somebody else has started; give its id."""
        session = self._new_session(job_id, phase, start=start)
        self.shown[session.id] = session
        return session.id

    def become(self, session_id: str, phase: Phase, **changes: object) -> None:
        """Let a session go on to ``phase``."""
        session = self.shown[session_id]
        self.shown[session_id] = replace(session, phase=phase, **{"status": WORDS[phase]} | changes)

    def vanish(self, session_id: str) -> None:
        """Let CDM forget a session."""
        del self.shown[session_id]

    def write_log(self, session_id: str, *messages: str, at: int | None = None) -> None:
        """Add log lines, at the end or (``at``) where they arrive late."""
        lines = self.logs.setdefault(session_id, [])
        for message in messages:
            line = LogLine(f"{session_id}-{message}", self._now(), "INFO", message)
            lines.insert(len(lines) if at is None else at, line)

    def fail(
        self, verb: str, *errors: CopyManagerError, with_effect: bool = False, times: int = 1
    ) -> None:
        """Script the next calls of ``verb``, one fault each."""
        for _ in range(times):
            self.faults[verb].extend(Fault(error, with_effect) for error in errors)

    def count(self, verb: str) -> int:
        """Say how many calls of ``verb`` reached CDM."""
        return sum(1 for made, _ in self.calls if made == verb)

    @property
    def starts(self) -> int:
        """How many starts had their effect."""
        return len(self.ours)

    # --- CopyManager --------------------------------------------------------------------------

    def job(self, job_id: str, *, within: float | None = None) -> RestoreJob:
        self._receive("job", job_id)
        if job_id not in self.jobs:
            raise NotFound(f"CDM knows no job {job_id}.")
        self.hook("job answered")
        return self.jobs[job_id].job

    def sessions(self, job_id: str) -> list[JobSession]:
        self._receive("sessions", job_id)
        for session_id, (session, lists) in list(self._late.items()):
            self._late[session_id] = (session, lists - 1)
            if lists <= 0:
                self.shown[session_id] = session
                del self._late[session_id]
        self.hook("sessions answered")
        found = [
            session
            for session in self.shown.values()
            if session.job_id == job_id or self.unfiltered
        ]
        for session in found:
            self.said[session.id].add(session.phase)
        return found

    def session(self, session_id: str, *, was_running: bool = False) -> JobSession:
        self._receive("session", session_id)
        self.was_running.append(was_running)
        if session_id not in self.shown:
            raise NotFound(f"CDM knows no job session {session_id}.")
        self.hook("session answered")
        self.said[session_id].add(self.shown[session_id].phase)
        return self.shown[session_id]

    def plan_start(self, job_id: str, action_name: str | None) -> Plan:
        self._receive("plan_start", job_id)
        modes = self.jobs[job_id].modes
        if action_name is None and len(modes) > 1:
            raise Refused(f"Job {job_id} offers {', '.join(modes)}: the mapping must name one.")
        if action_name is not None and action_name not in modes:
            raise Refused(f"Job {job_id} does not offer {action_name}.")
        self.hook("plan_start answered")
        return Plan(job_id, action_name or modes[0], self)

    def makes_permanent(self, job_id: str) -> bool:
        self._receive("makes_permanent", job_id)
        self.hook("makes_permanent answered")
        return job_id in self.jobs and self.jobs[job_id].make_permanent

    def copy_to_restore(self, job_id: str, *, until: datetime | None = None) -> Copy:
        self._receive("copy_to_restore", job_id)
        self.hook("copy_to_restore answered")
        self.until.append(until)
        return self.copy

    def start(self, plan: Plan) -> None:
        fault = self._receive("start", plan.job_id, acts=True)
        if fault is None or fault.with_effect:
            self._start(plan)
        self.hook("start had its effect")
        if fault is not None:
            raise fault.error
        self.hook("start answered")

    def log(self, session_id: str, skip: int) -> list[LogLine]:
        self._receive("log", session_id)
        self.skips.append(skip)
        self.hook("log answered")
        lines = self.logs.get(session_id, [])
        return lines[0 if self.ignores_skip else skip :][: self.most_lines]

    def cancel(self, session_id: str) -> None:
        fault = self._receive("cancel", session_id, acts=True)
        if self.cancel_works and (fault is None or fault.with_effect):
            self.become(session_id, Phase.CANCELLED)
        self.hook("cancel had its effect")
        if fault is not None:
            raise fault.error
        self.hook("cancel answered")

    def clean_up(self, session_id: str) -> None:
        fault = self._receive("clean_up", session_id, acts=True)
        if self.clean_up_works and (fault is None or fault.with_effect):
            self.become(session_id, Phase.RUNNING)
        self.hook("clean_up had its effect")
        if fault is not None:
            raise fault.error
        self.hook("clean_up answered")

    # ------------------------------------------------------------------------------------------

    def _start(self, plan: Plan) -> None:
        job = self.jobs[plan.job_id]
        if job.answers_busy and any(
            session.live and session.job_id == plan.job_id for session in self.shown.values()
        ):
            raise Busy(f"Job {plan.job_id} is running.")
        session = self._new_session(plan.job_id, Phase.RUNNING)
        self.ours.append(session.id)
        self.modes_sent.append(plan.action_name)
        if self.appear_after:
            self._late[session.id] = (session, self.appear_after)
        else:
            self.shown[session.id] = session

    def _receive(self, verb: str, subject: str, *, acts: bool = False) -> Fault | None:
        self.hook(f"{verb} is sent")
        if self.down is not None:
            raise self.down
        self.calls.append((verb, subject))
        fault = self.faults[verb].popleft() if self.faults[verb] else None
        if fault is not None and not acts:
            raise fault.error
        return fault

    def _new_session(
        self, job_id: str, phase: Phase, *, start: datetime | None = None
    ) -> JobSession:
        self._made += 1
        return JobSession(
            id=_IDS[self._made],
            job_id=job_id,
            status=WORDS[phase],
            phase=phase,
            start=start or self._now(),
        )

    def _now(self) -> datetime:
        return datetime(self.year, 1, 1, tzinfo=UTC) + timedelta(seconds=self._made)
