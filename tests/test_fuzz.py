# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A short campaign of hostile requests; ``./build.sh proof`` runs the long one."""

from pathlib import Path

import pytest

from tests.fuzz import campaign
from tests.simulators.console import ConsoleSimulator
from tests.web_process import WebProcess


@pytest.mark.processes
def test_no_request_makes_the_app_fail(tmp_path: Path) -> None:
    with (
        ConsoleSimulator(jail="none") as console,
        WebProcess(tmp_path, console=f"127.0.0.1:{console.port}", ca_file=console.ca_file) as web,
    ):
        web.set_up()
        found = campaign(web, console, 2000, seed=8)

    assert found.broken == []
    # Both sides of every door were tried.
    assert {200, 400, 401, 404, 405, 413} <= found.statuses.keys(), found.statuses
