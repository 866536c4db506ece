# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A kind of request is declared once: what a new one needs follows from its declaration."""

from dataclasses import replace

import pytest

from app.message import Message
from app.restore import actions, requested
from app.restore.asks import ASKS, CANCEL
from app.restore.model import Phase, RunState, Unknown
from tests.restore.world import World

S = RunState
LOST = Unknown("no answer")


def hold(world: World, session_id: str) -> None:
    """Ask the copy manager of this world for what it doesn't know yet."""
    world.cdm.calls.append(("hold", session_id))
    world.cdm.become(session_id, Phase.RUNNING, status="HELD")


@pytest.fixture
def holding(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which a restore that runs can be held, too."""
    assert CANCEL.sending
    sending = replace(
        CANCEL.sending,
        verb=lambda cdm, session_id: hold(world, session_id),
        begun=lambda session: session.status == "HELD",
        late=Message("the copy was up before it was held"),
        failed=lambda result: Message("Not held: {result}.", result=result),
    )
    ask = replace(
        CANCEL,
        kind="hold",
        action="hold",
        name=Message("hold"),
        offered=lambda run: run.state is S.RESTORING,
        early=frozenset({S.STARTING}),
        taken=lambda run: Message("Run {run} is held.", run=run.id),
        sending=sending,
    )
    for module in (actions, requested):
        monkeypatch.setattr(module, "ASKS", (*ASKS, ask))
    monkeypatch.setattr(actions, "ACTIONS", actions.actions_of(actions.ASKS))
    return world


def ask_hold(world: World) -> str:
    return actions.ACTIONS["hold"].do(world.store, 1, by="ann", now=world.now)


def test_no_two_kinds_share_a_word() -> None:
    assert len({ask.kind for ask in ASKS}) == len({ask.action for ask in ASKS}) == len(ASKS)


def test_it_is_offered_where_it_says_and_not_while_it_is_pending(holding: World) -> None:
    run = holding.start_run()
    assert "hold" not in actions.available(run)
    with pytest.raises(actions.NotPossible, match="hold is not possible now"):
        ask_hold(holding)
    run = holding.go_on(S.RESTORING)
    assert list(actions.available(run)) == ["cancel", "hold"]
    assert ask_hold(holding) == "Run 1 is held."
    assert list(actions.available(holding.run())) == ["cancel"]
    assert holding.run().pending_request == "hold"


def test_it_is_sent_once_and_closed(holding: World) -> None:
    holding.restoring()
    ask_hold(holding)
    for _ in range(10):
        holding.turn(60)
    assert holding.cdm.count("hold") == 1
    assert list(holding.store.runs.requests(1)) == []
    assert holding.run().state is S.RESTORING


def test_one_that_comes_too_late_says_so(holding: World) -> None:
    run = holding.restoring()
    holding.cdm.become(run.job_session_id or "", Phase.READY)
    ask_hold(holding)
    holding.turn(1)
    holding.turn(60)
    assert holding.cdm.count("hold") == 0
    assert holding.run().error == "Not held: the copy was up before it was held."


def test_a_decision_to_start_again_takes_its_place(holding: World) -> None:
    holding.start_run()
    holding.cdm.fail("start", LOST)
    holding.go_on(S.STARTING)
    ask_hold(holding)
    holding.go_on(S.NEEDS_DECISION)
    actions.resolve(holding.store, 1, "not_started", None, by="ann", now=holding.now)
    assert list(holding.store.runs.requests(1)) == []
