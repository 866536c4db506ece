# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Restores that a person starts by hand: a trigger like any other that skips the cool-down."""

import re
from datetime import datetime

from app.configuration.checks import InvalidField, check_name, check_text
from app.message import Message
from app.restore.model import MANUAL, Decision, Trigger
from app.restore.ports import Store
from app.restore.triggers import accept

LONGEST_REASON = 500
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def start(
    store: Store, *, mapping: object, reason: object, request_id: object, by: str, now: datetime
) -> Decision:
    """Ask for a restore in a person's name; the same ``request_id`` is the same wish.

    Mode, mapping, approval and single flight hold as for any trigger. Where a new attack of the job
    is open, the run is of that attack: its detection and its offense. Raises `InvalidField`, and
    the store's own error when it can't commit.
    """
    name = check_name(mapping, "mapping")
    if reason is None or (isinstance(reason, str) and not reason.strip()):
        raise InvalidField("reason", Message("is empty: say why the restore is started by hand."))
    said = check_text(reason, "reason", longest=LONGEST_REASON)
    if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
        raise InvalidField(
            "request_id", Message("must have 8 to 64 characters of A-Z a-z 0-9 . _ -")
        )
    found = store.mappings.find(name)
    attack = None
    if found is not None:
        attack = store.attacks.open_of_job(found.connection_id, found.job_id)
    trigger = Trigger(
        request_id=request_id,
        received_at=now,
        mapping=name,
        detected_at=None if attack is None else attack.at,
        # One that only probably is its offense is looked for again: the run's notes say so then.
        offense_id=None if attack is None or attack.offense_by == "probably" else attack.offense_id,
        fields={"started_by": by, "reason": said},
        source=MANUAL,
    )
    return accept(store, trigger, now)
