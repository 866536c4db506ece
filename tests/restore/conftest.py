# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the heart: a world on a real store in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.restore.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()
