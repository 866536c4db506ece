# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The API session: one log-in per client, renewed when CDM says it is gone; what is sent with it.

A GET is repeated once after a new log-in. A POST is sent once, whatever happens: what that proves
is said by the error (`app.restore.model`).
"""

import math
import re
from collections.abc import Callable
from typing import Any

from app.cdm.answers import (
    action_failure,
    login_refusal,
    read_failure,
    session_gone,
    session_refused,
)
from app.cdm.links import Target, api
from app.message import Message, counted
from app.remote.failures import Cleaner, NoAnswer
from app.remote.http import Answer, Transport
from app.restore.model import (
    CdmConnection,
    CopyManagerError,
    LoginRefused,
    NothingSent,
    Unknown,
)

LOGIN_PAUSE = 15 * 60.0  # seconds without a log-in after CDM refused one: accounts get locked
_LOGOUT_TIMEOUT = 3.0
_SESSION_ID = re.compile(r"[\x21-\x7e]{1,512}")  # what may stand in a header


class ApiSession:
    """Our log-in to one CDM server; for one thread at a time."""

    def __init__(
        self,
        connection: CdmConnection,
        password: str,
        *,
        transport: Transport,
        cleaner: Cleaner,
        monotonic: Callable[[], float],
    ) -> None:
        self._where = f"{connection.host}:{connection.port}"
        self._transport, self._cleaner, self._monotonic = transport, cleaner, monotonic
        credentials = cleaner.hide_login(connection.username, password)
        self._basic = {"Authorization": f"Basic {credentials}"}
        self._id: str | None = None
        self._refused: LoginRefused | None = None
        self._refused_until = 0.0

    def login(self) -> None:
        """Log in unless we are. A failure is a `NothingSent`: what was to follow was not sent."""
        if self._id is not None:
            return
        left = self._refused_until - self._monotonic()
        if self._refused and left > 0:
            raise LoginRefused(
                self._refused.message,
                cause=self._refused.cause,
                advice=counted(
                    "{advice} CDM is not asked again for {n} minute, or until the connection is"
                    " changed.",
                    "{advice} CDM is not asked again for {n} minutes, or until the connection is"
                    " changed.",
                    n=math.ceil(left / 60),
                    advice=self._refused.advice,
                ),
            )
        try:
            answer = self._transport.send("POST", str(api("session")), headers=self._basic)
        except Unknown as error:
            raise NothingSent(
                error.message,
                cause=Message(
                    "{cause} It was asked for a log-in only: nothing was started.",
                    cause=error.cause,
                ),
                advice=error.advice,
            ) from error
        session_id = answer.body.get("sessionid") if isinstance(answer.body, dict) else None
        if answer.ok and isinstance(session_id, str) and _SESSION_ID.fullmatch(session_id):
            self._cleaner.hide(session_id)
            self._id, self._refused = session_id, None
            return
        failure = login_refusal(answer, self._where, self._cleaner)
        if isinstance(failure, LoginRefused):
            self._refused, self._refused_until = failure, self._monotonic() + LOGIN_PAUSE
        raise failure

    def logout(self) -> None:
        """Log out if we are in; CDM forgets the API session by itself if it can't be told."""
        if self._id is None:
            return
        headers, self._id = self._headers(), None
        try:
            self._transport.send(
                "DELETE", str(api("session")), headers=headers, read_timeout=_LOGOUT_TIMEOUT
            )
        except CopyManagerError:
            return  # nobody can do anything about it

    def get(
        self, target: Target, what: str, *, read_timeout: float | None = None
    ) -> dict[str, Any]:
        """Read a JSON object.

        :param what: what is asked for, in words for the error ("job 1044")
        :raises CopyManagerError: `NotFound`, `Refused`, `NothingSent` or `Unknown`, and of these
            `NoAnswer` if there was none
        """
        self.login()
        answer = self._read(target, read_timeout)
        if session_gone(answer):
            if answer.status == 401:
                self._id = None
            self.logout()  # the error may mean something else, and the session be left behind
            self.login()
            answer = self._read(target, read_timeout)
            if session_refused(answer):
                raise NothingSent(
                    Message(
                        "CDM at {where} takes the log-in, not its API session, for {what}.",
                        where=self._where,
                        what=what,
                    ),
                    advice=Message(
                        "Check the CDM user's role, and that nothing in between drops headers."
                    ),
                )
        failure = read_failure(answer, what, self._cleaner)
        if failure:
            raise failure
        assert isinstance(answer.body, dict)  # noqa: S101 - read_failure has just said so
        return answer.body

    def post(self, target: Target, body: dict[str, Any], what: str, *, any_2xx: bool) -> None:
        """Send a request that acts, once, and return only if CDM took it.

        :param what: what CDM was to do, in words for the error ("start job 1044")
        :param any_2xx: whether any 2xx is enough, or it has to be a readable JSON object
        :raises CopyManagerError: its class says what is proved
        """
        self.login()
        answer = self._transport.send(
            "POST", str(target), headers=self._headers(), json_body=body, acts=True
        )
        if session_refused(answer):
            self._id = None
        failure = action_failure(answer, what, self._cleaner, any_2xx=any_2xx)
        if failure:
            raise failure

    def _read(self, target: Target, read_timeout: float | None) -> Answer:
        try:
            return self._transport.send(
                "GET", str(target), headers=self._headers(), read_timeout=read_timeout
            )
        except Unknown as error:
            raise NoAnswer(error.message, cause=error.cause, advice=error.advice) from error

    def _headers(self) -> dict[str, str]:
        return {"X-Endeavour-Sessionid": self._id or ""}
