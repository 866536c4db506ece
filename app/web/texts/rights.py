# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may do what, and what is said to those who may not."""

from app.message import Message
from app.qradar.identity import Right

# Why somebody without a right can't do something, in one sentence.
LACKING = {
    Right.VIEW: (
        "This needs the right to view: a user role with the Offenses or the Admin capability."
    ),
    Right.OPERATE: (
        "This needs the right to operate: the Admin capability, or an operator role named in the"
        " settings."
    ),
    Right.ADMINISTER: "This needs the right to administer: the Admin capability.",
}


def may_not(name: str, right: Right) -> Message:
    """The answer to somebody who tried without ``right``."""
    return Message("{name} may not do this. {lacking}", name=name, lacking=LACKING[right])


MAY_NOT_CAUSE = "Your QRadar user role does not include it."
MAY_NOT_ADVICE = "Ask a QRadar administrator."

NO_RIGHT_DECLARED = "Nobody may call this address: the app declares no right for it."

NOT_KNOWN = "QRadar does not know you: your session has ended, or the token is not valid."
NOT_KNOWN_ADVICE = (
    "Sign in to QRadar again, then open the app from there. A new authorized service may need"
    " Deploy Changes first."
)

CONSOLE_SILENT = "The app can't ask the QRadar console who you are."
CONSOLE_SILENT_ADVICE = "Try again in a moment."


def csrf(reason: str) -> str:
    """A form or JSON write without its token."""
    return f"{reason} Nothing was changed."


CSRF_CAUSE = "The page was open for long, or in another window somebody else has signed in."
CSRF_ADVICE = "Load the page again and repeat what you did."
CSRF_ADVICE_FOR_PROGRAMS = "Programs send GET /api/v1/csrf's token as X-CSRFToken."
