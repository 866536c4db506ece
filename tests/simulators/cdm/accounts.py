# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The account and its API sessions: login, logout, expiry (cdm §1)."""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .records import LoginRecord, LogoutRecord, Records
from .reply import ApiError, Reply, Request, bad_request, error, json_reply
from .switches import Switches


@dataclass(slots=True)
class ApiSession:
    """A session of the API, not of a job."""

    id: str
    user: str
    created: float
    used: float
    calls: int = 0


class Accounts:
    """One account; any number of API sessions."""

    def __init__(
        self,
        switches: Switches,
        records: Records,
        *,
        user: str,
        password: str,
        clock: Callable[[], float],
    ) -> None:
        self.switches, self.records, self.clock = switches, records, clock
        self.user, self.password = user, password
        self.sessions: dict[str, ApiSession] = {}
        self.wrong_in_a_row = 0

    @property
    def live(self) -> list[str]:
        """The ids of the API sessions that are valid now."""
        return [s.id for s in self.sessions.values() if not self._has_ended(s)]

    def expire_all(self) -> None:
        """End every API session."""
        self.sessions.clear()

    def login(self, request: Request) -> Reply:
        """POST session: 200 with the session id, or a refusal."""
        user, password = _credentials(request.headers.get("authorization", ""))
        refused = self._refusal(user, password)
        status = refused.status if refused else 200
        self.records.logins.append(LoginRecord(user, self.clock(), status))
        if refused:
            raise refused
        if request.params.get("changePassword", "").lower() == "true":
            self._change_password(request)
        session = ApiSession(secrets.token_hex(16), user, self.clock(), self.clock())
        self.sessions[session.id] = session
        return json_reply({"sessionid": session.id, "user": self._user()})

    def _user(self) -> dict[str, Any]:
        return {
            "id": "1007",
            "name": self.user,
            "type": "NATIVE_USER",
            "tenantId": 1000,
            "permissions": [],
            "rbacPath": "root:0",
            "metadata": {},
            "links": {},
        }

    def _refusal(self, user: str, password: str | None) -> ApiError | None:
        given = self.switches.login_refusal
        if given is not None:
            return ApiError(
                int(given.get("status", 403)),
                str(given.get("id", "XSBAccountDisabledException")),
                str(given.get("description", "This account is disabled.")),
            )
        limit = self.switches.lock_out_after
        if limit is not None and self.wrong_in_a_row >= limit:
            return ApiError(403, "XSBAccountLockedException", "This account is locked.")
        if user.lower() == self.user.lower() and password == self.password:
            self.wrong_in_a_row = 0
            return None
        self.wrong_in_a_row += 1
        return ApiError(401, "XSBAuthenticationException", "Wrong user name or password.")

    def _change_password(self, request: Request) -> None:
        new = request.json().get("newPassword")
        if not isinstance(new, str) or not new:
            raise bad_request("newPassword is missing.")
        self.password = new

    def logout(self, session: ApiSession) -> Reply:
        """DELETE session: 204."""
        self.sessions.pop(session.id, None)
        self.records.logouts.append(LogoutRecord(session.id, self.clock(), 204))
        return Reply(204)

    def check(self, session_id: str | None) -> ApiSession | Reply:
        """The API session of a call, or the refusal."""
        session = self.sessions.get(session_id or "")
        if session is None or self._has_ended(session):
            return self._expired()
        session.used = self.clock()
        session.calls += 1
        return session

    def _has_ended(self, session: ApiSession) -> bool:
        now, limit = self.clock(), self.switches.session_seconds
        calls = self.switches.session_calls
        return (
            now - session.used >= limit
            or now - session.created >= limit
            or (calls is not None and session.calls >= calls)
        )

    def _expired(self) -> Reply:
        switches = self.switches
        if switches.expired_body == "empty":
            return Reply(switches.expired_status)
        return error(switches.expired_status, switches.expired_id, "The session is not valid.")


def _credentials(header: str) -> tuple[str, str | None]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return "", None
    try:
        text = base64.b64decode(rest, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", None
    user, _, password = text.partition(":")
    return user, password
