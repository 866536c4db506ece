# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What there is: triggers, runs and their states, beside what is configured.

Also the words in which a copy manager (CDM) answers the engine: views of jobs and job sessions, and
one family of errors that says what a failed call proves. All times are aware datetimes in UTC.
"""

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.configuration.connection import CdmConnection as CdmConnection
from app.configuration.connection import Trust as Trust
from app.configuration.kinds import Kind
from app.configuration.mapping import Mapping as Mapping
from app.configuration.mapping import Watch as Watch
from app.configuration.settings import Mode as Mode
from app.message import Sentence, joined
from app.restore.memory import Memory
from app.restore.model.copies import SeenCopy


class RunState(StrEnum):
    """Where a run is; what a restarted process does with each is in architecture §4."""

    AWAITING_APPROVAL = "awaiting_approval"  # a person must say yes
    QUEUED = "queued"  # accepted; CDM was not asked to start
    STARTING = "starting"  # the start may or may not have reached CDM: only look, never send
    RESTORING = "restoring"  # the job session is known
    READY = "ready"  # the copy is up in the clean room (CDM: RESOURCE ACTIVE)
    CLEANING_UP = "cleaning_up"  # clean-up was asked of CDM
    COMPLETED = "completed"  # CDM says done
    FAILED = "failed"  # CDM says failed or refused
    CANCELLED = "cancelled"  # by a person, rejected, expired, or disarmed before the start
    OBSERVED = "observed"  # everything but the start was done
    NEEDS_DECISION = "needs_decision"  # two readings are possible: a person must look


class Outcome(StrEnum):
    """What came of a trigger (architecture §5)."""

    ACCEPTED = "accepted"
    AWAITING_APPROVAL = "awaiting_approval"
    DUPLICATE = "duplicate"
    ALREADY_RUNNING = "already_running"
    COOLING_DOWN = "cooling_down"
    LIMIT_REACHED = "limit_reached"
    DISARMED = "disarmed"
    MAPPING_DISABLED = "mapping_disabled"
    UNMATCHED = "unmatched"
    OBSERVED = "observed"
    TEST = "test"


class Evidence(StrEnum):
    """How we know which job session is ours."""

    ANSWERED = "answered"  # CDM answered the start, one new session followed
    FOUND = "found"  # the answer was lost; exactly one new session was found
    CHOSEN = "chosen"  # a person said so


SIMULATION = "simulation"
"""The source of a trigger by which a person tries out what a real one would bring about."""
MANUAL = "manual"
"""The source of a trigger by which a person starts a restore by hand."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One call that asks for a restore, as it arrived."""

    request_id: str
    received_at: datetime
    mapping: str | None = None
    rule_id: int | None = None
    rule_name: str | None = None
    detected_at: datetime | None = None
    offense_id: int | None = None
    fields: Map[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()  # what could not be read and was kept as text
    source: str = "custom_action"
    token: str | None = None  # the name of the trigger token that it came with
    peer: str | None = None  # the address that it came from

    @property
    def simulated(self) -> bool:
        """Whether a person only wants to see what would come of it."""
        return self.source == SIMULATION


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a trigger: what came of it, and why, in one sentence."""

    trigger_id: int
    outcome: Outcome
    run_id: int | None
    message: str
    new_attack: bool = False  # whether it has made one known


@dataclass(frozen=True, slots=True)
class Run:
    """Our durable attempt to carry a trigger out: a row with a state."""

    id: int
    state: RunState
    connection_id: int
    connection: str  # the connection's name when the run was made
    job_id: str
    job_name: str
    received_at: datetime
    mapping_id: int | None = None
    mapping: str | None = None
    action_name: str | None = None
    kind: Kind = Kind.CDM  # of its copy manager
    source: str = "custom_action"
    rule_id: int | None = None
    rule_name: str | None = None
    offense_id: int | None = None
    offense_by: str | None = None  # caller: as it says, not checked; probably: another fits too
    detected_at: datetime | None = None
    started_at: datetime | None = None
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    repeats: int = 0
    error: Sentence | None = None
    dry_run: bool = False  # everything but the start is done; it is live for nobody
    # what CDM said
    job_session_id: str | None = None
    cdm_status: str | None = None
    percent: int | None = None
    with_warnings: bool = False
    new_attack: bool = False  # a trigger came after the cool-down while the copy is still mounted
    evidence: Evidence | None = None
    blocked_by: str | None = None  # the foreign job session a queued run waits for
    copy: SeenCopy | None = None  # which one comes up; None: not looked at
    contact_lost_since: datetime | None = None
    pending_request: str | None = None  # a cancel or clean-up that was asked for, not yet done
    # what the engine remembers between its steps
    state_since: datetime | None = None
    due_at: datetime | None = None
    attempts: int = 0
    memory: Memory = Memory()


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of a run from one state to another, with its reason and who did it."""

    at: datetime
    from_state: RunState | None
    to_state: RunState
    reason: Sentence
    by: str


@dataclass(frozen=True, slots=True)
class Request:
    """Something a person asked of a run, not done yet."""

    id: int
    run_id: int
    kind: str  # cancel, clean_up or resolve
    decision: str | None
    job_session_id: str | None
    by: str
    at: datetime


class NoSuchRun(LookupError):
    """There is no run of that number."""


class Overtaken(Exception):
    """Somebody else has moved the run on in the meantime; nothing was changed."""


# --- what a copy manager says -------------------------------------------------------------------


class Phase(StrEnum):
    """What a job session's status means for a run; the raw word is kept beside it."""

    RUNNING = "running"  # not over, nothing usable yet
    READY = "ready"  # the copy is up and in use
    COMPLETED = "completed"
    PARTIAL = "partial"  # completed, with warnings
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # a word not in the table: shown and watched, never guessed


@dataclass(frozen=True, slots=True)
class JobSession:
    """One execution of a CDM job. Times are CDM's own and never compared with ours."""

    id: str
    job_id: str
    status: str  # CDM's word, as it came
    phase: Phase
    start: datetime | None = None
    end: datetime | None = None
    percent: int | None = None
    results: str | None = None

    @property
    def live(self) -> bool:
        """Whether it still holds the job: running, mounted, or in a state we don't know."""
        return self.phase in {Phase.RUNNING, Phase.READY, Phase.UNKNOWN}


@dataclass(frozen=True, slots=True)
class RestoreJob:
    """A CDM job as the engine sees it just before a start."""

    id: str
    name: str
    is_restore: bool
    status: str
    busy: bool  # CDM's job status says that it runs or that its resource is in use


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of CDM's job log."""

    key: str  # tells lines apart: CDM's own id, else a digest
    time: datetime | None
    type: str
    message: str


class CopyManagerError(Exception):
    """What went wrong at CDM, in the operator's words.

    CopyManagerError
      ├─ NothingSent      proof: the request had no effect (never connected, or refused before it)
      │    ├─ Unreachable     DNS, refused, connect time-out
      │    ├─ Untrusted       TLS: certificate not trusted
      │    ├─ LoginRefused    user or password not accepted; don't ask again soon
      │    └─ Busy            CDM says that the job is running or its resource in use
      ├─ Refused          CDM understood and said no (4xx with an error id)
      │    └─ NotFound        404: no such job or job session
      └─ Unknown          anything else: the request may have had its effect
    """

    def __init__(self, message: str, *, cause: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.message, self.cause, self.advice = message, cause, advice

    def __str__(self) -> str:
        return joined(filter(None, (self.message, self.cause, self.advice)), " ")


class NothingSent(CopyManagerError):
    """The request provably had no effect."""


class Unreachable(NothingSent):
    """The connection was never made."""


class Untrusted(NothingSent):
    """The server's certificate is not trusted."""


class LoginRefused(NothingSent):
    """CDM does not accept the user or the password, or refuses the API session."""


class Busy(NothingSent):
    """CDM says that the job is running or that its resource is in use."""


class Refused(CopyManagerError):
    """CDM understood the request and refused it, with an error id."""


class NotFound(Refused):
    """CDM knows no such job or job session."""


class Unknown(CopyManagerError):
    """The request may or may not have had its effect."""
