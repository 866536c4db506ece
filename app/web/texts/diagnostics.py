# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The page of diagnostics. What support reads in the file keeps its names in every language."""

TITLE = "Diagnostics"
WHAT_FOR = (
    "What support will ask for. It holds no password and no token; names, addresses and log lines"
    " of this installation it does hold."
)
DOWNLOAD = "Download as a file"
CONFIGURATION = "In the {file}, without certificates and passwords."
FILE = "file"
NONE = "none"
NO_TROUBLE = "No warning and no error lately."
NO_LOG = "No log yet."
