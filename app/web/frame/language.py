# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The reader's language: which one a page is in, and how texts come to be said in it.

A page speaks what QRadar knows of its user (qradar §3.4), else what the browser asks for. Programs
are answered in the language of the setting: whoever reads what they write down, it is not they.
"""

from collections.abc import Iterable
from typing import Any

import flask
from flask import Flask, g, has_request_context, request

from app.languages import ENGLISH, catalogue, languages
from app.message import Message, Words
from app.web.services import services


def _wanted() -> str:
    """The language of the request that is being answered."""
    known = getattr(g.get("caller"), "language", "")
    asked = [tag for tag, quality in request.accept_languages if quality > 0]  # the best first
    wanted = [tag.replace("_", "-").partition("-")[0].lower() for tag in (known, *asked)]
    return next((one for one in wanted if one in languages()), ENGLISH)


def language() -> str:
    """The language of the page that is being made, as HTML names it."""
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        g.language = _wanted()
    return str(g.language)


def say(text: str) -> str:
    """A message in the reader's language; other text as it is."""
    return text.said(catalogue(language())) if isinstance(text, Message) else text


def finalize(value: object) -> object:
    """What a template puts out: a message in the reader's language, else the value itself."""
    return say(value) if isinstance(value, Message) else value


def said(value: object) -> str:
    """A value as text, a message in the reader's language."""
    return str(finalize(value))


def flash(message: str, kind: str) -> None:
    """Tell the reader ``message`` on the page that comes next; ``kind`` is good or bad."""
    flask.flash(say(message), kind)


def for_programs(value: object) -> Any:
    """A value as JSON or CSV has it, with each message in it in the language of the setting."""
    return _told(value, services().words()) if has_request_context() else value


def _told(value: object, words: Words) -> object:
    if isinstance(value, Message):
        return value.said(words)
    if isinstance(value, dict):
        return {key: _told(one, words) for key, one in value.items()}
    return [_told(one, words) for one in value] if isinstance(value, list | tuple) else value


def _gettext(text: str) -> str:
    return catalogue(language()).gettext(text)


def _ngettext(one: str, many: str, n: int) -> str:
    return catalogue(language()).ngettext(one, many, n)


def _pgettext(context: str, text: str) -> str:
    return catalogue(language()).pgettext(context, text)


def joined(parts: Iterable[object], between: str = "") -> str:
    """Jinja's filter ``join``, for parts that may be messages too."""
    return between.join(map(said, parts))


def register(app: Flask) -> None:
    """Have the templates of ``app`` speak the reader's language, whatever they are handed."""
    env = app.jinja_env
    env.add_extension("jinja2.ext.i18n")
    functions = {"gettext": _gettext, "ngettext": _ngettext, "pgettext": _pgettext}
    for name, function in functions.items():
        env.globals[name] = function
    env.globals |= {"language": language, "say": say}
    env.filters["join"] = joined
    env.finalize = finalize
