# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages of the mappings: which rule starts which restore job, and how the job is picked."""

from collections.abc import Sequence

from app.cdm.copies import Which
from app.message import Message, counted
from app.restore.model import Watch

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
) -> Message:
    """What a mapping does when its rule fires."""
    limit = (
        Message("at most once in {time}", time=at_most_once_in)
        if at_most_once_in
        else Message("without a cool-down")
    )
    if needs_approval:
        limit = Message("{limit}, after a person's approval", limit=limit)
    if action:
        connection = Message("{connection} in mode {action}", connection=connection, action=action)
    return Message(
        "{when}, start {job} on {connection}, {limit}.",
        when=when,
        job=job,
        connection=connection,
        limit=limit,
    )


def kind(job_type: str) -> str:
    """What a job does, by CDM's type; a type that is not known keeps its own word."""
    return KINDS.get(job_type, job_type or UNKNOWN_KIND)


def rules_found(matches: int, total: int, shown: int) -> Message:
    """How many rules a search found, above their table."""
    found = counted(
        "{matches} of {n} rule match", "{matches} of {n} rules match", n=total, matches=matches
    )
    if matches > shown:
        found = Message("{found}; the first {shown} are shown", found=found, shown=shown)
    return Message("{found}. Choosing one fills in the form; nothing is saved by it.", found=found)


def no_rule_found(total: int) -> Message:
    """A search that found no rule."""
    return counted(
        "None of QRadar's {n} rule matches.", "None of QRadar's {n} rules matches.", n=total
    )


def jobs_shown(shown: int, matches: int, total: int, search: str, every: bool) -> Message:
    """How many of the listed jobs are shown; ``every``: not restore jobs only."""
    number = (
        counted("{n} job", "{n} jobs", n=total)
        if every
        else counted("{n} restore job", "{n} restore jobs", n=total)
    )
    if search:
        text = counted(
            "{matches} of {number} matches this search",
            "{matches} of {number} match this search",
            n=total,
            matches=matches,
            number=number,
        )
        if shown < matches:
            return Message("{text}; the first {shown} are shown.", text=text, shown=shown)
        return Message("{text}.", text=text)
    order = Message(", restore jobs first") if every else ""
    if shown < total:
        return Message(
            "{shown} of {number} are shown{order}. Search for others.",
            shown=shown,
            number=number,
            order=order,
        )
    return Message("{number}{order}.", number=number, order=order)


def jobs_hidden(number: int) -> Message:
    """How many more match but can't be chosen."""
    return counted(
        "{n} other job restores nothing and can't be chosen.",
        "{n} other jobs restore nothing and can't be chosen.",
        n=number,
    )


def copies_left_out(number: int) -> Message:
    """The time was over before every job's copy was looked up."""
    return counted(
        "For {n} restore job the copy was not looked up, to keep this page quick: search for the"
        " job to see it.",
        "For {n} restore jobs the copy was not looked up, to keep this page quick: search for the"
        " job to see it.",
        n=number,
    )


def latest_copy(at: str, policy: str | None, problem: str | None) -> Message:
    """The newest copy, whichever that is at the start; ``at`` is empty when it is not known."""
    if not at:
        return Message("latest copy; its time is not known: {problem}", problem=problem or "")
    return _from(Message("latest copy: {at}", at=at), policy)


def latest_copies(sources: str, at: str, policy: str | None, problem: str | None) -> Message:
    """The newest copy of each of several sources; ``at`` is the oldest of these."""
    if not at:
        return Message(
            "latest copies of {sources}; their times are not known: {problem}",
            sources=sources,
            problem=problem or "",
        )
    return _from(
        Message("latest copies of {sources}, the oldest: {at}", sources=sources, at=at), policy
    )


def pinned_copy(copy: str, policy: str | None, problem: str | None) -> Message:
    """Always the same copy, which in an attack is hardly the one that is wanted."""
    which = _from(Message("always the copy of {copy}", copy=copy), policy)
    if problem:
        return Message("{which}: NOT the latest. {problem}", which=which, problem=problem)
    return Message("{which}: NOT the latest", which=which)


def unknown_copy(problem: str | None) -> Message:
    """It can't be known which copy is restored."""
    return Message("not known: {problem}", problem=problem or Message("CDM does not tell."))


def _from(copy: Message, policy: str | None) -> Message:
    return Message("{copy}, from policy {policy}", copy=copy, policy=policy) if policy else copy


def offer_answered(names: Sequence[str]) -> Message:
    """The watch was switched on, or declined."""
    if names:
        return Message(
            "Offenses that brought no trigger are now shown for: {names}.", names=", ".join(names)
        )
    return Message("The mappings stay as they are; each has its offense watch on its page.")
