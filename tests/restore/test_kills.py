# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A process that dies at any point: between any two commits, around any call of CDM.

The k-th point raises `Killed`, a fresh engine opens the same store and goes on. This is done for
every k until a whole life passes without a kill.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.restore import actions
from app.restore.model import (
    Busy,
    CopyManagerError,
    Phase,
    RunState,
    Unknown,
    Unreachable,
)
from app.restore.states import NEXT_STATES
from tests.restore.world import Killed, World

S = RunState
SETTLED = {S.READY, S.COMPLETED, S.FAILED, S.CANCELLED, S.NEEDS_DECISION}


class KillAt:
    """A hook that kills at its k-th call, once."""

    def __init__(self, at: int) -> None:
        self.left, self.point = at, ""

    def __call__(self, point: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.point = point
            raise Killed(point)


def lives(
    folder: Path,
    life: Callable[[World], None],
    *,
    prepare: Callable[[World], object] = World.start_run,
) -> Iterator[tuple[World, str]]:
    """Live ``life`` once for each point at which it can be killed; give world and point."""
    before = World(folder)
    prepare(before)
    for at in range(1, 400):
        kill = KillAt(at)
        (folder / str(at)).mkdir()
        world = before.twin(folder / str(at))
        world.restart(kill)
        try:
            life(world)
        except Killed:
            world.restart()
            life(world)
        yield world, kill.point
        world.close()
        if not kill.point:
            return
    raise AssertionError("a life has more than 400 points")


def check_invariants(world: World) -> None:
    """I2, I3, I5 and I6 for everything in the store."""
    for run in world.store.runs.list():
        steps = world.store.runs.transitions(run.id)
        assert steps[0].from_state is None
        for before, after in zip(steps, steps[1:], strict=False):
            assert after.from_state is before.to_state
            assert after.to_state in NEXT_STATES[before.to_state]
        assert steps[-1].to_state is run.state
    assert world.store.audit.verify()


def start(world: World) -> None:
    """Turns until nothing more happens by itself."""
    world.go_on(*SETTLED, S.RESTORING)


@pytest.mark.parametrize(
    ("answer", "effect"),
    [
        (None, True),
        (Unknown("lost"), True),
        (Unknown("lost"), False),
        (Unreachable("down"), False),
        (Busy("running"), False),
    ],
)
def test_a_kill_anywhere_in_the_start_never_makes_a_second_one(
    tmp_path: Path, answer: CopyManagerError | None, effect: bool
) -> None:
    points = set()

    def life(world: World) -> None:
        start(world)

    def prepare(world: World) -> None:
        world.start_run()
        if answer is not None:
            world.cdm.fail("start", answer, with_effect=effect)

    for world, point in lives(tmp_path, life, prepare=prepare):
        points.add(point)
        run = world.run()
        proof = isinstance(answer, Unreachable | Busy)
        assert world.cdm.starts <= 1, point
        assert world.cdm.count("start") <= (2 if proof else 1), point
        if world.cdm.starts:
            # Whatever died: the one start is found again.
            assert (run.state, run.job_session_id) == (S.RESTORING, world.cdm.ours[0]), point
        else:
            assert run.state is S.NEEDS_DECISION, point
        check_invariants(world)
    assert {"start is sent", "start had its effect", "before a commit", "after a commit"} <= points


def test_a_kill_between_the_effect_and_its_answer_is_found_not_answered(tmp_path: Path) -> None:
    for world, point in lives(tmp_path, start):
        if point == "start had its effect":
            assert world.run().evidence == "found"
        elif not point:
            assert world.run().evidence == "answered"


def test_a_kill_before_starting_was_committed_leaves_the_run_queued(tmp_path: Path) -> None:
    """Nothing was sent: the next process starts it, without a decision."""
    for world, point in lives(tmp_path, start):
        if "sessions" in point or "plan_start" in point or "job" in point:
            assert world.run().state is S.RESTORING, point
            assert world.cdm.starts == 1


def finish(world: World) -> None:
    """From the start to the clean-up: CDM goes on when it was looked at."""
    for _ in range(200):
        run = world.run()
        session = world.cdm.shown.get(run.job_session_id or "")
        if run.state is S.RESTORING and session and session.phase is Phase.RUNNING:
            world.cdm.write_log(session.id, "mounted")
            world.cdm.become(session.id, Phase.READY)
        elif run.state is S.READY and session and session.phase is Phase.READY:
            if not world.store.runs.requests(run.id):
                actions.ACTIONS["clean-up"].do(world.store, run.id, by="ann", now=world.now)
        elif run.state is S.CLEANING_UP and session and session.phase is Phase.RUNNING:
            world.cdm.become(session.id, Phase.COMPLETED)
        elif run.state in {S.COMPLETED, S.NEEDS_DECISION}:
            return
        world.next_turn()
    raise AssertionError(f"no end: {world.run()}")


def test_a_kill_anywhere_on_the_whole_way_changes_nothing_but_the_time(tmp_path: Path) -> None:
    for world, point in lives(tmp_path, finish):
        run = world.run()
        check_invariants(world)
        assert world.cdm.starts <= 1, point
        if world.cdm.starts == 0:
            # Died between writing `starting` and sending: only a person can tell that from a loss.
            assert run.state is S.NEEDS_DECISION, point
            continue
        assert run.state is S.COMPLETED, point
        # One, or one more on proof that the first had no effect.
        assert world.cdm.count("clean_up") == 1, point
        assert [line.message for line in world.store.runs.log(1)] == ["mounted"], point
        assert world.cdm.shown[run.job_session_id or ""].phase is Phase.COMPLETED


@pytest.mark.parametrize("effect", [True, False])
def test_after_a_kill_around_a_clean_up_it_is_sent_again_only_if_it_had_no_effect(
    tmp_path: Path, effect: bool
) -> None:
    """Also between the commit of `cleaning_up` and the request: nobody else would ask CDM."""

    def prepare(world: World) -> None:
        world.ready()
        world.cdm.fail("clean_up", Unknown("lost"), with_effect=effect)
        actions.ACTIONS["clean-up"].do(world.store, 1, by="ann", now=world.now)

    points = set()
    for world, point in lives(tmp_path, finish, prepare=prepare):
        points.add(point)
        assert world.run().state is S.COMPLETED, point
        assert world.cdm.count("clean_up") == (1 if effect else 2), point
        assert not world.store.runs.requests(1), point
        check_invariants(world)
    assert {"clean_up is sent", "clean_up had its effect", "after a commit"} <= points


@pytest.mark.parametrize("effect", [True, False])
def test_after_a_kill_around_a_cancel_it_is_sent_again_only_if_it_had_no_effect(
    tmp_path: Path, effect: bool
) -> None:
    def prepare(world: World) -> None:
        world.restoring()
        world.cdm.fail("cancel", Unknown("lost"), with_effect=effect)
        actions.ACTIONS["cancel"].do(world.store, 1, by="ann", now=world.now)

    for world, point in lives(tmp_path, lambda world: world.go_on(S.CANCELLED), prepare=prepare):
        assert world.run().state is S.CANCELLED, point
        assert world.cdm.count("cancel") == (1 if effect else 2), point
        check_invariants(world)


@pytest.mark.parametrize("effect", [True, False])
def test_after_a_kill_around_a_clean_up_before_a_start_it_is_sent_again_only_without_effect(
    tmp_path: Path, effect: bool
) -> None:
    def prepare(world: World) -> None:
        world.cdm.add_session(Phase.READY)
        world.start_run()
        world.go_on(S.NEEDS_DECISION)
        world.cdm.fail("clean_up", Unknown("lost"), with_effect=effect)
        actions.resolve(world.store, 1, "clean_up_and_start", None, by="ann", now=world.now)

    def life(world: World) -> None:
        for _ in range(40):
            foreign = next(iter(world.cdm.shown.values()))
            if foreign.phase is Phase.RUNNING:
                world.cdm.become(foreign.id, Phase.COMPLETED)
            if world.run().state in {S.RESTORING, S.NEEDS_DECISION}:
                return
            world.next_turn()
        raise AssertionError(world.run())

    for world, point in lives(tmp_path, life, prepare=prepare):
        assert world.cdm.count("clean_up") == (1 if effect else 2), point
        assert world.cdm.starts <= 1
        if world.cdm.count("start"):
            assert world.run().state is S.RESTORING, point
        check_invariants(world)
