# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A simulation: what a real trigger would have brought about, and why."""

SENT = "The test trigger has come in. What comes of it stands below."
TITLE = "Simulation"
HEADING = "Simulation: {mapping}"
BY = "By {person}, {ago}."
AGAIN = "Simulate again"
BACK = "Set-up"
STEPS = "What was done"

WOULD_START = "A real trigger would start the job now."
WOULD_ASK = "A real trigger would wait for a person to approve it, then start the job."
ONCE_ARMED = "Once the app is armed, a real trigger starts the job."
ONCE_ARMED_ASKS = (
    "Once the app is armed, a real trigger waits for a person to approve it, then starts the job."
)
WOULD_NOT = "A real trigger would not start the job now."
AT_WORK = "CDM is being asked about the job …"

TRIGGER = "Trigger"
AS_RULE = "As rule {rule} would send it: mapping {mapping} was found for it."
AS_MAPPING = "It names the mapping {mapping}, as the custom action does where no rule id arrives."
DECISION = "Decision"
CDM = "Look into CDM"
NOT_REACHED = "Not reached: the decision was no."
START = "Start"
NOT_SENT = "Not sent: this was a simulation."
FOR_REAL = "A real trigger now"
ARMED = "The app is armed: a rule that fires now starts its job."
NOT_ARMED = "The app's mode is {mode}: a rule that fires now starts nothing."
RUN = "It is kept as {run} in the history."

GONE = "There is no simulation {id}."
GONE_ADVICE = "Simulate again from the set-up page."
