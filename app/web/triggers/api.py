# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``POST /api/v1/triggers``, the machine endpoint (architecture §5).

Neither the console nor CDM is asked anything on this path, so that a restore can be asked for while
both are slow. What was answered 202 is in the store.
"""

import logging

from flask import Blueprint, Response, jsonify, request

from app.message import Message
from app.restore import triggers
from app.restore.model import Outcome
from app.web.frame.bodies import FORM, JSON, check_kind, read_pairs
from app.web.frame.problems import Problem, preparing, store_unusable_for_rules
from app.web.services import services
from app.web.set_up.action_book import note_use
from app.web.triggers.fields import Fields, collect, read_trigger

logger = logging.getLogger(__name__)
bp = Blueprint("triggers_api", __name__)


@bp.post("/api/v1/triggers")
def receive_trigger() -> tuple[Response, int]:
    """Keep a trigger and say what comes of it: 202, or 200 for a connection test."""
    kind = check_kind(FORM, JSON)
    if services().preparing:
        raise preparing()
    if services().failure() is not None:
        raise store_unusable_for_rules()
    unreadable, fields = None, Fields()
    try:
        fields = collect(read_pairs(request.get_data(), kind))
    except Problem as problem:
        unreadable = problem  # told only to callers with a valid token
    token, token_name = _checked_token(fields)
    if unreadable is not None:
        raise unreadable
    now = services().clock()
    trigger = read_trigger(
        fields, now, token=token, token_name=token_name, peer=request.remote_addr
    )
    decision = triggers.accept(services().store, trigger, now)
    by_a_rule = trigger.rule_id is not None or trigger.rule_name is not None
    note_use(services().store, token, by_a_rule=by_a_rule, now=now)
    answer = jsonify(
        trigger_id=decision.trigger_id,
        outcome=decision.outcome,
        run_id=decision.run_id,
        message=decision.message,
    )
    return answer, 200 if decision.outcome == Outcome.TEST else 202


def _checked_token(fields: Fields) -> tuple[str, str]:
    """The valid trigger token of this call, from its header, else from its body; and its name."""
    token = request.headers.get("X-Trigger-Token") or fields.token
    name = services().store.tokens.name_of(token) if token else None
    if name is not None:
        return token, name
    if not services().bad_tokens.allow():
        raise Problem(429, Message("Too many calls without a valid trigger token."), retry_after=5)
    # The peer is the console for all that come through it; X-Forwarded-For is anybody's invention.
    logger.warning(
        *("a trigger from %s was refused: %s", request.remote_addr),
        "bad token" if token else "no token",
    )
    why, advice = _why_refused(token)
    raise Problem(401, why, field="X-Trigger-Token", advice=advice)


def _why_refused(token: str | None) -> tuple[str, str]:
    if not token:
        return Message("The trigger token is missing."), Message(
            "Set the custom action's token parameter to a trigger token of the settings page."
        )
    if services().store.tokens.wait_for_confirmation():
        return Message(
            "The app's database was put back: no trigger token is valid before an"
            " administrator has confirmed them on the settings page."
        ), Message("Confirm the trigger tokens on the settings page, then let the rule fire again.")
    return Message("The trigger token is not valid."), Message(
        "Set the custom action's token parameter to a trigger token of the settings page."
    )
