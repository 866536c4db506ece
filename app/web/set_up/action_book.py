# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The book about the custom action in this app's store, and the end of an old trigger token."""

import logging
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from app.framework.masking import mask
from app.message import Message
from app.qradar.action_check import ending
from app.qradar.installed_action import Book
from app.store.database import StoreBusy
from app.store.store import Store

logger = logging.getLogger(__name__)


class StoredBook:
    """The book in the store; satisfies `app.qradar.installed_action.BookKeeper`."""

    def __init__(self, store: Store, *, by: str, now: datetime) -> None:
        self._store, self._by, self._now = store, by, now

    def read(self) -> Book:
        return Book.from_document(self._store.settings.custom_action())

    def write(self, book: Book, what: str = "") -> None:
        """Keep the book. Of an action that is gone, no rule has the one that comes after it."""
        document = book.to_document()
        with self._store.transaction():
            before = self.read().current
            if before and (book.current is None or book.current.action_id != before.action_id):
                self._store.mappings.forget_calls()
            self._store.settings.set_custom_action(document, what, by=self._by, now=self._now)

    def token_names(self) -> Collection[str]:
        return {token.name for token in self._store.tokens.list()}

    def new_token(self, name: str) -> str:
        token = self._store.tokens.new(name, by=self._by, now=self._now)
        mask(token)
        return token

    def revoke_token(self, name: str) -> None:
        with suppress(LookupError):
            self._store.tokens.revoke(name, by=self._by, now=self._now)


def note_use(store: Store, token: str, *, by_a_rule: bool, now: datetime) -> None:
    """Note that a trigger token was used, and revoke those that its action has replaced.

    They stay valid until a rule has called with the new one: only then is the new action deployed.
    QRadar's Test Execution runs what is not deployed yet, so a call that names no rule says nothing
    about that; where rules' calls name none either, a person removes the old ones. What can't be
    written is left to the next call: the trigger is kept already.
    """
    try:
        name = store.tokens.note_use(token, by_a_rule=by_a_rule, now=now)
        if not by_a_rule or name is None:
            return
        book = Book.from_document(store.settings.custom_action())
        if book.current is None or book.current.token_name != name:
            return
        valid = {one.name for one in store.tokens.list()}
        for old in book.old:
            if old.token_name in valid:
                store.tokens.revoke(
                    old.token_name, by=Message("the custom action's first call"), now=now
                )
                logger.info("trigger token %s was replaced by %s", old.token_name, name)
    except (StoreBusy, LookupError) as error:
        logger.warning("the use of a trigger token could not be noted: %s", error)


def expiry_notice(store: Store, now: datetime) -> str | None:
    """That the custom action's token has expired or soon will, for those who look at no set-up."""
    current = Book.from_document(store.settings.custom_action()).current
    ends = None if current is None else ending(current.expires_at, now)
    if current is None or ends is None:
        return None
    return Message(
        "The token of {service} {ends}: without it no rule can start a restore.",
        service=current.service_label,
        ends=ends,
    )
