# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How a run is written as JSON and CSV (architecture §5), and the figures that pages show of it."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from app.framework.links import console_url
from app.message import Message
from app.restore.model import LogLine, Run, RunState, Transition
from app.restore.model.recovery_point import copy_words, point_of
from app.store.notes import OffenseNote
from app.store.times import to_text, to_text_or_none
from app.store.triggers import ReceivedTrigger
from app.web.frame.language import for_programs

FIELDS = (
    *("id", "state", "mapping", "connection", "job_id", "job_name", "job_session_id"),
    *("cdm_status", "percent", "source", "rule_id", "rule_name", "offense_id", "detected_at"),
    *("received_at", "started_at", "ready_at", "ended_at", "repeats", "error"),
)
COPY_COLUMNS = ("copy_which", "copy_made_at", "copy_age_s", "copy_relation")
CSV_PART = 10_000  # rows
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def run_fields(run: Run) -> dict[str, object]:
    """A run as ``GET /api/v1/runs`` gives it: times as ISO 8601 in UTC, null until known."""
    fields = {name: _plain(getattr(run, name)) for name in FIELDS}
    if run.state is RunState.QUEUED and run.contact_lost_since is not None:
        fields["error"] = Message("NOT STARTED: {reason}", reason=run.error or "")
    return {**fields, "copy": copy_fields(run)}


def copy_fields(run: Run) -> dict[str, object] | None:
    """The copy that a run brings up, and how it stands to the detection (architecture §7)."""
    point = point_of(run)
    if run.copy is None or point is None:
        return None
    copy = run.copy.copy
    return {
        "which": copy.which,
        "made_at": to_text_or_none(copy.made_at),
        "newest_made_at": to_text_or_none(copy.newest_made_at),
        "name": copy.name,
        "policy": copy.policy,
        "sources": [
            {
                "name": source.name,
                "made_at": to_text_or_none(source.made_at),
                "policy": source.policy,
            }
            for source in copy.sources
        ],
        "age_s": point.age_s,
        "relation": point.relation,
        "clock_offset_s": copy.clock.ahead_s if copy.clock else None,
        "seen_at": to_text(run.copy.seen_at),
        "problem": copy.problem,
        "text": copy_words(run),
    }


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
        "text": note.with_mark,
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
    writer.writerow([*FIELDS, *COPY_COLUMNS])
    rows = []
    for run in runs:
        values = run_fields(run)
        copy = copy_fields(run) or {}
        cells = [values[name] for name in FIELDS]
        rows.append([*cells, *(copy.get(name.removeprefix("copy_")) for name in COPY_COLUMNS)])
    writer.writerows([map(_cell, row) for row in for_programs(rows)])
    return text.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(value: object) -> object:
    return to_text(value) if isinstance(value, datetime) else value
