# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What an answer of CDM proves, to a read or to a request that acts (architecture §4, cdm §12)."""

import re
from dataclasses import dataclass

from app.cdm.failures import Advice, Cleaner
from app.cdm.http import Answer
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
_ACCOUNT = "check in CDM that the account is not locked or its password expired."
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
            f"CDM at {where} does not let this user in.",
            cause=_said(answer, cleaner),
            advice=Advice(
                f"Enter user and password on the connection's page again; {_ACCOUNT}",
                terminal=f"Give user and password again; {_ACCOUNT}",
            ),
        )
    return NothingSent(
        f"The log-in to CDM at {where} got no usable answer.",
        cause=_said(answer, cleaner),
        advice="Check that the address and the port are those of CDM, and that it is up.",
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
        return NotFound(f"CDM does not know {what}.", cause=_said(answer, cleaner))
    if error and 400 <= answer.status < 500:
        return Refused(
            f"CDM refuses to show {what}.",
            cause=_said(answer, cleaner),
            advice="Check in CDM that its role and resource pool let this user see it.",
        )
    return Unknown(
        f"CDM's answer about {what} can't be used.",
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
            f"CDM did not {what}: it says that the API session is not valid.",
            cause=said,
            advice=Advice(
                "It is tried again with a fresh log-in.",
                terminal="Nothing was started; start it again.",
            ),
        )
    if answer.status == 409 or (error and 400 <= answer.status < 500 and _speaks_of_busy(error)):
        return Busy(
            f"CDM did not {what}: the job is running or its resource is in use.",
            cause=said,
            advice="Wait for it, or clean it up in CDM.",
        )
    if error and 400 <= answer.status < 500 and answer.status != _REQUEST_TIMEOUT:
        kind = NotFound if answer.status == 404 else Refused
        return kind(
            f"CDM refuses to {what}.",
            cause=said,
            advice="Check the job in CDM, and that role and resource pool let this user run it.",
        )
    return Unknown(
        f"It is not known whether CDM did {what}.",
        cause=said,
        advice="Look into CDM's own pages for a new job session.",
    )


def _speaks_of_busy(error: CdmError) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", error.id) + " " + error.description
    return _BUSY.search(_NOT_BUSY.sub("", words)) is not None


def _said(answer: Answer, cleaner: Cleaner) -> str:
    error = error_of(answer)
    if error:
        text = f"HTTP {answer.status}, {error.id}: {error.description or 'no description'}"
        return cleaner.clean(f"CDM's words: {text}")
    if 300 <= answer.status < 400:
        return f"It answered with a redirect (HTTP {answer.status}), which is never followed."
    if answer.problem:
        return f"It answered with HTTP {answer.status} and {answer.problem}."
    return f"It answered with HTTP {answer.status} and JSON of an unexpected shape."


def _hint(answer: Answer) -> str:
    if 300 <= answer.status < 400 or (answer.is_html and answer.status < 500):
        return "Check that the address and the port are those of CDM itself (usually 8443)."
    if answer.status >= 500:
        return Advice(
            "CDM is overloaded, restarting or broken; it is asked again.",
            terminal="CDM is overloaded, restarting or broken; try again in a minute.",
        )
    return "If it stays so, look into CDM's own log."
