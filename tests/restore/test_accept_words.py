# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What comes of a trigger can be said in any language, whatever comes of it.

So can what offenses are told of it, and of the run that it made or met.
"""

import json
import sqlite3
from collections.abc import Callable

import pytest

from app.message import Message
from app.restore import actions
from app.restore.model import (
    MANUAL,
    SIMULATION,
    Mode,
    NothingSent,
    Outcome,
    Phase,
    Run,
    RunState,
    Unknown,
)
from app.restore.notes import new_attack_note
from app.restore.own_events import OWN_USER
from app.restore.tidings import attack_text, first_text, how_it_stands, second_text, what_came_of
from tests.restore.test_run_words import SAID, ask, decide, leaked, set_mode, turns
from tests.restore.world import World

S = RunState
Scene = Callable[[World], object]


def before(*arrange: Scene, **trigger: object) -> Scene:
    """A trigger that comes after these."""

    def scene(world: World) -> None:
        for one in arrange:
            one(world)
        world.trigger(**trigger)

    return scene


def change(**columns: object) -> Scene:
    def scene(world: World) -> None:
        world.mapping = world.store.mappings.change(world.mapping.id, **columns)

    return scene


def lose_contact(world: World, _: Run) -> None:
    world.cdm.down = NothingSent(SAID)
    turns(world, 3)


def hold(world: World, run: Run) -> None:
    world.cdm.become(run.job_session_id or "", Phase.RUNNING, status="HELD")
    turns(world, 2)


def mount(world: World, run: Run) -> None:
    world.cdm.become(run.job_session_id or "", Phase.READY)
    world.go_on(S.READY)


def clean(world: World, run: Run) -> None:
    mount(world, run)
    world.cdm.clean_up_works = False
    ask(world, actions.ACTIONS["clean-up"].do)
    world.turn()


IN_THE_WAY: dict[str, Callable[[World, Run], None]] = {
    "restoring": lambda _world, _run: None,
    "lost": lose_contact,
    "held": hold,
    "ready": mount,
    "cleaning_up": clean,
}


def run_in(state: str) -> Scene:
    """A live run, in this state or in this trouble."""

    def scene(world: World) -> None:
        if state in IN_THE_WAY:
            IN_THE_WAY[state](world, world.restoring())
            return
        if state == "out of contact":
            world.cdm.down = NothingSent(SAID)
        elif state in {"blocked", "needs_decision"}:
            world.cdm.add_session(Phase.READY)
        world.start_run()
        if state != "queued":
            turns(world, 3)
        if state == "needs_decision":
            world.go_on(S.NEEDS_DECISION)

    return scene


def ended(*ends: Phase) -> Scene:
    """Runs that ended like this, one after the other, each as soon as the job may start again."""

    def scene(world: World) -> None:
        for number, phase in enumerate(ends):
            world.pass_time(600 if number else 0)
            run = world.restoring()
            world.cdm.become(run.job_session_id or "", phase)
            world.go_on(S.FAILED, S.COMPLETED)

    return scene


def given_up(world: World) -> None:
    world.cdm.fail("start", Unknown(SAID))
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    decide(world, "give_up")


def much_later(world: World) -> None:
    world.pass_time(3600)


def repeated(world: World) -> None:
    world.trigger(request_id="first-one")


def learned(world: World) -> None:
    world.store.settings.keep_own_events([162], [2001])


MAYBE_OURS = {"fields": {"username": OWN_USER}}
NO_RULE = {"rule_id": None, "rule_name": None}
THRICE = ended(*[Phase.FAILED] * 3)
DONE, LONG = ended(Phase.COMPLETED), change(cooldown_s=86_400)
ASKS = change(needs_approval=True)
OBSERVES, DISARMS = set_mode(Mode.OBSERVE), set_mode(Mode.DISARMED)
SCENES: dict[str, tuple[Outcome, Scene]] = {
    "accepted": (Outcome.ACCEPTED, before()),
    "with remarks": (
        Outcome.ACCEPTED,
        before(remarks=(Message("{field} came more than once; the first counts.", field="qid"),)),
    ),
    "may be ours": (Outcome.ACCEPTED, before(**MAYBE_OURS)),
    "approval": (Outcome.AWAITING_APPROVAL, before(ASKS)),
    "approval again": (Outcome.AWAITING_APPROVAL, before(ASKS, repeated)),
    "approval after failures": (Outcome.AWAITING_APPROVAL, before(THRICE, much_later)),
    "duplicate": (Outcome.DUPLICATE, before(repeated, request_id="first-one")),
    "cooling down": (Outcome.COOLING_DOWN, before(DONE)),
    "cooling down, asks": (Outcome.COOLING_DOWN, before(DONE, ASKS)),
    "cooling down, a day": (Outcome.COOLING_DOWN, before(LONG, DONE)),
    "cooling down, failed": (Outcome.COOLING_DOWN, before(ended(Phase.FAILED))),
    "cooling down, failed twice": (Outcome.COOLING_DOWN, before(ended(*[Phase.FAILED] * 2))),
    "cooling down, attack": (Outcome.COOLING_DOWN, before(LONG, DONE, much_later)),
    "cooling down, attack, asks": (Outcome.COOLING_DOWN, before(LONG, DONE, ASKS, much_later)),
    "cooling down, may be ours": (Outcome.COOLING_DOWN, before(DONE, **MAYBE_OURS)),
    "cooling down, disarmed": (Outcome.COOLING_DOWN, before(DONE, DISARMS)),
    "cooling down, observing": (Outcome.COOLING_DOWN, before(DONE, OBSERVES)),
    "by hand after a give-up": (Outcome.COOLING_DOWN, before(given_up, source=MANUAL)),
    "disarmed": (Outcome.DISARMED, before(DISARMS)),
    "mapping disabled": (Outcome.MAPPING_DISABLED, before(change(enabled=False))),
    "no such mapping": (Outcome.UNMATCHED, before(mapping="nothing")),
    "no mapping of the id": (Outcome.UNMATCHED, before(rule_id=9999, rule_name=None)),
    "no mapping of the name": (Outcome.UNMATCHED, before(rule_id=None, rule_name="nothing")),
    "no mapping of either": (Outcome.UNMATCHED, before(rule_id=9999, rule_name="nothing")),
    "ours": (Outcome.UNMATCHED, before(learned, fields={"log_source_id": "162", "qid": "2001"})),
    "observed": (Outcome.OBSERVED, before(OBSERVES)),
    "observed again": (Outcome.OBSERVED, before(OBSERVES, repeated)),
    "simulated": (Outcome.OBSERVED, before(source=SIMULATION)),
    "simulated, disarmed": (Outcome.OBSERVED, before(DISARMS, ASKS, source=SIMULATION)),
    "simulated, held": (Outcome.ALREADY_RUNNING, before(run_in("ready"), source=SIMULATION)),
    "simulated, cooling down": (Outcome.COOLING_DOWN, before(DONE, source=SIMULATION)),
    "simulated after failures": (Outcome.OBSERVED, before(THRICE, much_later, source=SIMULATION)),
    "test": (Outcome.TEST, before(**NO_RULE)),
    "test with values": (Outcome.TEST, before(**NO_RULE, fields={"username": "bob"})),
    "by hand, held": (Outcome.ALREADY_RUNNING, before(run_in("ready"), source=MANUAL)),
}
HOLDING = (
    *("queued", "blocked", "out of contact", "restoring", "lost", "held", "ready", "cleaning_up"),
    "needs_decision",
)
SCENES |= {f"held: {state}": (Outcome.ALREADY_RUNNING, before(run_in(state))) for state in HOLDING}
SCENES |= {
    f"attack: {state}": (Outcome.ALREADY_RUNNING, before(run_in(state), much_later))
    for state in HOLDING
    if state not in {"queued", "restoring"}  # there a trigger repeats what goes on
}
SCENES["held, disarmed"] = (Outcome.ALREADY_RUNNING, before(run_in("ready"), DISARMS))
SCENES["held, observing"] = (Outcome.ALREADY_RUNNING, before(run_in("ready"), OBSERVES))


@pytest.mark.parametrize("scene", SCENES)
def test_no_word_of_an_answer_or_of_what_offenses_are_told_goes_past_the_catalogues(
    world: World, scene: str
) -> None:
    outcome, act = SCENES[scene]

    act(world)

    newest, *earlier = world.store.triggers.recent()
    assert newest.outcome is outcome
    told = [newest.message]
    for trigger in (newest, *earlier):
        run = None if trigger.run_id is None else world.run(trigger.run_id)
        told += [what_came_of(trigger, run), first_text(trigger, run, now=world.now)]
    for run in world.store.runs.list():
        told += [how_it_stands(run), second_text(run, now=world.now)]
    for attack in world.store.attacks.open():
        run = world.run(attack.run_id)
        note = new_attack_note(run, attack.why, now=world.now)
        told += [attack.why, attack_text(attack.why, run, now=world.now), note.words]
    assert "attack" not in scene or world.store.attacks.open()
    # A duplicate names the outcome of the first as the API does.
    names = (world.mapping.name, world.connection.name, "nothing", "qid", OWN_USER)
    names += (world.connection.kind.product,)
    names += (*Outcome, "HELD") if outcome is Outcome.DUPLICATE else ("HELD",)
    assert {text: rest for text in told if (rest := leaked(text, *names))} == {}


def test_whatever_can_come_of_a_trigger_is_among_these() -> None:
    never = {Outcome.LIMIT_REACHED}  # of version 1.0.0

    assert {outcome for outcome, _ in SCENES.values()} == set(Outcome) - never


def test_a_message_is_bound_and_dumped_as_its_text() -> None:
    message = Message("job {job}", job="7")
    row = sqlite3.connect(":memory:").execute("SELECT ?, typeof(?)", (message, message)).fetchone()

    assert row == ("job 7", "text")
    assert json.dumps(message) == '"job 7"'
