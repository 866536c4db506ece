# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which runs somebody asked for, and how a run is written as JSON and CSV (design §5)."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from app.restore.model import LogLine, Run, RunState, Transition
from app.store.run_rows import RunFilter
from app.store.store import Store
from app.store.times import to_text, to_text_or_none
from app.store.triggers import ReceivedTrigger
from app.web.problems import Problem

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
    return {name: _plain(getattr(run, name)) for name in FIELDS}


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


def trigger_fields(trigger: ReceivedTrigger) -> dict[str, object]:
    """A trigger that belongs to a run: the one that made it, or one that it swallowed."""
    return {
        "id": trigger.id,
        "request_id": trigger.request_id,
        "received_at": to_text(trigger.received_at),
        "outcome": trigger.outcome,
        "fields": dict(trigger.fields),
    }


def read_filter(query: Mapping[str, str]) -> RunFilter:
    """The filter that a query describes; an empty value is none. `Problem` 400 names the field."""
    chosen = {name: query.get(name, "").strip() for name in FILTERS}
    state = chosen["state"]
    if state and state not in set(RunState):
        raise Problem(400, f"state must be one of {', '.join(RunState)}.", field="state")
    offense = chosen["offense_id"]
    return RunFilter(
        state=state or None,
        mapping=chosen["mapping"] or None,
        connection=chosen["connection"] or None,
        offense_id=read_number(offense, "offense_id", most=_LARGEST) if offense else None,
        q=chosen["q"] or None,
        from_=_read_time(chosen["from"], "from"),
        to=_read_time(chosen["to"], "to", end=True),
    )


def read_before(query: Mapping[str, str]) -> int | None:
    """The keyset: only runs older than this id."""
    text = query.get("before", "").strip()
    return read_number(text, "before", most=_LARGEST) if text else None


def read_limit(query: Mapping[str, str]) -> int:
    """How many runs at most."""
    text = query.get("limit", "").strip()
    return read_number(text, "limit", most=MOST) if text else PAGE


def read_number(text: str, name: str, *, most: int) -> int:
    """A number from 1 to ``most``; `Problem` 400 names the field."""
    if text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most:
        return int(text)
    limit = f" of at most {most}" if most != _LARGEST else ""
    raise Problem(400, f"{name} must be a whole number from 1{limit}.", field=name)


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
            400, f"{name} must be a time such as 2026-11-24T08:00:00Z.", field=name
        ) from error


def one_page(
    store: Store, chosen: RunFilter, *, before: int | None, limit: int
) -> tuple[Sequence[Run], int | None]:
    """The newest ``limit`` runs that match, and the keyset of the next page if there is one."""
    runs = store.runs.list(chosen, before=before, limit=limit + 1)
    return runs[:limit], runs[limit - 1].id if len(runs) > limit else None


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
