# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What QRadar tells the app about itself: folders, ids, addresses. Read anew with every call."""

import os
from pathlib import Path

from qpylib import qpylib


def store_dir() -> Path:
    """The folder that outlives restart and upgrade; raises KeyError without ``APP_ROOT``."""
    return Path(qpylib.get_store_path())


def database_path() -> Path:
    """The one SQLite file."""
    return store_dir() / "safeguarded-restore.db"


def app_id() -> int:
    """The number QRadar gave this installation, 0 when not known."""
    return qpylib.get_app_id()


def app_version() -> str:
    """The version in manifest.json."""
    return str(qpylib.get_manifest_field_value("version"))


def console_fqdn() -> str:
    """The console's host name, with a port only in tests; raises KeyError when not given."""
    return str(qpylib.get_console_fqdn())


def console_address() -> str:
    """The console's IP address, IPv6 in brackets; raises KeyError when not given."""
    return str(qpylib.get_console_address())


def system_ca_file() -> str | None:
    """The platform's CA file, which holds the console's issuers too (qradar §2.7)."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or None


def has_app_uuid() -> bool:
    """Whether there is anything to derive the key of stored passwords from (qradar §4.3)."""
    return bool(os.environ.get("QRADAR_APP_UUID"))


def is_demo() -> bool:
    """Whether this is a developer's machine: CDM addresses on loopback are then allowed."""
    return os.environ.get("QRADAR_APPFW_SDK", "").lower() == "true"
