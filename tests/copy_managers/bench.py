# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the contract needs of a copy manager under test: the product behind it, in a test's hand."""

from abc import ABC, abstractmethod
from enum import Enum

from app.restore.model import (
    Busy,
    CopyManagerError,
    LoginRefused,
    NotFound,
    NothingSent,
    Phase,
    Refused,
    Unknown,
    Unreachable,
    Untrusted,
)
from app.restore.ports import CopyManager

ACTS = ("start", "cancel", "clean_up")


class Loss(Enum):
    """How a request that acts comes to nothing, or only its answer does.

    Each with what it must be told as, whether the request goes out, and whether it has its effect.
    """

    NO_CONNECTION = (Unreachable, False, False)
    NOT_TRUSTED = (Untrusted, False, False)
    USER_REFUSED = (LoginRefused, False, False)
    LOGGED_OUT = (NothingSent, True, False)  # what we are logged in with is not valid any more
    JOB_IS_BUSY = (Busy, True, False)
    SAID_NO = (Refused, True, False)
    NO_SUCH_THING = (NotFound, True, False)
    BROKEN_OFF = (Unknown, True, False)
    ANSWER_LOST = (Unknown, True, True)
    HANGS = (Unknown, True, True)
    SERVER_ERROR = (Unknown, True, False)
    REDIRECTED = (Unknown, True, False)

    def __init__(self, told: type[CopyManagerError], goes_out: bool, has_effect: bool) -> None:
        self.told, self.goes_out, self.has_effect = told, goes_out, has_effect


class Bench(ABC):
    """One copy manager with one restore job that is free."""

    manager: CopyManager
    job_id: str

    @abstractmethod
    def begin(self, phase: Phase = Phase.RUNNING) -> str:
        """Let somebody else start the job, and it stay in a phase; give the job session's id."""

    @abstractmethod
    def become(self, session_id: str, phase: Phase) -> None:
        """Let a job session go on to a phase, and stay there."""

    @abstractmethod
    def forget(self, session_id: str) -> None:
        """Let the product forget a job session."""

    @abstractmethod
    def write_log(self, session_id: str, *messages: str) -> None:
        """Add lines to the log of a job session."""

    @abstractmethod
    def offer(self, *actions: str) -> None:
        """Let the job be started by one of these actions only."""

    @abstractmethod
    def make_permanent(self) -> None:
        """Let the job make its copy permanent."""

    @abstractmethod
    def lose(self, verb: str, loss: Loss) -> None:
        """Let this happen to what is asked of the product next, until `mend`."""

    @abstractmethod
    def mend(self) -> None:
        """Let everything go well again."""

    @abstractmethod
    def arrived(self, verb: str) -> int:
        """How many requests for that have reached the product."""

    def act(self, verb: str, session_id: str = "") -> None:
        """Ask for one of `ACTS`."""
        if verb == "start":
            self.manager.plan_start(self.job_id, None).send()
        else:
            getattr(self.manager, verb)(session_id)
