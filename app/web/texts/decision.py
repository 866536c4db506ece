# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What is told, on a run's page, to whoever is to decide about it."""

HEADING = "What is to be decided"

SAW = "What the app saw"
ASKED = "Asked since"
SENT = "The start was sent"
NOT_SENT = "never, by this run"
STATUS = "CDM's last word on that session"
NO_STATUS = "none: the app has not followed a job session of this run"
BLOCKED = "Blocked by job session"
NOTED = "Job sessions from before the start"
NONE_NOTED = "none: CDM showed no job session of this job"
MORE = "and {number} more"
OPEN = "Open job sessions of this job in CDM's list at {time}:"
NEW = "Job sessions that were new in CDM's list at {time}:"
NONE_SEEN = "none."
COLUMNS = ("Job session", "CDM status", "Begun (CDM's clock)")

WHERE = "Where to look in CDM"
LOOK = (
    "In CDM's own pages ({connection}), open the job {job} (id {id}) and its history of job"
    " sessions. How the menus are called differs between CDM's releases; the words below do not."
)
LOOK_FOR = (
    "Status PENDING, RUNNING or ACTIVE: a restore is under way.",
    "Status RESOURCE ACTIVE: its copy is mounted in the clean room, until it is cleaned up.",
    "A job session that began when the start was sent, with an id that is not among those from"
    " before: it is probably this run's. Its log tells what it did.",
    "Status IDLE of the job, and no such job session: nothing was started.",
)
