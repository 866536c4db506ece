# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console's REST API on the authority of whoever is calling the app."""

from collections.abc import Callable, Mapping

from app.qradar.console import ConsoleAnswer, ConsoleClient, ConsoleRefused

_NOT_ACCEPTED = 401


class CallersConsole:
    """Tells of each token that the console does not accept.

    Else the page of a session that has ended, whose caller is known for a while yet, would show the
    console the same bad token with every look.
    """

    def __init__(self, console: ConsoleClient, tell: Callable[[str, str], None]) -> None:
        """``tell`` is called with the token and the console's words."""
        self._console, self._tell = console, tell

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
    ) -> ConsoleAnswer:
        """As `ConsoleClient.request`."""
        try:
            return self._console.request(
                method, path, sec=sec, params=params, json=json, data=data, headers=headers
            )
        except ConsoleRefused as error:
            self._note(sec, error)
            raise

    def api_version(self, sec: str | None) -> str:
        """As `ConsoleClient.api_version`."""
        try:
            return self._console.api_version(sec)
        except ConsoleRefused as error:
            self._note(sec, error)
            raise

    def _note(self, sec: str | None, error: ConsoleRefused) -> None:
        if sec and error.status == _NOT_ACCEPTED:
            self._tell(sec, str(error))
