# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Requests to the console with an administrator's own session, and what its refusals mean.

Whatever fails is told as `NotDone`: what was not done, why, and what a person can do about it.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from app.message import Message, joined
from app.qradar.console import ConsoleAnswer, ConsoleRefused, ConsoleUnavailable

BY_HAND = Message("Do it by hand: the steps are at the end of the set-up page.")

# QRadar's numbers for what it refuses about authorized services (qradar §6)
_ADVICE = {
    95103005: Message("The user role has not been deployed: run Deploy Changes, then try again."),
    95103008: Message(
        "A user or an authorized service has that name already: rename or delete it."
    ),
    95103009: Message("The user role includes ADMIN: choose one that has Offenses only."),
    95103010: Message("The user role includes ADMIN: choose one that has Offenses only."),
    95104011: Message(
        "You are signed in as an authorized service, which can't change itself: sign in as a user."
    ),
}


class AsksConsole(Protocol):
    """What is asked of; `app.qradar.console.ConsoleClient` is one."""

    def request(
        self,
        method: str,
        path: str,
        *,
        sec: str | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ConsoleAnswer: ...


class NotDone(Exception):
    """A step at the console was not done; with ``perhaps``, nobody knows whether it was."""

    def __init__(
        self, message: str, *, cause: str = "", advice: str = "", perhaps: bool = False
    ) -> None:
        super().__init__(message)
        self.message, self.cause, self.advice, self.perhaps = message, cause, advice, perhaps

    def __str__(self) -> str:
        return joined(filter(None, (self.message, self.cause, self.advice)), " ")


class Gone(NotDone):
    """What was to be changed is not there."""


class Administrator:
    """The console's REST API on one person's authority; ``what`` completes "to …" for people."""

    def __init__(self, console: AsksConsole, sec: str, csrf: str = "") -> None:
        """``csrf`` is the value of the person's cookie QRadarCSRF (qradar §4.1)."""
        self._console, self._sec = console, sec
        self._own = {"QRadarCSRF": csrf} if csrf else {}
        self._secrets = [sec]

    def hide(self, secret: str) -> None:
        """From now on no error repeats ``secret``, whatever of a request the console quotes."""
        self._secrets.append(secret)

    def rows(self, path: str, what: str, **params: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        body = self._ask("GET", path, what, params=params)
        if not isinstance(body, list):
            raise NotDone(
                Message("QRadar's answer when asked to {what} is not a list.", what=what),
                advice=BY_HAND,
            )
        return [row for row in body if isinstance(row, dict)]

    def find(self, path: str, what: str) -> dict[str, Any] | None:
        """One object, None when it is not there."""
        try:
            body = self._ask("GET", path, what)
        except Gone:
            return None
        return body if isinstance(body, dict) else {}

    def post(
        self,
        path: str,
        what: str,
        *,
        json: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Make or change something; ONE request. The console's object, as far as it gave one."""
        body = self._ask("POST", path, what, json=json, data=data, headers=headers)
        return body if isinstance(body, dict) else {}

    def delete(self, path: str, what: str) -> None:
        """Delete something; not being there is as good."""
        try:
            # the documented Accept for deleting scripts; an error in JSON is read all the same
            self._ask("DELETE", path, what, headers={"Accept": "text/plain, application/json"})
        except Gone:
            return

    def _ask(
        self,
        method: str,
        path: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> Any:
        try:
            answer = self._console.request(
                method, path, sec=self._sec, headers={**self._own, **(headers or {})}, **rest
            )
        except ConsoleRefused as error:
            raise self._refusal(error, what) from None
        except ConsoleUnavailable as error:
            raise NotDone(
                self._clean(
                    Message("The app could not {what}: {why}", what=what, why=error.message)
                ),
                cause=self._clean(error.cause),
                advice=error.advice or Message("Try again in a moment."),
                perhaps=method != "GET",
            ) from None
        return answer.body

    def _refusal(self, error: ConsoleRefused, what: str) -> NotDone:
        words = self._clean(error.message)
        said = Message("QRadar answered HTTP {status}: {words}", status=error.status, words=words)
        if error.code is not None:
            said = Message(
                "QRadar answered HTTP {status}, code {code}: {words}",
                status=error.status,
                code=error.code,
                words=words,
            )
        kind = Gone if error.status == 404 else NotDone
        not_let = Message("QRadar did not let the app {what}.", what=what)
        return kind(not_let, cause=said, advice=_advice(error, what))

    def _clean(self, text: str) -> str:
        """``text`` without the secrets; only one that has any is no message any more."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, "(token)")
        return text


def _advice(error: ConsoleRefused, what: str) -> str:
    if error.code in _ADVICE:
        return _ADVICE[error.code]
    if error.status == 401:
        return Message("Sign in to QRadar again, then open the app from there.")
    if error.status == 403 and ("service" in what or "role" in what):
        first = Message(
            "Your QRadar user role lacks a right that this needs: System Administrator (ADMIN),"
            " with the right to manage users and authorized services (Administrator Manager)."
        )
    elif error.status == 403:
        first = Message(
            "Your QRadar user role lacks a right that this needs: System Administrator (ADMIN)."
        )
    elif error.status in (404, 405):
        first = Message("It may have been deleted, or this QRadar release can't do it by REST.")
    else:
        first = Message("Look at what QRadar says.")
    return joined([first, BY_HAND], " ")
