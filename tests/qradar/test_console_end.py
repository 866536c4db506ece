# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""When the console's certificate ends: only of one that is trusted, and how often it is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.qradar.console_end import ConsoleEnd
from tests.simulators.console import ConsoleSimulator

DAY = 86_400.0


@pytest.fixture(scope="module")
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as simulator:
        yield simulator


class Row:
    """The store's row about the console."""

    def __init__(self) -> None:
        self.noted: list[datetime] = []

    def note_certificate(self, ends_at: datetime) -> None:
        self.noted.append(ends_at)


def test_its_end_is_noted_once_a_day_and_nothing_is_sent(console: ConsoleSimulator) -> None:
    row, now = Row(), datetime.now(UTC)
    end = ConsoleEnd(row, f"localhost:{console.port}", str(console.ca_file))
    for tick in (0.0, 5.0, DAY - 1):
        assert end.turn(now, tick) <= 5.0
    assert [(one - now).days for one in row.noted] == [364]
    end.turn(now, DAY)
    assert len(row.noted) == 2
    assert console.requests == []


def test_its_renewal_shows_within_an_hour(console: ConsoleSimulator) -> None:
    row, later = Row(), datetime.now(UTC) + timedelta(days=340)
    end = ConsoleEnd(row, f"localhost:{console.port}", str(console.ca_file))
    for tick in (0.0, 3599.0, 3600.0):
        end.turn(later, tick)
    assert len(row.noted) == 2


@pytest.mark.parametrize(
    "host", ["localhost:1", "console.invalid", "{here}"], ids=["closed", "no name", "not trusted"]
)
def test_a_console_that_is_away_or_not_trusted_is_left_for_ten_minutes(
    console: ConsoleSimulator, host: str
) -> None:
    row = Row()
    end = ConsoleEnd(row, host.format(here=f"localhost:{console.port}"), None)
    end.turn(datetime.now(UTC), 0.0)
    assert row.noted == []
    trusted = ConsoleEnd(row, f"localhost:{console.port}", "/nowhere/ca.pem")
    trusted.turn(datetime.now(UTC), 0.0)
    trusted._ca_file = str(console.ca_file)
    trusted.turn(datetime.now(UTC), 599.0)
    assert row.noted == []
    trusted.turn(datetime.now(UTC), 600.0)
    assert len(row.noted) == 1
