# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the audit trail calls by codes, in words."""

from app.message import Message

WORDS = {
    "attack.acknowledged": Message("new attack acknowledged"),
    "attack.ended": Message("new attack over"),
    "attack.noticed": Message("new attack noticed"),
    "connection.add": Message("connection added"),
    "connection.change": Message("connection changed"),
    "connection.delete": Message("connection deleted"),
    "mapping.add": Message("mapping added"),
    "mapping.change": Message("mapping changed"),
    "mapping.delete": Message("mapping deleted"),
    "offense.note_given_up": Message("note given up"),
    "run.cancel": Message("cancel asked for"),
    "run.clean_up": Message("clean-up asked for"),
    "run.notes_given_up": Message("notes given up"),
    "run.offense": Message("offense of the run"),
    "run.resolve": Message("decision made"),
    "service_token.remove": Message("service token removed"),
    "service_token.set": Message("service token stored"),
    "settings.change": Message("setting changed"),
    "store.confirm": Message("trigger tokens confirmed"),
    "store.put_back": Message("database put back"),
    "trigger.offense": Message("offense of a trigger"),
    "trigger_token.new": Message("trigger token made"),
    "trigger_token.revoke": Message("trigger token revoked"),
}


def change_words(action: str) -> str:
    """What was done; one that has no words keeps its code."""
    return WORDS.get(action, action)
