# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The overview."""

TITLE = "Overview"
HEALTH = "Health"
LOOK_AT_IT = "Look at it"
NEEDS_A_PERSON = "Needs a person"
ALL_WAITING = "All {number}"
NOT_STARTED = "Restores that do not start"
ALL_NOT_STARTED = "All {number} that wait"

FIRST_STEPS = "Before a rule can start a restore"

GOING_ON = "Going on"
UNDER_WAY = "Restores under way"
NONE_UNDER_WAY = "No restore is under way."

RECENT_TRIGGERS = "Recent triggers"
TRIGGER_COLUMNS = ("Received", "Outcome", "Rule or mapping", "Why", "Run")
TIMES = "× {number}"
NO_RULE_CALLED = "No rule has called yet."

ENDED = "Ended recently"
ALL_RUNS = "All runs"
NONE_ENDED = "No restore has ended yet."
NO_RESTORE = "No restore was asked for yet."

UNSERVED = "Offenses that brought no trigger"
UNSERVED_COLUMNS = ("Offense", "Rule", "Mapping", "Noticed", "Seen")
BROUGHT_NO_TRIGGER = "Offense {offense} of rule {rule} brought no trigger."
DISMISS = "Dismiss"
MORE_UNSERVED = "{number} more are listed once these are dismissed."
NAME_BOTH = "Name the mapping and the offense by their numbers."


def dismissed(offense: int) -> str:
    """After dismissing an offense that brought no trigger."""
    return f"Offense {offense} is dismissed: it is not shown here again."
