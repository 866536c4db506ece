# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The SQLite file: connection and transactions, migrations, one module for each subject."""

from app.configuration.ports import ConnectionInUse, Taken
from app.store.database import Database, StoreBusy
from app.store.run_rows import RunFilter
from app.store.store import Store

__all__ = [
    "ConnectionInUse",
    "Database",
    "RunFilter",
    "Store",
    "StoreBusy",
    "Taken",
]
