# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a person needs to know who is to decide about a run: what the app saw before it asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.restore.model import Run, RunState, Transition

_MOST = 20  # ids in a sentence


@dataclass(frozen=True, slots=True)
class SeenSession:
    """One job session in CDM's list as it was seen last; its start by CDM's own clock."""

    id: str
    status: str
    start: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """What led to the question."""

    asked_at: datetime
    sent_at: datetime | None  # when the start was sent last
    seen_at: datetime | None
    seen: Sequence[SeenSession]  # open ones, or those that came after the start
    noted: Sequence[str] | None  # ids from before the start; None: none was about to be sent
    more_noted: int


def question_of(run: Run, transitions: Sequence[Transition]) -> Question | None:
    """Give what there is to know; None where nobody is asked."""
    if run.state is not RunState.NEEDS_DECISION or not transitions:
        return None
    starts = [one.at for one in transitions if one.to_state is RunState.STARTING]
    noted, seen = run.memory.get("noted"), run.memory.get("seen")
    ids = [str(one) for one in noted] if isinstance(noted, list) else None
    return Question(
        asked_at=transitions[-1].at,
        sent_at=starts[-1] if starts else None,
        seen_at=_time(run.memory.get("seen_at")),
        seen=[_session(one) for one in seen] if isinstance(seen, list) else [],
        noted=None if ids is None else ids[:_MOST],
        more_noted=max(len(ids or []) - _MOST, 0),
    )


def _session(kept: Sequence[str | None]) -> SeenSession:
    session_id, status, start = kept
    return SeenSession(str(session_id), str(status), _time(start))


def _time(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None
