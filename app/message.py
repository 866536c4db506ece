# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Sentences that can be said in the reader's language: made where the decision is, said at the rim.

A `Message` is English text that remembers what it was made of: a template and the values in it. So
it can be stored, and read years later in another language, with what CDM or QRadar said still word
for word. Every module may use this one; it uses none of ours (docs/decisions/messages.md).
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Protocol, Self

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_CLAUSE = "clause"
_STORED = '{"message":'  # how a stored message begins
_DEEPEST = 32  # messages within messages; ours have about ten


class Words(Protocol):
    """One language: what the standard library's ``gettext.NullTranslations`` and its kin offer."""

    def gettext(self, message: str) -> str:
        """``message`` in that language, or as it is."""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The one of both that goes with ``n``, in that language."""

    def pgettext(self, context: str, message: str) -> str:
        """``message`` as it is said in ``context``."""


class Message(str):
    """An English sentence with its template and values; to all who know only text it is text.

    ``Message("job session {session} is up", session=12)``. Places are plain names in braces: what
    was stored can reach no attribute of a value. A place without a value stays as it is written.
    Values are text, numbers and messages; anything else counts as the text it makes. The place
    ``{clause}`` takes a sentence and says it without its full stop, for words go on after it.
    """

    __slots__ = ("many", "template", "values")

    template: str
    many: str  # the template for other numbers than one, where the value ``n`` decides
    values: Mapping[str, str | int]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """The message of ``template``."""
        return cls._made(template, "", values)

    @classmethod
    def _made(cls, template: str, many: str, values: Mapping[str, object]) -> Self:
        kept = {
            name: value
            if isinstance(value, str | int) and not isinstance(value, bool)
            else str(value)
            for name, value in values.items()
        }
        self = super().__new__(cls, _filled(template, many, kept, _English()))
        self.template, self.many, self.values = template, many, kept
        return self

    def __str__(self) -> "Message":
        return self  # so the text of an error that was made of a message is that message

    def said(self, words: Words) -> str:
        """The sentence in the language of ``words``."""
        return _filled(self.template, self.many, self.values, words)


def counted(one: str, many: str, /, n: int, **values: object) -> Message:
    """The message ``one`` for a single ``{n}`` and ``many`` for others: "1 run", "1,200 runs"."""
    return Message._made(one, many, {"n": n, **values})


def duration(seconds: float) -> Message:
    """A length of time in its largest unit and the next: "45 s", "15 min", "2 days 4 h"."""
    days, rest = divmod(round(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        counted("{n} day", "{n} days", n=days) if days else "",
        Message("{number} h", number=hours) if hours else "",
        Message("{number} min", number=minutes) if minutes else "",
        Message("{number} s", number=left) if left else "",
    ]
    largest = next((place for place, part in enumerate(parts) if part), None)
    if largest is None:
        return Message("{number} s", number=0)
    return joined([part for part in parts[largest : largest + 2] if part], " ")


def joined(parts: Iterable[str], between: str) -> Message:
    """Texts and messages one after the other, with ``between`` between them."""
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return Message._made(between.join(f"{{{name}}}" for name in values), "", values)


class _English:
    """What a message says as text."""

    def gettext(self, message: str) -> str:
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return msgid1 if n == 1 else msgid2

    def pgettext(self, _context: str, message: str) -> str:
        return message


def _filled(template: str, many: str, values: Mapping[str, str | int], words: Words) -> str:
    n = values.get("n")
    if many and isinstance(n, int):
        template = words.ngettext(template, many, n)
        values = {**values, "n": grouped(n, words)}
    else:
        template = words.gettext(template)
    return _PLACE.sub(lambda place: _value(place, values, words), template)


def _value(place: re.Match[str], values: Mapping[str, str | int], words: Words) -> str:
    value = values.get(place[1])
    if value is None:
        return place[0]
    said = value.said(words) if isinstance(value, Message) else str(value)
    return said.rstrip(".") if place[1] == _CLAUSE else said


def grouped(number: int, words: Words) -> str:
    """A count with its thousands apart: "1,200"."""
    return f"{number:,}".replace(",", words.pgettext("between thousands", ","))


# --- in the store -----------------------------------------------------------------------------

Sentence = Annotated[str, "a message"]
"""A field whose column holds what `stored` gives; the store's mapper reads it by `restored`."""


def stored(text: str) -> str:
    """``text`` for a column: a message as JSON of template and values, other text as it is."""
    if not isinstance(text, Message) and text.startswith(_STORED):
        text = Message("{text}", text=text)  # somebody's text that looks like one of ours
    if not isinstance(text, Message):
        return text
    return json.dumps(_parts(text), ensure_ascii=False, separators=(",", ":"))


def _parts(message: Message) -> dict[str, object]:
    parts: dict[str, object] = {"message": message.template}
    if message.many:
        parts["many"] = message.many
    if message.values:
        parts["values"] = {
            name: _parts(value) if isinstance(value, Message) else value
            for name, value in message.values.items()
        }
    return parts


def restored(column: str) -> str:
    """The text of a column: a `Message` where one was stored, else the text, as of old."""
    if not column.startswith(_STORED):
        return column
    try:
        return _from_parts(json.loads(column), _DEEPEST)
    except (ValueError, RecursionError):
        return column


def _from_parts(parts: object, deepest: int) -> Message:
    match parts:
        case {"message": str(template), **more} if deepest:
            many, values = more.get("many", ""), more.get("values", {})
            if isinstance(many, str) and isinstance(values, dict):
                read = {name: _from_part(one, deepest - 1) for name, one in values.items()}
                return Message._made(template, many, read)
    raise ValueError("no message")


def _from_part(value: object, deepest: int) -> str | int:
    return value if isinstance(value, str | int) else _from_parts(value, deepest)
