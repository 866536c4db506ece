# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What states, outcomes, actions and sources are called, and what is remarked beside a state."""

from app.restore.model import Outcome, RunState

STATES = {
    RunState.AWAITING_APPROVAL: "waits for approval",
    RunState.QUEUED: "queued",
    RunState.STARTING: "starting",
    RunState.RESTORING: "restoring",
    RunState.READY: "ready in the clean room",
    RunState.CLEANING_UP: "cleaning up",
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
    RunState.OBSERVED: "observed, not started",
    RunState.NEEDS_DECISION: "needs a decision",
}
NOT_STARTED = "queued, not started"
COMPLETED_WITH_WARNINGS = "completed with warnings"
NEW = "new"
OUTCOMES = {
    Outcome.ACCEPTED: "restore requested",
    Outcome.AWAITING_APPROVAL: "waits for approval",
    Outcome.DUPLICATE: "duplicate",
    Outcome.ALREADY_RUNNING: "already running",
    Outcome.COOLING_DOWN: "cooling down",
    Outcome.LIMIT_REACHED: "limit reached",
    Outcome.DISARMED: "app is disarmed",
    Outcome.MAPPING_DISABLED: "mapping disabled",
    Outcome.UNMATCHED: "no mapping",
    Outcome.OBSERVED: "observed",
    Outcome.TEST: "connection test",
}
ACTIONS = {
    "approve": "Approve",
    "reject": "Reject",
    "cancel": "Cancel",
    "clean-up": "Clean up",
    "clean_up": "Clean up",
    "started": "It was started: follow the job session",
    "not_started": "It was not started: start it now",
    "follow": "Follow that job session",
    "clean_up_and_start": "Clean up that job session, then start",
    "give_up": "Give up",
}
SOURCES = {
    "custom_action": "custom action",
    "offense_watch": "offense watch",
    "simulation": "simulation",
    "manual": "started by hand",
}
ASKED_FOR = {"cancel": "cancel asked for", "clean_up": "clean up asked for"}

HINT_NEW_ATTACK = "new attack while run {id} holds the job"
HINT_CONTACT_LOST = "contact with CDM lost {ago}"
HINT_BLOCKED = "blocked by job session {session}"
PROGRESS = "Progress of run {id}"
