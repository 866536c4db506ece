# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What an offense's notes say: which changes of a run are told there, and in which words.

A note is for the analyst who looks at the offense, not at this app: what happened, where the copy
is, what is to be done. QRadar takes 2000 UTF-16 units, in a request line of 8190 bytes
(qradar §7.2).
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote_plus

from app.restore.model import MANUAL, SIMULATION, Run, RunState

LONGEST = 1900
"""UTF-16 units of a text; the mark that is put at its end has some too."""
LONGEST_ENCODED = 6900
"""Bytes of a text once it is percent-encoded."""
PROBABLY = "(Probably this offense: another one fits as well.) "
"""Stands before the mark of a note whose offense was found by a time that two of them fit."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_JOINERS = "\u200d\ufe0e\ufe0f"


@dataclass(frozen=True, slots=True)
class Note:
    """A note to be: its kind in one word, and its text."""

    kind: str
    text: str


def note_of(before: RunState | None, run: Run, reason: str, *, now: datetime) -> Note | None:
    """Give the note for a change of ``run`` from the state ``before``; None: not worth one."""
    if run.source == SIMULATION or _of_no_offense(run):
        return None
    words = _end_of(before, run, reason) or _way_of(before, run, reason)
    return None if words is None else Note(words[0], _text(run, words[1], now))


def _of_no_offense(run: Run) -> bool:
    """Whether a person started it, and not over an attack: nobody looks for its offense."""
    return run.source == MANUAL and run.offense_id is None and run.detected_at is None


def _way_of(before: RunState | None, run: Run, reason: str) -> tuple[str, str] | None:
    """Kind and words of a change on the way."""
    match run.state:
        case RunState.AWAITING_APPROVAL:
            text = f"WAITS FOR APPROVAL: {_job(run)} is started once somebody approves"
            return "awaiting_approval", f"{text} run {run.id} on its page."
        case RunState.RESTORING:
            session = f"job session {run.job_session_id}"
            return "started", f"started: {_job(run)}, {session} ({reason})."
        case RunState.READY if before is RunState.CLEANING_UP:
            return "still_mounted", f"the copy is still mounted ({_where(run)}): {reason}."
        case RunState.READY:
            text = (
                f"READY: the copy is up in the clean room, CDM says {run.cdm_status}"
                f" ({_where(run)}). It stays mounted until it is cleaned up."
            )
            return "ready", text
        case RunState.NEEDS_DECISION:
            text = f"NEEDS A DECISION: {_job(run)}: {reason} Decide on the page of run {run.id}."
            return "needs_decision", text
    return None


def _end_of(before: RunState | None, run: Run, reason: str) -> tuple[str, str] | None:
    """Kind and words of an end."""
    match run.state:
        case RunState.COMPLETED if before in {RunState.READY, RunState.CLEANING_UP}:
            return "cleaned_up", f"cleaned up: the copy is no longer mounted ({_where(run)})."
        case RunState.COMPLETED:
            warned = " with warnings" if run.with_warnings else ""
            return "completed", f"completed{warned}, CDM says {run.cdm_status} ({_where(run)})."
        case RunState.FAILED:
            error = f" {run.error}" if run.error and run.error not in reason else ""
            return "failed", f"FAILED: {_job(run)}: {reason}.{error}"
        case RunState.CANCELLED:
            return "cancelled", f"cancelled: {_job(run)}: {reason}."
        case RunState.OBSERVED:
            return "observed", f"observed only, nothing was started: {_job(run)}: {reason}."
    return None


def _job(run: Run) -> str:
    return f"restore job {run.job_name} on CDM {run.connection}"


def _where(run: Run) -> str:
    return f"job {run.job_name}, CDM {run.connection}, job session {run.job_session_id}"


def not_started_note(run: Run, since: datetime, asked_at: datetime, *, now: datetime) -> Note:
    """Give the note for a run that CDM has kept from its start since then."""
    text = (
        f"NOT STARTED: {_job(run)} could not be started since {since:%H:%M:%S} UTC, for CDM can't"
        f" be reached or used. {run.error or ''} The app keeps trying; a person is asked at about"
        f" {asked_at:%H:%M} UTC."
    )
    return Note("not_started", _text(run, text, now))


def new_attack_note(run: Run, why: str, *, now: datetime) -> Note:
    """Give the note for a new attack that ``run`` stands in the way of; ``why`` is a sentence."""
    text = shouted(why)
    if run.state is RunState.READY:
        text += f" CDM's job session is {run.job_session_id}."
    return Note("new_attack", _text(run, text, now))


def shouted(why: str) -> str:
    """Give why there is a new attack so that it can't be overlooked: "NEW ATTACK while …"."""
    return f"{why[:10].upper()}{why[10:]}"


def shortened(
    text: str, *, units: int = LONGEST, encoded: int = LONGEST_ENCODED, end: str = " …"
) -> str:
    """Give ``text`` so that QRadar takes it: cut between two characters as a reader sees them."""
    text = _CONTROL.sub(" ", text.encode("utf-8", "replace").decode())
    if _units(text) <= units and _encoded(text) <= encoded:
        return text
    units, encoded, length = units - _units(end), encoded - _encoded(end), 0
    for letter in text:
        units, encoded = units - _units(letter), encoded - _encoded(letter)
        if units < 0 or encoded < 0:
            break
        length += 1
    while length and _belongs_to_the_one_before(text, length):
        length -= 1
    return text[:length].rstrip() + end


def _belongs_to_the_one_before(text: str, at: int) -> bool:
    letter = text[at]
    return bool(unicodedata.combining(letter)) or letter in _JOINERS or text[at - 1] == "\u200d"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _encoded(text: str) -> int:
    return len(quote_plus(text, errors="replace"))


def _text(run: Run, words: str, now: datetime) -> str:
    at = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    words = re.sub(r"\.{2,}(?=\s|$)", ".", words)
    return shortened(f"Safeguarded restore, run {run.id}, {at}: {words}")
