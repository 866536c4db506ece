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

from app.message import Message, Words, joined
from app.restore.model import MANUAL, SIMULATION, Run, RunState
from app.restore.model.recovery_point import copy_words

LONGEST = 1900
"""UTF-16 units of a text; the mark that is put at its end has some too."""
LONGEST_ENCODED = 6900
"""Bytes of a text once it is percent-encoded."""
PROBABLY = Message("(Probably this offense: another one fits as well.)")
"""Stands before the mark of a note whose offense was found by a time that two of them fit."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_JOINERS = "\u200d\ufe0e\ufe0f"


@dataclass(frozen=True, slots=True)
class Note:
    """A note to be: its kind in one word, and its words."""

    kind: str
    words: Message


def as_posted(text: str, mark: str, words: Words, *, probably: bool) -> str:
    """Give a note's text as QRadar gets it, in the language of ``words``; at its end the mark."""
    said = text.said(words) if isinstance(text, Message) else text
    # One full stop is enough where a reason brought its own.
    said = shortened(re.sub(r"\.{2,}(?=\s|$)", ".", said))
    return " ".join((said, *((PROBABLY.said(words),) if probably else ()), mark))


def note_of(before: RunState | None, run: Run, reason: str, *, now: datetime) -> Note | None:
    """Give the note for a change of ``run`` from the state ``before``; None: not worth one."""
    if run.source == SIMULATION or _of_no_offense(run):
        return None
    words = _end_of(before, run, reason) or _way_of(before, run, reason)
    return None if words is None else Note(words[0], _whole(run, words[1], now))


def _of_no_offense(run: Run) -> bool:
    """Whether a person started it, and not over an attack: nobody looks for its offense."""
    return run.source == MANUAL and run.offense_id is None and run.detected_at is None


def _way_of(before: RunState | None, run: Run, reason: str) -> tuple[str, Message] | None:
    """Kind and words of a change on the way."""
    match run.state:
        case RunState.AWAITING_APPROVAL if before is RunState.QUEUED:
            return "awaiting_approval", Message(
                "WAITS FOR APPROVAL: {job}: {reason} It is started once somebody approves run"
                " {run} on its page.",
                job=_job(run),
                reason=reason,
                run=run.id,
            )
        case RunState.AWAITING_APPROVAL:
            return "awaiting_approval", Message(
                "WAITS FOR APPROVAL: {job} is started once somebody approves run {run} on its"
                " page.",
                job=_job(run),
                run=run.id,
            )
        case RunState.RESTORING:
            return "started", Message(
                "started: {job}, job session {session} ({reason}).",
                job=_job(run),
                session=run.job_session_id,
                reason=reason,
            )
        case RunState.READY if before is RunState.CLEANING_UP:
            return "still_mounted", Message(
                "the copy is still mounted ({where}): {reason}.", where=_where(run), reason=reason
            )
        case RunState.READY:
            ready = Message(
                "READY: the copy is up in the clean room, {manager} says {status} ({where})."
                " It stays mounted until it is cleaned up.",
                manager=run.kind.product,
                status=run.cdm_status,
                where=_where(run),
            )
            copy = copy_words(run)
            if copy is None:
                return "ready", ready
            return "ready", joined((ready, Message("It is {copy}.", copy=copy)), " ")
        case RunState.NEEDS_DECISION:
            return "needs_decision", Message(
                "NEEDS A DECISION: {job}: {reason} Decide on the page of run {run}.",
                job=_job(run),
                reason=reason,
                run=run.id,
            )
    return None


def _end_of(before: RunState | None, run: Run, reason: str) -> tuple[str, Message] | None:
    """Kind and words of an end."""
    match run.state:
        case RunState.COMPLETED if before in {RunState.READY, RunState.CLEANING_UP}:
            return "cleaned_up", Message(
                "cleaned up: the copy is no longer mounted ({where}).", where=_where(run)
            )
        case RunState.COMPLETED if run.with_warnings:
            return "completed", Message(
                "completed with warnings, {manager} says {status} ({where}).",
                manager=run.kind.product,
                status=run.cdm_status,
                where=_where(run),
            )
        case RunState.COMPLETED:
            return "completed", Message(
                "completed, {manager} says {status} ({where}).",
                manager=run.kind.product,
                status=run.cdm_status,
                where=_where(run),
            )
        case RunState.FAILED:
            failed = Message("FAILED: {job}: {reason}.", job=_job(run), reason=reason)
            if run.error and run.error not in reason:
                failed = joined((failed, run.error), " ")
            return "failed", failed
        case RunState.CANCELLED:
            return "cancelled", Message("cancelled: {job}: {reason}.", job=_job(run), reason=reason)
        case RunState.OBSERVED:
            return "observed", Message(
                "observed only, nothing was started: {job}: {reason}.",
                job=_job(run),
                reason=reason,
            )
    return None


def _job(run: Run) -> Message:
    return Message(
        "restore job {job} on {manager} {connection}",
        manager=run.kind.product,
        job=run.job_name,
        connection=run.connection,
    )


def _where(run: Run) -> Message:
    return Message(
        "job {job}, {manager} {connection}, job session {session}",
        manager=run.kind.product,
        job=run.job_name,
        connection=run.connection,
        session=run.job_session_id,
    )


def not_started_note(run: Run, since: datetime, asked_at: datetime, *, now: datetime) -> Note:
    """Give the note for a run that CDM has kept from its start since then."""
    words = Message(
        "NOT STARTED: {job} could not be started since {since} UTC, for {manager} can't be"
        " reached or used. {error} The app keeps trying; a person is asked at about {asked}"
        " UTC.",
        manager=run.kind.product,
        job=_job(run),
        since=f"{since:%H:%M:%S}",
        error=run.error or "",
        asked=f"{asked_at:%H:%M}",
    )
    return Note("not_started", _whole(run, words, now))


def new_attack_note(run: Run, why: str, *, now: datetime) -> Note:
    """Give the note for a new attack that ``run`` stands in the way of; ``why`` is a sentence."""
    words = shouted(why)
    if run.state is RunState.READY:
        session = Message(
            "{manager}'s job session is {session}.",
            manager=run.kind.product,
            session=run.job_session_id,
        )
        words = joined((words, session), " ")
    return Note("new_attack", _whole(run, words, now))


def shouted(why: str) -> str:
    """Give why there is a new attack so that it can't be overlooked: "NEW ATTACK while …"."""
    how = why.values.get("how") if isinstance(why, Message) else None
    return why if how is None else Message("NEW ATTACK {how}", how=how)


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


def _whole(run: Run, words: str, now: datetime) -> Message:
    at = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Message("Safeguarded restore, run {run}, {at}: {words}", run=run.id, at=at, words=words)
