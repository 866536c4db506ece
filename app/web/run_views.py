# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which runs somebody asked for, and how a run is written as JSON and CSV (architecture §5)."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from app.framework.links import console_url
from app.message import Message
from app.restore.model import LogLine, Run, RunState, Transition
from app.store.history import RunPage
from app.store.notes import OffenseNote
from app.store.run_rows import RunFilter
from app.store.store import Store
from app.store.times import to_text, to_text_or_none
from app.store.triggers import ReceivedTrigger
from app.web.problems import Problem, one_of

FIELDS = (
    *("id", "state", "mapping", "connection", "job_id", "job_name", "job_session_id"),
    *("cdm_status", "percent", "source", "rule_id", "rule_name", "offense_id", "detected_at"),
    *("received_at", "started_at", "ready_at", "ended_at", "repeats", "error"),
)
FILTERS = ("state", "mapping", "connection", "offense_id", "q", "from", "to")
PAGE, MOST = 50, 200
CSV_PART = 10_000  # rows
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LARGEST = 2**62


def run_fields(run: Run) -> dict[str, object]:
    """A run as ``GET /api/v1/runs`` gives it: times as ISO 8601 in UTC, null until known."""
    fields = {name: _plain(getattr(run, name)) for name in FIELDS}
    if run.state is RunState.QUEUED and run.contact_lost_since is not None:
        fields["error"] = Message("NOT STARTED: {reason}", reason=run.error or "")
    return fields


def transition_fields(step: Transition) -> dict[str, object]:
    """One change of a run's history."""
    return {
        "at": to_text(step.at),
        "from": step.from_state,
        "to": step.to_state,
        "reason": step.reason,
        "by": step.by,
    }


def log_fields(line: LogLine) -> dict[str, object]:
    """One line of CDM's job log."""
    return {"time": to_text_or_none(line.time), "type": line.type, "message": line.message}


def note_fields(note: OffenseNote) -> dict[str, object]:
    """One offense note and its delivery."""
    return {
        "offense_id": note.offense_id,
        "text": note.text,
        "due_at": to_text(note.due_at),
        "posted_at": to_text_or_none(note.posted_at),
        "attempts": note.attempts,
        "error": note.error,
    }


def trigger_fields(trigger: ReceivedTrigger) -> dict[str, object]:
    """A trigger that belongs to a run: the one that made it, or one that it swallowed."""
    return {
        "id": trigger.id,
        "request_id": trigger.request_id,
        "received_at": to_text(trigger.received_at),
        "outcome": trigger.outcome,
        "fields": dict(trigger.fields),
        "not_kept": trigger.not_kept,
        "token": trigger.token,
        "peer": trigger.peer,
    }


def read_filter(query: MultiDict[str, str]) -> RunFilter:
    """The filter that a query describes; an empty value is none, ``state`` may come several times.

    `Problem` 400 names the field that can't be read.
    """
    chosen = {name: query.get(name, "").strip() for name in FILTERS}
    states = dict.fromkeys(one.strip() for one in query.getlist("state") if one.strip())
    if set(states) - set(RunState):
        raise Problem(400, one_of("state", RunState), field="state")
    offense = chosen["offense_id"]
    return RunFilter(
        states=tuple(states),
        mapping=chosen["mapping"] or None,
        connection=chosen["connection"] or None,
        offense_id=read_number(offense, "offense_id", most=_LARGEST) if offense else None,
        q=chosen["q"] or None,
        from_=_read_time(chosen["from"], "from"),
        to=_read_time(chosen["to"], "to", end=True),
    )


def read_place(query: Mapping[str, str]) -> tuple[int | None, int | None]:
    """The keyset: only runs before this id, or only runs after that one."""
    before, after = (query.get(name, "").strip() for name in ("before", "after"))
    return (
        read_number(before, "before", most=_LARGEST) if before else None,
        read_number(after, "after", most=_LARGEST) if after else None,
    )


def read_limit(query: Mapping[str, str], preset: int = PAGE) -> int:
    """How many runs at most."""
    text = query.get("limit", "").strip()
    return read_number(text, "limit", most=MOST) if text else preset


def read_number(text: str, name: str, *, most: int) -> int:
    """A number from 1 to ``most``; `Problem` 400 names the field."""
    if text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most:
        return int(text)
    message = _whole_number(name, None if most == _LARGEST else most)
    raise Problem(400, message, field=name)


def _read_time(text: str, name: str, *, end: bool = False) -> datetime | None:
    """A date or time in ISO 8601, taken as UTC when it names no zone; a date ends with its day."""
    if not text:
        return None
    try:
        # A plus sign in a query that was not percent-encoded arrives as a blank.
        at = datetime.fromisoformat(text.replace(" ", "+") if text.count(":") > 2 else text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return at + timedelta(days=1) if end and len(text) == 10 else at
    except (ValueError, OverflowError) as error:
        raise Problem(
            400,
            Message("{field} must be a time such as 2026-11-24T08:00:00Z.", field=name),
            field=name,
        ) from error


def query_of(query: MultiDict[str, str], *names: str) -> dict[str, list[str]]:
    """What a query says to ``names``, for links that keep it."""
    said = {name: [one for one in query.getlist(name) if one.strip()] for name in names}
    return {name: values for name, values in said.items() if values}


def find_page(
    store: Store, query: MultiDict[str, str], *, limit: int, chosen: RunFilter | None = None
) -> RunPage:
    """The page of runs that a query asks for."""
    before, after = read_place(query)
    chosen = chosen or read_filter(query)
    return store.history.page(chosen, before=before, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class Spans:
    """How long a run took, in seconds, each from the receipt; None until known."""

    started: float | None
    ready: float | None
    ended: float | None


def spans(run: Run) -> Spans:
    """The lengths of a run, all by our clock, which may have been set back: none is less than 0 s.

    When the event was is the sender's word; where QRadar stores and forwards, it may be days ago.
    """

    def until(at: datetime | None) -> float | None:
        return None if at is None else max((at - run.received_at).total_seconds(), 0.0)

    return Spans(until(run.started_at), until(run.ready_at), until(run.ended_at))


def offense_url(offense_id: int) -> str:
    """Where the console's classic pages show an offense (qradar §8)."""
    page = urlencode({"appName": "Sem", "pageId": "OffenseSummary", "summaryId": offense_id})
    return f"{console_url()}do/sem/offensesummary?{page}"


def to_csv(runs: Iterable[Run]) -> str:
    """The runs as CSV with a header row; no cell can be taken for a formula by a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(FIELDS)
    for run in runs:
        values = run_fields(run)
        writer.writerow([_cell(values[name]) for name in FIELDS])
    return text.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(value: object) -> object:
    return to_text(value) if isinstance(value, datetime) else value


def _whole_number(field: str, most: int | None) -> Message:
    """Not a number, or out of its bounds."""
    if most is None:
        return Message("{field} must be a whole number from 1.", field=field)
    return Message(
        "{field} must be a whole number from 1 of at most {most}.", field=field, most=most
    )
