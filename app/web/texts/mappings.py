# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages of the mappings: which rule starts which restore job, and how the job is picked."""

from collections.abc import Sequence

from app.cdm.copies import Which
from app.restore.model import Watch
from app.web.texts.common import plural

# --- the list

MAPPINGS = "Mappings"
COLUMNS = ("Name", "What it does")
NONE_YET = "No mapping yet"
WHAT_FOR = "A mapping says which restore job is started when a rule fires."
ADD = "Add a mapping"
DISABLED_TAG = "disabled"
CHANGED = "changed"
CONNECTION_FIRST = "Add a {connection} to CDM first."
CONNECTION_LINK = "connection"

# --- a mapping as a sentence

BY_NAME = "When a custom action names the mapping {name}"
BY_RULE = "When {rule} fires"
RULE = "rule {name}"
SOME_RULE = "the rule"
WITH_ID = "{rule} (id {id})"
DISABLED = "Disabled: {sentence}"

# --- what happened

SAVED = "Mapping {name} is saved."
DELETED = "Mapping {name} is deleted."
NO_SUCH = "There is no mapping {id}."
CHOOSE_CONNECTION = "Choose a connection."
NOT_A_RESTORE_JOB = "must be a restore job; {job} is not one."
NOT_CHECKED = "can't be checked while CDM does not answer. Save it later."
NOT_LISTED = "must be one of the jobs that CDM lists."
NOT_CHOSEN = "must be chosen from the list."

# --- choosing the connection

CONNECTION = "Connection"
CONNECTION_HELP = "Where the restore job is. Its jobs are listed in the next step."
NEXT = "Next"
NO_CONNECTION = "No connection yet"
WHY_CONNECTION = "A mapping starts a job on a CDM server, which must be known first."
ADD_CONNECTION = "Add a connection"

# --- the form

NEW = "New mapping"
TITLE = "Mapping {name}"
ON_CONNECTION = "Connection: {name}"
NAME = "Name"
NAME_HELP = "The history calls it by this name; the custom action's mapping parameter may too."
RULE_ID = "Rule id"
RULE_ID_HELP = "The number of the rule in QRadar, which the custom action sends as RULE_ID."
RULE_NAME = "Rule name"
RULE_NAME_HELP = (
    "Its exact name; it counts when no mapping has the rule's id. Leave both empty for a custom"
    " action that names this mapping."
)
JOB = "Restore job"
ACTION_NAME = "Action name (optional)"
ACTION_HELP = (
    "Only if the job offers several ways to start it in CDM; the one that brings the copy up in the"
    " clean room."
)
COOLDOWN = "Cool-down (seconds)"
COOLDOWN_HELP = (
    "After a start, triggers within this time are recorded but start nothing: 900 is 15 minutes, 0"
    " is none."
)
NEEDS_APPROVAL = "A person must approve each restore"
ENABLED = "Enabled"
WATCH = "Offense watch"
WATCH_LEGEND = "Offenses of this rule that brought no trigger"
WATCH_HELP = (
    "QRadar's response limiter silences custom actions, and rules of type OFFENSE may not run one"
    " at all. The watch needs the service token."
)
WATCHES = {
    Watch.OFF: "Leave them alone",
    Watch.NOTIFY: "Show them on the overview",
    Watch.ACT: "Start the restore as if the rule had called",
}
OFFER = (
    "A rule's call can be lost, while the app restarts for instance. The offense watch shows"
    " offenses that brought no trigger; new mappings have it by default. It is off for: {names}."
)
OFFER_TAKE = "Show them on the overview"
OFFER_LEAVE = "Leave them as they are"
OFFER_ANSWER = "answer must be notify or off."
SAVE = "Save"
BACK = "Back"
DELETE = "Delete"
DELETE_MAPPING = "Delete mapping"
DELETE_HELP = "Its rule starts nothing any more. Runs under way go on, and the history stays."
DELETE_NAMED = "Delete {name}"

# --- picking the rule

PICK_RULE = "Pick the rule"
RULE_SEARCH = "Rule name or id"
SEARCH_RULES = "Search QRadar's rules"
READ_RULES_AGAIN = "Read again"
RULES_READ = "The list of rules was read from QRadar {ago}."
RULES_NEVER_READ = "The list of rules was never read from QRadar."
RULES = "Rules"
RULE_COLUMNS = ("Rule", "Id", "Type", "Enabled", "Origin", "Choose")
CHOOSE = "Choose"
THIS_RULE = "QRadar: {name}, id {id}, type {type}, {enabled}, origin {origin}."
RULE_ENABLED = "enabled"
RULE_DISABLED = "disabled"
NOT_KNOWN = "not known"

# --- picking the job

JOB_SEARCH = "Search the jobs by name, id, type or description"
SEARCH_JOBS = "Search jobs"
JOBS_HELP = "The restore jobs that CDM lists now."
SHOW_ALL_JOBS = "Show all jobs"
SHOW_RESTORE_JOBS = "Show restore jobs only"
NO_RESTORE_JOB = "CDM shows no restore job to this user. Check its role and resource pool in CDM."
JOBS = "Jobs in CDM"
JOB_COLUMNS = ("Job", "Type", "Last run", "Result", "Copy it will use")
JOB_ID = "id {id}"
UNNAMED_JOB = "Job {id}"
GONE = "not listed by CDM"
NO_JOBS = "CDM shows no job to this user. Check its role and resource pool in CDM."
NO_MATCH = "No job matches."
NO_RESTORE = "does not restore"
NEVER_RUN = "never"
NO_VALUE = "–"
LOOK_AT_CONNECTION = "Look at the connection"
CAN_NOT_LIST = "CDM's jobs can't be listed: {reason}"
KINDS = {"recovery": "restore", "protection": "backup", "maintenance": "maintenance"}
UNKNOWN_KIND = "unknown type"

NOT_LOOKED_UP = "not looked up"
NO_COPY = "CDM lists no copy of {sources}."
COPY_WARNINGS = {Which.PINNED: "not the latest", Which.MISSING: "no copy"}


def starts(
    when: str,
    *,
    job: str,
    connection: str,
    action: str | None,
    at_most_once_in: str,
    needs_approval: bool,
) -> str:
    """What a mapping does when its rule fires."""
    mode = f" in mode {action}" if action else ""
    limit = f"at most once in {at_most_once_in}" if at_most_once_in else "without a cool-down"
    approval = ", after a person's approval" if needs_approval else ""
    return f"{when}, start {job} on {connection}{mode}, {limit}{approval}."


def kind(job_type: str) -> str:
    """What a job does, by CDM's type; a type that is not known keeps its own word."""
    return KINDS.get(job_type, job_type or UNKNOWN_KIND)


def rules_found(matches: int, total: int, shown: int) -> str:
    """How many rules a search found, above their table."""
    text = f"{matches} of {plural(total, 'rule')} match"
    if matches > shown:
        text += f"; the first {shown} are shown"
    return f"{text}. Choosing one fills in the form; nothing is saved by it."


def no_rule_found(total: int) -> str:
    """A search that found no rule."""
    return f"None of QRadar's {plural(total, 'rule')} matches."


def jobs_shown(shown: int, matches: int, total: int, search: str, every: bool) -> str:
    """How many of the listed jobs are shown; ``every``: not restore jobs only."""
    number = plural(total, "job" if every else "restore job")
    if search:
        verb = "matches" if total == 1 else "match"
        text = f"{matches:,} of {number} {verb} this search"
        return f"{text}; the first {shown} are shown." if shown < matches else f"{text}."
    order = ", restore jobs first" if every else ""
    if shown < total:
        return f"{shown} of {number} are shown{order}. Search for others."
    return f"{number}{order}."


def jobs_hidden(number: int) -> str:
    """How many more match but can't be chosen."""
    verb = "restores" if number == 1 else "restore"
    return f"{plural(number, 'other job')} {verb} nothing and can't be chosen."


def copies_left_out(number: int) -> str:
    """The time was over before every job's copy was looked up."""
    return (
        f"For {plural(number, 'restore job')} the copy was not looked up, to keep this page quick:"
        " search for the job to see it."
    )


def latest_copy(at: str, policy: str | None, problem: str | None) -> str:
    """The newest copy, whichever that is at the start; ``at`` is empty when it is not known."""
    if not at:
        return f"latest copy; its time is not known: {problem}"
    return f"latest copy: {at}{_from(policy)}"


def latest_copies(sources: str, at: str, policy: str | None, problem: str | None) -> str:
    """The newest copy of each of several sources; ``at`` is the oldest of these."""
    if not at:
        return f"latest copies of {sources}; their times are not known: {problem}"
    return f"latest copies of {sources}, the oldest: {at}{_from(policy)}"


def pinned_copy(copy: str, policy: str | None, problem: str | None) -> str:
    """Always the same copy, which in an attack is hardly the one that is wanted."""
    text = f"always the copy of {copy}{_from(policy)}: NOT the latest"
    return f"{text}. {problem}" if problem else text


def unknown_copy(problem: str | None) -> str:
    """It can't be known which copy is restored."""
    return f"not known: {problem or 'CDM does not tell.'}"


def _from(policy: str | None) -> str:
    return f", from policy {policy}" if policy else ""


def offer_answered(names: Sequence[str]) -> str:
    """The watch was switched on, or declined."""
    if names:
        return f"Offenses that brought no trigger are now shown for: {', '.join(names)}."
    return "The mappings stay as they are; each has its offense watch on its page."
