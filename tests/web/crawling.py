# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Presses every button of every page that can be reached, each in the state that the page shows.

A press is tried as the page stands, after somebody has filled in what is empty, and a second time
after that, as from a page that was left open; whatever answers is looked at in its turn.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.store.database import connect
from tests.simulators.console import ConsoleSimulator
from tests.web.browsing import Browser, Button, Form, Page, forms_of
from tests.web.conftest import World

Table = list[tuple[Any, ...]]
# What a form says where no script asks before what was typed is lost.
OWN_BUTTON = (
    "Press this part's own button first: any other on this page drops what is entered here."
)


@dataclass(frozen=True)
class State:
    """Everything that a press may change, as it was at one moment."""

    database: sqlite3.Connection
    passwords: Mapping[str, str]
    console: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Does:
    """What a button says that it does.

    ``lands``: the endpoint of the page that one sees then, by its GET where it has one; ``shows``:
    words on it, as a pattern; ``writes``: the tables that change, and no others but those that
    ``may``; ``asks``: what CDM is asked, each from its beginning; ``keeps``: the form comes again
    with all that was entered; ``drops``: why what was typed into another form of the page may be
    lost without that form's saying so.
    """

    lands: str
    shows: str = ""
    writes: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    asks: tuple[str, ...] = ()
    keeps: bool = False
    drops: str = ""


@dataclass
class Crawl:
    """Goes through the pages of one world; ``wrong`` says which button did not do what it says."""

    world: World
    browser: Browser
    console: ConsoleSimulator
    expected: Mapping[tuple[str, str], Does]
    entered: Mapping[str, str]
    wrong: list[str] = field(default_factory=list)
    pressed: set[tuple[str, str]] = field(default_factory=set)
    seen: set[object] = field(default_factory=set)
    todo: list[tuple[State, Page, list[tuple[Form, Button]]]] = field(default_factory=list)
    presses: int = 0

    def open(self, path: str) -> Page:
        """Look at an address, and later at what its buttons do."""
        page = self.browser.open(path)
        self._meet(page)
        return page

    def submit_nothing(self, path: str) -> None:
        """Send a form with nothing in it but its token: what answers is a page like any other."""
        token = self.world.csrf(self.browser.client)
        state = self.keep()
        self._meet(self.browser.post(path, [("csrf_token", token)]))
        self.restore(state)

    def run(self) -> None:
        """Press until nothing new comes."""
        while self.todo:
            state, page, found = self.todo.pop(0)
            for form, button in found:
                self._try(state, page, form, button)

    def _meet(self, page: Page) -> None:
        if page.status >= 500:
            self.wrong.append(f"{page.method} {page.path} is answered {page.status}")
        if "<form" not in page.html:
            return
        where = (page.method, self.endpoint(page), page.status)
        found = []
        for form in forms_of(page):
            action = re.sub(r"\d+", "N", form.attributes.get("action", ""))
            if not action:
                self.wrong.append(f"{page.method} {page.path}: a form names no address of its own")
            for button in form.buttons:
                label = re.sub(r"\d+", "N", button.label)
                key = (where, action, label, button.attributes.get("name"))
                if key not in self.seen:
                    self.seen.add(key)
                    found.append((form, button))
        if found:
            self.todo.append((self.keep(), page, found))

    def _try(self, state: State, page: Page, form: Form, button: Button) -> None:
        place, label = self.endpoint(page).split(".")[0], button.label
        at = f"{page.method} {page.path}: “{label}”"
        known = [key for key in self.expected if key[0] == place and re.fullmatch(key[1], label)]
        if len(known) != 1:
            self.wrong.append(f"{at} has {len(known)} expectations in part {place}")
            return
        self.pressed.add(known[0])
        others = [one for one in forms_of(page) if one != form]
        typed = [one.name for other in others for one in other.typed() if not _says_so(other)]
        if typed and not self.expected[known[0]].drops:
            self.wrong.append(f"{at} loses what is typed in {typed}, fields of another form")
        for filled in {id(one): one for one in (form, form.filled(self.entered))}.values():
            self.restore(state)
            before, asked = self.tables(), len(self.world.cdm.asked)
            answer = self.browser.press(page, filled, button)
            self.presses += 1
            if not _gets_focus(answer, form, button):
                self.wrong.append(f"{at} → {answer.path}: nothing of the answer gets the focus")
            if filled is not form:
                told = f"{at} → {answer.method} {answer.path} {answer.status}"
                faults = self._faults(self.expected[known[0]], before, asked, filled, answer)
                self.wrong += [f"{told}: {fault}" for fault in faults]
            self._meet(answer)
        self._meet(self.browser.press(page, form.filled(self.entered), button))

    def _faults(
        self, does: Does, before: Mapping[str, Table], asked: int, form: Form, answer: Page
    ) -> Iterator[str]:
        if answer.status != 200:
            yield answer.main[:300]
            return
        landed = self.endpoint(answer)
        if not re.fullmatch(does.lands, landed):
            yield f"it lands on {landed}, not on {does.lands}"
        if not re.search(does.shows, answer.main):
            yield f"the page does not say “{does.shows}” but “{answer.main[:200]}”"
        after = self.tables()
        changed = {name for name in after if after[name] != before[name]}
        if not does.writes <= changed <= does.writes | does.may:
            yield f"it changes {sorted(changed)}, not {sorted(does.writes)}"
        calls = self.world.cdm.asked[asked:]
        if len(calls) < len(does.asks) or not all(map(str.startswith, calls, does.asks)):
            yield f"it asks CDM {calls}, not {does.asks}"
        if does.keeps:
            yield from self._lost(form, answer)

    @staticmethod
    def _lost(form: Form, answer: Page) -> Iterator[str]:
        """What was entered and is not in any form of the answer; a password never is."""
        kept = {(one.name, one.value) for each in forms_of(answer) for one in each.controls}
        for one in form.controls:
            if one.kind in {"password", "file", "hidden"} or not one.value or not one.sent:
                continue
            if (one.name, one.value) not in kept:
                yield f"“{one.value}” in {one.name} is lost"

    def endpoint(self, page: Page) -> str:
        """Which view answers at a page's address."""
        adapter = self.world.app.url_map.bind("")
        methods = ("GET", page.method)
        for method in methods if page.method == "POST" else methods[:1]:
            if adapter.test(page.path.partition("?")[0], method):
                return str(adapter.match(page.path.partition("?")[0], method)[0])
        return "none"

    def tables(self) -> dict[str, Table]:
        """Every row of the store but the signs of life: any page may leave the web process's."""
        database = connect(self.world.path)
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        found = {
            row["name"]: list(map(tuple, database.execute(f"SELECT * FROM {row['name']}")))  # noqa: S608 - the schema's own names
            for row in names.fetchall()
            if not row["name"].startswith("sqlite_") and row["name"] != "heartbeats"
        }
        database.close()
        return found

    def keep(self) -> State:
        kept = sqlite3.connect(":memory:")
        _copied(self.world.path, lambda database: database.backup(kept))
        return State(kept, dict(self.world.secrets.kept), _contents(self.console))

    def restore(self, state: State) -> None:
        _copied(self.world.path, state.database.backup)
        self.world.secrets.kept = dict(state.passwords)
        for name, values in state.console.items():
            vars(getattr(self.console, name)).update({k: v.copy() for k, v in values.items()})


def _says_so(form: Form) -> bool:
    """Whether it says that other buttons of its page drop what is typed into it."""
    return OWN_BUTTON in form.words


def _gets_focus(answer: Page, form: Form, button: Button) -> bool:
    """Whether an answer to a POST leads to what it says: itself, or by a place in its address."""
    place = button.attributes.get("formaction", "").partition("#")[2]
    if form.attributes.get("method", "get") != "post":
        return True
    return " autofocus" in answer.html or (place != "" and f'id="{place}" tabindex' in answer.html)


def _copied(path: Any, copy: Callable[[sqlite3.Connection], None]) -> None:
    database = connect(path)
    copy(database)
    database.close()


def _contents(console: ConsoleSimulator) -> dict[str, dict[str, Any]]:
    parts = {name: vars(getattr(console, name)) for name in ("custom_actions", "identity")}
    return {
        name: {key: value.copy() for key, value in part.items() if isinstance(value, dict)}
        for name, part in parts.items()
    }
