# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The invariants I1 to I6 of design.md §4, under whatever order of events hypothesis thinks of.

A real store, the engine, a little CDM; triggers, faults, kills, clock steps and people in between.
``SAFEGUARDED_RESTORE_PROOF`` asks for the long campaign, with a fresh seed each time.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.restore import actions
from app.restore.model import (
    FINAL_STATES,
    LIVE_STATES,
    NEXT_STATES,
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
from tests.factories import make_mapping
from tests.restore.world import Killed, World

S = RunState
PROOF = (Unreachable, Untrusted, LoginRefused, Busy)
READS = ("job", "sessions", "session", "plan_start", "log")
# What only a person can end: CDM may be mounted for as long as it likes.
HUMAN = FINAL_STATES | {S.NEEDS_DECISION, S.READY}


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
        self.said: dict[str, set[Phase]] = {}  # session id → phases that CDM showed
        self.left = -1  # points until the next kill
        self.until = -1  # points until somebody interferes
        self.interfering: Callable[[], object] = lambda: None
        self.world.restart(self._point)

    def teardown(self) -> None:
        try:
            self._calm()
        finally:
            self.world.close()
            rmtree(self.folder)

    # --- what happens -------------------------------------------------------------------------

    @rule(which=st.booleans(), again=st.booleans())
    def trigger(self, which: bool, again: bool) -> None:
        values = {"request_id": "again-and-again"} if again else {}
        decision = self.world.trigger(self.second if which else self.world.mapping, **values)
        self.answered[decision.trigger_id] = (decision.outcome, decision.run_id)
        if decision.outcome is Outcome.ACCEPTED:
            assert decision.run_id is not None

    @rule(seconds=st.sampled_from((0, 1, 5, 10, 60)))
    def turn(self, seconds: int) -> None:
        with suppress(Killed):
            self.world.turn(seconds)
            return
        self.world.restart(self._point)

    @rule(at=st.integers(1, 40))
    def kill_soon(self, at: int) -> None:
        self.left = at

    @rule(
        at=st.integers(1, 12),
        what=st.sampled_from(("cancel", "clean up", "give up", "again", "disarm", "trigger")),
    )
    def somebody_interferes_soon(self, at: int, what: str) -> None:
        """Between two calls of CDM a page or a trigger changes something."""
        self.until = at
        self.interfering = {
            "cancel": lambda: self.ask(actions.ask_cancel),
            "clean up": lambda: self.ask(actions.ask_clean_up),
            "give up": lambda: self.decide("give_up", newest=True),
            "again": lambda: self.decide("not_started", newest=True),
            "disarm": lambda: self.switch(armed=False),
            "trigger": lambda: self.trigger(which=True, again=False),
        }[what]

    @rule()
    def restart(self) -> None:
        self.world.restart(self._point)

    @rule(
        verb=st.sampled_from((*READS, "start", "cancel", "clean_up")),
        error=st.sampled_from((*PROOF, Refused, NotFound, Unknown)),
        effect=st.booleans(),
    )
    def fault(self, verb: str, error: type[CopyManagerError], effect: bool) -> None:
        self.world.cdm.fail(verb, error("scripted"), with_effect=effect and error is Unknown)

    @rule(down=st.booleans())
    def connection(self, down: bool) -> None:
        self.world.cdm.down = Unreachable("down") if down else None

    @rule(seconds=st.sampled_from((-86400, -3600, 3600, 86400)))
    def clock_step(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    @rule(phase=st.sampled_from(tuple(Phase)), newest=st.booleans())
    def cdm_goes_on(self, phase: Phase, newest: bool) -> None:
        shown = [session for session in self.world.cdm.shown.values() if session.live]
        if shown:
            self.world.cdm.become(shown[-1 if newest else 0].id, phase)

    @rule(phase=st.sampled_from((Phase.RUNNING, Phase.READY, Phase.COMPLETED)))
    def foreign_session(self, phase: Phase) -> None:
        self.world.cdm.add_session(phase)

    @rule(late=st.integers(0, 4))
    def sessions_appear_late(self, late: int) -> None:
        self.world.cdm.appear_after = late

    @rule()
    def a_session_vanishes(self) -> None:
        for session_id in list(self.world.cdm.shown)[:1]:
            self.world.cdm.vanish(session_id)

    @rule(armed=st.booleans())
    def switch(self, armed: bool) -> None:
        mode = Mode.ARMED if armed else Mode.DISARMED
        self.world.store.settings.set_mode(mode, by="ann", now=self.world.now)

    @rule(enabled=st.booleans())
    def mapping_switch(self, enabled: bool) -> None:
        self.world.store.mappings.change(self.world.mapping.id, enabled=enabled)

    @rule(action=st.sampled_from((actions.ask_cancel, actions.ask_clean_up)))
    def ask(self, action: Callable[..., str]) -> None:
        run = self.live()
        if run is None:
            return
        with suppress(actions.NotPossible):
            action(self.world.store, run.id, by="ann", now=self.world.now)

    @rule(decision=st.sampled_from(actions.DECISIONS), newest=st.booleans())
    def decide(self, decision: str, newest: bool) -> None:
        run = self.live()
        if run is None:
            return
        sessions = [*self.world.cdm.shown, "4711"]
        with suppress(actions.NotPossible):
            actions.resolve(
                self.world.store,
                run.id,
                decision,
                sessions[-2 if newest and len(sessions) > 1 else 0],
                by="ann",
                now=self.world.now,
            )
            if decision in {"not_started", "clean_up_and_start"}:
                self.excused[run.id] = self.excused.get(run.id, 0) + 1

    # --- what holds ---------------------------------------------------------------------------

    @invariant()
    def every_answered_trigger_has_a_row(self) -> None:
        """I1."""
        rows = {
            row.id: (row.outcome, row.run_id)
            for row in self.world.store.triggers.recent(limit=1000)
        }
        assert {key: rows[key] for key in self.answered} == self.answered

    @invariant()
    def no_run_is_started_twice(self) -> None:
        """I2: unless the first provably had no effect or a person decided."""
        for run_id, sent in self.sent.items():
            assert sent <= 1 + self.excused.get(run_id, 0), run_id

    @invariant()
    def one_live_run_per_job(self) -> None:
        """I3."""
        live = [run for run in self.world.store.runs.list() if run.state in LIVE_STATES]
        assert len(live) <= 1

    @invariant()
    def every_change_has_its_history(self) -> None:
        """I5."""
        for run in self.world.store.runs.list():
            steps = self.world.store.runs.transitions(run.id)
            states = [None, *(step.to_state for step in steps)]
            for step, before in zip(steps, states, strict=False):
                assert step.from_state is before
                if before is not None:
                    assert step.to_state in NEXT_STATES[before]
            assert steps[-1].to_state is run.state
        entries = self.world.store.audit.recent(limit=10_000)
        moves = [entry for entry in entries if "->" in entry.action]
        count = sum(
            len(self.world.store.runs.transitions(run.id)) for run in self.world.store.runs.list()
        )
        assert len(moves) == count
        assert self.world.store.audit.verify()

    @invariant()
    def nothing_reads_well_unless_cdm_said_so(self) -> None:
        """I6: completed and ready are CDM's words about that very session."""
        for session in self.world.cdm.shown.values():
            self.said.setdefault(session.id, set()).add(session.phase)
        for run in self.world.store.runs.list():
            said = self.said.get(run.job_session_id or "", set())
            if run.state is S.COMPLETED:
                assert said & {Phase.COMPLETED, Phase.PARTIAL}, run
            elif run.state is S.READY:
                assert Phase.READY in said, run

    # ------------------------------------------------------------------------------------------

    def live(self) -> Run | None:
        runs = [run for run in self.world.store.runs.open() if run.state in LIVE_STATES]
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
                self.interfering()

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
            for session in list(cdm.shown.values()):
                if session.phase in {Phase.RUNNING, Phase.UNKNOWN}:
                    cdm.become(session.id, Phase.COMPLETED)
            self.nothing_reads_well_unless_cdm_said_so()
            self.world.turn(60)
        run = self.live()
        assert run is None or run.state in HUMAN, run
        self.no_run_is_started_twice()
        self.every_change_has_its_history()
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
