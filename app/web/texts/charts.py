# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The charts of runs and times."""

from app.message import Message
from app.restore.model import RunState

PERIOD_NAMES = {"day": "Day", "month": "Month", "year": "Year"}
GROUPS = {
    "done": "ready or completed",
    "active": "under way",
    "attention": "needs a person",
    "rest": "not started, or cancelled",
    "bad": "failed",
}
GROUP_OF = {
    RunState.READY: "done",
    RunState.CLEANING_UP: "done",
    RunState.COMPLETED: "done",
    RunState.QUEUED: "active",
    RunState.STARTING: "active",
    RunState.RESTORING: "active",
    RunState.AWAITING_APPROVAL: "attention",
    RunState.NEEDS_DECISION: "attention",
    RunState.CANCELLED: "rest",
    RunState.OBSERVED: "rest",
    RunState.FAILED: "bad",
}
RUNS = "Runs per {period} by outcome"
X_AXIS = "{period} (UTC)"
RUNS_AXIS = "Runs"
READY_AXIS = "From receipt to ready"
READY = "Time from receipt to ready"
RUNS_TEXT = "{runs} from {first} to {last}, in UTC: {parts}."
READY_TEXT = (
    "For each {period} the median as a dot, and a line from the fastest to the slowest: {runs},"
    " median of all {median}."
)
NO_RUNS = "No run in this time."
NO_READY = "No copy came up in this time."
AS_TABLE = "{chart} as a table"
TOTAL_COLUMN = "Runs"
READY_COLUMNS = ("Runs", "Median", "Fastest", "Slowest")


def sampled(every: int) -> Message | str:
    """Of very many runs not each is looked at."""
    if every == 1:
        return ""
    return Message("There are so many that every {every}th run was taken.", every=every)
