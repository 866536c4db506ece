# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the heart: a world on a real store in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.restore.world import World


@pytest.fixture
def world(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> Iterator[World]:
    """A world in which no step fails, unless the test is marked with `step_fails`.

    The engine keeps a step that fails from stopping others; a test must not miss it for that.
    """
    world = World(tmp_path)
    yield world
    world.close()
    failed = [record.getMessage() for record in caplog.get_records("call") if record.exc_info]
    assert bool(failed) == (request.node.get_closest_marker("step_fails") is not None), failed
