# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A mapping, which says what restore job a rule starts: its fields, in the order of its page."""

from datetime import datetime
from enum import StrEnum

from app.configuration import checks
from app.configuration.fields import configured, declared
from app.message import Message


class Watch(StrEnum):
    """What becomes of an offense of a mapping's rule that brought no trigger."""

    OFF = "off"
    NOTIFY = "notify"  # people are told
    ACT = "act"  # it is made a trigger


class CopyCheck(StrEnum):
    """What becomes of a start that would not bring up a copy from before the detection."""

    OFF = "off"  # it is started
    WARN = "warn"  # the same, with a warning
    ASK = "ask"  # a person is asked first


@configured
class Mapping:
    """Rule → restore job on one CDM connection.

    Neither rule id nor rule name is needed: the custom action may name the mapping itself.
    """

    id: int
    name: str = declared(
        checks.check_name,
        Message("Name"),
        Message(
            "The history calls it by this name; the custom action's mapping parameter may too."
        ),
        widget="text",
    )
    rule_id: int | None = declared(
        checks.optional(checks.whole_number(1, 2**53)),
        Message("Rule id"),
        Message("The number of the rule in QRadar, which the custom action sends as RULE_ID."),
        default=None,
        widget="number",
    )
    rule_name: str | None = declared(
        checks.optional(checks.text(512)),
        Message("Rule name"),
        Message(
            "Its exact name; it counts when no mapping has the rule's id. Leave both empty for"
            " a custom action that names this mapping."
        ),
        default=None,
        widget="text",
    )
    watch: Watch = declared(
        checks.one_of(Watch),
        Message("Offense watch"),
        Message(
            "QRadar's response limiter silences custom actions, and rules of type OFFENSE may"
            " not run one at all. The watch needs the service token."
        ),
        default=Watch.OFF,
        question=Message("Offenses of this rule that brought no trigger"),
        widget="choice",
        choices={
            Watch.OFF: Message("Leave them alone"),
            Watch.NOTIFY: Message("Show them on the overview"),
            Watch.ACT: Message("Start the restore as if the rule had called"),
        },
    )
    watch_since: datetime | None = None  # when it was last switched on
    # in the document and in forms by its name
    connection_id: int = declared(
        checks.check_name, key="connection", changed=Message("connection changed")
    )
    job_id: str = declared(
        checks.check_job_id,
        Message("Restore job"),
        Message("The restore jobs that CDM lists now."),
        widget="picked",
    )
    job_name: str = declared(checks.check_job_name)
    action_name: str | None = declared(
        checks.optional(checks.text(128)),
        Message("Action name (optional)"),
        Message(
            "Only if the job offers several ways to start it in CDM; the one that brings the"
            " copy up in the clean room."
        ),
        default=None,
        widget="text",
    )
    cooldown_s: int = declared(
        checks.whole_number(0, 30 * 24 * 3600),
        Message("Cool-down (seconds)"),
        Message(
            "After a start, triggers within this time are recorded but start nothing: 900 is"
            " 15 minutes, 0 is none."
        ),
        default=900,
        widget="number",
    )
    needs_approval: bool = declared(
        checks.check_flag,
        Message("A person must approve each restore"),
        default=False,
        widget="switch",
    )
    copy_check: CopyCheck = declared(
        checks.one_of(CopyCheck),
        Message("The copy that comes up"),
        Message(
            "A copy from after the detection may hold the attack. To ask, the app looks into CDM"
            " before the start; else it starts at once and looks then."
        ),
        default=CopyCheck.WARN,
        question=Message("A copy that is not the latest, or not from before the detection"),
        widget="choice",
        choices={
            CopyCheck.OFF: Message("Start it"),
            CopyCheck.WARN: Message("Start it, and warn"),
            CopyCheck.ASK: Message("Ask a person first"),
        },
    )
    copy_max_age_h: int | None = declared(
        checks.optional(checks.whole_number(1, 24 * 366)),
        Message("Oldest copy (hours)"),
        Message(
            "How old the copy may be at the detection, before the app warns or asks; empty: any"
            " age."
        ),
        default=None,
        widget="number",
    )
    enabled: bool = declared(checks.check_flag, Message("Enabled"), default=True, widget="switch")
