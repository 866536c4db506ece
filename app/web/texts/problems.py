# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What went wrong with a request: the page that tells it, and the sentences that fit any page."""

from app.message import Message

WHAT_HAPPENED = "What happened"
LIKELY_CAUSE = "Likely cause"
WHAT_TO_DO = "What to do"
BACK = "Back to the overview"
AGAIN = (
    "This page comes by itself once it can be shown; where it does not, load it again. Restores"
    " under way go on meanwhile."
)

TITLES = {
    400: "This could not be read",
    401: "Not signed in to QRadar",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not possible now",
    413: "Too large",
    429: "Too many requests",
    500: "Something went wrong in the app",
    503: "Not available just now",
}
OTHER_TITLE = "Not possible"

STORE_BUSY = "The app's database can't be used just now."
STORE_BUSY_CAUSE = "Another process holds the database for longer than usual."
STORE_BUSY_ADVICE = "Try again in a moment; if it stays, send the app's log to support."
PREPARING = "The app's database is being brought up to date."
PREPARING_CAUSE = (
    "A new version of the app was installed, or the other of its two processes is at it; with a"
    " large history this takes a minute or two."
)
PREPARING_ADVICE = "Wait. Triggers are refused meanwhile, and their script tries again."
STORE_UNUSABLE = "The app's database can't be used. Sign in to QRadar to see why."
STORE_UNUSABLE_FOR_RULES = "The app's database can't be used."
STORE_UNUSABLE_CAUSE = (
    "The database is damaged, lost, from a newer version of the app, or could not be brought to the"
    " form that this version needs; or its disk is full or read-only."
)
STORE_UNUSABLE_ADVICE = (
    "Triggers are refused until it can be used. It is tried again every minute; what to do stands"
    " under Copies of the database in the app's README."
)
TOO_BUSY = "The app is busy: too many requests wait for QRadar or CDM."
TOO_BUSY_CAUSE = "The QRadar console or a CDM server answers slowly."
TOO_BUSY_ADVICE = "Try again in a few seconds. Rules can start restores all the while."
CRASH = "The app could not answer this request."
CRASH_CAUSE = "A fault in the app; the details are in its log."
CRASH_ADVICE = "Try again; if it stays, send the app's log to support."
NOTHING_HERE = "There is nothing at this address."
NOTHING_HERE_ADVICE = "Start from the overview."


def wrong_method(method: str) -> str:
    """405."""
    return f"This address does not take {method} requests."


# --- bodies -----------------------------------------------------------------------------------

TOO_LARGE_ADVICE = "Of certificates, give only the CA that issued the server's."
CUT = "The request's body is shorter than was announced: it was cut off on its way."
CUT_CAUSE = "The connection broke while the request was sent."
CUT_ADVICE = "Nothing was done with it. Send it again."
BAD_FRAMING = "The request's body is not framed as HTTP asks for."
BAD_FRAMING_CAUSE = "A fault in the program that sent it, or in a proxy between."
COMPRESSED = "The body must not be compressed."
NO_JSON = "The body is not JSON that can be read."
NO_OBJECT = "The body must be a JSON object."


def too_large(limit: int) -> Message:
    """413."""
    return Message("The request is larger than {limit} KiB.", limit=limit // 1024)


def wrong_kind(*allowed: str) -> Message:
    """415."""
    return Message("The body must be {allowed}.", allowed=" or ".join(allowed))


def not_text(name: str) -> Message:
    """400 for a file where text is asked for."""
    return Message("The field {name} must be text, not a file.", name=name[:64])
