# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the store itself says goes past no catalogue: refusals, a store put back or not usable."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.configuration.ports import ConnectionInUse, Taken
from app.message import Message
from app.restore.model import RunState
from app.store import Database, Store
from app.store.marks import mark_file
from app.store.migrate import MigrationFailed, failure, migrate
from app.store.put_back import confirm, settle
from tests.factories import NOON, make_connection, make_mapping
from tests.restore.test_run_words import leaked
from tests.store.test_runs import make_run


def refused(act: Callable[[], object], error: type[Exception]) -> str:
    """What ``act`` is refused with."""
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


def refusals(store: Store) -> Sequence[str]:
    """What is told of changes that the store does not take."""
    run = make_run(store)
    held, mapping = store.connections.get(run.connection_id), store.mappings.list()[0]
    free = make_connection(store, name="other")
    used = make_mapping(store, name="second", connection_id=free.id)
    store.tokens.new("console", by="ann", now=NOON)
    busy, connections = ConnectionInUse, store.connections
    return [
        refused(lambda: connections.change(held.id, host="else.example"), busy),
        refused(lambda: connections.delete(held.id), busy),
        refused(lambda: connections.delete(free.id), busy),
        refused(lambda: connections.change(free.id, name=held.name), Taken),
        refused(
            lambda: connections.change(free.id, host=held.host, port=held.port),
            Taken,
        ),
        refused(lambda: store.mappings.change(used.id, name=mapping.name), Taken),
        refused(lambda: store.mappings.change(used.id, rule_id=mapping.rule_id), Taken),
        refused(lambda: store.tokens.new("console", by="ann", now=NOON), ValueError),
    ]


def test_no_word_of_a_refusal_goes_past_the_catalogues(store: Store) -> None:
    told = refusals(store)

    names = [one.name for one in store.connections.list()]
    names += [one.name for one in store.mappings.list()] + ["console"]
    assert {text: rest for text in told if (rest := leaked(text, *names))} == {}


@pytest.mark.parametrize("name", ["console", None])
@pytest.mark.parametrize("days", [-1, 1, 9])
def test_no_word_about_the_service_tokens_end_goes_past_the_catalogues(
    store: Store, name: str | None, days: int
) -> None:
    ends_at = NOON + timedelta(days=days, hours=1)
    store.qradar.set_token("label", name=name, expires_at=ends_at, by="ann", now=NOON)

    warning = store.qradar.console().token_warning(NOON) or ""

    ends = {-1: "has expired", 1: "expires in 1 day", 9: "expires in 9 days"}[days]
    assert warning == f"The service token{' console' if name else ''} {ends}."
    assert leaked(warning, "console") == ""


@pytest.mark.parametrize("other", [False, True])
def test_no_word_of_a_store_that_was_put_back_goes_past_the_catalogues(
    tmp_path: Path, other: bool
) -> None:
    path = tmp_path / "store.db"
    migrate(path)
    store = Store(Database(path))
    make_run(store)
    mark = store.marks.current(NOON)
    ahead = replace(mark, number=mark.number + 9, name="another" if other else mark.name)
    mark_file(path).write_text(json.dumps(asdict(ahead)))

    settle(path, NOON)

    (run,), audited = store.runs.open(), store.audit.last("database")
    assert run.state is RunState.NEEDS_DECISION
    assert audited is not None
    told = [store.marks.put_back() or "", audited.detail, run.error or ""]
    confirm(store, by="ann", now=NOON)
    confirmed = store.audit.last("trigger tokens")
    assert confirmed is not None
    assert [leaked(text, "TZ", "Z") for text in (*told, confirmed.detail)] == [""] * 4
    assert ("older than what" in told[0]) is not other
    store.close()


def broken(path: Path, how: str) -> None:
    if how == "lost":
        path.write_bytes(b"")
    elif how == "damaged":
        path.write_bytes(b"no database at all, but long enough to be one" * 200)
    elif how == "newer":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 9999")
    else:
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize("how", ["lost", "damaged", "newer", "not opened"])
@pytest.mark.parametrize("copies", [False, True])
def test_no_word_about_a_store_that_cannot_be_used_goes_past_the_catalogues(
    tmp_path: Path, how: str, copies: bool
) -> None:
    path = tmp_path / "store.db"
    migrate(path)
    store = Store(Database(path))
    make_run(store)
    store.marks.make(NOON, files=[mark_file(path)])
    store.close()
    for name in ("-wal", "-shm"):
        path.with_name(f"{path.name}{name}").unlink(missing_ok=True)
    if copies:
        path.with_name("store.db.schema-3").write_bytes(path.read_bytes())
    broken(path, how)

    told = refused(lambda: migrate(path), MigrationFailed)

    assert ("Put a copy back" in told or "put a copy back" in told) is (
        copies and how != "not opened"
    )
    assert failure(path) == told
    assert isinstance(failure(path), Message)
    commands = ("python3 -m app.configure store restore NAME", "start-anew")
    said = ("file is not a database", "unable to open database file", "store.db", "schema")
    assert leaked(told, *commands, "python3 -m app.configure store ", *said) == ""
