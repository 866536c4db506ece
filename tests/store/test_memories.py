# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run remembers, in its row: as the versions before wrote it, and as it is written now."""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.restore.memory import Memory, QuickSum, SeenSession, Sent, Sum
from app.restore.model import Evidence, Phase, RunState
from app.store import Store
from app.store.memories import from_json, to_json
from tests.factories import NOON
from tests.restore.world import World
from tests.store.test_runs import make_run

S = RunState
AT = "2026-11-24T12:00:00+00:00"
PRECISE = datetime(1999, 2, 1, 10, 0, 0, 123456, tzinfo=UTC)

# Every key that was ever written before what a run remembers had types.
BEFORE: dict[str, object] = {
    **{"unapproved_s": 60, "unapproved_at": AT, "waited_s": 12.5, "waited_at": AT},
    **{"blocked_s": 1.5, "blocked_at": AT, "clean_first": "4711"},
    **{"first_sends": 2, "first_s": 3.0, "first_at": AT, "first_known": True},
    **{"start_attempts": 4, "unsent_since": AT},
    **{"noted": ["4711", "4712"], "noted_start": PRECISE.isoformat(), "answered": True},
    **{"look_s": 5.0, "look_at": AT, "polls": 6, "seen_at": AT},
    **{"seen": [["4713", "RUNNING", PRECISE.isoformat()], ["4714", "PENDING", None]]},
    **{"seen_running": True, "missing": 1, "unknown_s": 7.0, "unknown_at": AT},
    **{"permanent": False, "permanent_tries": 2, "log_lines": 80, "log_whole": True},
    **{"cancel_sent": 8, "cancel_sends": 1, "cancel_s": 9.0, "cancel_at": AT},
    **{"clean_sent": 10, "clean_sends": 3, "clean_s": 11.0, "clean_at": AT},
    "clean_running": True,
}
# And those that came later.
LATER: dict[str, object] = {
    **{
        "session_start": PRECISE.isoformat(),
        "copy_read": True,
        "copy_tries": 2,
        "copy_asked": True,
    },
}
ALL = Memory(
    unapproved=Sum(60, NOON),
    waited_s=12.5,
    waited_at=NOON,
    blocked=Sum(1.5, NOON),
    clean_first="4711",
    first=Sent(3.0, NOON, sends=2),
    first_known=True,
    start_attempts=4,
    unsent_since=NOON,
    noted=("4711", "4712"),
    noted_start=PRECISE,
    answered=True,
    look=QuickSum(5.0, NOON),
    polls=6,
    seen=(SeenSession("4713", "RUNNING", PRECISE), SeenSession("4714", "PENDING", None)),
    seen_at=NOON,
    seen_running=True,
    missing=1,
    unknown=Sum(7.0, NOON),
    permanent=False,
    permanent_tries=2,
    session_start=PRECISE,
    copy_read=True,
    copy_tries=2,
    copy_asked=True,
    log_lines=80,
    log_whole=True,
    cancel=Sent(9.0, NOON, sent=8, sends=1),
    clean=Sent(11.0, NOON, sent=10, sends=3),
    clean_running=True,
)


def write(store: Store, run_id: int, memory: object) -> None:
    """Let a run remember what a version before wrote."""
    text = json.dumps(memory, sort_keys=True)
    store.runs._db.execute("UPDATE runs SET memory = ? WHERE id = ?", (text, run_id))


def test_what_the_version_before_wrote_is_read_whole(store: Store) -> None:
    run = make_run(store)
    write(store, run.id, BEFORE | LATER)
    assert store.runs.get(run.id).memory == ALL


def test_it_is_written_under_the_same_keys(store: Store) -> None:
    assert json.loads(to_json(ALL)) == BEFORE | LATER
    assert all(getattr(ALL, field.name) != field.default for field in fields(Memory))


def test_what_has_its_default_is_not_written() -> None:
    assert to_json(Memory()) == "{}"
    assert from_json("{}") == Memory()
    # no job session from before is something else than no start
    assert json.loads(to_json(Memory(noted=()))) == {"noted": []}
    assert from_json('{"noted": []}') == Memory(noted=())


def test_a_key_that_nobody_knows_is_left_out_with_the_next_change(store: Store) -> None:
    run = make_run(store)
    write(store, run.id, {"queued_at": AT, "log_error": "no answer", "request_sent": 3, "polls": 2})
    old = store.runs.get(run.id)
    assert old.memory == Memory(polls=2)
    store.runs.note(old, percent=1)
    assert "queued_at" in raw(store)
    store.runs.note(old, memory=old.memory)
    assert raw(store) == {"polls": 2}


def raw(store: Store) -> dict[str, object]:
    memory: dict[str, object] = json.loads(
        store.runs._db.execute("SELECT memory FROM runs").fetchone()[0]
    )
    return memory


# --- restores that are under way at the upgrade -------------------------------------------------


def upgraded(
    world: World, state: S, memory: dict[str, object], *, session: str | None = None
) -> None:
    """Make a run as the version before left it."""
    run = world.start_run()
    write(world.store, run.id, memory)
    world.store.runs._db.execute("UPDATE runs SET state = ?, job_session_id = ?", (state, session))


def test_a_start_that_was_sent_before_the_upgrade_is_found_and_followed(tmp_path: Path) -> None:
    world = World(tmp_path)
    old = world.cdm.add_session(Phase.COMPLETED)
    noted = {"noted": [old], "look_s": 0.0, "answered": True, "polls": 0, "waited_s": 1.0}
    upgraded(world, S.STARTING, noted)
    ours = world.cdm.add_session()
    run = world.go_on(S.RESTORING)
    assert (run.job_session_id, run.evidence) == (ours, Evidence.ANSWERED)
    world.cdm.become(ours, Phase.READY)
    assert world.go_on(S.READY).ready_at is not None
    assert world.cdm.count("start") == 0
    world.close()


def test_the_two_minutes_of_looking_go_on_over_the_upgrade(tmp_path: Path) -> None:
    world = World(tmp_path)
    at = (world.now - timedelta(seconds=1)).isoformat()
    upgraded(world, S.STARTING, {"noted": [], "look_s": 118.0, "look_at": at})
    world.turn()
    assert world.run().state is S.STARTING
    world.turn(1)
    assert world.run().state is S.NEEDS_DECISION
    world.close()


def test_a_restore_under_way_comes_up_and_is_cleaned_up_after_the_upgrade(tmp_path: Path) -> None:
    world = World(tmp_path)
    ours = world.cdm.add_session(Phase.READY)
    ran = {"noted": [], "seen_running": True, "polls": 30, "permanent": False, "log_lines": 2}
    upgraded(world, S.RESTORING, ran, session=ours)
    world.go_on(S.READY)
    world.cdm.become(ours, Phase.COMPLETED)
    assert world.go_on(S.COMPLETED).error is None
    world.close()
