# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Passwords at rest: qpylib's encdec, used with the care that qradar §4.3 asks for.

encdec rewrites its file in place, without a lock, from what an object read when it was made. So
every operation here holds a file lock and makes a new object; a new password is encrypted into a
draft, which then replaces the file in one step; and a copy is kept for the case that the file is
found broken all the same (encdec itself rewrites it when it reads an entry of an older engine).
Web, worker and the command line may work at the same time.
"""

import fcntl
import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qpylib.encdec import Encryption, EncryptionError

from app.framework import masking, paths
from app.message import Message

logger = logging.getLogger(__name__)

_OWNER = "safeguarded-restore"  # becomes part of a file name: never from outside
_DRAFT_OWNER = "safeguarded-restore-draft"
_LABEL = re.compile(r"[A-Za-z0-9._-]{1,64}")

_ENCDEC_ERRORS = (EncryptionError, TypeError)
"""encdec means to raise only the first; unexpected content gives the second (qradar §4.3)."""


class SecretUnreadable(Exception):
    """A stored password can't be read: it must be entered again."""


class SecretNotStored(Exception):
    """A password could not be stored; what was stored before is unchanged."""


class Secrets:
    """The app's stored passwords, each under a label.

    A label is never used for a second password (`configuration.document` makes a new one for each),
    so what was decrypted once is kept in memory for the life of the process: reading costs a key
    derivation of about 50 ms otherwise. Safe for threads and processes.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """``folder`` is the store directory; another one only if qpylib uses it too."""
        self._folder = folder or paths.store_dir()
        self._file = self._folder / f"{_OWNER}_e.db"
        self._draft = self._folder / f"{_DRAFT_OWNER}_e.db"
        self._copy = self._folder / f"{_OWNER}_e.db.copy"
        self._lock_file = self._folder / ".secrets.lock"
        self._known: dict[str, str] = {}
        self._known_lock = threading.Lock()

    def get(self, label: str) -> str:
        """The password stored under ``label``; raises `SecretUnreadable`."""
        with self._known_lock:
            text = self._known.get(label)
        if text is None:
            text = self._decrypt(label)
            with self._known_lock:
                self._known[label] = text
        masking.mask(text)
        return text

    def put(self, label: str, text: str) -> None:
        """Store ``text`` under a label that was never used before; raises `SecretNotStored`.

        After a return it is on disk and was read back once; after an error, or a crash at any
        moment, all other passwords are still there.
        """
        masking.mask(text)
        if not text:
            raise SecretNotStored(Message("an empty password can't be stored"))
        try:
            with self._locked():
                entries = self._entries()
                if entries is None:
                    self._set_aside()
                self._write(self._draft, entries or {})
                self._encrypt_into_draft(_checked(label), text)
                self._adopt(_read(self._draft))
        except (*_ENCDEC_ERRORS, OSError) as error:
            raise SecretNotStored(
                Message("the password could not be stored: {why}", why=error)
            ) from error
        with self._known_lock:
            self._known[label] = text

    def drop(self, label: str) -> None:
        """Remove what is stored under ``label``; nothing there is no error. Raises OSError."""
        with self._known_lock:
            self._known.pop(label, None)
        with self._locked():
            entries = self._entries()
            if entries and entries.pop(label, None) is not None:
                self._adopt(entries)

    def labels(self) -> frozenset[str]:
        """What is stored; empty when the file can't be read."""
        try:
            with self._locked():
                return frozenset(self._entries() or ())
        except OSError:
            return frozenset()

    def _decrypt(self, label: str) -> str:
        try:
            with self._locked():
                _checked(label)
                try:
                    return self._decrypt_once(label)
                except _ENCDEC_ERRORS:
                    return self._decrypt_once(label)
        except (*_ENCDEC_ERRORS, OSError) as error:
            reason = _why_unreadable(error)
            raise SecretUnreadable(
                Message(
                    "The stored password can't be read ({reason}): it must be entered again.",
                    reason=reason,
                )
            ) from error

    def _decrypt_once(self, label: str) -> str:
        self._entries()  # puts a broken file right first
        return str(Encryption({"name": label, "user": _OWNER}).decrypt())

    def _encrypt_into_draft(self, label: str, text: str) -> None:
        data = {"name": label, "user": _DRAFT_OWNER}
        Encryption(data).encrypt(text)
        if Encryption(data).decrypt() != text:
            raise EncryptionError(Message("it reads differently from what was entered"))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _entries(self) -> dict[str, object] | None:
        """What the file holds; a broken file is first replaced by the copy, None if that is too.

        The caller holds the lock.
        """
        entries = _read(self._file)
        if entries is not None:
            return entries
        if not self._file.exists() and not self._copy.exists():
            return {}
        entries = _read(self._copy)
        if entries is not None:
            logger.warning("the file of stored passwords was broken or gone: its copy is used")
            self._write(self._file, entries)
        return entries

    def _adopt(self, entries: dict[str, object] | None) -> None:
        """Make ``entries`` the file, then the copy; one of them is complete at every moment."""
        if entries is None:
            raise OSError(Message("what was just written can't be read"))
        self._write(self._file, entries)
        self._write(self._copy, entries)
        self._draft.unlink(missing_ok=True)

    def _set_aside(self) -> None:
        """Keep broken files for whoever wants to look at them, and let new ones be made."""
        logger.error("the file of stored passwords is broken: passwords must be entered again")
        with suppress(FileNotFoundError):
            self._file.replace(self._file.with_suffix(".broken"))
        self._copy.unlink(missing_ok=True)

    def _write(self, path: Path, entries: dict[str, object]) -> None:
        """Replace a file as a whole: after a crash it is the old or the new one."""
        fresh = path.with_name(f"{path.name}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(entries, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _checked(label: str) -> str:
    if not _LABEL.fullmatch(label):
        raise EncryptionError("a label has 1 to 64 of A-Z a-z 0-9 . _ -")
    return label


def _read(path: Path) -> dict[str, object] | None:
    """The JSON object in ``path``, None when it is broken or not there."""
    try:
        entries = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return entries if isinstance(entries, dict) else None


def _why_unreadable(error: BaseException) -> str:
    if not paths.has_app_uuid():
        return Message("QRadar gave the app no QRADAR_APP_UUID")
    if isinstance(error, OSError):
        return Message("the store can't be read: {why}", why=error.strerror)
    return Message("it is gone, damaged, or was stored by another installation of the app")
