# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The set-up: its six steps, in the order in which a new user meets them."""

TITLE = "Set-up"
INTRODUCTION = (
    "When a rule of QRadar detects an attack, this app starts a restore job that is predefined in"
    " IBM Copy Data Management (CDM), so that the latest copy comes up in the clean room. Six"
    " steps lead there; nothing is started before the last."
)
STEPS = "Steps of the set-up"
STEP_NAMES = {
    "connection": "Connection",
    "test": "Test",
    "mapping": "Mapping",
    "custom-action": "Custom action",
    "simulate": "Simulate",
    "arm": "Arm",
}
COMPLETE = "Complete"
INCOMPLETE = "Not complete"
NEXT = "Next"
HEADING = "{number}. {words}"
DONE = "done"
TO_DO = "to do"
WAITS = "waits for a rule's call"

CONNECTION = "Connect to CDM"
CONNECTION_HELP = (
    "CDM's address, how its certificate is verified, and the user that starts restores. The"
    " certificate is shown before a password is sent."
)
ADD_CONNECTION = "Add a connection"
CONNECTIONS = "All connections"
NO_PASSWORD = "password missing"

TEST = "Test the connection"
TEST_HELP = (
    "Name, port, TLS, log-in, jobs, and that there is a restore job: step by step, with what to do"
    " where one fails. Nothing is started."
)
TEST_IT = "Test {name}"
NOT_TESTED = "not tested yet"
ANSWERED = "answered {ago}"
NOT_USABLE = "can't be used"

MAPPING = "Say which rule starts which restore job"
ADD_MAPPING = "Add a mapping"
MAPPINGS = "All mappings"
FIRST_CONNECTION = "Connect to CDM first: the job is chosen from those that it lists."

SIMULATE = "Simulate"
SIMULATE_HELP = (
    "A marked test trigger goes the way of a real one: the mapping is found, the cool-down and"
    " other runs are looked at, CDM is asked about the job. Only the start is left out. You see"
    " the decision and why."
)
SIMULATE_MAPPING = "Mapping"
SIMULATE_IT = "Simulate an attack"
FIRST_MAPPING = "Add a mapping first."
LAST_SIMULATION = "The last one, {ago}: {verdict}"

ARM = "Arm the app"

# --- the custom action ------------------------------------------------------------------------

ACTION = "Custom action"
ACTION_HELP = (
    "A rule calls this app through a custom action of QRadar: a small script that runs where the"
    " rule fires. The button puts it on the console, in your name."
)
ROLE = "User role of the authorized service"
ROLE_HELP = (
    "Its token lies on every event processor, so only roles are offered that have Offenses and"
    " nothing more."
)
VALID_FOR = "Its token is valid for"
VALIDITIES = {"90": "90 days", "365": "1 year", "730": "2 years"}
UNTIL = "{words}, until {day}"
MORE = "More"
CONSOLE = "Console's address for the script (optional)"
CONSOLE_HELP = (
    "Where event processors reach the console under another address than this app does: HOST,"
    " HOST:PORT or HOST:PORT@ADDRESS."
)
ACTION_MAPPING = "Mapping (optional)"
BY_THE_RULE = "by the rule that fired"
ACTION_MAPPING_HELP = (
    "Only where QRadar does not tell the script which rule has fired: then every rule with this"
    " action starts the same restore job, and so does Test Execution."
)
REPLACE = "Replace the custom action of that name (number {number})"
UPDATE_HELP = (
    "The update makes a new trigger token and a new authorized service. The old ones stay valid"
    " until a rule has called with the new ones."
)
INSTALL = "Set up the custom action"
UPDATE = "Update the custom action"
UPDATE_ANYWAY = "Update it all the same"
REMOVE_ACTION = "Remove the custom action"
REMOVE_HELP = (
    "Takes the action, its script, its authorized service and its trigger token off. Take it out of"
    " your rules first. From then on no rule starts a restore through it."
)
BEFORE_UNINSTALLING = (
    "Before you uninstall the app, remove the custom action here: QRadar may give the app no right"
    " to do it then, and what is left must be removed by hand."
)

NOT_KNOWN = "not known"
OUT_OF_DATE = "out of date"
UP_TO_DATE = "up to date"
NOT_INSTALLED = "not installed"
MADE_BY_HAND = "made by hand"
CALLS_COME = (
    "The app did not put it on the console; calls come with trigger token {token}, last {ago}."
)
CONSOLE_NOT_ASKED = "The console can't be asked just now, see below."
SCRIPT_NOT_MADE = "The script of now can't be made to compare it, see below."
REASONS = "{reasons}."
NUMBER_ON_CONSOLE = "{action} (number {number} on the console)"
INSTALLED = "Installed"
INSTALLED_BY = "{ago} by {person}"
SERVICE = "Authorized service"
SERVICE_VALID = "{service}, valid until {time}"
TRIGGER_TOKEN = "Trigger token"
LAST_USED = "{token}, last used {ago}"
NOT_USED = "{token}, not used yet"
HALF_DONE = (
    "An attempt by {person} {ago} did not come to its end. Press the button: it is finished or"
    " taken back first."
)
NO_ROLE = "No user role fits."
NO_ROLE_WHY = (
    "The authorized service needs a role that has Offenses and nothing more; none of the console's"
    " is like that."
)
NO_ROLE_STEPS = (
    "In QRadar open Admin, User Roles, and press New.",
    'Give it a name such as "Restore trigger", tick Offenses, and untick everything below it and'
    " everything else.",
    "Save, and run Deploy Changes.",
    "Load this page again.",
)

REMAINS = "What remains to be done in QRadar"
NOTHING_REMAINS = "Nothing remains to be done in QRadar"
NOT_PROVEN = "not proven yet"
DEPLOYED = "{deploy}: a rule has called with the custom action as it is now."
ATTACHED = "{attach}: the rule of every mapping has called."
CALLS = "Calls of the mappings' rules"
CALLS_COLUMNS = ("Mapping", "Rule", "Called")
ANY_RULE = "whose action names this mapping"
PROOFS = {
    "attached": "attached: its rule has called",
    "watched": "can't call: its offenses are watched",
    "tested": "tested, but its rule has never called",
    "none": "never called yet",
}
CALLED_FIRST = "first {ago}"
HOW_TO_PROVE = (
    "Only a call that names the rule proves that it is attached and deployed; Test Execution and a"
    " simulation do not. Let the rule fire once, on a harmless event: while the app is disarmed or"
    " observing its call starts nothing, and is noted here."
)
ON_THE_CONSOLE = "console"
DEPLOY = "Deploy Changes"
DEPLOY_HELP = (
    "{deploy}: on the {console} open Admin and press Deploy Changes. Until then rules run what was"
    " deployed before."
)
ATTACH = "Attach it to your rule"
ATTACH_HELP = (
    "{attach}: on the {console} open Offenses, Rules, double-click the rule, go to the page"
    " Rule Response of the Rule Wizard, tick Execute Custom Action, choose {action}, and press"
    " Finish."
)
PICTURE = (
    "The page Rule Response of the Rule Wizard: the box Execute Custom Action is ticked, and"
    " beside it {action} is chosen."
)
TEST_CALL = "Test"
TEST_PASSED = "test passed"
TEST_CALL_HELP = (
    "Open Admin, Custom Actions, Define Actions, choose the action and press Test Execution; then"
    " load this page again."
)
EARLIER_TEST = "The last test, {ago}, was of an earlier one."
LAST_CALL = "A rule called last {ago}: {outcome}."
NO_CALL = "No rule has called yet."

OLD_SERVICES = "Old authorized services"
OLD_SERVICES_COLUMNS = ("Authorized service", "Valid until", "Remove")
STILL_VALID = "stays valid until a rule has called with the new one"
NOT_IN_USE = "no longer in use"
FOR_EVER = "for ever"
REMOVE = "Remove"
REMOVE_SERVICE = "Remove {service}"
REMOVE_VALID_HELP = (
    "Rules that still run the old action can start nothing any more: run Deploy Changes first."
)
REMOVE_UNUSED_HELP = "Nothing that this app knows of uses it."

INSTALLED_NOW = (
    "The custom action {action} is on the console. Two steps remain, see below: Deploy Changes, and"
    " attach it to your rule."
)
REMOVED_NOW = "The custom action is removed. Run Deploy Changes to make it effective."
SERVICE_REMOVED = "The authorized service {service} is removed."
NOT_ALL_REMOVED = "Not everything could be removed."
NOT_ALL_REMOVED_ADVICE = "Try again, or remove it under Admin: Custom Actions, Authorized Services."
NOTHING_CHANGED = "Nothing was changed."
CHOOSE_ROLE = "Choose the user role of the authorized service."
CHOOSE_DAYS = "Choose how long the token is valid."
WRONG_CONSOLE = "The console's address for the script {error}"
NO_MAPPING = "There is no mapping named {name}."
AT_WORK = "The custom action is being changed at this moment."
AT_WORK_CAUSE = "The button was pressed twice, or by two people."
AT_WORK_ADVICE = "Open the set-up page again in a few seconds."

# --- the same by hand -------------------------------------------------------------------------

BY_HAND = "The same by hand, where QRadar does not let the app do it"
BY_HAND_ROLE = (
    "In QRadar open Admin, User Roles, and make a role that has Offenses and nothing more, if"
    " there is none. Run Deploy Changes."
)
BY_HAND_SERVICE = (
    "Under Admin, Authorized Services, add a service with that role, such as {example}, with an"
    " expiry of your choice. Copy its token at once: it is the parameter {parameter}."
)
BY_HAND_TOKEN = "Make a trigger token on the {settings} page. It is the parameter {parameter}."
SETTINGS = "settings"
BY_HAND_SCRIPT = "{download}. It holds the console's address and certificates, no secret."
DOWNLOAD = "Download {file}"
BY_HAND_ACTION = (
    "Under Admin, Custom Actions, Define Actions, add the action {action}: interpreter Bash, this"
    " script, and these parameters in this order:"
)
PARAMETERS = "Parameters of the custom action"
PARAMETERS_COLUMNS = ("No.", "Parameter", "Kind", "Value")
KINDS = {
    "fixed": "fixed property",
    "encrypted": "fixed property, encrypted",
    "dynamic": "network event property",
}
BY_HAND_TEST = (
    "Press Test Execution there: the call is listed on the overview as a connection test."
)
BY_HAND_DEPLOY = "Run Deploy Changes, then choose the action as the response of your rule."
SEC_VALUE = "the token of the authorized service"
TOKEN_VALUE = "a trigger token"
MAPPING_VALUE = "{empty} (or a mapping's name, which then wins over the rule)"
