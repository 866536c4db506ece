# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The words and forms in which pages show times, states, outcomes and rights."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask, g
from markupsafe import Markup, escape

from app.qradar.identity import Right
from app.restore.model import Outcome, Run, RunState
from app.web import texts
from app.web.access import lacking, may
from app.web.addresses import link
from app.web.services import services

_STATES = {
    RunState.AWAITING_APPROVAL: ("waits for approval", "attention", "decide"),
    RunState.QUEUED: ("queued", "active", "queued"),
    RunState.STARTING: ("starting", "active", "active"),
    RunState.RESTORING: ("restoring", "active", "active"),
    RunState.READY: ("ready in the clean room", "good", "good"),
    RunState.CLEANING_UP: ("cleaning up", "active", "active"),
    RunState.COMPLETED: ("completed", "done", "done"),
    RunState.FAILED: ("failed", "bad", "bad"),
    RunState.CANCELLED: ("cancelled", "done", "cancelled"),
    RunState.OBSERVED: ("observed, not started", "done", "observed"),
    RunState.NEEDS_DECISION: ("needs a decision", "attention", "decide"),
}
_OUTCOMES = {
    Outcome.ACCEPTED: ("restore requested", "good"),
    Outcome.AWAITING_APPROVAL: ("waits for approval", "attention"),
    Outcome.DUPLICATE: ("duplicate", "done"),
    Outcome.ALREADY_RUNNING: ("already running", "done"),
    Outcome.COOLING_DOWN: ("cooling down", "done"),
    Outcome.LIMIT_REACHED: ("limit reached", "attention"),
    Outcome.DISARMED: ("app is disarmed", "attention"),
    Outcome.MAPPING_DISABLED: ("mapping disabled", "attention"),
    Outcome.UNMATCHED: ("no mapping", "attention"),
    Outcome.OBSERVED: ("observed", "done"),
    Outcome.TEST: ("connection test", "done"),
}

_ACTIONS = {
    "cancel": "Cancel",
    "clean-up": "Clean up",
    "clean_up": "Clean up",
    "started": "It was started: follow the job session",
    "not_started": "It was not started: start it now",
    "follow": "Follow that job session",
    "clean_up_and_start": "Clean up that job session, then start",
    "give_up": "Give up",
}


# The explicit formatting characters of Unicode's bidirectional algorithm.
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Where scripts that are written from right to left have their characters.
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff"
    "\U0001e800-\U0001efff]"
)
_LONG = 400  # characters


def action_words(name: str) -> str:
    """What may be asked of a run, as its button says it."""
    return _ACTIONS.get(name, name.replace("_", " ").capitalize())


def state_words(run: Run) -> str:
    """A run's state in words."""
    if run.state is RunState.COMPLETED and run.with_warnings:
        return "completed with warnings"
    return _STATES[run.state][0]


def state_tone(state: RunState) -> str:
    """The colour class of a state: good, bad, active, attention or done."""
    return _STATES[state][1]


def state_icon(state: RunState) -> str:
    """The name of a state's picture in ``icons.svg``."""
    return _STATES[state][2]


def state_name(state: RunState | None) -> str:
    """A state in words, for histories and filters."""
    return "new" if state is None else _STATES[state][0]


def outcome_words(outcome: Outcome) -> str:
    """What came of a trigger, in words."""
    return _OUTCOMES[outcome][0]


def outcome_tone(outcome: Outcome) -> str:
    """The colour class of an outcome."""
    return _OUTCOMES[outcome][1]


def outside(value: object, limit: int = 0) -> Markup:
    """A value from outside: it can neither reorder the text around it nor burst the layout.

    Marks that steer the direction of text are shown instead of obeyed. What is longer than
    ``limit`` is cut there; what is long all the same is in a box that can be scrolled.
    """
    text = _STEERING.sub(lambda mark: f"[U+{ord(mark[0]):04X}]", str(value))
    if limit and len(text) > limit:
        text = f"{text[:limit].rstrip()}…"
    if len(text) > _LONG:
        return Markup('<bdi class="clip" tabindex="0">{}</bdi>').format(text)
    return Markup("<bdi>{}</bdi>").format(text) if _RIGHT_TO_LEFT.search(text) else escape(text)


def fill(sentence: str, **values: object) -> Markup:
    """A sentence of `texts` with its ``{name}`` placeholders filled.

    Sentence and values are escaped; a value that is markup already, such as a link of the macro
    ``show.anchor``, stays markup.
    """
    return escape(sentence).format(**values)


def utc(at: datetime | None) -> str:
    """A time for people, to the second."""
    return "–" if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """A length of time in its two largest units: "45 s", "15 min", "1 h 30 min", "2 days 4 h"."""
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        f"{days} day{'s' if days > 1 else ''}" if days else "",
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes else "",
        f"{left} s" if left else "",
    ]
    return " ".join([part for part in parts if part][:2]) or "0 s"


def ago(at: datetime | None) -> str:
    """How long ago a time was."""
    if at is None:
        return "never"
    seconds = (services().clock() - at).total_seconds()
    return "just now" if seconds < 2 else f"{duration(seconds)} ago"


def register(app: Flask) -> None:
    """Make them known to the templates of ``app``."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    filters: list[Callable[..., str]] = [
        utc,
        ago,
        duration,
        state_words,
        state_tone,
        state_name,
        state_icon,
    ]
    filters += [outcome_words, outcome_tone, action_words, outside, fill]
    for function in filters:
        app.add_template_filter(function)
    app.jinja_env.globals["t"] = texts

    @app.context_processor
    def words() -> dict[str, Any]:
        return {
            "link": link,
            "may": may,
            "lacking": lacking,
            "Right": Right,
            "RunState": RunState,
            "theme": g.get("theme"),
            "person": g.get("caller"),
            "version": services().version,
        }
