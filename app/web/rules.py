# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Picking a rule: the console's rules, searched by name or id, for the mapping form and as JSON.

They are read with the session of whoever opens the form when the worker has not read them lately;
a console that does not answer leaves the list as it is.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, Response, jsonify, request

from app.framework.bulkhead import TooBusy
from app.framework.masking import mask
from app.qradar.console import ConsoleRefused, ConsoleUnavailable
from app.qradar.identity import Right, token_of
from app.qradar.rules import list_rules
from app.store.qradar import Rule
from app.store.times import to_text_or_none
from app.web import texts
from app.web.access import needs
from app.web.services import services

logger = logging.getLogger(__name__)
bp = Blueprint("rules", __name__)

MOST = 100
_FRESH = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Picked:
    """What a search found: at most `MOST` rules, of how many, and why they may be out of date."""

    rules: Sequence[Rule]
    matches: int
    total: int
    problem: str | None = None


@bp.get("/api/v1/rules")
@needs(Right.ADMINISTER)
def search() -> Response:
    """The console's rules whose name or id holds ``q``."""
    found = pick(request.args.get("q", ""))
    return jsonify(
        rules=[
            {
                "id": rule.id,
                "name": rule.name,
                "type": rule.type,
                "enabled": rule.enabled,
                "origin": rule.origin,
            }
            for rule in found.rules
        ],
        matches=found.matches,
        total=found.total,
        read_at=to_text_or_none(services().store.qradar.console().rules_at),
        problem=found.problem,
    )


def pick(text: str) -> Picked:
    """Give the rules with every word of ``text`` in their name, or with that id; enabled first."""
    problem = refresh()
    words = text.casefold().split()
    every = services().store.qradar.rules()
    matching = [
        rule
        for rule in every
        if text.strip() == str(rule.id) or all(word in rule.name.casefold() for word in words)
    ]
    matching.sort(key=lambda rule: (rule.enabled is False, rule.name.casefold(), rule.id))
    return Picked(matching[:MOST], len(matching), len(every), problem)


def refresh() -> str | None:
    """Read the rules unless that was done lately; say why that was not possible."""
    store, now = services().store, services().clock()
    read_at = store.qradar.console().rules_at
    if read_at is not None and abs(now - read_at) < _FRESH:
        return None
    sec, _ = token_of(request.headers, request.cookies)
    mask(sec or "")
    try:
        with services().bulkhead.place():
            listed = list_rules(services().console_api, sec or "")
    except (ConsoleRefused, ConsoleUnavailable) as error:
        logger.warning("the console's rules could not be read: %s", error)
        return texts.rules.unreadable(str(error))
    except TooBusy:
        return texts.rules.TOO_BUSY
    store.qradar.keep_rules(listed, now=now)
    return None
