# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of QRadar's side share."""

from collections.abc import Iterator

import pytest

from tests.qradar.consoles import close_clients


@pytest.fixture(autouse=True)
def _no_open_connections() -> Iterator[None]:
    yield
    close_clients()
