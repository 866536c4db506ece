# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The page of one run."""

HEADING = "Run {id}: {job}"
PROGRESS = "Progress"
CONTACT_LOST = (
    "Contact with CDM was lost {ago}. What is shown here is what CDM said before. The app keeps"
    " trying."
)
NO_CONTACT = (
    "The app has had no contact with CDM for this run; it was tried first {ago}. Nothing of it was"
    " seen in CDM yet. The app keeps trying."
)

WHAT_CAN_BE_DONE = "What can be done"
ASKED = "{person} asked {ago}: “{what}”. It is carried out as soon as possible."
ENDED_ALREADY = "Nothing: the run has ended."
GOES_ON = "Nothing: the app goes on by itself."
SOMEBODY_CAN = "{lacking} Somebody with it can:"
SESSION_ID = "CDM job session id"
SESSION_ID_HELP = "CDM shows it in the job's history."
WHICH_JOB = "Restore job: {job} on {connection}, run {id}."
DO_IT = "{words}: {job}"

FACTS = "Facts"
CONNECTION = "Connection"
JOB = "Restore job"
JOB_ID = "(job {id})"
SESSION = "CDM job session"
NOT_KNOWN_YET = "not known yet"
CDM_STATUS = "CDM status"
MAPPING = "Mapping"
SOURCE = "Source"
DRY_RUN = "only observed, not to be started"
RULE = "Rule"
RULE_ID = "(id {id})"
OFFENSE = "Offense"
NOT_KNOWN = "not known"
DETECTED = "Detected"
RECEIVED = "Received"
STARTED = "Started"
READY = "Ready"
ENDED = "Ended"
AFTER = "{time} after the receipt"
REPEATS = "Repeats"

TIMELINE = "Timeline"
TIMELINE_COLUMNS = ("Time", "State", "For", "Reason", "By")
THE_END = "the end"
SO_FAR = "{time} so far"

EVENT = "Event"
NO_EVENT = "The trigger carried no values of an event."
SENT_BY = "Sent with trigger token {token} from {peer}."

LOG = "CDM's log"
LOG_TYPE = "Type"
LOG_KIND = "{kind} ({number})"
SHOW_THESE = "Show these"
LOG_COLUMNS = ("Time (CDM's clock)", "Type", "Message")
EARLIER_LINES = "Earlier lines"
LATER_LINES = "Later lines"
SOME_LINES = "{shown} of {total} lines"
NO_SUCH_LINE = "No line of this kind."
NO_LOG = "CDM has not logged anything for this run yet."

SWALLOWED = "Further triggers"
SWALLOWED_COLUMNS = ("Received", "Outcome", "Why")
MORE_SWALLOWED = "{number} earlier ones are not listed here."
NONE_SWALLOWED = "No other trigger has come for this run."

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
    "simulated_by": "Simulated by",
    "started_by": "Started by",
    "reason": "Reason",
}


def field_name(name: str) -> str:
    """What a trigger's field is called on pages; one we don't know keeps its own name."""
    return FIELDS.get(name, name)


# --- the notes on its offense ----------------------------------------------------------------

NOTES = "Offense notes"
NO_SERVICE_TOKEN = (
    "No service token is stored: offenses are not looked for and notes are not written. The restore"
    " itself does not need one."
)
STORE_IT = "Store it on the {settings} page."
SETTINGS = "settings"
OFFENSE_UNKNOWN = "The offense of this run is not known. {search}"
NOTE_COLUMNS = ("Written", "Note", "Delivery")
IN_OFFENSE = "in the offense"
GIVEN_UP = "given up"
WAITING = "waiting"
TOLD = "What other offenses of its repeats are told, the latest"
TOLD_COLUMNS = ("Written", "Offense", "Note", "Delivery")
NO_NOTE = "Nothing was written yet."


# --- what is asked of it ----------------------------------------------------------------------


def unknown(number: int) -> str:
    """404."""
    return f"There is no run {number}."


UNKNOWN_ADVICE = "Look at the list of runs."
NOT_POSSIBLE_CAUSE = "The run has moved on, or it never was in a state where this makes sense."
MOVED_ON = "The run has just moved on; nothing was changed."
LOOK_AGAIN = "Look at the run again."
