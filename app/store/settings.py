# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What an operator sets, the trigger tokens, and the sign of life of each process."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.configuration import settings as declared
from app.configuration.fields import fields_of
from app.configuration.settings import Mode
from app.languages import ENGLISH, catalogue
from app.message import Message, Words
from app.restore.own_events import OwnEvents
from app.store.audit import Audit
from app.store.database import Database
from app.store.rows import from_row, readers
from app.store.times import from_text, from_text_or_none, to_text

_USE_NOTED_EVERY = timedelta(minutes=1)


def spoken(db: Database) -> Words:
    """The words of the language that is set for what is said to no reader of a page."""
    row = db.execute("SELECT value FROM settings WHERE key = 'language'").fetchone()
    return catalogue(ENGLISH if row is None else row["value"])


class Settings:
    """The settings in the store, and what else is kept once for the whole app."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db, self._audit = db, audit

    def values(self) -> declared.Settings:
        """Give every setting; what nobody has set has its default."""
        return _settings(self._values())

    @property
    def mode(self) -> Mode:
        row = self._db.execute("SELECT value FROM settings WHERE key = 'mode'").fetchone()
        return Mode.DISARMED if row is None else Mode(row["value"])

    @property
    def words(self) -> Words:
        """The words of the language that notes, events and answers to programs are said in."""
        return spoken(self._db)

    @property
    def mode_since(self) -> datetime | None:
        """When the mode was last changed, None if that was before this was noted."""
        return from_text_or_none(self._values().get("mode_since"))

    @property
    def own_events(self) -> OwnEvents:
        """By what our own events are known: what is set, and what the console told."""
        kept = self._values()
        chosen, told = _settings(kept), json.loads(kept.get("own_events", "{}"))
        return OwnEvents(
            frozenset([*chosen.own_log_sources, *told.get("log_sources", ())]),
            frozenset([*chosen.own_qids, *told.get("qids", ())]),
        )

    def keep_own_events(self, log_sources: Sequence[int], qids: Sequence[int]) -> None:
        """Keep what the console has told of our own events."""
        text = json.dumps({"log_sources": list(log_sources), "qids": list(qids)})
        if self._values().get("own_events") != text:
            with self._db.transaction():
                self._put("own_events", text)

    @property
    def watch_offer_answered(self) -> bool:
        """Whether somebody has answered if the mappings of old shall be watched."""
        return "watch_offer" in self._values()

    def custom_action(self) -> dict[str, Any]:
        """Give the book about the custom action on the console, as it was last written."""
        book: dict[str, Any] = json.loads(self._values().get("custom_action", "{}"))
        return book

    def set_custom_action(
        self, book: Mapping[str, Any], what: str, *, by: str, now: datetime
    ) -> None:
        """Write the book; ``what`` happened goes into the audit trail, unless it is empty."""
        with self._db.transaction():
            self._put("custom_action", json.dumps(book))
            if what:
                self._audit.append(by, "custom_action", what, "", now=now)

    def uninstall_told_at(self) -> datetime | None:
        """When the uninstall hook last answered that something stays on the console."""
        return from_text_or_none(self._values().get("uninstall_told_at"))

    def note_uninstall_told(self, now: datetime) -> None:
        """Keep that the uninstall hook has just answered so."""
        with self._db.transaction():
            self._put("uninstall_told_at", to_text(now))

    def set_mode(self, mode: Mode, *, by: str, now: datetime) -> None:
        self.set("mode", str(mode), by=by, now=now)

    def set(self, key: str, value: object, *, by: str, now: datetime) -> None:
        """Change a setting; a change is audited, the same value again is not."""
        text = str(value) if isinstance(value, str) else json.dumps(value)
        with self._db.transaction():
            if self._values().get(key) == text:
                return
            self._put(key, text)
            if key == "mode":
                self._put("mode_since", to_text(now))
            self._audit.append(by, "settings.change", key, text, now=now)

    def _put(self, key: str, text: str) -> None:
        self._db.execute(
            "INSERT INTO settings (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, text),
        )

    def _values(self) -> Mapping[str, str]:
        return {row["key"]: row["value"] for row in self._db.execute("SELECT * FROM settings")}


@dataclass(frozen=True, slots=True)
class TriggerToken:
    """A trigger token as it can be listed: not the token."""

    name: str
    created_at: datetime
    last_used_at: datetime | None
    called_at: datetime | None = None  # when a call with it first named a rule
    tested_at: datetime | None = None  # when a call with it first named none


class TriggerTokens:
    """The trigger tokens; only their SHA-256 is kept."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db, self._audit = db, audit

    def new(self, name: str, *, by: str, now: datetime) -> str:
        """Make a token and give it, this once. Raises `ValueError` when the name is taken."""
        token = secrets.token_urlsafe(32)
        with self._db.transaction():
            if self._db.execute("SELECT 1 FROM trigger_tokens WHERE name = ?", (name,)).fetchone():
                raise ValueError(
                    Message("There is a trigger token named {name} already.", name=name)
                )
            self._db.execute(
                "INSERT INTO trigger_tokens (name, sha256, created_at) VALUES (?,?,?)",
                (name, _digest(token), to_text(now)),
            )
            self._audit.append(by, "trigger_token.new", name, "", now=now)
        return token

    def revoke(self, name: str, *, by: str, now: datetime) -> None:
        """Make a token invalid at once. Raises `LookupError` when there is none of that name."""
        with self._db.transaction():
            cursor = self._db.execute("DELETE FROM trigger_tokens WHERE name = ?", (name,))
            if cursor.rowcount == 0:
                raise LookupError(f"there is no trigger token named {name}")
            self._audit.append(by, "trigger_token.revoke", name, "", now=now)

    def list(self) -> Sequence[TriggerToken]:
        return [
            from_row(TriggerToken, row)
            for row in self._db.execute("SELECT * FROM trigger_tokens ORDER BY name")
        ]

    def note_use(self, token: str, *, by_a_rule: bool, now: datetime) -> str | None:
        """Note that a valid token was used, to the minute; give its name, None if it is gone.

        The first use by a call that names a rule, and by one that names none, is kept for good.
        """
        row = self._db.execute(
            "SELECT * FROM trigger_tokens WHERE sha256 = ?", (_digest(token),)
        ).fetchone()
        if row is None:
            return None
        last = from_text_or_none(row["last_used_at"])
        first = "called_at" if by_a_rule else "tested_at"
        if last is None or abs(now - last) >= _USE_NOTED_EVERY or row[first] is None:
            with self._db.transaction():
                self._db.execute(
                    f"UPDATE trigger_tokens SET last_used_at = ?, {first} = ifnull({first}, ?)"  # noqa: S608 - our own names
                    " WHERE name = ?",
                    (to_text(now), to_text(now), row["name"]),
                )
        return str(row["name"])

    def name_of(self, token: str) -> str | None:
        """Give a valid token's name, else None; takes the same time wherever it differs.

        None is valid in a store that was put back: what is listed may have been revoked since.
        """
        given, name = _digest(token), None
        for row in self._db.execute("SELECT name, sha256 FROM trigger_tokens"):
            if hmac.compare_digest(given, row["sha256"]):
                name = str(row["name"])
        return None if self.wait_for_confirmation() else name

    def wait_for_confirmation(self) -> bool:
        """Whether the store was put back, and no administrator has confirmed its tokens yet."""
        return bool(
            self._db.execute("SELECT 1 FROM installation WHERE put_back IS NOT NULL").fetchone()
        )

    def is_valid(self, token: str) -> bool:
        """Say whether ``token`` is one of ours."""
        return self.name_of(token) is not None


class Heartbeats:
    """When each process last showed a sign of life."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def beat(self, process: str, *, now: datetime, pid: int) -> None:
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO heartbeats (process, at, pid) VALUES (?,?,?)"
                " ON CONFLICT (process) DO UPDATE SET at = excluded.at, pid = excluded.pid",
                (process, to_text(now), pid),
            )

    def all(self) -> dict[str, tuple[datetime, int]]:
        """Give the last beat and the process id for each process."""
        return {
            row["process"]: (from_text(row["at"]), row["pid"])
            for row in self._db.execute("SELECT * FROM heartbeats")
        }


def _settings(kept: Mapping[str, str]) -> declared.Settings:
    read, found = readers(declared.Settings), {}
    for name, one in fields_of(declared.Settings).items():
        if (text := kept.get(name)) is not None:
            # a word stands as it is, anything else as JSON
            found[name] = read[name](text if isinstance(one.begins, str) else json.loads(text))
    return declared.Settings(**found)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
