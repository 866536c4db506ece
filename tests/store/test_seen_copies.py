# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Copies in their columns."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.message import Message
from app.restore.model.copies import ClockOffset, Copy, SeenCopy, SourceCopy, Which
from app.store import Store
from app.store.seen_copies import from_json, to_json
from tests.factories import NOON, make_connection

AT = datetime(2026, 11, 24, 2, 15, 0, 250_000, tzinfo=UTC)
WHOLE = Copy(
    Which.LATEST,
    (SourceCopy("SÄLES", AT, "Daily"), SourceCopy("HR")),
    name="Nov 24",
    problem=Message("CDM does not list {what}.", what="HR"),
    clock=ClockOffset(601.25, 0.6),
)


@pytest.mark.parametrize(
    "copy", [WHOLE, Copy(Which.UNKNOWN, problem="said so"), Copy(Which.MISSING)]
)
def test_what_was_seen_is_read_as_it_was(copy: Copy) -> None:
    seen = from_json(to_json(SeenCopy(copy, NOON)))
    assert seen is not None
    assert (seen.copy, seen.copy.clock, seen.seen_at) == (copy, copy.clock, NOON)
    assert type(seen.copy.problem) is type(copy.problem)


def test_of_each_job_the_last_look_is_kept(store: Store) -> None:
    one, other = make_connection(store), make_connection(store)
    later = SeenCopy(replace(WHOLE, name=None), NOON)
    store.seen_copies.note(one.id, "1044", SeenCopy(WHOLE, NOON))
    store.seen_copies.note(one.id, "1044", later)
    assert store.seen_copies.find(one.id, "1044") == later
    assert store.seen_copies.find(one.id, "1045") is None
    assert store.seen_copies.find(other.id, "1044") is None


def test_with_a_connection_what_was_seen_of_it_goes(store: Store) -> None:
    connection = make_connection(store)
    store.seen_copies.note(connection.id, "1044", SeenCopy(WHOLE, NOON))
    store.connections.delete(connection.id)
    assert store.seen_copies.find(connection.id, "1044") is None
