# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages of CDM connections."""

TITLE = "Connections to CDM"
COLUMNS = ("Name", "Address", "User", "Trust", "Last answer")
THROUGH = "through {proxy}"
PASSWORD_MISSING = "password missing"
TRUST = {
    "system": "the platform's CAs",
    "ca": "an uploaded CA",
    "fingerprint": "a pinned certificate",
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
LOOK_FIRST = (
    "Look at the certificate before you enter the password: nothing is sent to the server for that."
)
SHOW_CERTIFICATE = "Show certificate"
ISSUED_TO = "Issued to"
ISSUED_BY = "Issued by"
SELF_SIGNED = "(self-signed)"
VALID = "Valid"
VALID_FROM_TO = "{start} to {end}"
SHA_256 = "SHA-256"
PIN = "Pin this certificate"
USER_HELP = (
    "A CDM user with the rights that the README lists: see, start and cancel the restore job, no"
    " more."
)
PASSWORD_HELP = "Never shown again once it is saved."
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
