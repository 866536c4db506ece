# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages of CDM connections."""

from collections.abc import Sequence

from app.message import Message
from app.restore.model import Trust
from app.web.texts.common import listed

TITLE = "Connections to CDM"
COLUMNS = ("Name", "Address", "User", "Trust", "Last answer")
THROUGH = "through {proxy}"
PASSWORD_MISSING = "password missing"
TRUST = {
    Trust.SYSTEM: "the platform's CAs",
    Trust.CA: "an uploaded CA",
    Trust.FINGERPRINT: "a pinned certificate",
}
NONE_YET = "No connection yet"
WHAT_FOR = "A connection says how the app reaches a CDM server, and as which user."
ADD = "Add a connection"

CONNECTION = "Connection {name}"
NEW = "New connection"

STEPS = "Test of the connection"
PASSED = "passed"
FAILED = "failed"
MILLISECONDS = "{number} ms"

NAME_HELP = "Mappings and the history call the connection by this name."
HOST_HELP = "Host name or IP address of the CDM server, without https:// and without a port."
PORT_HELP = "Usually 8443."
PROXY_HELP = (
    "Only if CDM is reached through an HTTP proxy, such as http://proxy.example:3128. QRadar's own"
    " proxy setting is not used."
)
HOW_VERIFIED = "How the server's certificate is verified"
CA_PEM_HELP = "The certificate of the CA that issued CDM's certificate, as PEM text."
CA_FILE_HELP = "Or the same as a file; it replaces the text above."
FINGERPRINT_HELP = (
    "SHA-256 of the server's certificate: 64 hexadecimal digits. Compare it with CDM's"
    " administrator before you pin it."
)
USED_FOR = "Used now, as “{choice}” is chosen."
NOT_USED = "Not used: only if “{choice}” is chosen."
LOOK_FIRST = (
    "Look at the certificate before you save: nothing is sent to the server for that, no password"
    " either."
)
SHOW_CERTIFICATE = "Show certificate"
CERTIFICATE = "The certificate that {host}:{port} shows"
ISSUED_TO = "Issued to"
ISSUED_BY = "Issued by"
SELF_SIGNED = "(self-signed)"
VALID = "Valid"
VALID_FROM_TO = "{start} to {end}"
SHA_256 = "SHA-256"
PIN = "Pin this certificate"
PINNED_NOW = (
    "No CA vouches for a self-signed certificate. So pinning it is chosen above and its fingerprint"
    " filled in: compare that with CDM's administrator before you save, or choose otherwise."
)
USER_HELP = (
    "A CDM user of its own: a role that may view and run jobs, and cancel and clean up if the app"
    " shall offer them; a resource pool that holds just the restore jobs and their resources."
)
PASSWORD_HELP = "Never shown again once it is saved."
PASSWORD_AGAIN = "What was typed here is not sent back to the page: enter it again."
PASSWORD_KEPT_HELP = (
    "A password is stored. Leave this empty to keep it; it must be entered again when address,"
    " port, user, proxy or trust change."
)
SAVE = "Save"
BACK = "Back"

TEST = "Test connection"
TEST_HELP = "Logs in to {host}:{port} with the saved values and lists the jobs. Nothing is started."
DELETE = "Delete"
IN_USE = "Not possible while a mapping uses it: {mappings}."
DELETE_CONNECTION = "Delete connection"
DELETE_HELP = "The connection and its stored password are removed. The history keeps its runs."
DELETE_NAMED = "Delete {name}"


PASSWORD_STEP = "Password"
FINGERPRINT_FILLED_IN = "The fingerprint is filled in below. Enter the password and save."


def saved(name: str, *, complete: bool) -> Message:
    """After saving; a connection without a password can't be used yet."""
    if complete:
        return Message("Connection {name} is saved.", name=name)
    return Message("Connection {name} is saved. Its password must be entered.", name=name)


def not_tested(labels: Sequence[str]) -> Message:
    """The test was asked for by a form that holds more than what is saved."""
    return Message(
        "Not tested: what was entered in {labels} is not saved yet, and a test uses the saved"
        " values. Save first, then test.",
        labels=listed(labels),
    )


def unused(labels: Sequence[str], trust: Trust) -> Message:
    """Something was given that the chosen trust has no use for; ``trust`` is the chosen one."""
    return Message(
        "{labels}: what was given here is not used and not kept, as “{trust}” is chosen.",
        labels=listed(labels),
        trust=TRUST_CHOICES[Trust(trust)],
    )


def deleted(name: str) -> str:
    """After deleting."""
    return f"Connection {name} is deleted."


def unknown(number: int) -> str:
    """404."""
    return f"There is no connection {number}."


def no_password(name: str) -> str:
    """Nothing to log in with."""
    return f"No password is stored for {name}."


NO_PASSWORD_ADVICE = "Enter it on the connection's page."

# --- the form's labels ------------------------------------------------------------------------

NAME = "Name"
HOST = "Address"
PORT = "Port"
USER = "User"
PASSWORD = "Password"
TRUST_LABEL = "Trust"
TRUST_CHOICES = {
    Trust.SYSTEM: "By the CAs that the QRadar platform trusts",
    Trust.CA: "By a CA certificate that you give here",
    Trust.FINGERPRINT: "Only this very certificate, by its SHA-256 fingerprint",
}
CA_PEM = "CA certificate (PEM)"
CA_FILE = "CA certificate file"
FINGERPRINT = "Fingerprint"
PROXY = "HTTP proxy (optional)"
