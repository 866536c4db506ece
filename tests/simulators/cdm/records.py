# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What reached the simulator: the evidence that tests look at afterwards."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class RequestRecord:
    """One HTTP request, the control endpoint's own ones aside.

    ``time`` is the simulator's clock in seconds since the epoch; ``answered`` is the status code,
    or the name of the fault that took the answer's place, or None while it's still being answered.
    """

    method: str
    path: str
    query: str
    header_names: list[str]
    had_session_header: bool
    user_agent: str
    host: str
    connection: int
    time: float
    answered: int | str | None = None


@dataclass(slots=True)
class StartRecord:
    """One request to start a job, whether or not it had an effect.

    ``session_id`` is the job session that it made (None if none), ``session_ids`` all of them.
    """

    job_id: str
    time: float
    monotonic: float
    action_name: str | None = None
    session_id: str | None = None
    session_ids: list[str] = field(default_factory=list)
    answered: int | str | None = None


@dataclass(slots=True)
class LoginRecord:
    """One attempt to log in; the password is not kept."""

    user: str
    time: float
    status: int


@dataclass(slots=True)
class LogoutRecord:
    """One DELETE of an API session."""

    api_session: str
    time: float
    status: int


@dataclass(slots=True)
class DestructiveCall:
    """A call that no restore client has any business to make (cdm §6)."""

    what: str
    method: str
    path: str
    time: float


@dataclass(slots=True)
class Records:
    """All records since the last reset, oldest first."""

    requests: list[RequestRecord] = field(default_factory=list)
    starts: list[StartRecord] = field(default_factory=list)
    logins: list[LoginRecord] = field(default_factory=list)
    logouts: list[LogoutRecord] = field(default_factory=list)
    destructive_calls: list[DestructiveCall] = field(default_factory=list)

    def clear(self) -> None:
        """Forget everything."""
        for records in (self.requests, self.starts, self.logins, self.logouts):
            records.clear()
        self.destructive_calls.clear()

    def as_json(self) -> dict[str, Any]:
        """All records as plain lists and dicts."""
        return asdict(self)
