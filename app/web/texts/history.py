# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs in a list: on the page of runs, on the overview, and inside QRadar's own pages."""

RUNS = "Runs"
COLUMNS = (
    *("Run", "State", "Mapping", "Restore job", "Offense", "Detected"),
    *("Until started", "Until ready", "Repeats"),
)

UNSURE = {"caller": "(unconfirmed)", "probably": "(probably)"}  # of an offense

STATE = "State: {chosen}"
CHOSEN = "{number} chosen"
ANY = "any"
ANY_OF_THESE = "Any of these"
MAPPING = "Mapping"
CONNECTION = "Connection"
OFFENSE = "Offense"
FROM = "From (UTC)"
TO = "To (UTC)"
TEXT = "Text"
TEXT_EXAMPLE = "Job, rule, error"
FILTER = "Filter"

NONE_MATCHES = "No run matches."
NONE_YET = (
    "No restore was asked for yet. Once a rule with the custom action fires, its run is listed"
    " here."
)
NEWEST = "Newest"
NEWER = "Newer runs"
OLDER = "Older runs"
AS_CSV = "Download as CSV"
AS_JSON = "The same as JSON"
EXPORT_HELP = (
    "All that match: CSV in parts of 10,000, JSON of 200; each names the next. This page's address"
    " keeps the filter."
)

FRAGMENT_TITLE = "Restores"
FRAGMENT_COLUMNS = ("Restore", "State", "Restore job", "Ready after")
ALL_RESTORES = "All restores"
NONE_OF_OFFENSE = "No restore belongs to this offense, as far as the app knows."
NONE_LOOKED_FOR = (
    "No restore belongs to this offense, as far as the app knows: without a service token it does"
    " not look for the offenses of its restores."
)
MAY_BE_ITS = "The offenses of these are still looked for; this one may be among them:"
CAME_OF = "What came of this offense's triggers:"
CAME_ONE = "{at}: {what}"
CAME_MANY = "{number} triggers, the last at {at}: {what}"
NO_OFFENSE = "No offense was given."
NO_OFFENSE_GIVEN = "QRadar called the app without the number of an offense."
NO_OFFENSE_ADVICE = (
    "Open the tab Restores: its list of runs names the offense of each, and can be filtered by it."
)
NONE_ASKED_FOR = "No restore was asked for yet."
