# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Sentences that pages show, in one place, so that a translation needs no template.

Constants and functions only; what they are given is shown escaped by the templates.
"""

from datetime import datetime

from app.restore.model import RunState


def date(at: datetime) -> str:
    """A day for people."""
    return f"{at.day} {at:%B %Y}"


def plural(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 run", "1,200 runs"."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


# --- the health strip -------------------------------------------------------------------------

ARMED = "Rules start restores."
OBSERVING = "Triggers are decided and recorded, nothing is started."
DISARMED = "Triggers are recorded, nothing is started."
WORKER_NEW = "It has not started yet: triggers are kept, nothing is started until it has."
QRADAR_OK = "QRadar has told within the last minute who you are and what you may do."
OFFENSES_UNWATCHED = "Without a service token offenses are neither found nor watched."
CDM_NEW = "It was not contacted yet: test the connection, or wait for the first run."
NO_TRIGGER = "No rule has called yet."
LOW_DISK = "Little room is left: when it is full, triggers are refused."


def worker_ok(ago: str) -> str:
    """The worker's last sign of life, when it is recent."""
    return f"At work, last seen {ago}."


def worker_late(ago: str) -> str:
    """The worker shows no sign of life."""
    return (
        "The worker is not running: triggers are kept, nothing is started until it is back."
        f" It was last seen {ago}; worker.log says why."
    )


def qradar_trouble(reason: str, ago: str) -> str:
    """The worker can't reach the console, although this page could ask it."""
    return f"The worker could not speak with the console: {reason} Last answer: {ago}."


def cdm_ok(ago: str) -> str:
    """A CDM that answered last time."""
    return f"Answered {ago}."


def cdm_trouble(reason: str, ago: str) -> str:
    """A CDM that did not answer last time."""
    why = reason or "It does not answer."
    return f"{why} Last answer: {ago}. Restores that run there go on; the app keeps asking."


def last_trigger(ago: str, outcome: str) -> str:
    """The last call of a rule."""
    return f"{ago[:1].upper()}{ago[1:]}: {outcome}."


def store_size(used: str, free: str) -> str:
    """How large the database is, and the room beside it."""
    return f"The database has {used}; {free} are free."


def ends(what: str, at: datetime, now: datetime) -> str:
    """When a certificate or token ends, or that it has."""
    days = (at - now).days
    if at <= now:
        return f"{what} has expired on {date(at)}."
    if days < 1:
        return f"{what} expires within a day, on {date(at)}."
    return f"{what} is valid until {date(at)}, for {plural(days, 'more day')}."


PINNED = "The server's certificate is pinned by its fingerprint."
SYSTEM_TRUST = "The server's certificate is verified with the system's CAs."


# --- what needs a person ----------------------------------------------------------------------


def needs_decision(run_id: int, job: str) -> str:
    """A run with two readings."""
    return f"Run {run_id} of {job} needs a decision: look into CDM, then decide on its page."


def needs_approval(run_id: int, job: str) -> str:
    """A run that waits for a yes."""
    return f"Run {run_id} of {job} waits for somebody to approve it."


def new_attack(run_id: int, job: str) -> str:
    """A trigger came while an old copy is up."""
    return (
        f"New attack while run {run_id} is still mounted: a rule has fired again, and {job} can't"
        " bring up another copy before this one is cleaned up."
    )


def still_mounted(run_id: int, job: str, since: str) -> str:
    """A forgotten mount."""
    return (
        f"Run {run_id} of {job} has its copy mounted for {since}: clean it up when nobody needs it"
        " any more. Until then this job can't be restored again."
    )


def job_drift(mapping: str, reason: str) -> str:
    """A mapping whose job is not what it was."""
    return f"Mapping {mapping} would not start as it should: {reason}"


# --- charts -----------------------------------------------------------------------------------

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
CHART_RUNS = "Runs per {period} by outcome"
CHART_RUNS_AXIS = "Runs"
CHART_READY_AXIS = "From detection to ready"
CHART_READY = "Time from detection to ready"
CHART_RUNS_TEXT = "{runs} from {first} to {last}, in UTC: {parts}."
CHART_READY_TEXT = (
    "For each {period} the median as a dot, and a line from the fastest to the slowest: {runs},"
    " median of all {median}."
)
CHART_NO_RUNS = "No run in this time."
CHART_NO_READY = "No copy came up in this time."


def sampled(every: int) -> str:
    """Of very many runs not each is looked at."""
    return f"There are so many that every {every}th run was taken." if every > 1 else ""


# --- a run ------------------------------------------------------------------------------------

EVIDENCE = {
    "answered": "CDM answered the start, and this is the job session it began.",
    "found": "CDM's answer was lost; this was the only new job session of the job.",
    "chosen": "A person named this job session.",
}
FIELDS = {
    "event_time": "Time of the event",
    "starttime": "Time of the event",
    "source_ip": "Source address",
    "sourceip": "Source address",
    "destination_ip": "Destination address",
    "destinationip": "Destination address",
    "username": "User",
    "log_source_id": "Log source",
    "logsourceid": "Log source",
    "qid": "QRadar event id (QID)",
    "magnitude": "Magnitude",
    "offense_id": "Offense",
    "rule_id": "Rule id",
    "rule_name": "Rule",
    "mapping": "Mapping",
    "script": "Version of the custom action",
}


def field_name(name: str) -> str:
    """What a trigger's field is called on pages; one we don't know keeps its own name."""
    return FIELDS.get(name, name)
