# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The help page, in the little markup that `marked` draws: `code`, *name*, **strong**.

The table of symptoms is README's, word for word; a test compares the two.
"""

import re

from markupsafe import Markup, escape

_MARKS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*]+)\*"), r"<em>\1</em>"),
)


def marked(text: str) -> Markup:
    """Draw a text of this module; everything else in it is escaped."""
    drawn = str(escape(text))
    for pattern, tags in _MARKS:
        drawn = pattern.sub(tags, drawn)
    return Markup(drawn)  # noqa: S704 - escaped above


TITLE = "Help"
ON_THIS_PAGE = "On this page"

SET_UP_TITLE = "Set-up"
SET_UP = (
    (
        "Connection",
        "In CDM, a user of its own: a role that may view and run jobs, and cancel and clean up if"
        " the app shall offer them; a resource pool that holds just the restore jobs and their"
        " resources."
        " *Connections*: name, address, port, user and password of a CDM server."
        " Look at its certificate before you enter the password; trust the CAs of the system, one"
        " that you upload, or a pinned fingerprint.",
    ),
    (
        "Test",
        "*Test connection* goes through name, port, TLS, log-in and jobs. Nothing is started.",
    ),
    (
        "Mapping",
        "*Mappings*: which rule starts which restore job, and how long the job cools down"
        " after a start. Where a restore needs a person's yes, tick the approval.",
    ),
    (
        "Custom action",
        "*Set-up*: one button puts the custom action on the console. Then"
        " **Deploy Changes**, and *Test Execution* under *Define Actions*: it must end with"
        " `test: Connection test passed`.",
    ),
    (
        "Rule",
        "In the Rule Wizard, on the response page, tick *Execute Custom Action*, choose it,"
        " and set the response limiter.",
    ),
    (
        "Simulate",
        "*Set-up*: a test trigger goes the way of a real one, down to CDM; only the start is left"
        " out. You see the decision and why.",
    ),
    (
        "Arm",
        "*Set-up* or *Settings*: a fresh installation is disarmed; triggers are recorded, nothing"
        " is started.",
    ),
)

ROLES_TITLE = "Who may do what"
NO_ACCOUNTS = "QRadar is asked for every request; the app keeps no accounts of its own."
ROLE_COLUMNS = ("Right", "Who has it", "What it allows")
ROLES = (
    (
        "View",
        "A user role with **Offenses** (or Admin)",
        "sees the overview, the runs and the offense's restores",
    ),
    (
        "Operate",
        "The Admin capability, or a user role named under *Settings*",
        "starts by hand, acknowledges new attacks, approves, rejects, cancels, cleans up and"
        " decides on runs",
    ),
    (
        "Administer",
        "The Admin capability",
        "edits connections, mappings, tokens and settings, simulates, arms the app, and reads the"
        " diagnostics",
    ),
    (
        "Trigger",
        "The authorized service of the custom action, with the trigger token",
        "may ask for a restore and nothing else",
    ),
)

SYMPTOMS_TITLE = "Troubleshooting by symptom"
SYMPTOM_COLUMNS = ("Symptom", "Likely cause", "What to do")
SYMPTOMS = (
    (
        "Extensions Management refuses the zip",
        "it is the bare app zip; or this version is there already",
        "upload `SafeguardedRestore-<version>.zip`; delete the old entry first, or "
        "build a higher version",
    ),
    (
        "Installation ends in ERROR, code 33302",
        "QRadar has no memory left for apps",
        "move apps to an app host, or stop one",
    ),
    (
        "*Test Execution*: `HTTP 401 … authorized service`",
        "token expired, or not deployed yet",
        "check its expiry in *Authorized Services*; Deploy Changes",
    ),
    (
        "*Test Execution*: `the app does not know the trigger token`",
        "revoked, or mistyped",
        "*Set-up*: update the action, Deploy Changes",
    ),
    (
        "*Test Execution*: certificate not trusted (curl 60)",
        "the console got a new certificate",
        "*Set-up*: update the action, Deploy Changes",
    ),
    (
        "*Set-up*: no user role fits",
        "no role has Offenses and nothing more",
        "make one, Deploy Changes, load the page again",
    ),
    (
        "*Set-up*: this app did not make it",
        "a custom action of that name is there, perhaps from an earlier installation",
        "tick the box to replace it, or rename it",
    ),
    (
        "*Set-up*: did not come to its end",
        "QRadar refused or broke off",
        "press the button again: the attempt is finished or taken back first",
    ),
    (
        "*Custom action*: `no answer; it may have been accepted`",
        "the console or the app answered too late, or was restarting",
        "look at the app's *Runs*; the script tries again for ten seconds by itself",
    ),
    (
        "Test passed, but no rule calls",
        "the rule's response lacks the action; changes not deployed",
        "look at the rule's response page; Deploy Changes",
    ),
    (
        "*Test Execution*: name cannot be resolved",
        "QRadar's jail has no name server",
        "write the parameter `console` as `HOST@ADDRESS`",
    ),
    (
        "The rule never fires",
        "the storage's `audit` or `login` stream is off; its events are not parsed; the test"
        " stands on the wrong stream",
        "switch the stream on; look for its events in *Log Activity*; compare the example rules",
    ),
    (
        "Rule fires, nothing arrives",
        "changes not deployed; response limiter; no HTTPS from that event processor to the console",
        "Deploy Changes; look at the limiter; try `curl` from that host",
    ),
    (
        "Outcome *no mapping* (`unmatched`)",
        "no mapping for the rule's id or name",
        "add the mapping; an overridden system rule has an id of its own",
    ),
    (
        "Outcome *connection test* (`test`) with event values",
        "RULE_ID does not arrive in the action",
        "*Set-up*, *More*: choose a mapping and update",
    ),
    (
        "Outcome *app is disarmed* (`disarmed`)",
        "a fresh installation is disarmed",
        "*Settings → Arm*",
    ),
    (
        "Outcome `observed`",
        "the app's mode is *observe*",
        "*Settings → Arm*",
    ),
    (
        "Outcome *waits for approval* (`awaiting_approval`)",
        "the mapping asks a person first",
        "approve or reject on the run's page; untick it in the mapping",
    ),
    (
        "Outcome *cooling down* (`cooling_down`)",
        "the job was started a short while ago",
        "*Start a restore by hand* on the overview; or wait, or shorten the mapping's cool-down",
    ),
    (
        "*Simulate*: would not start",
        "what a real trigger would meet now stands beside it",
        "follow the message, then simulate again",
    ),
    (
        "Run stays `queued`",
        "the message on its page says why: CDM can't be reached, the job is busy",
        "follow the message",
    ),
    (
        "Run *needs a decision* (`needs_decision`)",
        "an answer was lost, or a session vanished, or the job is busy",
        "look into CDM, then decide on the run's page",
    ),
    (
        "CDM's certificate is not trusted",
        "self-signed, as CDM comes",
        "upload its CA, or pin its fingerprint",
    ),
    (
        "CDM does not let this user in",
        "wrong password; an expired or locked account",
        "enter it again; the app waits 15 minutes before it tries the same one again",
    ),
    (
        "Pages say that QRadar has locked this app's host out",
        "failed log-ins came from it: somebody tries tokens, or another program there",
        "put the address on QRadar's *Login Host Whitelist*; the lock-out ends by itself, by"
        " default after half an hour",
    ),
    (
        'Pages say "QRadar does not answer"',
        "the console does not answer the app",
        "triggers and restores go on; check the console",
    ),
    (
        "Pages and triggers answer 503",
        "the database is damaged, gone, of a newer version or could not be migrated; the disk is"
        " full",
        "the page tells which, and which copies can be put back",
    ),
    (
        "Every page says that the database was put back",
        "it is older than what has happened",
        "look through runs and trigger tokens, confirm the tokens on the settings page, arm the"
        " app",
    ),
)

GLOSSARY_TITLE = "Glossary"
GLOSSARY = (
    (
        "armed, observe, disarmed",
        "Restores are started; everything but the start is done; triggers are recorded only.",
    ),
    ("authorized service", "QRadar's account for programs, with a token of its own."),
    ("CDM", "IBM Copy Data Management. A **CDM connection** is one CDM server as configured here."),
    (
        "clean room",
        "The isolated hosts to which a copy is restored for examination; the restore"
        " job decides which.",
    ),
    (
        "clean-up",
        "The act that ends a restore whose copy is mounted: it is unmounted, and what was"
        " changed in it is gone.",
    ),
    ("cool-down", "The time after a job's start in which further triggers don't start it again."),
    (
        "custom action",
        "An entry under *Define Actions* that a rule can run: our script and its parameters.",
    ),
    ("job session", "One execution of a job in CDM, with a status and a log."),
    ("mapping", "Which rule starts which restore job on which CDM connection."),
    ("offense", "QRadar's record of a suspected attack. An **offense note** is text added to it."),
    ("outcome", "What came of a trigger, such as `accepted`, `duplicate` or `cooling_down`."),
    ("ready", "The copy is up in the clean room; CDM calls it *resource active*."),
    ("recovery point", "The copy that a restore goes back to."),
    ("repeat", "A trigger that belongs to a run which is under way already: counted, not started."),
    ("request id", "Made once by the sender: two calls with the same one are the same trigger."),
    ("restore job", "A saved job in CDM that restores, prepared by the storage team."),
    ("rule, response limiter", "What QRadar tests events against; how often its response may run."),
    ("run", "The app's attempt to carry a trigger out, from `queued` to its end."),
    ("Safeguarded Copy", "FlashSystem's copy that nobody can change; recovery points live there."),
    (
        "simulation",
        "A test trigger of an administrator: everything is done as for a real one but the start.",
    ),
    ("trigger", "One call that asks for a restore. The **trigger token** proves that it may."),
    ("worker", "The process that asks CDM and moves runs on; the pages are another one."),
)

VERSION_TITLE = "Version"
VERSION = "Safeguarded restore {version}, under the Apache License 2.0."
FOR_SUPPORT = "{diagnostics}: what support will ask for."
