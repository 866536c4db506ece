# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Encryption of small secrets in a JSON file of the store directory (qradar §4.3).

Only what is written today (engine 4) can be read: entries of engines 2 and 3 come from older
frameworks than this app.
"""

import base64
import json
import os
import secrets
import string
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from qpylib import qpylib

_VERSION = 4
_ITERATIONS = 100_000
_SALT_CHARACTERS = string.ascii_letters + string.digits + string.punctuation


class EncryptionError(Exception):
    """Nearly everything that goes wrong here."""


def _fernet(uuid: str, entry: dict[str, Any]) -> Fernet:
    derivation = PBKDF2HMAC(hashes.SHA256(), 32, entry["salt"].encode(), entry["iterations"])
    return Fernet(base64.urlsafe_b64encode(derivation.derive(uuid.encode())))


class Encryption:
    """One label in the file of one user. The file is read here, once, and may be stale later."""

    def __init__(self, data: Any) -> None:
        try:
            self.name, user = str(data["name"]).strip(), str(data["user"]).strip()
        except (KeyError, TypeError):
            raise EncryptionError("a name and a user are needed") from None
        if not self.name or not user:
            raise EncryptionError("name or user is empty")
        self.app_uuid = os.environ.get("QRADAR_APP_UUID", "")
        if not self.app_uuid:
            raise EncryptionError("no QRADAR_APP_UUID in the environment")
        self.path = Path(qpylib.get_store_path(f"{user}_e.db"))
        self.config: Any = {}
        if self.path.is_file():
            try:
                self.config = json.loads(self.path.read_text())
            except Exception as error:  # as in the real one, whatever it is
                raise EncryptionError(f"{self.path} can't be read: {error}") from None

    def encrypt(self, clear_text: str) -> str:
        """Store and return the cipher text: everything else in the file is as this object read it.

        A file whose content isn't an object gives a TypeError. The file is emptied before it is
        written, without a lock.
        """
        try:
            current = self.config[self.name]["version"] == _VERSION
        except KeyError:
            current = False
        if not current:
            salt = "".join(secrets.choice(_SALT_CHARACTERS) for _ in range(16))
            self.config[self.name] = {"version": _VERSION, "salt": salt, "iterations": _ITERATIONS}
        entry = self.config[self.name]
        try:
            secret = _fernet(self.app_uuid, entry).encrypt(clear_text.encode()).decode()
        except Exception as error:  # as in the real one, whatever it is
            reason = type(error).__name__
            raise EncryptionError(f"{self.name} can't be encrypted: {reason}") from None
        entry["secret"] = secret
        try:
            with self.path.open("w") as file:
                file.write(json.dumps(self.config))
        except Exception as error:  # as in the real one, whatever it is
            raise EncryptionError(f"{self.path} can't be written: {error}") from None
        return secret

    def decrypt(self) -> str:
        """The clear text as of the moment this object was made."""
        if self.name not in self.config:
            raise EncryptionError(f"there is no {self.name}")
        entry = self.config[self.name]
        if "secret" not in entry:
            raise EncryptionError(f"{self.name} has no secret")
        if entry["version"] != _VERSION:
            raise EncryptionError(f"{self.name} was written by another engine")
        try:
            return _fernet(self.app_uuid, entry).decrypt(entry["secret"].encode()).decode()
        except Exception as error:  # as in the real one, whatever it is
            reason = type(error).__name__
            raise EncryptionError(f"{self.name} can't be decrypted: {reason}") from None
