# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What callers of the JSON API are told about their fields, and rules about their triggers."""

from collections.abc import Iterable

from app.message import Message

NO_SESSION_ID = "job_session_id must be the id of a job session."
SESSION_NO_TEXT = "job_session_id must be text."


def one_of(field: str, allowed: Iterable[str]) -> Message:
    """A word that is none of a field's."""
    return Message("{field} must be one of {allowed}.", field=field, allowed=", ".join(allowed))


def whole_number(field: str, most: int | None) -> Message:
    """Not a number, or out of its bounds."""
    if most is None:
        return Message("{field} must be a whole number from 1.", field=field)
    return Message(
        "{field} must be a whole number from 1 of at most {most}.", field=field, most=most
    )


def time(field: str) -> str:
    """Not a time."""
    return f"{field} must be a time such as 2026-11-24T08:00:00Z."


# --- triggers ---------------------------------------------------------------------------------

TOO_MANY_BAD_TOKENS = "Too many calls without a valid trigger token."
BAD_TOKEN = "The trigger token is not valid."
NO_TOKEN = "The trigger token is missing."
TOKEN_ADVICE = "Set the custom action's token parameter to a trigger token of the settings page."
REQUEST_ID = "request_id is required: 8 to 64 characters of A-Z a-z 0-9 . _ -"
REQUEST_ID_IS_TOKEN = "request_id must not be the trigger token."
TOKEN_AMONG_VALUES = (
    "The trigger token came among the event's values and was removed: look at the order of the"
    " custom action's parameters."
)
A_NUMBER = "a number"
A_TIME = "a time in milliseconds since 1970"
A_TIME_UP_TO_NOW = "a time up to now (it is more than 5 minutes ahead of this app's clock)"
AN_ADDRESS = "an IP address"


def kept_as_text(field: str, what: str, shown: str) -> Message:
    """A value that is not what it should be."""
    return Message(
        "{field} is not {what} and was kept as text: {shown}.",
        field=field,
        what=what,
        shown=repr(shown),
    )


def came_twice(field: str) -> str:
    """A field that came more than once."""
    return f"{field} came more than once; the first counts."


def were_cut(names: str, bytes_: int) -> str:
    """Values that are longer than what is kept."""
    return f"Only the first {bytes_} bytes are kept of: {names}."


def not_kept(names: str, fields: int, bytes_: int) -> str:
    """Fields that are too many, or have too long a name."""
    return (
        f"Not kept, because a trigger has room for {fields} fields with names of at most"
        f" {bytes_} bytes: {names}."
    )


def and_more(names: str, number: int) -> str:
    """Names, and how many are left out."""
    return f"{names} and {number} more"


def not_started(reason: str) -> str:
    """The error of a queued run whose CDM can't be reached or used."""
    return f"NOT STARTED: {reason}"


TOKENS_WAIT = (
    "The app's database was put back: no trigger token is valid before an administrator has"
    " confirmed them on the settings page."
)
TOKENS_WAIT_ADVICE = (
    "Confirm the trigger tokens on the settings page, then let the rule fire again."
)
