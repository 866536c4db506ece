# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The custom action: its script, the end of its token, and what uninstalling leaves."""

from collections.abc import Sequence

from app.message import Message, joined

NO_SCRIPT = "The script can't be made just now."
NO_SCRIPT_ADVICE = (
    "The script must hold the certificates of the console's issuers: check that the app reaches the"
    " console on port 443 and that its CA file holds them."
)

FIRST_CALL = "the custom action's first call"  # who has revoked the tokens before


def token_ends(service: str, ends: str) -> str:
    """The action's token has expired, or soon will."""
    return f"The token of {service} {ends}: without it no rule can start a restore."


# --- uninstalling -----------------------------------------------------------------------------

NOT_ADMINISTRATOR = (
    "The call carried no administrator's token, so nothing was removed; what is still there is told"
    " by the app's own records."
)
ALL_REMOVED = "Everything was removed."
NOT_ALL_REMOVED = "Not everything could be removed."


def nothing_removed(reason: str) -> str:
    """The removal failed before it began."""
    return f"Nothing was removed. {reason}"


CALL_AGAIN = (
    "Remove the custom action on the app's Set-up page, or all of it by hand; or uninstall again"
    " within ten minutes to leave it there."
)


def still_there(said: str, left: Sequence[str]) -> Message:
    """What stays on the console when the app goes."""
    return Message("{said} Still on the console: {left}.", said=said, left=joined(left, "; "))


def left_on_console(action: str, service: str) -> dict[str, Message]:
    """Each kind of thing that may stay on the console, and where it is removed by hand."""
    return {
        "action": Message(
            "the custom action {action} (Admin, Custom Actions, Define Actions)", action=action
        ),
        "script": Message("its script start_restore (goes with the custom action)"),
        "service": Message(
            "authorized services named {service} (Admin, Authorized Services)", service=service
        ),
    }
