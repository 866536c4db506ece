# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Picking a rule: the console's rules, searched by name or id, for the mapping form and as JSON.

They are read with the session of whoever opens the form when the worker has not read them lately;
a console that does not answer leaves the list as it is.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, jsonify, request

from app.framework.bulkhead import TooBusy
from app.framework.masking import mask
from app.message import Message, counted
from app.qradar.console import ConsoleRefused, ConsoleUnavailable
from app.qradar.identity import Right, token_of
from app.qradar.rules import list_rules
from app.store.qradar import Rule
from app.store.times import to_text_or_none
from app.web.frame.access import needs
from app.web.services import services

logger = logging.getLogger(__name__)
bp = Blueprint("rules", __name__)

MOST = 100
_FRESH = timedelta(minutes=10)
_JUST_READ = timedelta(seconds=5)  # so old a list is not read anew for what it does not hold


@dataclass(frozen=True, slots=True)
class Picked:
    """What a search found: at most `MOST` rules, of how many, as QRadar listed them when.

    ``problem`` is why they could not be read anew.
    """

    rules: Sequence[Rule]
    matches: int
    total: int
    read_at: datetime | None
    problem: str | None = None

    @property
    def headline(self) -> Message:
        """How many rules were found, above their table."""
        found = counted(
            "{matches} of {n} rule match",
            "{matches} of {n} rules match",
            n=self.total,
            matches=self.matches,
        )
        if self.matches > len(self.rules):
            found = Message(
                "{found}; the first {shown} are shown", found=found, shown=len(self.rules)
            )
        return Message(
            "{found}. Choosing one fills in the form; nothing is saved by it.", found=found
        )


@bp.get("/api/v1/rules")
@needs(Right.ADMINISTER)
def search() -> Response:
    """The console's rules whose name or id holds ``q``; with ``again``, as they are now."""
    found = pick(request.args.get("q", ""), again="again" in request.args)
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
        read_at=to_text_or_none(found.read_at),
        problem=found.problem,
    )


def pick(text: str, *, again: bool = False) -> Picked:
    """Give the rules with every word of ``text`` in their name, or with that id; enabled first.

    They are read anew when the list is old, when somebody asks for it (``again``), and when none
    matches: the rule may have been made a minute ago.
    """
    problem = refresh(timedelta(0) if again else _FRESH)
    matching = _matching(text)
    if not matching and problem is None and not again:
        problem = refresh(_JUST_READ)
        matching = _matching(text)
    store = services().store
    total, read_at = len(store.qradar.rules()), store.qradar.console().rules_at
    return Picked(matching[:MOST], len(matching), total, read_at, problem)


def find(rule_id: int) -> Rule | None:
    """The rule with this id, for which the list is read anew if it is not there."""
    found = services().store.qradar.rule(rule_id)
    if found is None and refresh(_JUST_READ) is None:
        found = services().store.qradar.rule(rule_id)
    return found


def _matching(text: str) -> list[Rule]:
    words = text.casefold().split()
    matching = [
        rule
        for rule in services().store.qradar.rules()
        if text.strip() == str(rule.id) or all(word in rule.name.casefold() for word in words)
    ]
    return sorted(matching, key=lambda rule: (rule.enabled is False, rule.name.casefold(), rule.id))


def refresh(fresh: timedelta = _FRESH) -> str | None:
    """Read the rules unless the list is fresher than so; say why that was not possible."""
    store, now = services().store, services().clock()
    read_at = store.qradar.console().rules_at
    if read_at is not None and abs(now - read_at) < fresh:
        return None
    sec, _ = token_of(request.headers, request.cookies)
    mask(sec or "")
    try:
        with services().bulkhead.place():
            listed = list_rules(services().console_api, sec or "")
    except (ConsoleRefused, ConsoleUnavailable) as error:
        logger.warning("the console's rules could not be read: %s", error)
        return Message("The console's rules can't be read now. {reason}", reason=str(error))
    except TooBusy:
        return Message(
            "The console's rules can't be read now: too much is asked of it at this moment."
        )
    store.qradar.keep_rules(listed, now=now)
    return None
