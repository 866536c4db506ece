# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""New attacks that could start nothing, and restores that are started by hand."""

from app.message import Message, counted

TITLE = "New attack, nothing was started"
NUMBER = "New attack {id}"
SEE_ALL = "See on the overview"
FOUND = "{time}, mapping {mapping}, {triggers}."
NEXT_START = "The next start by a trigger is possible at {time}."
MORE = "And {number} more, which are listed once these are acknowledged."
MORE_COOLING = "And {number} more mappings whose rule has fired and started nothing."
START_POSSIBLE = "A trigger can start it again since {time}."
ACKNOWLEDGE = "Acknowledge"
ACKNOWLEDGED_BY = "Acknowledged by {person}, {time}."
ANSWERED_BY = "Answered by {run}."
OPEN = "Nobody has acknowledged it yet."
OF_RUN = "New attacks that this run stood in the way of"
COLUMNS = ("Time", "What", "Mapping", "Triggers", "What came of it")
IN_COOL_DOWN = "A rule fired {ago} and started nothing. {why}"


def triggers(number: int) -> Message:
    """How many have come."""
    return counted("{n} trigger", "{n} triggers", n=number)


def acknowledged(job: str) -> str:
    """After the button."""
    return f"The new attack on {job} is acknowledged. Its history and the audit keep who did it."


def ended_before(job: str) -> str:
    """After the button, when somebody or a restore was faster."""
    return f"The new attack on {job} had ended before."


def unknown(number: int) -> str:
    """404."""
    return f"There is no new attack {number}."


UNKNOWN_ADVICE = "Look at the overview."

# --- by hand ----------------------------------------------------------------------------------

START_NOW = "Start now"
NOTHING_STARTED = "Nothing was started."
BY_HAND = "Start a restore by hand"
WHAT_IT_DOES = (
    "The mapping's restore job is started at once, as if its rule had fired, and without waiting"
    " for its cool-down. All else holds: the app's mode, approval, and a run that holds the job."
    " Where the last start was given up without knowing what became of it, the cool-down holds too:"
    " look into CDM first."
)
MAPPING = "Mapping"
MAPPING_CHOICE = "{mapping}: {job} on {connection}"
REASON = "Reason"
REASON_HELP = "Kept with the run: why it is started by hand."
NO_MAPPING = "There is no enabled mapping."
NO_MAPPING_HELP = "An administrator makes one; it names the restore job."
BACK = "Overview"
