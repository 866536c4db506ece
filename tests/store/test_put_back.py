# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A store that was put back is known and trusted with nothing; a kill never passes for that."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.restore.model import Mode, RunState
from app.store import Database, Store
from app.store.copies import KEPT, CopyFailed, copies, keep_copy
from app.store.database import KEEPERS_PAGES, OTHERS_PAGES
from app.store.keeping import AGAIN_S, SETTLED_S, Keeper
from app.store.marks import Mark, Marks, mark_file, mark_files, read_mark
from app.store.migrate import MIGRATIONS, MigrationFailed, failure, migrate, newest_schema
from app.store.put_back import confirm
from app.store.restoring import put_copy_back, start_anew
from tests.factories import NOON, make_connection, make_mapping
from tests.restore.world import World

S = RunState
NEWEST = newest_schema(MIGRATIONS)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    migrate(world.path)
    yield world
    world.close()


def mark(world: World) -> None:
    world.store.marks.make(world.now, files=mark_files(world.path))


def lose_wal(world: World, main: bytes) -> None:
    """Have the main file as it was, without its -wal, as a copy of it alone would be."""
    world.close()
    for part in world.path.parent.glob("store.db-*"):
        part.unlink()
    world.path.write_bytes(main)
    world.store = world._engine_store = Store(Database(world.path))


def checkpointed(world: World) -> bytes:
    world.store.runs._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return world.path.read_bytes()


def test_a_start_that_was_sent_after_the_copy_is_not_sent_again(world: World) -> None:
    token = world.store.tokens.new("console", by="ann", now=NOON)
    world.start_run()
    main = checkpointed(world)  # the run stands there as queued, its start was not sent
    world.go_on(S.RESTORING)
    mark(world)
    assert world.cdm.starts == 1
    lose_wal(world, main)
    assert world.run().state is S.QUEUED

    migrate(world.path)

    store = world.store
    assert store.settings.mode is Mode.DISARMED
    assert world.run().state is S.NEEDS_DECISION
    step = store.runs.transitions(1)[-1]
    assert step.by == "the app"
    assert "put back" in step.reason
    assert store.tokens.name_of(token) is None
    cut = store.audit.last("database")
    assert cut is not None
    assert "older than what has happened: it ends with change" in cut.detail
    assert store.audit.verify()
    store.settings.set_mode(Mode.ARMED, by="ann", now=world.now)
    world.restart()
    for _ in range(20):
        world.turn(60)
    assert world.cdm.starts == 1
    assert world.run().state is S.NEEDS_DECISION


def test_once_treated_it_is_not_treated_again_and_an_administrator_confirms_it(
    world: World,
) -> None:
    token = world.store.tokens.new("console", by="ann", now=NOON)
    main = checkpointed(world)
    mark(world)
    lose_wal(world, main)
    migrate(world.path)
    store = world.store
    assert store.tokens.wait_for_confirmation()
    assert confirm(store, by="ann", now=NOON)
    store.settings.set_mode(Mode.ARMED, by="ann", now=NOON)
    migrate(world.path)
    assert not confirm(store, by="ann", now=NOON)
    assert store.tokens.name_of(token) == "console"
    assert store.settings.mode is Mode.ARMED
    last = store.audit.last("trigger tokens")
    assert last is not None
    assert last.by == "ann"


def test_every_open_run_goes_to_a_person_and_nothing_asked_is_done(world: World) -> None:
    waits = make_mapping(world.store, world.connection, job_id="1", needs_approval=1)
    undecided = make_mapping(world.store, world.connection, job_id="2")
    mounted = make_mapping(world.store, world.connection, job_id="3")
    ids = [world.trigger(each).run_id for each in (world.mapping, waits, undecided, mounted)]
    world.store.settings.set_mode(Mode.OBSERVE, by="ann", now=NOON)
    ids.append(world.trigger(make_mapping(world.store, world.connection, job_id="4")).run_id)
    runs = [world.run(number) for number in ids if number]
    assert [run.state for run in runs[:2]] == [S.QUEUED, S.AWAITING_APPROVAL]
    assert runs[4].dry_run
    store = world.store
    store.runs.record(runs[2], S.NEEDS_DECISION, "unclear", by="worker", now=NOON)
    run = runs[3]
    for state in (S.STARTING, S.RESTORING, S.READY):
        run = store.runs.record(run, state, "on", by="worker", now=NOON)
    store.runs.ask(run, "clean_up", by="ann", now=NOON)
    assert store.runs.requests(run.id)
    main = checkpointed(world)
    mark(world)
    lose_wal(world, main)
    migrate(world.path)
    D, C = S.NEEDS_DECISION, S.CANCELLED
    assert [world.run(one.id).state for one in runs] == [D, C, D, D, C]
    assert all(not world.store.runs.requests(one.id) for one in runs)


def test_another_installations_store_is_one_that_was_put_back(world: World, tmp_path: Path) -> None:
    """As is a copy from before there were marks: its migration gives it a name of its own."""
    mark(world)
    other = tmp_path / "other.db"
    migrate(other)
    further = Store(Database(other))
    further.marks.make(NOON, files=(), above=1000)  # nor do more marks make it ours
    further.close()
    lose_wal(world, other.read_bytes())
    migrate(world.path)
    assert "another or a much older one" in (world.store.marks.put_back() or "")


def test_a_volume_that_is_put_back_whole_is_known_under_a_container_that_lives_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store" / "app.db"
    migrate(path)
    saved = tmp_path / "backup"
    shutil.copytree(path.parent, saved)
    store = Store(Database(path))
    store.marks.make(NOON, files=mark_files(path))
    store.close()
    shutil.rmtree(path.parent)
    shutil.copytree(saved, path.parent)
    migrate(path)
    store = Store(Database(path))
    assert store.marks.put_back()
    store.close()


def test_of_a_file_in_the_container_only_the_same_installation_counts(tmp_path: Path) -> None:
    path = tmp_path / "store" / "app.db"
    migrate(path)
    outside = mark_files(path)[1]
    outside.write_text(outside.read_text().replace('"name": "', '"name": "x').replace("1", "9"))
    migrate(path)
    store = Store(Database(path))
    assert store.marks.put_back() is None
    store.close()


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", "not JSON", '{"name": 1}', "\x00" * 50])
def test_a_mark_that_is_missing_or_broken_alarms_nobody(world: World, content: str | None) -> None:
    """A power cut, or an upgrade from a version without marks."""
    file = mark_file(world.path)
    file.unlink()
    if content is not None:
        file.write_text(content)
    migrate(world.path)
    assert world.store.marks.put_back() is None
    assert world.store.settings.mode is Mode.ARMED
    assert read_mark(file) is not None


def test_an_upgrade_from_before_the_marks_alarms_nobody(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for file in sorted(MIGRATIONS.glob("000[123]*.sql")):
        shutil.copy(file, old)
    path = tmp_path / "store" / "app.db"
    migrate(path, old)
    db = Database(path)
    db.execute("UPDATE settings SET value = 'armed' WHERE key = 'mode'")
    db.close()
    migrate(path)
    store = Store(Database(path))
    assert (store.settings.mode, store.marks.put_back()) == (Mode.ARMED, None)
    store.close()


def test_a_mark_made_while_a_process_starts_passes_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process marks on between this one's looks at the store and at the files."""
    path = tmp_path / "store" / "app.db"
    migrate(path)
    other, looks = Store(Database(path)), []
    current = Marks.current

    def look_then_marked(self: Marks, now: datetime) -> Mark:
        found = current(self, now)
        if self is not other.marks and not looks:
            looks.append(found)
            other.marks.make(now, files=mark_files(path))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Marks, "current", look_then_marked)
        migrate(path)
    told = [one.number for one in map(read_mark, mark_files(path)) if one is not None]
    assert told == [other.marks.current(NOON).number] * 2
    assert told[0] == looks[0].number + 1
    assert other.marks.put_back() is None
    other.close()


# --- kills ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["before the commit", "after it", "the file", "its name"])
def test_a_kill_anywhere_in_a_mark_leaves_the_file_behind_the_store(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    db, execute = world.store.runs._db, Database.execute
    before = read_mark(mark_file(world.path))
    assert before is not None

    def at_commit(self: Database, sql: str, parameters: object = ()) -> sqlite3.Cursor:
        if sql == "COMMIT" and point == "before the commit":
            raise Killed
        return execute(self, sql, parameters)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Database, "execute", at_commit)
        if point == "after it":
            patched.setattr("app.store.marks._write", kill)
        if point == "the file":
            patched.setattr("app.store.marks.json.dump", kill)
        if point == "its name":
            patched.setattr(Path, "replace", kill)
        with pytest.raises(Killed):
            mark(world)
    now = world.store.marks.current(NOON)
    assert now.number == before.number + (point != "before the commit")
    assert read_mark(mark_file(world.path)) == before
    db.close()
    migrate(world.path)
    assert world.store.marks.put_back() is None


WRITE_AND_MARK = """
import os, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from app.store import Database, Store
from app.store.copies import keep_copy
from app.store.marks import mark_files
from app.store.migrate import migrate
path = Path(sys.argv[1])
migrate(path)
def work():
    store = Store(Database(path))
    me = f"{os.getpid()}-{threading.get_ident()}"
    said = (path.parent.parent / f"said-{me}").open("a", buffering=1)
    for number in range(100000):
        now = datetime.now(UTC)
        store.tokens.new(f"{me}-{now}-{number}", by="ann", now=now)
        said.write(f"{me}-{now}-{number}\\n")
        store.marks.make(now, files=mark_files(path))
        if number % 20 == 10:
            keep_copy(path)
threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
for thread in threads: thread.start()
print("at work", flush=True)
for thread in threads: thread.join()
"""


def said(folder: Path) -> set[str]:
    """What the processes wrote down after its commit, but for a line that a kill cut off."""
    lines = [
        line
        for file in folder.glob("said-*")
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True)
    ]
    return {line[:-1] for line in lines if line.endswith("\n")}


def test_kills_at_any_moment_never_pass_for_a_store_that_was_put_back(tmp_path: Path) -> None:
    """Two processes that write, mark and copy; both killed at once; then everything anew.

    Nor is any commit lost that a process went on from, as an answer goes out after one.
    """
    path = tmp_path / "store" / "app.db"
    for kill in range(12):
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WRITE_AND_MARK, str(path)], stdout=subprocess.PIPE
            )
            for _ in range(2)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        time.sleep(0.01 * kill)
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        migrate(path)
        store = Store(Database(path))
        assert store.marks.put_back() is None
        beside = read_mark(mark_file(path))
        assert beside is not None
        assert beside.number <= store.marks.current(NOON).number
        rows = store.runs._db.execute("SELECT name FROM trigger_tokens")
        assert said(tmp_path) <= {row["name"] for row in rows}
        assert store.audit.verify()
        store.close()
    assert said(tmp_path)
    assert all(one.schema == NEWEST for one in copies(path, newest_schema=NEWEST))


# --- four kinds of broken stores ------------------------------------------------------------------


def why_not(path: Path) -> str:
    with pytest.raises(MigrationFailed) as failed:
        migrate(path)
    assert failure(path) == str(failed.value)
    return str(failed.value)


@pytest.mark.parametrize("how", ["empty", "gone", "without its -wal"])
def test_a_store_that_has_lost_its_content_is_no_first_start(world: World, how: str) -> None:
    mark(world)
    world.close()
    for part in world.path.parent.glob("store.db-*"):
        part.unlink()
    world.path.unlink()
    if how == "empty":
        world.path.touch()
    if how == "without its -wal":
        with closing(sqlite3.connect(world.path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    told = why_not(world.path)
    assert "its database is gone or empty. Start anew without a history" in told
    start_anew(world.path)
    assert failure(world.path) is None
    migrate(world.path)
    store = Store(Database(world.path))
    assert (store.settings.mode, store.marks.put_back()) == (Mode.DISARMED, None)
    store.close()


def test_a_first_start_that_was_cut_off_is_a_first_start(tmp_path: Path) -> None:
    path = tmp_path / "store" / "app.db"
    path.parent.mkdir()
    path.touch()
    migrate(path)
    migrate(path)
    path.unlink()  # nothing was configured: nothing is lost
    assert migrate(path) == NEWEST


@pytest.mark.parametrize("damage", ["all of it", "its first page", "empty"])
def test_a_copy_takes_the_place_of_a_broken_store(world: World, damage: str) -> None:
    token = world.store.tokens.new("console", by="ann", now=NOON)
    world.start_run()
    keep_copy(world.path)
    world.store.audit.append("ann", "change", "later", "", now=NOON)
    content = checkpointed(world)
    mark(world)
    broken = {
        "all of it": b"no database" * 1000,
        "its first page": b"x" * 4096 + content[4096:],
        "empty": b"",
    }[damage]
    lose_wal(world, broken)
    told = why_not(world.path)
    assert ("gone or empty" if damage == "empty" else "is damaged: file is not a") in told
    assert f"ut a copy back (store.db.{KEPT[0]} of 20" in told
    assert "configure store restore NAME" in told

    put_copy_back(world.path, f"store.db.{KEPT[0]}", by="ann", now=NOON)

    assert failure(world.path) is None
    migrate(world.path)
    store = world.store
    assert store.settings.mode is Mode.DISARMED
    assert world.run().state is S.NEEDS_DECISION
    assert store.tokens.name_of(token) is None
    assert store.audit.verify()
    assert store.audit.last("later") is None
    assert "was put back by ann" in (store.marks.put_back() or "")
    names = {file.name for file in world.path.parent.glob("store.db*")}
    assert not [name for name in names if "putting-back" in name or name.endswith("put-back")]
    assert [name for name in names if ".damaged-" in name] or damage == "empty"


def test_a_copy_takes_the_place_of_a_sound_store_under_processes_at_work(world: World) -> None:
    """They find the treated store at once: nothing of the old one is acted on in between."""
    world.start_run()
    keep_copy(world.path)
    world.go_on(S.RESTORING)
    for _ in range(10):
        mark(world)
    put_copy_back(world.path, f"store.db.{KEPT[0]}", by="ann", now=NOON)
    for _ in range(10):
        world.turn(60)
    assert world.cdm.starts == 1
    assert world.run().state is S.NEEDS_DECISION
    migrate(world.path)
    assert "put back by ann" in (world.store.marks.put_back() or "")
    assert world.store.marks.current(NOON).number > 1000  # whoever marked meanwhile is behind it
    assert confirm(world.store, by="ann", now=NOON)
    migrate(world.path)
    assert world.store.marks.put_back() is None


def test_a_copy_from_before_the_marks_can_be_put_back(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for file in sorted(MIGRATIONS.glob("000[123]*.sql")):
        shutil.copy(file, old)
    path = tmp_path / "store" / "app.db"
    migrate(path, old)
    migrate(path)
    put_copy_back(path, "app.db.schema-3", by="ann", now=NOON)
    assert migrate(path) == NEWEST
    store = Store(Database(path))
    assert store.marks.put_back()
    store.close()


def test_a_newer_schema_offers_only_copies_that_are_there(world: World) -> None:
    db = world.store.runs._db
    db.execute("PRAGMA user_version = 9999")
    told = why_not(world.path)
    assert "schema 9999" in told
    assert told.endswith("Install the newer version again.")
    keep_copy(world.path)  # of the newer schema too
    assert why_not(world.path) == told
    db.execute(f"PRAGMA user_version = {NEWEST}")
    keep_copy(world.path)
    db.execute("PRAGMA user_version = 9999")
    assert f"or put a copy back (store.db.{KEPT[0]} of 20" in why_not(world.path)


def test_what_cannot_be_put_back_leaves_the_store_as_it_was(world: World) -> None:
    keep_copy(world.path)
    copy = world.path.with_name(f"store.db.{KEPT[0]}")
    with pytest.raises(CopyFailed, match="there are: store.db.copy-1"):
        put_copy_back(world.path, "../else.db", by="ann", now=NOON)
    content = copy.read_bytes()
    copy.write_bytes(content[:8192] + b"\xff" * 40_000 + content[48_192:])
    with pytest.raises(CopyFailed, match="could not be put back"):
        put_copy_back(world.path, copy.name, by="ann", now=NOON)
    assert world.store.settings.mode is Mode.ARMED
    with pytest.raises(CopyFailed, match="it stays"):
        start_anew(world.path)


# --- copies ---------------------------------------------------------------------------------------


def test_a_copy_is_whole_checked_private_and_the_one_before_is_kept(world: World) -> None:
    first = keep_copy(world.path)
    world.store.audit.append("ann", "change", "thing", "", now=NOON)
    second = keep_copy(world.path)
    assert first == second == world.path.with_name("store.db.copy-1")
    before = world.path.with_name("store.db.copy-2")
    for file, rows in ((second, 1), (before, 0)):
        assert oct(file.stat().st_mode & 0o777) == "0o600"
        with closing(sqlite3.connect(file)) as connection:
            count = connection.execute("SELECT count(*) FROM audit WHERE subject = 'thing'")
            assert count.fetchone()[0] == rows
    assert not list(world.path.parent.glob("*.copy-?-*"))


def test_a_damaged_store_does_not_take_the_place_of_a_good_copy(world: World) -> None:
    for number in range(200):
        world.store.audit.append("ann", "change", f"thing {number}", "x" * 500, now=NOON)
    good = keep_copy(world.path).read_bytes()
    content = checkpointed(world)
    middle = len(content) // 8192 * 4096
    lose_wal(world, content[:middle] + b"\xff" * 20_480 + content[middle + 20_480 :])
    with pytest.raises(CopyFailed, match="could not be copied"):
        keep_copy(world.path)
    assert world.path.with_name("store.db.copy-1").read_bytes() == good


def test_the_keeper_copies_at_first_after_changes_of_the_configuration_and_daily(
    world: World,
) -> None:
    keeper, now, tick = Keeper(world.path), NOON, 1000.0
    copy = world.path.with_name("store.db.copy-1")

    def made() -> bool:
        was = copy.stat().st_mtime_ns if copy.exists() else None
        keeper.turn(now, tick)
        found = copy.stat().st_mtime_ns if copy.exists() else None
        if found != was:
            os.utime(copy, (now.timestamp(), now.timestamp()))
        return found != was

    assert made()
    tick += AGAIN_S
    world.start_run()  # of that there is much, and it is in no need of a copy
    assert not made()
    make_connection(world.store)
    world.store.audit.append("ann", "connection.add", "cdm", "", now=now)
    assert not made()
    tick += SETTLED_S
    assert made()
    tick += AGAIN_S
    assert not made()
    now += timedelta(days=1, seconds=1)
    assert made()
    assert world.store.marks.audit_verified() is not None
    keeper.close()


def test_the_keeper_marks_each_turn(world: World) -> None:
    keeper = Keeper(world.path)
    before = read_mark(mark_file(world.path))
    keeper.turn(NOON, 1000.0)
    after = read_mark(mark_file(world.path))
    assert before is not None
    assert after is not None
    assert after.number == before.number + 1
    assert after.configured
    assert json.loads(mark_file(world.path).read_text())["audit_id"] > 0
    keeper.close()


def test_others_leave_a_long_wal_to_the_keeper_unless_it_gets_too_long(world: World) -> None:
    """One connection's checkpoints can't meet another's (decisions/one-checkpointer.md)."""
    db = Database(world.path)

    def write(pages: int) -> None:
        db.execute("UPDATE filled SET content = zeroblob(?)", (pages * 4096,))

    def pages_in_the_main_file() -> int:
        return world.path.stat().st_size // 4096

    db.execute("CREATE TABLE filled AS SELECT x'' AS content")
    checkpointed(world)
    write(KEEPERS_PAGES * 2)
    write(KEEPERS_PAGES * 2)
    assert pages_in_the_main_file() < KEEPERS_PAGES
    keeper = Keeper(world.path)
    keeper.turn(NOON, 1000.0)
    assert pages_in_the_main_file() > KEEPERS_PAGES * 2
    write(OTHERS_PAGES)
    assert pages_in_the_main_file() > OTHERS_PAGES
    keeper.close()
    db.close()
