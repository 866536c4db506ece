# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console's rules: thousands of them in pages, and which of them are one and the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.qradar.console import ConsoleRefused
from app.qradar.rules import list_rules
from app.store import Database
from app.store.audit import Audit
from app.store.qradar import QRadar
from tests.factories import NOON, make_mapping, make_store
from tests.qradar.consoles import calls, calm, client_of
from tests.simulators.console import ConsoleSimulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as simulator:
        for number in range(1, 2301):
            simulator.add_rule(number, f"Rule {number}", enabled=number % 2 == 0)
        simulator.add_rule(9001, "Excessive denies", origin="SYSTEM", identifier="sys-1")
        simulator.add_rule(
            *(9002, "Excessive denies"),
            origin="OVERRIDE",
            type="FLOW",
            identifier="own-1",
            linked_rule_identifier="sys-1",
        )
        yield simulator


@pytest.fixture
def console(simulator: ConsoleSimulator) -> ConsoleSimulator:
    calm(simulator)
    return simulator


@pytest.fixture
def qradar(tmp_path: Path) -> Iterator[QRadar]:
    make_store(tmp_path).close()
    db = Database(tmp_path / "store.db")
    yield QRadar(db, Audit(db))
    db.close()


def test_thousands_of_rules_are_read_page_by_page(
    console: ConsoleSimulator, qradar: QRadar
) -> None:
    rules = list_rules(client_of(console), console.token("restore-service"))
    qradar.keep_rules(rules, now=NOON)

    assert len(rules) == 2302
    assert len(calls(console, path="/api/analytics/rules")) == 5
    rule = qradar.rule(9002)
    assert rule is not None
    assert (rule.name, rule.type, rule.origin) == ("Excessive denies", "FLOW", "OVERRIDE")
    assert rule.enabled is True
    first = qradar.rule(1)
    assert first is not None
    assert first.enabled is False
    assert qradar.console().rules_at == NOON


def test_an_administrators_session_lists_them_too(console: ConsoleSimulator) -> None:
    sec = console.login("admin")["SEC"]

    assert len(list_rules(client_of(console), sec)) == 2302


def test_a_token_without_admin_may_not(console: ConsoleSimulator) -> None:
    with pytest.raises(ConsoleRefused) as refused:
        list_rules(client_of(console), console.token("restore-trigger"))

    assert refused.value.status == 403


def test_an_overridden_system_rule_and_its_override_are_one(
    console: ConsoleSimulator, qradar: QRadar
) -> None:
    qradar.keep_rules(list_rules(client_of(console), console.token("restore-service")), now=NOON)

    assert qradar.same_rules(9001, None) == [9001, 9002]
    assert qradar.same_rules(9002, None) == [9002, 9001]
    assert qradar.same_rules(7, None) == [7]
    assert qradar.same_rules(None, "Excessive denies") == [9001, 9002]
    assert qradar.same_rules(None, "No such rule") == []
    assert qradar.same_rules(None, None) == []


def test_a_trigger_of_the_override_finds_the_originals_mapping(
    console: ConsoleSimulator, tmp_path: Path
) -> None:
    store = make_store(tmp_path)
    mapping = make_mapping(store, rule_id=9001, rule_name=None)
    db = Database(tmp_path / "store.db")
    QRadar(db, Audit(db)).keep_rules(
        list_rules(client_of(console), console.token("restore-service")), now=NOON
    )

    assert store.mappings.find_by_linked_rule(9002) == mapping
    assert store.mappings.find_by_linked_rule(7) is None
    store.close()
    db.close()


def test_a_new_list_replaces_the_old_one(console: ConsoleSimulator, qradar: QRadar) -> None:
    rules = list_rules(client_of(console), console.token("restore-service"))
    qradar.keep_rules(rules, now=NOON)

    qradar.keep_rules([rule for rule in rules if rule.id != 7], now=NOON)

    assert qradar.rule(7) is None
    assert len(qradar.rules()) == 2301
