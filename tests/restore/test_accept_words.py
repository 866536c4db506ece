# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What comes of a trigger can be said in any language, whatever comes of it."""

import json
import sqlite3

from app.message import Message
from app.restore.model import SIMULATION, Mode, Outcome
from tests.factories import NOON
from tests.restore.test_run_words import leaked
from tests.restore.world import World


def test_the_answers_to_triggers_go_past_no_catalogue(world: World) -> None:
    names = (world.mapping.name, world.mapping.job_name, world.connection.name, "UTC")
    made = [world.trigger(request_id="first-one")]
    made.append(world.trigger(request_id="first-one"))
    made.append(world.trigger())
    made.append(world.trigger(source=SIMULATION))
    made.append(world.trigger(mapping=None, rule_id=None, rule_name=None))
    made.append(world.trigger(mapping=None, rule_id=9999, rule_name=None))
    for mode in (Mode.OBSERVE, Mode.DISARMED):
        world.store.settings.set_mode(mode, by="test", now=NOON)
        made.append(world.trigger())

    assert {Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.ALREADY_RUNNING} <= {
        decision.outcome for decision in made
    }
    # A duplicate names the outcome of the first as the API does.
    assert [leaked(one.message, *names, *Outcome) for one in made] == [""] * len(made)


def test_a_message_is_bound_and_dumped_as_its_text() -> None:
    message = Message("job {job}", job="7")
    row = sqlite3.connect(":memory:").execute("SELECT ?, typeof(?)", (message, message)).fetchone()

    assert row == ("job 7", "text")
    assert json.dumps(message) == '"job 7"'
