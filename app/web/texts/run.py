# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The page of one run."""

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
NO_NOTE = "Nothing was written yet."


# --- what is asked of it ----------------------------------------------------------------------


def unknown(number: int) -> str:
    """404."""
    return f"There is no run {number}."


UNKNOWN_ADVICE = "Look at the list of runs."
NOT_POSSIBLE_CAUSE = "The run has moved on, or it never was in a state where this makes sense."
MOVED_ON = "The run has just moved on; nothing was changed."
LOOK_AGAIN = "Look at the run again."
