# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands around every page, and on its elements."""

SKIP = "Skip to the content"
PAGES = "Pages"
OVERVIEW = "Overview"
RUNS = "Runs"
CONNECTIONS = "Connections"
MAPPINGS = "Mappings"
SET_UP = "Set-up"
SETTINGS = "Settings"
HELP = "Help"
STALE = (
    "The app does not answer just now: QRadar's console can't be reached, or the app is being"
    " restarted. Restores that run in CDM go on. This page asks again every few seconds."
)
AS_OF = "What is shown here is what was known at {time}. Restores under way go on meanwhile."
BREADCRUMB = "Breadcrumb"
OWN_BUTTON = (
    "Press this part's own button first: any other on this page drops what is entered here."
)
NOTHING_SAVED = "Nothing was saved."
