# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What this app has put on the console for its custom action, and the book in which it keeps that.

No token is in it: of the trigger token there is its name, of the authorized service its label.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
_TIMES = ("expires_at", "installed_at")


@dataclass(frozen=True, slots=True)
class Installation:
    """One custom action with all that belongs to it; what is None is not on the console."""

    token_name: str  # of our trigger token
    service_label: str  # of QRadar's authorized service
    role_id: int
    expires_at: datetime
    script_sha256: str
    issuers: str  # see `issuers_of`
    console: str  # the parameter ``console``; empty: the script's own
    mapping: str  # the parameter ``mapping``; empty: by rule
    installed_at: datetime
    installed_by: str
    action_id: int | None = None
    script_id: int | None = None
    service_id: int | None = None

    @property
    def is_nowhere(self) -> bool:
        """Whether nothing of it is left on the console."""
        return self.action_id is None and self.script_id is None and self.service_id is None

    def description(self, version: str) -> str:
        """The action's description: a sentence for people, then what tells its version."""
        return (
            "Starts the restore job that the app Safeguarded restore has mapped to the rule. Change"
            f" it on the app's set-up page only. [{_MARK} {version} {_token_word(self)}"
            f" script={self.script_sha256[:16]} certificates={self.issuers[:16]}"
            f" expires={self.expires_at:%Y-%m-%d}]"
        )

    def is_described_by(self, description: str) -> bool:
        """Whether an action with this description carries the tokens of this installation."""
        return _MARK in description and _token_word(self) in description.split()


_MARK = "safeguarded-restore"


def _token_word(installation: Installation) -> str:
    return f"token={installation.token_name}"


@dataclass(frozen=True, slots=True)
class Book:
    """What stands where, through every step of an installation.

    ``pending`` is an attempt that has not come to its end; ``old`` are former ones of which
    something is left; ``made`` counts the trigger tokens, so that no name comes twice.
    """

    current: Installation | None = None
    pending: Installation | None = None
    old: tuple[Installation, ...] = ()
    made: int = 0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Book":
        """Read what `to_document` gave; fields that are not known are left out."""
        current, pending = document.get("current"), document.get("pending")
        return cls(
            _read(current) if current else None,
            _read(pending) if pending else None,
            tuple(_read(one) for one in document.get("old", ())),
            int(document.get("made", 0)),
        )

    def to_document(self) -> dict[str, Any]:
        """The book as JSON takes it."""
        return {
            "current": _written(self.current) if self.current else None,
            "pending": _written(self.pending) if self.pending else None,
            "old": [_written(one) for one in self.old],
            "made": self.made,
        }

    def owns_action(self, action_id: int) -> bool:
        """Whether an action is one that this app made."""
        known = (self.current, *self.old)
        return any(one is not None and one.action_id == action_id for one in known)

    def owns_script(self, script_id: int) -> bool:
        """Whether a script is one that this app made."""
        known = (self.current, *self.old)
        return any(one is not None and one.script_id == script_id for one in known)

    def after(self, finished: Installation) -> "Book":
        """The book once ``finished`` is what stands on the console.

        Former ones keep their tokens, and lose the action and script that it has taken over.
        """
        former = (*self.old, *([self.current] if self.current else []))
        old = [
            replace(
                one,
                action_id=None if one.action_id == finished.action_id else one.action_id,
                script_id=None if one.script_id == finished.script_id else one.script_id,
            )
            for one in former
        ]
        return replace(self, current=finished, pending=None, old=tuple(old))


class BookKeeper(Protocol):
    """Where the book and the trigger tokens are kept: this app's store."""

    def read(self) -> Book: ...

    def write(self, book: Book, what: str = "") -> None:
        """Keep the book; ``what`` happened is for the audit trail."""

    def token_names(self) -> Collection[str]:
        """The names of the valid trigger tokens."""

    def new_token(self, name: str) -> str:
        """Make a trigger token and give it, this once."""

    def revoke_token(self, name: str) -> None:
        """Make a trigger token invalid; there being none is as good."""


def _read(document: Mapping[str, Any]) -> Installation:
    known = {one.name for one in fields(Installation)}
    values = {name: value for name, value in document.items() if name in known}
    return Installation(**values | {name: datetime.fromisoformat(values[name]) for name in _TIMES})


def _written(installation: Installation) -> dict[str, Any]:
    values = {one.name: getattr(installation, one.name) for one in fields(Installation)}
    return values | {name: values[name].isoformat() for name in _TIMES}


def sha256_of(script: str) -> str:
    """The script's SHA-256, by which a changed one is known."""
    return hashlib.sha256(script.encode()).hexdigest()


def issuers_of(script: str) -> str:
    """One SHA-256 over the CA certificates in a script, whatever their order."""
    prints = sorted(
        x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex()
        for pem in _PEM.findall(script)
    )
    return hashlib.sha256(" ".join(prints).encode()).hexdigest()
