# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The words and forms in which pages show times, states, outcomes and rights."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, g
from markupsafe import Markup, escape

from app.message import Message, duration
from app.qradar.identity import Right
from app.restore import actions
from app.restore.asks import ASKS
from app.restore.model import Mode, Outcome, Run, RunState
from app.restore.model.recovery_point import copy_sentence, copy_warns
from app.web.frame.access import LACKING, may
from app.web.frame.addresses import link
from app.web.frame.language import finalize, said, say
from app.web.services import services

_STATE_WORDS = {
    RunState.AWAITING_APPROVAL: Message("waits for approval"),
    RunState.QUEUED: Message("queued"),
    RunState.STARTING: Message("starting"),
    RunState.RESTORING: Message("restoring"),
    RunState.READY: Message("ready in the clean room"),
    RunState.CLEANING_UP: Message("cleaning up"),
    RunState.COMPLETED: Message("completed"),
    RunState.FAILED: Message("failed"),
    RunState.CANCELLED: Message("cancelled"),
    RunState.OBSERVED: Message("observed, not started"),
    RunState.NEEDS_DECISION: Message("needs a decision"),
}
_OUTCOME_WORDS = {
    Outcome.ACCEPTED: Message("restore requested"),
    Outcome.AWAITING_APPROVAL: Message("waits for approval"),
    Outcome.DUPLICATE: Message("duplicate"),
    Outcome.ALREADY_RUNNING: Message("already running"),
    Outcome.COOLING_DOWN: Message("cooling down"),
    Outcome.LIMIT_REACHED: Message("limit reached"),
    Outcome.DISARMED: Message("app is disarmed"),
    Outcome.MAPPING_DISABLED: Message("mapping disabled"),
    Outcome.UNMATCHED: Message("no mapping"),
    Outcome.OBSERVED: Message("observed"),
    Outcome.TEST: Message("connection test"),
}
MODE_NAMES = {
    Mode.ARMED: Message("armed"),
    Mode.OBSERVE: Message("observing"),
    Mode.DISARMED: Message("disarmed"),
}
_CLOCK_TIME = "%H:%M:%S UTC"
_SOURCES = {
    "custom_action": Message("custom action"),
    "offense_watch": Message("offense watch"),
    "simulation": Message("simulation"),
    "manual": Message("started by hand"),
}
_BY = {
    "app": Message("the app"),
    "the app": Message("the app"),
    "rule": Message("the rule"),
    "command line": Message("the command line"),
}
_TIME = "%Y-%m-%d %H:%M:%S UTC"

_STATES = {  # the colour class and the picture
    RunState.AWAITING_APPROVAL: ("attention", "decide"),
    RunState.QUEUED: ("active", "queued"),
    RunState.STARTING: ("active", "active"),
    RunState.RESTORING: ("active", "active"),
    RunState.READY: ("good", "good"),
    RunState.CLEANING_UP: ("active", "active"),
    RunState.COMPLETED: ("done", "done"),
    RunState.FAILED: ("bad", "bad"),
    RunState.CANCELLED: ("done", "cancelled"),
    RunState.OBSERVED: ("done", "observed"),
    RunState.NEEDS_DECISION: ("attention", "decide"),
}
_OUTCOMES = {  # the colour class
    Outcome.ACCEPTED: "active",  # asked for: what came of it the run tells
    Outcome.AWAITING_APPROVAL: "attention",
    Outcome.DUPLICATE: "done",
    Outcome.ALREADY_RUNNING: "done",
    Outcome.COOLING_DOWN: "done",
    Outcome.LIMIT_REACHED: "attention",
    Outcome.DISARMED: "attention",
    Outcome.MAPPING_DISABLED: "attention",
    Outcome.UNMATCHED: "attention",
    Outcome.OBSERVED: "done",
    Outcome.TEST: "done",
}

# What can't be seen and acts on the text around it: the explicit formatting characters of Unicode's
# bidirectional algorithm, its line ends, and control characters but for tab and line feed.
_STEERING = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u2028\u2029\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
# Where scripts that are written from right to left have their characters.
_RTL = (
    "[\u0590-\u08ff\u200e\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff"
    "\U0001e800-\U0001efff]"
)
# As much of a text as is read from right to left: up to the next letter of another script.
_RTL_PART = re.compile(rf"{_RTL}+(?:[\W\d_]+{_RTL}+)*")
_LETTER = re.compile(r"[^\W\d_]")
_EVENT_TIMES = {"event_time", "starttime"}
_MILLISECONDS = re.compile(r"[1-9][0-9]{11,13}")  # since 1970; to the year 5138
_LONG = 400  # characters
_MOST_PARTS = 20  # no sentence has more; a page must not be swollen by markup


def action_words(name: str) -> str:
    """What may be asked of a run, as its button says it."""
    return actions.words_of(name).button


def pending_words(kind: str) -> str:
    """What was asked of a run and is not done yet."""
    return next(ask.pending for ask in ASKS if ask.kind == kind)


def state_words(run: Run) -> str:
    """A run's state in words."""
    if run.state is RunState.QUEUED and run.contact_lost_since is not None:
        return Message("queued, not started")
    if run.state is RunState.COMPLETED and run.with_warnings:
        return Message("completed with warnings")
    return _STATE_WORDS[run.state]


def source_words(source: str) -> str:
    """Where a trigger came from, in words."""
    return _SOURCES.get(source, source.replace("_", " "))


def by_words(name: str) -> str:
    """Who did something: a person by name, the app's own parts in words."""
    return _BY.get(name, name)


def run_tone(run: Run) -> str:
    """The colour class of a run's state; a run that CDM keeps from its start is no calm one."""
    if run.state is RunState.QUEUED and run.contact_lost_since is not None:
        return "bad"
    return state_tone(run.state)


def state_tone(state: RunState) -> str:
    """The colour class of a state: good, bad, active, attention or done."""
    return _STATES[state][0]


def state_icon(state: RunState) -> str:
    """The name of a state's picture in ``icons.svg``."""
    return _STATES[state][1]


def state_name(state: RunState | None) -> str:
    """A state in words, for histories and filters."""
    return Message("new") if state is None else _STATE_WORDS[state]


def outcome_words(outcome: Outcome) -> str:
    """What came of a trigger, in words."""
    return _OUTCOME_WORDS[outcome]


def outcome_tone(outcome: Outcome) -> str:
    """The colour class of an outcome."""
    return _OUTCOMES[outcome]


def outside(value: object, limit: int = 0) -> Markup:
    """A value from outside: it can neither reorder the text around it nor burst the layout.

    Marks that steer the direction of text are shown instead of obeyed. What is longer than
    ``limit`` is cut there; what is long all the same is in a box that can be scrolled.
    """
    text = _STEERING.sub(lambda mark: f"[U+{ord(mark[0]):04X}]", said(value))
    if limit and len(text) > limit:
        text = f"{text[:limit].rstrip()}…"
    if len(text) > _LONG:
        return Markup('<bdi class="clip" tabindex="0">{}</bdi>').format(_in_order(text))
    return _in_order(text)


def _in_order(text: str) -> Markup:
    """``text`` with what is read from right to left kept apart from its neighbours.

    A name that begins in such a script is one piece. In a sentence of ours with such names in it
    each is a piece, so that a number or a bracket that follows it stays behind it.
    """
    parts = list(_RTL_PART.finditer(text))
    if not parts:
        return escape(text)
    first = _LETTER.search(text)
    if first is None or _RTL_PART.match(first[0]) or len(parts) > _MOST_PARTS:
        return Markup("<bdi>{}</bdi>").format(text)
    pieces, end = list[Markup](), 0
    for part in parts:
        pieces += [escape(text[end : part.start()]), Markup("<bdi>{}</bdi>").format(part[0])]
        end = part.end()
    return Markup("").join([*pieces, escape(text[end:])])


def fill(sentence: str, **values: object) -> Markup:
    """A sentence in the reader's language with its ``{name}`` places filled.

    Sentence and values are escaped; a value that is markup already, such as a link of the macro
    ``show.anchor``, stays markup.
    """
    return escape(say(sentence)).format(**{name: finalize(one) for name, one in values.items()})


def capital(text: str) -> str:
    """Words of ours in the reader's language, with a large first letter."""
    words = said(text)
    return words[:1].upper() + words[1:]


def utc(at: datetime | None) -> str:
    """A time for people, to the second."""
    return "–" if at is None else at.strftime(_TIME)


def clock_time(at: datetime) -> str:
    """A time of today, or of the next hours, for a sentence."""
    return at.strftime(_CLOCK_TIME)


def event_value(value: str, name: str) -> Markup:
    """A field of an event as pages show it: a time in words, as it was sent beside it."""
    if name not in _EVENT_TIMES or not _MILLISECONDS.fullmatch(value):
        return outside(value)
    at = datetime.fromtimestamp(int(value) / 1000, UTC)
    shown = Markup('<time datetime="{}" title="{}">{}</time>')
    sent = Message("{value} ms since 1970, as it was sent", value=value)
    return shown.format(at.isoformat(), say(sent), utc(at))


def ago(at: datetime | None) -> str:
    """How long ago a time was."""
    if at is None:
        return Message("never")
    seconds = (services().clock() - at).total_seconds()
    if seconds < 2:
        return Message("just now")
    return Message("{time} ago", time=duration(seconds))


def register(app: Flask) -> None:
    """Make them known to the templates of ``app``."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    filters: list[Callable[..., str]] = [
        utc,
        ago,
        duration,
        event_value,
        state_words,
        run_tone,
        state_tone,
        state_name,
        state_icon,
    ]
    filters += [outcome_words, outcome_tone, action_words, pending_words, source_words, by_words]
    filters += [outside, fill, capital]
    for function in filters:
        app.add_template_filter(function)
    app.add_template_filter(copy_sentence)
    app.add_template_filter(copy_warns)

    @app.context_processor
    def words() -> dict[str, Any]:
        return {
            "link": link,
            "may": may,
            "Right": Right,
            "LACKING": LACKING,
            "MODE_NAMES": MODE_NAMES,
            "RunState": RunState,
            "theme": g.get("theme"),
            "person": g.get("caller"),
            "version": services().version,
        }
