# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What an answer of CDM proves, to a read or to a request that acts (architecture §4, cdm §12)."""

import re
from dataclasses import dataclass

from app.message import Message
from app.remote.failures import MAX_TEXT, Advice, Cleaner
from app.remote.http import Answer
from app.restore.model import (
    Busy,
    CopyManagerError,
    LoginRefused,
    NotFound,
    NothingSent,
    Refused,
    Unknown,
)

_BUSY = re.compile(r"\b(running|active|busy|in use)\b", re.IGNORECASE)
_NOT_BUSY = re.compile(
    r"\b(not|no|no longer|never)\s+(currently\s+)?(running|active|busy|in use)\b", re.IGNORECASE
)
_SESSION_ENDED = re.compile(
    r"session[\W_]*(has|is|was)?[\W_]*(expired|invalid|not[\W_]*(found|valid)|timed?[\W_]*out)",
    re.IGNORECASE,
)
_MAX_WORDS = MAX_TEXT - len("CDM's words: ")
_REQUEST_TIMEOUT = 408  # a 4xx that says nothing about the request


@dataclass(frozen=True, slots=True)
class CdmError:
    """CDM's error body, ``{"id","description"}`` (cdm §8)."""

    id: str
    description: str


def error_of(answer: Answer) -> CdmError | None:
    """CDM's own error in an answer, or None; in a 2xx only if its id is an exception's name."""
    body = answer.body
    name = body.get("id") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(name, str) or not name.strip():
        return None
    if answer.ok and not re.search(r"exception|error", name, re.IGNORECASE):
        return None
    return CdmError(name, str(body.get("description") or ""))


def session_gone(answer: Answer) -> bool:
    """Whether the API session may be invalid: reason enough to log in anew for a read."""
    error = error_of(answer)
    return answer.status == 401 or (
        error is not None and re.search("session|authentication", error.id, re.I) is not None
    )


def session_refused(answer: Answer) -> bool:
    """Whether that is *proved*, so that a request that acts had no effect.

    An id that speaks of a *job* session is about something else. A 5xx proves nothing, unless its
    id says outright that the session has ended.
    """
    error = error_of(answer)
    if answer.status == 401:
        return True
    if error is None or answer.status < 400:
        return False
    name = re.sub(r"job[\W_]*session", "", error.id, flags=re.IGNORECASE)
    if answer.status >= 500:
        return _SESSION_ENDED.search(name) is not None
    return re.search("session|authentication", name, re.IGNORECASE) is not None


def login_refusal(answer: Answer, where: str, cleaner: Cleaner) -> NothingSent:
    """Say why a log-in failed; `LoginRefused` (don't ask again soon) if CDM refused it."""
    error = error_of(answer)
    refused = 400 <= answer.status < 500 and (error is not None or answer.status in {401, 403})
    if refused or (error and "authentication" in error.id.lower()):
        return LoginRefused(
            Message("CDM at {where} does not let this user in.", where=where),
            cause=_said(answer, cleaner),
            advice=Advice(
                Message(
                    "Enter user and password on the connection's page again; check in CDM that the"
                    " account is not locked or its password expired."
                ),
                terminal=Message(
                    "Give user and password again; check in CDM that the account is not locked or"
                    " its password expired."
                ),
            ),
        )
    return NothingSent(
        Message("The log-in to CDM at {where} got no usable answer.", where=where),
        cause=_said(answer, cleaner),
        advice=Message("Check that the address and the port are those of CDM, and that it is up."),
    )


def read_failure(answer: Answer, what: str, cleaner: Cleaner) -> CopyManagerError | None:
    """Say what is wrong with the answer to a GET of ``what``; None if it is a JSON object.

    A 404 that is a web page is no proof that something is gone: a CDM that is still coming up
    answers that for everything.
    """
    error = error_of(answer)
    if answer.ok and isinstance(answer.body, dict) and error is None:
        return None
    if answer.status == 404 and not answer.is_html:
        return NotFound(
            Message("CDM does not know {what}.", what=what), cause=_said(answer, cleaner)
        )
    if error and 400 <= answer.status < 500:
        return Refused(
            Message("CDM refuses to show {what}.", what=what),
            cause=_said(answer, cleaner),
            advice=Message("Check in CDM that its role and resource pool let this user see it."),
        )
    return Unknown(
        Message("CDM's answer about {what} can't be used.", what=what),
        cause=_said(answer, cleaner),
        advice=_hint(answer),
    )


def action_failure(
    answer: Answer, what: str, cleaner: Cleaner, *, any_2xx: bool
) -> CopyManagerError | None:
    """Say what the answer to a POST proves; None if CDM took it.

    :param any_2xx: whether a 2xx is enough, or has to be a readable JSON object
    """
    error = error_of(answer)
    said = _said(answer, cleaner)
    if answer.ok and (any_2xx or (isinstance(answer.body, dict) and error is None)):
        return None
    if session_refused(answer):
        return NothingSent(
            Message("CDM did not {what}: it says that the API session is not valid.", what=what),
            cause=said,
            advice=Advice(
                Message("It is tried again with a fresh log-in."),
                terminal=Message("Nothing was started; start it again."),
            ),
        )
    if answer.status == 409 or (error and 400 <= answer.status < 500 and _speaks_of_busy(error)):
        return Busy(
            Message("CDM did not {what}: the job is running or its resource is in use.", what=what),
            cause=said,
            advice=Message("Wait for it, or clean it up in CDM."),
        )
    if error and 400 <= answer.status < 500 and answer.status != _REQUEST_TIMEOUT:
        kind = NotFound if answer.status == 404 else Refused
        return kind(
            Message("CDM refuses to {what}.", what=what),
            cause=said,
            advice=Message(
                "Check the job in CDM, and that role and resource pool let this user run it."
            ),
        )
    return Unknown(
        Message("It is not known whether CDM did {what}.", what=what),
        cause=said,
        advice=Message("Look into CDM's own pages for a new job session."),
    )


def _speaks_of_busy(error: CdmError) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", error.id) + " " + error.description
    return _BUSY.search(_NOT_BUSY.sub("", words)) is not None


def _said(answer: Answer, cleaner: Cleaner) -> Message:
    error, status = error_of(answer), answer.status
    if error:
        words = f"HTTP {status}, {error.id}"
        if not error.description:
            words = cleaner.clean(words, _MAX_WORDS)
            return Message("CDM's words: {words}: no description", words=words)
        words = cleaner.clean(f"{words}: {error.description}", _MAX_WORDS)
        return Message("CDM's words: {words}", words=words)
    if 300 <= status < 400:
        return Message(
            "It answered with a redirect (HTTP {status}), which is never followed.", status=status
        )
    if answer.problem:
        return Message(
            "It answered with HTTP {status} and {problem}.", status=status, problem=answer.problem
        )
    return Message("It answered with HTTP {status} and JSON of an unexpected shape.", status=status)


def _hint(answer: Answer) -> Message:
    if 300 <= answer.status < 400 or (answer.is_html and answer.status < 500):
        return Message(
            "Check that the address and the port are those of CDM itself (usually 8443)."
        )
    if answer.status >= 500:
        return Advice(
            Message("CDM is overloaded, restarting or broken; it is asked again."),
            terminal=Message("CDM is overloaded, restarting or broken; try again in a minute."),
        )
    return Message("If it stays so, look into CDM's own log.")
