# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Events that the app wrote to QRadar's log itself: a rule must not start a restore over them.

They name `OWN_USER`, but so does whoever names an account so, and must not escape by it. What an
attacker can't choose is the log source *and* the event id that QRadar gives an event: both ours
together are our own event. A trigger that only names our user is carried out, with the full
cool-down, so that our own RESTORE_FAILED never feeds a loop, and says that it may be our own.
"""

from dataclasses import dataclass

from app.message import Message
from app.restore.model import Trigger

OWN_USER = "safeguarded-restore"
"""The user whom our own events name."""
OWN_EVENT = Message(
    "The event was written by this app itself: its log source and its event id are"
    " the app's own. Nothing was started; leave events of this log source out of"
    " the rule."
)
MAY_BE_OWN = Message(
    "The event names the user {user} and may be the app's own: it starts a restore"
    " at most once in the full cool-down, 15 minutes at least.",
    user=OWN_USER,
)


@dataclass(frozen=True, slots=True)
class OwnEvents:
    """QRadar's ids of our log source and of our events, as far as they are known."""

    log_sources: frozenset[int] = frozenset()
    qids: frozenset[int] = frozenset()

    def has(self, trigger: Trigger) -> bool:
        """Whether a trigger's event is provably one of ours."""
        source, qid = (_number(trigger, name) for name in ("log_source_id", "qid"))
        return source in self.log_sources and qid in self.qids


def names_our_user(trigger: Trigger) -> bool:
    """Whether a trigger's event names the user of our own events."""
    return trigger.fields.get("username", "").strip().casefold() == OWN_USER


def _number(trigger: Trigger, name: str) -> int | None:
    text = trigger.fields.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
