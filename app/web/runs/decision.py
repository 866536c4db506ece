# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a person needs to know who is to decide about a run: what the app saw before it asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.restore.memory import SeenSession
from app.restore.model import Run, RunState, Transition

_MOST = 20  # ids in a sentence


@dataclass(frozen=True, slots=True)
class Question:
    """What led to the question."""

    asked_at: datetime
    sent_at: datetime | None  # when the start was sent last
    seen_at: datetime | None
    seen: Sequence[SeenSession]  # open ones, or those that came after the start
    noted: Sequence[str] | None  # ids from before the start; None: none was about to be sent
    more_noted: int
    sessions: Sequence[SeenSession]  # of which one may be this run's


def question_of(run: Run, transitions: Sequence[Transition]) -> Question | None:
    """Give what there is to know; None where nobody is asked."""
    if run.state is not RunState.NEEDS_DECISION or not transitions:
        return None
    starts = [one.at for one in transitions if one.to_state is RunState.STARTING]
    noted = run.memory.noted
    return Question(
        asked_at=transitions[-1].at,
        sent_at=starts[-1] if starts else None,
        seen_at=run.memory.seen_at,
        seen=run.memory.seen,
        noted=None if noted is None else noted[:_MOST],
        more_noted=max(len(noted or ()) - _MOST, 0),
        sessions=_may_be_its_own(run),
    )


def _may_be_its_own(run: Run) -> Sequence[SeenSession]:
    """The job sessions to choose from: the one that was followed, and those in CDM's list."""
    found = [one for one in run.memory.seen if one.id not in (run.memory.noted or ())]
    own = run.job_session_id
    if own is not None and own not in [one.id for one in found]:
        found.insert(0, SeenSession(own, run.cdm_status or "", None))
    return found
