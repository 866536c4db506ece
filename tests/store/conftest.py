# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the store: a migrated file in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store import Store
from tests.factories import make_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path)
    yield store
    store.close()
