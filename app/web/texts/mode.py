# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The app's mode: armed, observing or disarmed, and what each change of it brings about."""

from app.restore.model import Mode

TITLE = "Mode"
NAMES = {Mode.ARMED: "armed", Mode.OBSERVE: "observing", Mode.DISARMED: "disarmed"}
MEANING = {
    Mode.ARMED: "A rule that fires starts its restore job.",
    Mode.OBSERVE: (
        "A rule that fires starts nothing: what would be started is looked up and recorded."
    ),
    Mode.DISARMED: "Triggers are recorded and explained, but nothing is started.",
}
SET_BY = "Set by {person} {ago}."
ASK = {Mode.ARMED: "Arm", Mode.OBSERVE: "Observe", Mode.DISARMED: "Disarm"}
CONSEQUENCE = {
    Mode.ARMED: (
        "From now on every rule with a mapping starts its restore job on CDM when it fires."
    ),
    Mode.OBSERVE: (
        "From now on triggers are decided, their jobs looked up in CDM, and the offenses told, but"
        " no restore is started, and one that is queued is only observed. Restores under way go"
        " on."
    ),
    Mode.DISARMED: (
        "No rule starts a restore until the app is armed again. Runs that are queued are cancelled;"
        " restores under way go on."
    ),
}
DO = {
    Mode.ARMED: "Arm the app",
    Mode.OBSERVE: "Only observe",
    Mode.DISARMED: "Disarm the app",
}
CHANGED = {
    Mode.ARMED: "The app is armed.",
    Mode.OBSERVE: "The app is observing: it starts nothing.",
    Mode.DISARMED: "The app is disarmed.",
}
