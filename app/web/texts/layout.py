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
STALE = "What is shown may be old: the app does not answer just now."
BREADCRUMB = "Breadcrumb"
NOTHING_SAVED = "Nothing was saved."
