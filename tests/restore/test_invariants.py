# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The invariants I1 to I6 of architecture §4, under whatever order of events hypothesis thinks of.

A real store, the engine, a little CDM; triggers, faults, kills, clock steps and people in between.
``SAFEGUARDED_RESTORE_PROOF`` asks for the long campaign, with a fresh seed each time.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.restore import actions, by_hand
from app.restore.model import (
    SIMULATION,
    Busy,
    CopyManagerError,
    LoginRefused,
    Mode,
    NotFound,
    Outcome,
    Phase,
    Refused,
    Run,
    RunState,
    Unknown,
    Unreachable,
    Untrusted,
)
from app.restore.own_events import OWN_USER
from app.restore.states import FINAL_STATES, NEXT_STATES
from tests.factories import make_mapping
from tests.restore.world import Killed, World

S = RunState
PROOF = (Unreachable, Untrusted, LoginRefused, Busy)
READS = ("job", "sessions", "session", "plan_start", "log")
# What only a person can end: CDM may be mounted for as long as it likes.
HUMAN = FINAL_STATES | {S.NEEDS_DECISION, S.READY}

MEDDLING = (
    *("cancel", "clean up", "disarm", "observe", "trigger", "simulate", "approve", "reject"),
    *("by hand", "by hand again", "acknowledge", "our own event"),
    *actions.DECISIONS,
)
TROUBLE = (
    *("restart", "clock", "down", "foreign session", "foreign mount", "late", "permanent"),
    *("vanish", "mapping", "approval"),
)


def is_live(run: Run) -> bool:
    return run.state not in FINAL_STATES | {S.AWAITING_APPROVAL} and not run.dry_run


class Life(RuleBasedStateMachine):
    """Everything that may happen to the runs of one CDM job."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="safeguarded-restore-"))
        self.world = World(self.folder)
        self.second = make_mapping(self.world.store, self.world.connection, cooldown_s=0)
        self.world.store.mappings.change(self.world.mapping.id, cooldown_s=30)
        self.world.mapping = self.world.store.mappings.get(self.world.mapping.id)
        self.answered: dict[int, tuple[str, int | None]] = {}
        self.excused: dict[int, int] = {}  # run id → starts that proof or a person allows again
        self.sent: dict[int, int] = {}  # run id → starts that went out
        self.given_up_at: datetime | None = None  # when a person last gave up a start that was sent
        self.left = -1  # points until the next kill
        self.until, self.meddling = -1, ""  # points until somebody meddles, and how
        self.world.restart(self._point)

    def teardown(self) -> None:
        try:
            self._calm()
        finally:
            self.world.close()
            rmtree(self.folder)

    # --- what happens -------------------------------------------------------------------------

    # Hypothesis leaves some rules out of each example, so there is one that gets far by itself.
    @rule(
        kill=st.integers(0, 80),
        until=st.integers(0, 40),
        what=st.sampled_from(MEDDLING),
        ends=st.tuples(*[st.sampled_from(Phase)] * 2),
        seconds=st.sampled_from((1, 10, 60)),
    )
    def a_whole_life(
        self, kill: int, until: int, what: str, ends: tuple[Phase, Phase], seconds: int
    ) -> None:
        """A trigger, a restore, a clean-up; with a kill and somebody who meddles."""
        self.other_sessions_end()
        self.all_is_well_for_a_while(1)
        self.left, self.until, self.meddling = kill, until, what
        self.trigger(which=True, again=False)
        for phase in (Phase.RUNNING, Phase.READY, *ends):
            self.our_session_goes_on(phase, 0)
            for _ in range(4):
                self.turn(seconds)
            self.ask(actions.ACTIONS["clean-up"].do)

    @rule(which=st.booleans(), again=st.booleans(), turns=st.integers(0, 3))
    def attack(self, which: bool, again: bool, turns: int) -> None:
        """A trigger, and a few turns."""
        self.trigger(which=which, again=again)
        for _ in range(turns):
            self.turn(1)

    @rule(seconds=st.sampled_from((0, 1, 10, 60)), turns=st.integers(1, 4))
    def time_goes_on(self, seconds: int, turns: int) -> None:
        for _ in range(turns):
            self.turn(seconds)

    @rule(turns=st.integers(5, 30))
    def all_is_well_for_a_while(self, turns: int) -> None:
        self.world.cdm.down = None
        self.world.cdm.faults.clear()
        self.switch(Mode.ARMED)
        for _ in range(turns):
            self.turn(10)

    @rule(
        phase=st.sampled_from((Phase.READY, Phase.READY, Phase.COMPLETED, *Phase)),
        turns=st.integers(0, 3),
    )
    def our_session_goes_on(self, phase: Phase, turns: int) -> None:
        run = self.live()
        session_id = (run and run.job_session_id) or (self.world.cdm.ours or [""])[-1]
        if session_id in self.world.cdm.shown:
            self.world.cdm.become(session_id, phase)
        for _ in range(turns):
            self.turn(60)

    @rule()
    def other_sessions_end(self) -> None:
        run = self.live()
        for session in list(self.world.cdm.shown.values()):
            if session.live and (run is None or session.id != run.job_session_id):
                self.world.cdm.become(session.id, Phase.COMPLETED)

    @rule(
        verb=st.sampled_from((*READS, "start", "start", "start", "cancel", "clean_up")),
        error=st.sampled_from((*PROOF, Refused, NotFound, Unknown, Unknown, Unknown)),
        effect=st.booleans(),
    )
    def fault(self, verb: str, error: type[CopyManagerError], effect: bool) -> None:
        self.world.cdm.fail(verb, error("scripted"), with_effect=effect and error is Unknown)

    @rule(at=st.integers(1, 25))
    def kill_soon(self, at: int) -> None:
        self.left = at

    @rule(at=st.integers(1, 12), what=st.sampled_from(MEDDLING))
    def somebody_meddles_soon(self, at: int, what: str) -> None:
        """Between two calls of CDM a page or a trigger changes something."""
        self.until, self.meddling = at, what

    @rule(what=st.sampled_from(MEDDLING))
    def somebody_meddles(self, what: str) -> None:
        match what:
            case "cancel":
                self.ask(actions.ACTIONS["cancel"].do)
            case "clean up":
                self.ask(actions.ACTIONS["clean-up"].do)
            case "disarm":
                self.switch(Mode.DISARMED)
            case "observe":
                self.switch(Mode.OBSERVE)
            case "trigger":
                self.trigger(which=True, again=False)
            case "simulate":
                self.simulate()
            case other:
                self._somebody_answers(other)

    def _somebody_answers(self, what: str) -> None:
        match what:
            case "by hand" | "by hand again":
                self.start_by_hand(again=what == "by hand again")
            case "acknowledge":
                self.acknowledge()
            case "our own event":
                self.trigger(which=True, again=False, username=OWN_USER)
            case "approve":
                self.answer(actions.approve)
            case "reject":
                self.answer(actions.reject)
            case decision:
                self.decide(decision)

    @rule(what=st.sampled_from(TROUBLE), seconds=st.sampled_from((-86400, -3600, 3600, 86400)))
    def trouble(self, what: str, seconds: int) -> None:
        match what:
            case "restart":
                self.world.restart(self._point)
            case "clock":
                self.world.pass_time(seconds)
            case "mapping":
                mapping = self.world.store.mappings.get(self.world.mapping.id)
                self.world.store.mappings.change(mapping.id, enabled=not mapping.enabled)
            case "approval":
                asks = self.world.store.mappings.get(self.world.mapping.id).needs_approval
                self.world.store.mappings.change(self.world.mapping.id, needs_approval=not asks)
            case other:
                self._trouble_in_cdm(other)

    def _trouble_in_cdm(self, what: str) -> None:
        cdm = self.world.cdm
        match what:
            case "down":
                cdm.down = Unreachable("down")
            case "foreign session":
                cdm.add_session(Phase.RUNNING)
            case "foreign mount":
                cdm.add_session(Phase.READY)
            case "late":
                cdm.appear_after = 3 - cdm.appear_after
            case "permanent":
                job = cdm.jobs[self.world.mapping.job_id]
                job.make_permanent = not job.make_permanent
            case "vanish":
                for session_id in list(cdm.shown)[-1:]:
                    cdm.vanish(session_id)

    def trigger(self, *, which: bool, again: bool, **fields: str) -> None:
        values: dict[str, object] = {"request_id": "again-and-again"} if again else {}
        values["fields"] = fields
        decision = self.world.trigger(self.second if which else self.world.mapping, **values)
        self.answered[decision.trigger_id] = (decision.outcome, decision.run_id)
        if decision.outcome is Outcome.ACCEPTED:
            assert decision.run_id is not None

    def start_by_hand(self, *, again: bool) -> None:
        """It skips the cool-down only, and none of a start that was given up a moment ago."""
        live, last = self.live(), self.world.store.runs.list(limit=1)
        given_up = last[0] if last and self.given_up_at == self.world.now else None
        number = "again" if again else str(len(self.answered))
        decision = by_hand.start(
            self.world.store,
            mapping=self.world.mapping.name,
            reason="a drill",
            request_id=f"by-hand-{number}",
            by="ann",
            now=self.world.now,
        )
        self.answered[decision.trigger_id] = (decision.outcome, decision.run_id)
        armed = self.world.store.settings.mode is Mode.ARMED
        if decision.outcome is Outcome.ACCEPTED:
            assert armed
            assert live is None
            assert given_up is None
        elif armed and decision.outcome is Outcome.COOLING_DOWN:
            assert self.world.store.runs.get(decision.run_id or 0).state is S.CANCELLED

    def acknowledge(self) -> None:
        for attack in self.world.store.attacks.open():
            self.world.store.attacks.acknowledge(attack.id, by="ann", now=self.world.now)
        assert self.world.store.attacks.open() == []

    def simulate(self) -> None:
        """It must leave no trace on the runs of real triggers."""
        before = self.world.store.runs.list()
        decision = self.world.trigger(source=SIMULATION)
        self.answered[decision.trigger_id] = (decision.outcome, decision.run_id)
        after = {run.id: run for run in self.world.store.runs.list()}
        assert all(after[run.id] == run for run in before)

    def answer(self, action: Callable[..., str]) -> None:
        for run in self.world.store.runs.open():
            if run.state is S.AWAITING_APPROVAL:
                with suppress(actions.NotPossible):
                    action(self.world.store, run.id, by="ann", now=self.world.now)

    def turn(self, seconds: int) -> None:
        with suppress(Killed):
            self.world.turn(seconds)
            return
        self.world.restart(self._point)

    def switch(self, mode: Mode) -> None:
        self.world.store.settings.set_mode(mode, by="ann", now=self.world.now)

    def ask(self, action: Callable[..., str]) -> None:
        run = self.live()
        if run is not None:
            with suppress(actions.NotPossible):
                action(self.world.store, run.id, by="ann", now=self.world.now)

    def decide(self, decision: str) -> None:
        run = self.live()
        if run is None:
            return
        session = [*self.world.cdm.shown, "4711"][-2:][0]
        with suppress(actions.NotPossible):
            actions.resolve(
                self.world.store, run.id, decision, session, by="ann", now=self.world.now
            )
            if decision == "give_up" and run.id in self.sent and self.excused.get(run.id, 0) == 0:
                self.given_up_at = self.world.now
            if decision in {"not_started", "clean_up_and_start"}:
                self.excused[run.id] = self.excused.get(run.id, 0) + 1

    # --- what holds ---------------------------------------------------------------------------

    @invariant()
    def all_of_it_holds(self) -> None:
        """The runs are read once for all: reading them is most of this test's time."""
        runs = self.world.store.runs.list()
        self.every_answered_trigger_has_a_row()
        self.a_new_attack_stands_once_for_each_job_until_it_is_answered(runs)
        self.no_run_is_started_twice()
        self.one_live_run_per_job(runs)
        self.a_dry_run_starts_nothing_and_asks_nobody(runs)
        self.every_change_has_its_history(runs)
        self.nothing_reads_well_unless_cdm_said_so(runs)

    def every_answered_trigger_has_a_row(self) -> None:
        """I1."""
        rows = {
            row.id: (row.outcome, row.run_id)
            for row in self.world.store.triggers.recent(limit=1000)
        }
        assert {key: rows[key] for key in self.answered} == self.answered

    def a_new_attack_stands_once_for_each_job_until_it_is_answered(self, runs: list[Run]) -> None:
        """And it ends for a reason: a person's word, or a start that went out since."""
        attacks = self.world.store.attacks
        open_ = attacks.open()
        assert len(open_) <= 1
        assert {run.id for run in runs if run.new_attack} <= {one.run_id for one in open_}
        for run in runs:
            for one in attacks.of_run(run.id):
                if one.ended_at is not None and one.acknowledged_by is None:
                    assert one.answering_run_id in self.sent, one

    def no_run_is_started_twice(self) -> None:
        """I2: unless the first provably had no effect or a person decided."""
        for run_id, sent in self.sent.items():
            assert sent <= 1 + self.excused.get(run_id, 0), run_id

    def one_live_run_per_job(self, runs: list[Run]) -> None:
        """I3."""
        assert sum(is_live(run) for run in runs) <= 1
        assert sum(run.state is S.AWAITING_APPROVAL for run in runs) <= 1

    def a_dry_run_starts_nothing_and_asks_nobody(self, runs: list[Run]) -> None:
        for run in runs:
            if run.dry_run:
                assert run.state in {S.QUEUED, S.OBSERVED, S.CANCELLED}, run
                assert run.id not in self.sent or run.id in self.excused, run

    def every_change_has_its_history(self, runs: list[Run]) -> None:
        """I5."""
        count = 0
        for run in runs:
            steps = self.world.store.runs.transitions(run.id)
            states = [None, *(step.to_state for step in steps)]
            for step, before in zip(steps, states, strict=False):
                assert step.from_state is before
                if before is not None:
                    assert step.to_state in NEXT_STATES[before]
            assert steps[-1].to_state is run.state
            count += len(steps)
        entries = self.world.store.audit.recent(limit=10_000)
        assert sum("->" in entry.action for entry in entries) == count
        assert self.world.store.audit.verify()

    def nothing_reads_well_unless_cdm_said_so(self, runs: list[Run]) -> None:
        """I6: completed and ready are CDM's words about that very session."""
        for run in runs:
            said = self.world.cdm.said[run.job_session_id or ""]
            if run.state is S.COMPLETED:
                assert said & {Phase.COMPLETED, Phase.PARTIAL}, run
            elif run.state is S.READY:
                assert Phase.READY in said, run

    # ------------------------------------------------------------------------------------------

    def live(self) -> Run | None:
        runs = [run for run in self.world.store.runs.open() if is_live(run)]
        return runs[0] if runs else None

    def _point(self, point: str) -> None:
        if point == "start is sent" and self.world.cdm.down is None:
            self._note_start()
        self.left -= 1
        if self.left == 0:
            raise Killed(point)
        if not point.endswith("commit"):  # there the engine holds the store
            self.until -= 1
            if self.until == 0:
                self.somebody_meddles(self.meddling)

    def _note_start(self) -> None:
        run = self.live()
        assert run is not None
        assert run.state is S.STARTING
        self.sent[run.id] = self.sent.get(run.id, 0) + 1
        faults = self.world.cdm.faults["start"]
        busy = any(session.live for session in self.world.cdm.shown.values())
        if (faults and isinstance(faults[0].error, PROOF)) or (
            busy and (not faults or faults[0].with_effect)
        ):
            self.excused[run.id] = self.excused.get(run.id, 0) + 1

    def _calm(self) -> None:
        """I4: with CDM well and nobody interfering, every run reaches a state of rest."""
        self.left = self.until = -1
        cdm = self.world.cdm
        cdm.down = None
        cdm.faults.clear()
        cdm.appear_after = 0
        self.world.restart(self._point)
        for _ in range(150):
            run = self.live()
            if run is None or run.state in HUMAN:
                break
            # A copy that is made permanent is in use on its way, and done in the end.
            going = {Phase.RUNNING, Phase.UNKNOWN}
            if run.memory.permanent is True:
                going.add(Phase.READY)
            for session in list(cdm.shown.values()):
                if session.phase in going:
                    cdm.become(session.id, Phase.COMPLETED)
            self.world.turn(60)
        run = self.live()
        assert run is None or run.state in HUMAN, run
        self.no_run_is_started_twice()
        runs = self.world.store.runs.list()
        self.nothing_reads_well_unless_cdm_said_so(runs)
        self.every_change_has_its_history(runs)
        if run is not None and run.state is S.NEEDS_DECISION:
            actions.resolve(self.world.store, run.id, "give_up", None, by="ann", now=self.world.now)
            assert self.live() is None


_PROOF = bool(os.environ.get("SAFEGUARDED_RESTORE_PROOF"))
TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=2000 if _PROOF else 60,
    stateful_step_count=80 if _PROOF else 40,
    derandomize=not _PROOF,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
