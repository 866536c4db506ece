# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run says can be said in any language: no word of it goes past the catalogues.

Said with a catalogue that brackets its own words, nothing may stand outside the brackets but what
others said or chose: names, ids, the words of CDM.
"""

import gettext
import re
from collections.abc import Callable
from datetime import datetime
from typing import Unpack

import pytest

from app.message import Message
from app.restore import actions
from app.restore.changes import Changes
from app.restore.model import (
    Busy,
    CopyManagerError,
    Mode,
    NothingSent,
    Phase,
    Refused,
    Request,
    Run,
    RunState,
    Unknown,
)
from app.restore.notes import note_of
from app.store.runs import Runs
from tests.factories import JOB_NAME, NOON
from tests.pseudo import pseudo
from tests.restore.fake_cdm import WORDS
from tests.restore.world import World

SAID = "CTGGA2398: pool is full"  # CDM's own words
OTHERS = (SAID, JOB_NAME, "SALES", "Daily", *WORDS.values(), "PENDING", "UTC")
S = RunState


class Brackets(gettext.NullTranslations):
    """Brackets what it is asked for, and leaves the places outside of them."""

    def gettext(self, message: str) -> str:
        parts = re.split(r"(\{\w+\})", message)
        return "".join(pseudo(p) if p.strip() and not p.startswith("{") else p for p in parts)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def leaked(text: str, *names: str) -> str:
    """The words of ``text`` that stand outside the brackets and are nobody else's."""
    rest = re.sub("⟦[^⟧]*⟧", " ", text.said(Brackets()) if isinstance(text, Message) else text)
    for known in (*names, *OTHERS):
        rest = rest.replace(known, " ")
    return " ".join(re.findall(r"[A-Za-z_]{2,}", rest))


def test_a_word_outside_of_messages_is_found() -> None:
    inner = Message("it is {state}", state="mounted")

    assert leaked("plain text") == "plain text"
    assert leaked(Message("run {run}: {inner}", run=7, inner=inner)) == "mounted"
    assert leaked(Message("run {run}: {said}", run=7, said=SAID)) == ""


class Heard(Runs):
    """The runs of a world's store, that listen to what is written of them."""

    def __init__(self, world: World) -> None:
        store = world.store
        super().__init__(store._db, store.audit, store.notes, store.attacks)
        self.words: list[str] = []
        store.runs = self

    def record(
        self,
        run: Run,
        to_state: RunState,
        reason: str,
        *,
        by: str,
        now: datetime,
        changes: Changes | None = None,
    ) -> Run:
        self.words += [reason, (changes or {}).get("error") or ""]
        run_now = super().record(run, to_state, reason, by=by, now=now, changes=changes)
        if (note := note_of(run.state, run_now, reason, now=now)) is not None:
            self.words.append(note.words)
        return run_now

    def note(self, run: Run, **changes: Unpack[Changes]) -> Run:
        self.words.append(changes.get("error") or "")
        return super().note(run, **changes)

    def close_request(self, request: Request, result: str, *, now: datetime) -> None:
        self.words.append(result)
        super().close_request(request, result, now=now)


def ask(world: World, action: Callable[..., str]) -> None:
    action(world.store, 1, by="ann", now=world.now)


def decide(world: World, decision: str, session: str | None = None) -> None:
    actions.resolve(world.store, 1, decision, session, by="ann", now=world.now)


def turns(world: World, number: int, seconds: float = 10) -> None:
    for _ in range(number):
        world.turn(seconds)


def goes(*then: Phase) -> Callable[[World], None]:
    def scene(world: World) -> None:
        run = world.restoring()
        for phase in then:
            world.cdm.become(run.job_session_id or "", phase)
            turns(world, 2, 60)

    return scene


def starts(*errors: CopyManagerError, times: int = 1) -> Callable[[World], None]:
    def scene(world: World) -> None:
        world.cdm.fail("start", *errors, times=times)
        world.start_run()
        turns(world, 110)

    return scene


def two_sessions(world: World) -> None:
    world.cdm.fail("start", Unknown(SAID), with_effect=True)
    world.start_run()
    world.turn()
    world.cdm.add_session()
    world.go_on(S.NEEDS_DECISION)


def blocked(*errors: CopyManagerError) -> Callable[[World], None]:
    def scene(world: World) -> None:
        world.cdm.add_session(Phase.READY)
        world.start_run()
        world.go_on(S.NEEDS_DECISION)
        decide(world, "clean_up_and_start")
        world.cdm.fail("clean_up", *errors)
        turns(world, 30)

    return scene


def followed(world: World) -> None:
    session = world.cdm.add_session()
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    decide(world, "started", "99999999")
    turns(world, 2, 60)
    decide(world, "follow")
    turns(world, 2)
    world.cdm.vanish(session)
    world.go_on(S.NEEDS_DECISION)


def of_another_job(world: World) -> None:
    world.cdm.add_session()
    world.start_run()
    world.go_on(S.NEEDS_DECISION)
    decide(world, "started", world.cdm.add_session(job_id="1"))
    turns(world, 2, 60)


def changed(**changes: object) -> Callable[[World], None]:
    def scene(world: World) -> None:
        world.cdm.change_job(**changes)
        world.start_run()
        turns(world, 110)

    return scene


def unwanted(**columns: object) -> Callable[[World], None]:
    def scene(world: World) -> None:
        world.start_run()
        world.store.mappings.change(world.mapping.id, **columns)
        world.turn()

    return scene


def before_the_start(act: Callable[[World], object]) -> Callable[[World], None]:
    def scene(world: World) -> None:
        world.start_run()
        act(world)
        world.turn()

    return scene


def set_mode(mode: Mode) -> Callable[[World], None]:
    return lambda world: world.store.settings.set_mode(mode, by="ann", now=world.now)


def never_asked(world: World) -> None:
    world.start_run()
    world.cdm.down = NothingSent(SAID)
    turns(world, 70, 60)
    world.cdm.down = None
    world.turn(60)


def down(world: World) -> None:
    world.cdm.down = NothingSent(SAID)


def dry(arrange: Callable[[World], object]) -> Callable[[World], None]:
    def scene(world: World) -> None:
        set_mode(Mode.OBSERVE)(world)
        arrange(world)
        world.trigger()
        world.turn()

    return scene


def cancelled(*errors: CopyManagerError, works: bool = False) -> Callable[[World], None]:
    def scene(world: World) -> None:
        world.restoring()
        world.cdm.cancel_works = works
        ask(world, actions.ACTIONS["cancel"].do)
        world.cdm.fail("cancel", *errors)
        turns(world, 60)

    return scene


def cleaned(*errors: CopyManagerError, works: bool = False) -> Callable[[World], None]:
    def scene(world: World) -> None:
        world.ready()
        world.cdm.clean_up_works = works
        ask(world, actions.ACTIONS["clean-up"].do)
        world.cdm.fail("clean_up", *errors)
        turns(world, 60)

    return scene


def too_late(world: World) -> None:
    run = world.restoring()
    ask(world, actions.ACTIONS["cancel"].do)
    world.cdm.become(run.job_session_id or "", Phase.READY)
    turns(world, 2, 60)


def no_log(world: World) -> None:
    run = world.restoring()
    world.cdm.become(run.job_session_id or "", Phase.FAILED)
    world.cdm.fail("log", Unknown(SAID), times=5)
    world.turn(60)


def unknown(**changes: object) -> Callable[[World], None]:
    def scene(world: World) -> None:
        run = world.restoring()
        world.cdm.become(run.job_session_id or "", Phase.UNKNOWN, **changes)
        turns(world, 70, 60)

    return scene


def unapproved(*asked: Callable[..., str]) -> Callable[[World], None]:
    def scene(world: World) -> None:
        world.store.mappings.change(world.mapping.id, needs_approval=True)
        world.trigger()
        for action in asked:
            ask(world, action)

    return scene


SCENES: dict[str, Callable[[World], None]] = {
    "a mounted copy": goes(Phase.READY, Phase.RUNNING, Phase.COMPLETED),
    "partial": goes(Phase.PARTIAL),
    "failed": goes(Phase.FAILED),
    "cancelled in CDM": goes(Phase.CANCELLED),
    "cancelled while mounted": goes(Phase.READY, Phase.CANCELLED),
    "start refused": starts(Refused(SAID)),
    "start lost": starts(Unknown(SAID)),
    "start not sent": starts(NothingSent(SAID)),
    "start busy": starts(Busy(SAID), times=110),
    "two sessions": two_sessions,
    "blocked": blocked(),
    "blocked, answer lost": blocked(Unknown(SAID), Unknown(SAID)),
    "blocked, refused": blocked(Refused(SAID)),
    "followed": followed,
    "session of another job": of_another_job,
    "job busy": changed(busy=True, status="PENDING"),
    "job renamed": changed(name="PENDING"),
    "no restore job": changed(is_restore=False),
    "job gone": before_the_start(lambda world: world.cdm.jobs.clear()),
    "mapping disabled": unwanted(enabled=False),
    "mapping changed": unwanted(job_id="1"),
    "mapping deleted": before_the_start(lambda world: world.store.mappings.delete(1)),
    "disarmed": before_the_start(set_mode(Mode.DISARMED)),
    "cancelled before": before_the_start(lambda world: ask(world, actions.ACTIONS["cancel"].do)),
    "never asked": never_asked,
    "observed": dry(lambda world: None),
    "observed without contact": dry(down),
    "observed over a busy job": dry(lambda world: world.cdm.add_session()),
    "observed without a job": dry(lambda world: world.cdm.jobs.clear()),
    "observed and refused": dry(lambda world: world.cdm.fail("plan_start", Refused(SAID))),
    "observed, no copy": dry(lambda world: world.cdm.fail("copy_to_restore", Unknown(SAID))),
    "cancel": cancelled(works=True),
    "cancel refused": cancelled(Refused(SAID)),
    "cancel lost": cancelled(*[Unknown(SAID)] * 3),
    "cancel lost once": cancelled(Unknown(SAID), works=False),
    "cancel too late": too_late,
    "clean-up": cleaned(works=True),
    "clean-up without effect": cleaned(),
    "clean-up refused": cleaned(Refused(SAID)),
    "clean-up lost": cleaned(*[Unknown(SAID)] * 3),
    "log not read": no_log,
    "unknown status": unknown(end=NOON),
    "unknown for long": unknown(),
    "approved": unapproved(actions.approve, actions.ACTIONS["cancel"].do),
    "rejected": unapproved(actions.reject),
}


@pytest.mark.parametrize("scene", SCENES)
def test_no_word_of_a_run_goes_past_the_catalogues(world: World, scene: str) -> None:
    heard = Heard(world)

    SCENES[scene](world)

    words = [word for word in heard.words if word]
    assert words
    names = (world.mapping.name, world.connection.name, world.connection.kind.product)
    assert {word: rest for word in words if (rest := leaked(word, *names))} == {}


def answer(world: World, run: Run, action: str) -> str:
    """What a person is told who asks this of ``run``, be it that it is not possible."""
    asks = {
        "approve": actions.approve,
        "reject": actions.reject,
        "cancel": actions.ACTIONS["cancel"].do,
        "clean-up": actions.ACTIONS["clean-up"].do,
    }
    try:
        if action in asks:
            return asks[action](world.store, run.id, by="ann", now=world.now)
        return actions.resolve(world.store, run.id, action, None, by="ann", now=world.now)
    except actions.NotPossible as error:
        return str(error)


@pytest.mark.parametrize("action", ["approve", "reject", "cancel", "clean-up", *actions.DECISIONS])
@pytest.mark.parametrize("state", ["queued", "restoring", "ready", "needs_decision", "approval"])
def test_no_word_of_an_answer_goes_past_the_catalogues(
    world: World, state: str, action: str
) -> None:
    if state == "needs_decision":
        world.cdm.add_session(Phase.READY)
    elif state == "approval":
        world.store.mappings.change(world.mapping.id, needs_approval=True)
    run = world.start_run()
    if state == "needs_decision":
        run = world.go_on(S.NEEDS_DECISION)
    elif state in {"restoring", "ready"}:
        run = world.go_on(S.RESTORING)
    if state == "ready":
        world.cdm.become(run.job_session_id or "", Phase.READY)
        run = world.go_on(S.READY)

    told = [*actions.available(run).values(), answer(world, run, action)]
    told.append(answer(world, run, action))  # once more: it may be pending, or too late

    names = (
        *(world.mapping.name, world.connection.name, world.connection.kind.product),
        "job_session_id",
    )
    assert {word: rest for word in told if (rest := leaked(word, *names))} == {}


def test_no_word_of_a_refused_approval_goes_past_the_catalogues(world: World) -> None:
    world.store.mappings.change(world.mapping.id, needs_approval=True)
    run = world.start_run()
    set_mode(Mode.OBSERVE)(world)

    assert "is observe" in answer(world, run, "approve")
    assert leaked(answer(world, run, "approve")) == ""
