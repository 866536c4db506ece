# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What is said of CDM, of QRadar and of passwords is said in any language, whatever went wrong."""

import ast
import gettext
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from app.cdm.actions import choose_action, start_target
from app.cdm.answers import action_failure, login_refusal, read_failure
from app.cdm.links import api
from app.cdm.pages import records
from app.configuration.kinds import Kind
from app.framework.bulkhead import Bulkhead, TooBusy
from app.message import Message
from app.qradar.action_check import ending
from app.qradar.action_installer import NameTaken
from app.qradar.administrator import Administrator, NotDone
from app.qradar.console import ConsoleRefused, ConsoleUnavailable, LockedOut
from app.qradar.defined_actions import Action, find_interpreter
from app.remote.failures import Cleaner, unreachable
from app.remote.guard import Guard
from app.remote.http import parsed
from app.restore.model import CopyManagerError
from app.restore.model.copies import Which
from tests.factories import copy_of
from tests.pseudo import pseudo

APP = Path(__file__).parents[1] / "app"
FOR_PEOPLE = {
    *("NothingSent", "Unreachable", "Untrusted", "LoginRefused", "Busy", "Refused", "NotFound"),
    *("Unknown", "NoAnswer", "NotDone", "Gone", "ConsoleUnavailable", "NotAuthenticated"),
    *("BadLink", "NoIssuers", "NotAService", "LacksOffenses", "SecretUnreadable"),
    *("SecretNotStored", "TooBusy", "Advice", "Copy", "Answer", "TokenUnreadable", "Problem"),
    *("ConnectionInUse", "Taken", "InvalidField", "NotPossible"),
    *("MigrationFailed", "StoreLost", "NewerSchema"),
}
WORDS = {"message", "cause", "advice", "terminal", "problem", "what", "why"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHAT = Message("job {job}", job="7")


class Bracketed(gettext.NullTranslations):
    """A language that has every message, in brackets."""

    def gettext(self, message: str) -> str:
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pseudo(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return message


def outside(text: str) -> str:
    """What of ``text`` is in no language: its words that are in no brackets."""
    while text != (inner := re.sub(r"⟦[^⟦⟧]*⟧", "", text)):
        text = inner
    return text.strip()


def words_in(message: Message) -> Iterator[str]:
    """The values of a message, those of the messages in it too, as far as they are plain text."""
    for value in message.values.values():
        if isinstance(value, Message):
            yield from words_in(value)
        elif isinstance(value, str):
            yield value


def cdm_errors() -> Iterator[CopyManagerError | None]:
    cleaner = Cleaner()
    refusals = [ConnectionRefusedError(), TimeoutError(), socket.gaierror(), OSError()]
    tunnel = OSError("Tunnel connection failed: 403 no")
    for error in (*refusals, tunnel):
        yield unreachable(error, Kind.CDM, "cdm", 8443)
        yield unreachable(error, Kind.CDM, "cdm", 8443, proxy="http://proxy:3128")
    bodies = [b"", b"<html>", b"nonsense", b'{"id":"XActiveException","description":"said"}']
    bodies += [b'{"id":"XException"}', b"[]", b'{"id":"SessionExpiredException"}']
    for status in (200, 302, 401, 404, 409, 500):
        for body in bodies:
            answer = parsed(status, body)
            yield login_refusal(answer, "cdm:8443", cleaner)
            yield read_failure(answer, WHAT, cleaner)
            yield action_failure(answer, WHAT, cleaner, any_2xx=False)


class Console:
    """A console with one answer."""

    def __init__(self, answer: object) -> None:
        self.body, self.status, self.headers = answer, 200, dict[str, str]()

    def request(self, *_: object, **__: object) -> "Console":
        if isinstance(self.body, Exception):
            raise self.body
        return self


def administrator(answer: object) -> Administrator:
    return Administrator(Console(answer), "said")  # type: ignore[arg-type]


CONSOLE_ERRORS: Sequence[Exception] = (
    *(ConsoleRefused(status, None, "said") for status in (401, 403, 404, 422)),
    ConsoleRefused(409, 95103005, "said"),
    ConsoleUnavailable(Message("It is away."), cause=Message("It rains.")),
    LockedOut(),
)
VALUES = {"values": [{"name": "said", "value": "said"}] * 2}
SCHEMA = {"parameter": {"actionname": VALUES}}
GUARD = Guard(lambda: frozenset({"192.0.2.1"}))
RAISING: Sequence[Callable[[], object]] = (
    lambda: start_target({"links": {"start": {"href": "/somewhere/else"}}}, "7", None),
    lambda: start_target({"links": {"other": {}}}, "7", None),
    lambda: choose_action(SCHEMA, {}, None),
    lambda: choose_action(SCHEMA, {}, "said"),
    lambda: list(records(lambda _target, _what: {}, api("job"), "jobs", what=Message("jobs"))),
    lambda: GUARD.check_address("192.0.2.1"),
    lambda: GUARD.check_address("127.0.0.1"),
    lambda: Bulkhead(0).place().__enter__(),
    *(partial(find_interpreter, administrator(answer)) for answer in ([], {}, *CONSOLE_ERRORS)),
)


def raised(act: Callable[[], object]) -> Exception:
    """What is raised by ``act``."""
    with pytest.raises((CopyManagerError, NotDone, TooBusy)) as caught:
        act()
    return caught.value


def everything() -> Iterator[str]:
    """A text of each kind."""
    yield from (str(error) for error in cdm_errors() if error is not None)
    yield from (str(raised(act)) for act in RAISING)
    yield str(NameTaken(Action(1, "said", "", None, None, None)))
    yield from (str(error) for error in CONSOLE_ERRORS)
    for days in (-1, 0, 1, 9):
        yield ending(NOW + timedelta(days=days, hours=1), NOW) or ""
    for which in Which:
        yield str(copy_of(which, problem=Message("It is gone.")))
        yield str(copy_of(which, at=NOW, policy="said", sources=("said", "said")))
        yield str(copy_of(which, name="said", sources=("said",)))


def test_everything_is_said_in_the_readers_language() -> None:
    texts = list(everything())
    plain = [text for text in texts if not isinstance(text, Message)]
    said = {outside(text.said(Bracketed())) for text in texts if isinstance(text, Message)}

    assert len(texts) > 100
    assert plain == []
    assert said == {""}


def test_what_is_put_in_word_for_word_is_no_sentence_of_ours() -> None:
    verbatim = {
        word for text in everything() if isinstance(text, Message) for word in words_in(text)
    }

    assert {word for word in verbatim if " " in word} <= {
        "Start a safeguarded restore",  # a name
        "2026-01-01 00:00:00 UTC",
        "2026-01-01 00:00:00+00:00",
        *{word for word in verbatim if word.startswith("HTTP ")},  # CDM's words
        "said (said), said (said)",  # CDM's too
    }


def our_words(node: ast.expr) -> bool:
    """Whether there are letters in a text that is no message."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    if isinstance(node, ast.IfExp):
        return our_words(node.body) or our_words(node.orelse)
    return any(
        isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and re.search("[A-Za-z]", part.value) is not None
        for part in parts
    )


def test_no_error_for_people_is_made_of_plain_text() -> None:
    found = []
    rooms = ("cdm", "remote", "qradar", "framework", "restore", "configuration", "store", "web")
    for package in (*rooms, "worker"):
        for path in (APP / package).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if not isinstance(call, ast.Call):
                    continue
                name = ast.unparse(call.func).rpartition(".")[2]
                if name == "Happening":  # its ``what`` is a code
                    continue
                at = 1 if name in {"Taken", "InvalidField"} else 0  # which name their field before
                said = call.args[at : at + 1] if name in FOR_PEOPLE else []
                said += [each.value for each in call.keywords if each.arg in WORDS]
                found += [f"{path.name}:{each.lineno}" for each in said if our_words(each)]

    assert found == []
