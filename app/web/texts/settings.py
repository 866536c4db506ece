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
    "Users with one of these QRadar roles may approve, cancel, clean up and decide. Those with"
    " Admin always may."
)
ROLES_UNKNOWN = "QRadar's roles can't be listed: {reason}"
SAVE_ROLES = "Save the operator roles"
NO_ROLE = "There is none to choose."

EVENTS = "Events to QRadar's log"
EVENTS_ON = "Requests, starts, ends and configuration changes as LEEF events. They are on."
EVENTS_OFF = "Requests, starts, ends and configuration changes as LEEF events. They are off."
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
