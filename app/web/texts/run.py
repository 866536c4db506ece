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
