# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The refused asks in the store: over a restart, a clock that steps, and without a store."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.qradar.refused_asks import Whose, wait
from app.store import Store
from app.store.refused_asks import RefusedAsks
from tests.factories import NOON, make_store

MINUTE = timedelta(minutes=1)


def test_the_console_is_asked_again_ten_minutes_after_the_refusal(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for minutes, whose in ((0, Whose.CONSOLE), (1, Whose.OTHER), (4, Whose.CONSOLE)):
        assert wait(store.refused_asks, whose, NOON + minutes * MINUTE) == 0
        store.refused_asks.add(whose, now=NOON + minutes * MINUTE)
    store.close()

    again = make_again(tmp_path)
    now = NOON + 5 * MINUTE
    assert wait(again.refused_asks, Whose.CONSOLE, now) == 300
    assert wait(again.refused_asks, Whose.OTHER, now) == 360
    assert wait(again.refused_asks, Whose.OWN, now) == 0
    assert wait(again.refused_asks, Whose.CONSOLE, now + 5 * MINUTE) == 0
    again.close()


def make_again(folder: Path) -> Store:
    from app.store import Database

    return Store(Database(folder / "store.db"))


def test_a_clock_that_is_set_back_makes_nobody_wait_longer(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    store.refused_asks.add(Whose.OWN, now=NOON + timedelta(days=1))

    assert wait(store.refused_asks, Whose.OWN, NOON) == 600
    assert wait(store.refused_asks, Whose.OWN, NOON + 10 * MINUTE) == 0
    store.close()


def test_another_service_token_is_not_held_for_the_one_before(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for whose in Whose:
        store.refused_asks.add(whose, now=NOON)
    store.qradar.set_token("new", name=None, expires_at=None, by="anna", now=NOON)

    assert wait(store.refused_asks, Whose.OWN, NOON) == 0
    assert wait(store.refused_asks, Whose.OTHER, NOON) == 600
    store.close()


def test_old_ones_are_not_kept(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for day in range(5):
        store.refused_asks.add(Whose.OTHER, now=NOON + timedelta(days=day))
    rows = store.triggers._db.execute("SELECT count(*) FROM refused_asks").fetchone()
    assert rows[0] == 1
    store.close()


def test_a_store_that_cant_be_used_is_no_reason_to_know_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from app.store import Database

    asks = RefusedAsks(Database(tmp_path / "nowhere" / "store.db"))
    asks.add(Whose.OTHER, now=NOON)
    assert asks.since(NOON - MINUTE, Whose.OTHER, now=NOON) == []
    assert "can't be noted" in caplog.text
