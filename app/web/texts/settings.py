# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings page."""

SERVICE_TOKEN = "Service token"
SERVICE_TOKEN_HELP = (
    "With the token of an authorized service whose role includes Offenses, the app finds the"
    " offense of a run, writes notes there and watches offenses. Listing rules in the background"
    " needs Admin. Without a token all restores work, and offenses learn nothing."
)
STORED = "Stored"
A_TOKEN = "a token"
ENDS = "Ends"
NEVER_ENDS = "never, or not told by QRadar"
STORE_NEW_ONE = "{warning} Store a new one."
NONE_STORED = "None is stored."
TOKEN = "Token"
REPLACE_TOKEN = "Replace the service token"
STORE_TOKEN = "Store the service token"
REMOVE_TOKEN = "Remove the service token"
REMOVE_TOKEN_HELP = "Offenses are no longer looked for or watched, and notes wait. Restores go on."
REMOVE_IT = "Remove it"

OPERATORS = "Operators"
OPERATORS_HELP = (
    "Users with one of these QRadar roles may start by hand, acknowledge new attacks, approve,"
    " cancel, clean up and decide. Those with Admin always may."
)
ROLES_UNKNOWN = "QRadar's roles can't be listed: {reason}"
SAVE_ROLES = "Save the operator roles"
NO_ROLE = "There is none to choose."

EVENTS = "Events to QRadar's log"
EVENTS_ON = "Requests, starts, ends and configuration changes as LEEF events. They are on."
EVENTS_OFF = "Requests, starts, ends and configuration changes as LEEF events. They are off."
OWN_EVENTS = "The app's own events"
OWN_EVENTS_HELP = (
    "A rule that matches these events must not start a restore over them. They are known by their"
    " log source and event id together; an event that only names the user safeguarded-restore"
    " starts a restore at most once in the full cool-down."
)
OWN_EVENTS_KNOWN = "Known: log source {sources}, event ids (QID) {qids}."
OWN_EVENTS_UNKNOWN = (
    "Not known: the console does not tell, or the events are not mapped in QRadar yet. They can be"
    " named here."
)
OWN_LOG_SOURCES = "Log source ids"
OWN_QIDS = "Event ids (QID)"
NUMBERS_HELP = "Numbers, with commas or blanks between them; empty: what the console tells."
SAVE_OWN_EVENTS = "Save the ids"
OWN_EVENTS_SAVED = "The ids of the app's own events are saved."
SWITCH_ON = "Switch on"
SWITCH_OFF = "Switch off"


# --- storing the service token ----------------------------------------------------------------


def token_stored(name: str) -> str:
    """After storing."""
    return f"The service token {name} is stored."


def token_not_stored(reason: str) -> str:
    """It can't be stored, and why: one of the reasons below."""
    return f"The service token was not stored: {reason}"


NO_TOKEN_AT_ALL = "it does not look like the token of an authorized service."
TOKEN_OF_ACTION = (
    "it is the token of the custom action, which lies on every event processor. Make another"
    " authorized service for the app itself."
)


def token_refused(status: int) -> str:
    """A reason."""
    return (
        f"QRadar does not accept it (HTTP {status}). Copy it again; after making an authorized"
        " service, Deploy Changes may be needed first."
    )


def token_unchecked(reason: str) -> str:
    """A reason."""
    return f"it can't be checked now. {reason}"


TOKEN_REMOVED = "The service token is removed; offenses are no longer looked for."

# --- trigger tokens, changes ------------------------------------------------------------------

TRIGGER_TOKENS = "Trigger tokens"
TRIGGER_TOKENS_HELP = (
    "A custom action proves with a trigger token that it may ask for restores. Several may be valid"
    " at a time, so that one can be replaced without a gap."
)
TRIGGER_TOKEN_COLUMNS = ("Name", "Made", "Revoke")
NEW_TRIGGER_TOKEN = "New trigger token {name}"
SHOWN_ONCE = "This is shown only now. Put it into the custom action's parameter “token”, encrypted."
REVOKE = "Revoke"
REVOKE_HELP = "Custom actions that still carry it start nothing any more."
REVOKE_IT = "Revoke {name}"
REVOKED = "The trigger token {name} is revoked: calls that carry it are refused."
NO_SUCH_TRIGGER_TOKEN = "There is no such trigger token; it may be revoked already."
NO_TRIGGER_TOKEN = "None yet: no rule can start a restore."
TRIGGER_TOKEN_NAME_HELP = "What it is for, such as the name of the custom action."
MAKE_TRIGGER_TOKEN = "Make a trigger token"
ACTION_HELP = "The {set_up} page puts it on the console, or tells how to do so by hand."
SET_UP = "set-up"
CHANGES = "Last changes"
CHANGE_COLUMNS = ("Time", "By", "What", "Of", "Detail")
NO_CHANGE = "Nothing was changed yet."
ABOUT = "About"
LIST_ROLES = "list the user roles"  # completes "QRadar does not let this app …"
ROLES_SAVED = "The operator roles are saved."
TOO_MUCH_ASKED = "Too much is asked of QRadar at this moment."
EVENTS_ARE = {"on": "Events in QRadar's log are on.", "off": "Events in QRadar's log are off."}
EVENTS_WRONG = "leef must be on or off."

# --- a store that was put back ------------------------------------------------------------------

PUT_BACK = "The database was put back"
PUT_BACK_HELP = (
    "It is older than what has happened. The app is disarmed, open runs need a decision, and no"
    " trigger token is valid: one that was revoked since would be valid again."
)
CONFIRM_HELP = (
    "Revoke below what should no longer be valid, then confirm the rest. After that decide the open"
    " runs by what CDM shows, and arm the app."
)
CONFIRM = "Make the trigger tokens below valid again"
CONFIRMED = "The trigger tokens are valid again."
STILL_DISARMED = "The app stays disarmed until you arm it."
NOTHING_TO_CONFIRM = "There is nothing to confirm: the trigger tokens are valid."
SEE_PUT_BACK = "See what to do on the settings page."
