# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts the custom action on the console, brings it up to date, and takes it away again.

Each step is written into the book before it is taken, so that an attempt that was cut off at any
moment is finished or taken back by the next one. Nothing goes live before Deploy Changes, and the
tokens of the action that is live stay valid until its successor has called (see web.action_book).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from app.message import Message, joined
from app.qradar import authorized_services, custom_action, defined_actions
from app.qradar.administrator import Administrator, Gone, NotDone
from app.qradar.defined_actions import Action
from app.qradar.installed_action import Book, BookKeeper, Installation, issuers_of, sha256_of

ACTION_NAME = "Start a safeguarded restore"
_CONSOLE = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:@[0-9A-Za-z.:]+)?")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the administrator chose; empty ``console`` and ``mapping`` leave it to the script."""

    role_id: int
    expires_at: datetime
    console: str = ""
    mapping: str = ""
    adopt: int | None = None  # the id of a foreign action of our name that may be overwritten


class NameTaken(NotDone):
    """There is an action of our name that this app did not make."""

    def __init__(self, action: Action) -> None:
        super().__init__(
            Message(
                "There is a custom action named {name} already, and this app did not make it.",
                name=ACTION_NAME,
            ),
            cause=Message("It may be from an earlier installation of this app, or made by hand."),
            advice=Message(
                "Tick the box to have it replaced, or rename it under Admin, Custom Actions."
            ),
        )
        self.action = action


def check_console(text: str) -> str:
    """The parameter ``console`` as the script takes it, HOST[:PORT][@ADDRESS]; or ValueError."""
    value = text.strip()
    if value and not _CONSOLE.fullmatch(value):
        raise ValueError(Message("must be HOST, HOST:PORT or HOST:PORT@ADDRESS."))
    return value


@contextmanager
def _noting(problems: list[str], what: str) -> Iterator[None]:
    try:
        yield
    except NotDone as error:
        problems.append(joined([what, str(error)], ": "))


class Installer:
    """Works on one administrator's authority; ``by`` is that person's name."""

    def __init__(
        self, admin: Administrator, keeper: BookKeeper, *, by: str, now: datetime, version: str
    ) -> None:
        self._admin, self._keeper = admin, keeper
        self._by, self._now, self._version = by, now, version

    def install(self, wish: Wish, script: str, *, console: str) -> Installation:
        """Create the action, or bring it up to date, with new tokens.

        ``console`` is what the parameter of that name gets when the wish leaves it open. Raises
        `NotDone` when it could not be done; then what was begun is taken back, or stands in the
        book. Raises `NameTaken` before anything is begun.
        """
        self.settle()
        book = self._keeper.read()
        action = self._action_to_change(book, wish.adopt)
        interpreter = defined_actions.find_interpreter(self._admin)
        begun = Installation(
            token_name=self._new_name(book),
            service_label=authorized_services.free_label(
                self._admin, {one.service_label for one in book.old}
            ),
            role_id=wish.role_id,
            expires_at=wish.expires_at,
            script_sha256=sha256_of(script),
            issuers=issuers_of(script),
            console=wish.console,
            mapping=wish.mapping,
            installed_at=self._now,
            installed_by=self._by,
        )
        self._keeper.write(replace(book, pending=begun, made=book.made + 1))
        try:
            done = self._carry_out(begun, script, action, interpreter, wish.console or console)
        except NotDone as error:
            self._after_failure(error)
            raise
        self._sweep()
        return done

    def settle(self) -> None:
        """Finish or take back an attempt that was cut off. Raises `NotDone` when it can't tell."""
        pending = self._keeper.read().pending
        if pending is None:
            return
        for action in defined_actions.list_actions(self._admin):
            if pending.is_described_by(action.description):
                self._finish(replace(pending, action_id=action.id, script_id=action.script))
                return
        self._take_back(pending)

    def remove(self) -> list[str]:
        """Take everything away, the action first; give what could not be removed, and why."""
        self.settle()
        book = self._keeper.read()
        everything = [*([book.current] if book.current else []), *book.old]
        return self._take_down(everything, Message("removed"))

    def remove_old(self, label: str) -> list[str]:
        """Take away the authorized service ``label`` that is no longer in use, as `remove`.

        Raises `NotDone` for the one in use, or for one that this app did not make.
        """
        self.settle()
        book = self._keeper.read()
        if book.current is not None and book.current.service_label == label:
            raise NotDone(
                Message("The authorized service {label} is in use.", label=label),
                advice=Message("Update the custom action."),
            )
        known = [one for one in book.old if one.service_label == label]
        if known:
            return self._take_down(known, Message("old service {label} removed", label=label))
        for service in authorized_services.ours(self._admin):
            if service.label == label:
                authorized_services.delete(self._admin, service.id)
        return []

    def _carry_out(
        self,
        begun: Installation,
        script: str,
        action: Action | None,
        interpreter: int,
        console: str,
    ) -> Installation:
        script_id, fresh = self._put_script(script, begun, action)
        if fresh:
            begun = replace(begun, script_id=script_id)
            self._note(begun)
        token = self._keeper.new_token(begun.token_name)
        self._admin.hide(token)
        made = authorized_services.create(
            self._admin, begun.service_label, begun.role_id, expires_at=begun.expires_at
        )
        begun = replace(
            begun,
            service_id=made.service.id,
            expires_at=made.service.expires_at or begun.expires_at,
        )
        self._note(begun)
        document = {
            "name": ACTION_NAME,
            "description": begun.description(self._version),
            "interpreter": interpreter,
            "script": script_id,
            "parameters": custom_action.parameters(
                console, made.token, token=token, mapping=begun.mapping
            ),
        }
        action_id = self._put_action(document, begun, action)
        return self._finish(replace(begun, action_id=action_id, script_id=script_id))

    def _action_to_change(self, book: Book, adopt: int | None) -> Action | None:
        actions = defined_actions.list_actions(self._admin)
        for action in actions:
            if book.current is not None and action.id == book.current.action_id:
                return action
        named = next(
            (one for one in actions if one.name.casefold() == ACTION_NAME.casefold()), None
        )
        if named is not None and not book.owns_action(named.id) and adopt != named.id:
            raise NameTaken(named)
        return named

    def _put_script(
        self, script: str, begun: Installation, action: Action | None
    ) -> tuple[int, bool]:
        """Replace our script, or upload one; give its id and whether it is a new one.

        The old parameters fit a replaced script too: their order is the same (a test holds it).
        """
        book = self._keeper.read()
        file_name = f"start_restore_{begun.script_sha256[:12]}.sh"
        if action is not None and action.script is not None and book.owns_script(action.script):
            try:
                return self._upload(script, file_name, action.script), False
            except Gone:
                pass
        # one of just this name was uploaded by an attempt of which no answer arrived
        orphan = defined_actions.find_script(self._admin, file_name)
        in_use = {one.script for one in defined_actions.list_actions(self._admin)}
        return self._upload(script, file_name, None if orphan in in_use else orphan), True

    def _upload(self, script: str, file_name: str, script_id: int | None) -> int:
        return defined_actions.put_script(self._admin, script, file_name, script_id=script_id)

    def _put_action(
        self, document: dict[str, object], begun: Installation, action: Action | None
    ) -> int:
        try:
            return defined_actions.put_action(
                self._admin, document, action_id=action.id if action else None
            )
        except Gone:
            if action is None:
                raise
            return defined_actions.put_action(self._admin, document, action_id=None)
        except NotDone as error:
            if not error.perhaps:
                raise
            # no answer arrived: whether it is there shows in its description
            for found in defined_actions.list_actions(self._admin):
                if begun.is_described_by(found.description):
                    return found.id
            raise

    def _after_failure(self, error: NotDone) -> None:
        """Take back what was begun, or say that the next attempt will."""
        try:
            self.settle()
        except NotDone:
            more = Message(
                "What was begun is kept in mind: press the button again when the console answers,"
                " and it is finished or taken back first."
            )
        else:
            if not self._keeper.read().old:
                return
            more = Message("See below for what is left over.")
        error.advice = joined(filter(None, (error.advice, more)), " ")

    def _sweep(self) -> None:
        """Remove former services whose successor has called: their trigger token is revoked."""
        names = self._keeper.token_names()
        over = [one for one in self._keeper.read().old if one.token_name not in names]
        self._take_down(over, "")  # what can't be removed stays in the book and is shown

    def _take_back(self, pending: Installation) -> None:
        book = self._keeper.read()
        self._keeper.write(replace(book, pending=None, old=(*book.old, pending)))
        self._take_down([pending], "")

    def _take_down(self, installations: list[Installation], what: str) -> list[str]:
        """Remove what is left of some installations; the book keeps what could not be."""
        problems: list[str] = []
        for one in installations:
            remains = self._take_apart(one, problems)
            book = self._keeper.read()
            current = None if one == book.current else book.current
            old = [each for each in book.old if each != one]
            old += [] if remains.is_nowhere else [remains]
            self._keeper.write(replace(book, current=current, old=tuple(old)), what)
        return problems

    def _take_apart(self, one: Installation, problems: list[str]) -> Installation:
        self._keeper.revoke_token(one.token_name)
        with _noting(problems, Message("custom action {name}", name=ACTION_NAME)):
            if one.action_id is not None:
                defined_actions.delete_action(self._admin, one.action_id)
                one = replace(one, action_id=None)
        with _noting(problems, Message("script of the custom action")):
            if one.script_id is not None:
                defined_actions.delete_script(self._admin, one.script_id)
                one = replace(one, script_id=None)
        with _noting(problems, Message("authorized service {label}", label=one.service_label)):
            for service in authorized_services.ours(self._admin):
                # by its label too: it may have been made though no answer arrived
                if service.id == one.service_id or service.label == one.service_label:
                    authorized_services.delete(self._admin, service.id)
            return replace(one, service_id=None)
        return one

    def _note(self, begun: Installation) -> None:
        self._keeper.write(replace(self._keeper.read(), pending=begun))

    def _new_name(self, book: Book) -> str:
        """A name for the next trigger token, that none has, nor had."""
        names = self._keeper.token_names()
        candidates = (f"custom-action-{self._now:%Y-%m-%d}-{n}" for n in count(book.made + 1))
        return next(name for name in candidates if name not in names)

    def _finish(self, done: Installation) -> Installation:
        book = self._keeper.read()
        what = Message("installed with token {token}", token=done.token_name)
        if book.current:
            what = Message("updated with token {token}", token=done.token_name)
        self._keeper.write(book.after(done), what)
        return done
