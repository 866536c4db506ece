# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""By what the triggers of a flood are counted: only what is known here has room of its own."""

import pytest

from app.restore.model import Outcome
from app.store import Store
from app.store.qradar import Rule
from tests.factories import NOON, make_mapping, make_trigger


@pytest.mark.parametrize(
    ("named", "counted"),
    [
        ({"rule_id": 900}, "rule 900"),
        ({"rule_id": 901}, "rule 901"),
        ({"rule_id": 1, "rule_name": "Listed"}, "rule Listed"),
        ({"rule_id": 1, "rule_name": "By its name"}, "rule By its name"),
        ({"rule_id": 1, "rule_name": "None", "mapping": "Known"}, "mapping Known"),
        ({"rule_id": 1, "rule_name": "None", "mapping": "Nobody's"}, ""),
        ({"rule_id": None, "rule_name": None}, ""),
    ],
)
def test_a_trigger_is_counted_by_what_is_known_of_it(
    store: Store, named: dict[str, object], counted: str
) -> None:
    store.qradar.keep_rules([Rule(900, "Listed")], now=NOON)
    make_mapping(store, name="Other", rule_id=901)
    make_mapping(store, name="Known", rule_id=None, rule_name="By its name", job_id="2")
    for _ in range(2):
        trigger = make_trigger(token="test", **named)
        store.triggers.add(trigger, Outcome.UNMATCHED, "no", run_id=None, mapping=None)
    (row,) = store.triggers._db.execute("SELECT rule, kept FROM trigger_counts")
    assert tuple(row) == (counted, 2)
