# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The key that signs session cookies and CSRF tokens: made once, the same after a restart."""

import logging
import os
import secrets
from pathlib import Path

logger = logging.getLogger(__name__)


def session_key(path: Path) -> str:
    """The key in the file at ``path``, which only the app's user can read; made if absent.

    When the file can't be kept, the key lasts for this process, and forms must be loaded again
    after a restart; the app stays up.
    """
    try:
        return _read(path) or _make(path)
    except OSError as error:
        logger.warning("the session key could not be kept: %s", error)
        return secrets.token_hex(32)


def _read(path: Path) -> str:
    try:
        key = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    return key if len(key) == 64 else ""


def _make(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_hex(32)
    half_written = path.with_name(f"{path.name}.new")
    half_written.unlink(missing_ok=True)
    descriptor = os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    half_written.replace(path)
    return key
