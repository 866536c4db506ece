# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A console with offenses, and a store whose notes and watch belong to it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from app.qradar.console import ConsoleClient
from app.qradar.offenses import Offenses
from tests.simulators.console import ConsoleSimulator
from tests.simulators.console.offenses import Rule
from tests.simulators.console.switches import Switches

_numbers = count(1)


_clients: list[ConsoleClient] = []


def client_of(console: ConsoleSimulator, *, timeout: float = 5.0) -> ConsoleClient:
    """A client of the console; `close_clients` ends it with the test."""
    client = ConsoleClient(f"localhost:{console.port}", str(console.ca_file), timeout=timeout)
    _clients.append(client)
    return client


def close_clients() -> None:
    """Close every client's connections; urllib3 1.26 leaves them to the garbage collector."""
    while _clients:
        _clients.pop().close()


def offenses_of(console: ConsoleSimulator, *, service: str = "restore-service") -> Offenses:
    return Offenses(client_of(console), console.token(service))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def new_rule(console: ConsoleSimulator, **more: Any) -> Rule:
    """A rule that no other test has."""
    number = 500_000 + next(_numbers)
    return console.add_rule(number, more.pop("name", f"Rule {number}"), **more)


def contribute(console: ConsoleSimulator, rule: Rule, ms: int, *, source: str = "") -> int:
    """The rule adds an event of that time to an offense of its own; gives the offense's id."""
    source = source or f"source-{next(_numbers)}"
    return console.store.contribute(rule, {"starttime": ms, "sourceip": source})


def calm(console: ConsoleSimulator) -> None:
    """Undo what a test has switched, and forget what was asked so far."""
    console.switches.update(Switches().as_dict())
    console.identity.unlock()
    console.requests.clear()


def calls(console: ConsoleSimulator, method: str = "GET", path: str = "/api/") -> list[str]:
    return [
        one.path for one in console.api_calls if one.method == method and one.path.startswith(path)
    ]


def notes_of(console: ConsoleSimulator, offense_id: int) -> list[str]:
    texts = [str(note["note_text"]) for note in console.notes[offense_id]]
    assert not [text for text in texts if '{"message":' in text], "a sentence as stored"
    return texts


MakeFolder = Callable[[str], Path]
