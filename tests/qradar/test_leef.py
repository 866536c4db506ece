# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""LEEF events: their form, what is told, and that nobody can write a second one into a value."""

import socket
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from gettext import NullTranslations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.message import Message, Words
from app.qradar.leef import Teller, line
from app.restore.model import SIMULATION, Mode, RunState
from app.restore.model.copies import ClockOffset, Copy, SeenCopy, SourceCopy, Which
from app.restore.triggers import accept
from app.store import Database, Store
from app.store.happenings import Happenings
from tests.factories import NOON, make_mapping, make_store, make_trigger
from tests.restore.test_run_words import Brackets

ENGLISH = NullTranslations()


def read_back(text: str) -> tuple[list[str], dict[str, str]]:
    """Header fields and attributes, read as LEEF 2.0 says."""
    _, _, event = text.partition(" LEEF:2.0|")
    fields: list[str] = []
    while len(fields) < 5:
        part, rest = "", event
        while rest[0] != "|":
            step = 2 if rest[0] == "\\" else 1
            part, rest = part + rest[step - 1], rest[step:]
        fields.append(part)
        event = rest[1:]
    pairs = (pair.partition("=") for pair in event.split("\t"))
    return fields, {key: _unescaped(value) for key, _, value in pairs}


def _unescaped(value: str) -> str:
    plain, rest = "", value
    while rest:
        if rest[0] == "\\":
            plain, rest = plain + {"n": "\n", "r": "\r"}.get(rest[1], rest[1]), rest[2:]
        else:
            assert rest[0] != "="
            plain, rest = plain + rest[0], rest[1:]
    return plain


def test_an_event_has_the_header_that_qradar_reads() -> None:
    at = datetime(2026, 11, 24, 8, 0, 0, 5000, tzinfo=UTC)

    text = line("RESTORE_READY", 5, {"runId": 17, "offenseId": None}, at=at, version="1.0|x")

    assert text.startswith("<14>1 2026-11-24T08:00:00.005Z safeguarded-restore LEEF:2.0|")
    header, attributes = read_back(text)
    assert header == ["Safeguarded Restore", "Safeguarded Restore", "1.0|x", "RESTORE_READY", "x09"]
    assert attributes["devTime"] == "2026-11-24T08:00:00.005+0000"
    assert attributes["usrName"] == "safeguarded-restore"
    assert attributes["runId"] == "17"
    assert "offenseId" not in attributes


def unseen(character: str) -> bool:
    """Line ends and control characters, and what Unicode's own table says steers the direction."""
    steers = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return (
        unicodedata.category(character) in {"Cc", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in steers
        or character in "\u061c\u200e\u200f\ufeff"
    )


def test_no_character_that_is_not_seen_goes_out() -> None:
    for character in map(chr, range(0x1_0000)):
        text = line("X", 1, {"reason": f"a{character}b"}, at=NOON, version="1")
        if unseen(character) and character not in "\r\n":
            assert text.endswith("reason=a b"), hex(ord(character))


@given(st.text(max_size=500))
def test_any_value_stays_within_its_attribute(value: str) -> None:
    text = line("RESTORE_FAILED", 8, {"reason": value, "last": "x"}, at=NOON, version="1")

    _, attributes = read_back(text)
    assert len(text.splitlines()) == 1
    assert list(attributes)[-2:] == ["reason", "last"]
    assert attributes["last"] == "x"
    assert attributes["reason"].replace(" ", "") == "".join(
        c for c in value if c in "\r\n" or not (c == " " or unseen(c))
    )


class Listener:
    """QRadar's syslog port."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(2)
        self.port: int = self.socket.getsockname()[1]

    def events(self, number: int) -> list[tuple[str, dict[str, str]]]:
        found = []
        for _ in range(number):
            text = self.socket.recv(65535).decode()
            assert '"message"' not in text  # a sentence as stored
            header, attributes = read_back(text)
            found.append((header[3], attributes))
        self.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.socket.recv(65535)
        self.socket.settimeout(2)
        return found


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.socket.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = make_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def untold(tmp_path: Path, store: Store) -> Iterator[Happenings]:
    db = Database(tmp_path / "store.db")
    yield Happenings(db)
    db.close()


def teller(
    untold: Happenings,
    listener: Listener,
    *,
    wanted: bool = True,
    words: Words = ENGLISH,
) -> Teller:
    return Teller(
        *(untold, lambda: wanted),
        words=lambda: words,
        address="127.0.0.1",
        version="1.0.0",
        port=listener.port,
    )


def test_a_run_is_told_from_its_trigger_to_its_end(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    tells = teller(untold, listener)
    tells.turn(NOON, 0.0)
    mapping = make_mapping(store)
    run_id = accept(store, make_trigger(mapping, offense_id=5), NOON).run_id
    assert run_id is not None
    for state in (RunState.STARTING, RunState.RESTORING, RunState.READY, RunState.COMPLETED):
        store.runs.record(store.runs.get(run_id), state, f"now {state}", by="app", now=NOON)

    assert tells.turn(NOON, 1.0) == 0.0

    events = listener.events(4)
    assert [name for name, _ in events] == [
        "RESTORE_REQUESTED",
        "RESTORE_STARTED",
        "RESTORE_READY",
        "RESTORE_COMPLETED",
    ]
    assert {event["offenseId"] for _, event in events} == {"5"}
    assert tells.turn(NOON, 2.0) > 0
    assert listener.events(0) == []


def test_what_came_up_is_told_with_its_copy(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    tells = teller(untold, listener)
    tells.turn(NOON, 0.0)
    mapping = make_mapping(store)
    run_id = accept(store, make_trigger(mapping, detected_at=NOON), NOON).run_id or 0
    made_at = NOON - timedelta(minutes=90)
    copy = Copy(Which.LATEST, (SourceCopy("SALES", made_at),), clock=ClockOffset(0.0, 1.0))
    run = store.runs.note(store.runs.get(run_id), copy=SeenCopy(copy, NOON))
    for state in (RunState.STARTING, RunState.RESTORING, RunState.READY):
        run = store.runs.record(run, state, f"now {state}", by="app", now=NOON)

    tells.turn(NOON, 1.0)

    ready = dict(listener.events(3))["RESTORE_READY"]
    assert (ready["copy"], ready["copyRelation"], ready["copyAge"]) == ("latest", "before", "5400")
    assert ready["copyMadeAt"] == "2026-11-24T10:30:00+00:00"


def test_what_happened_before_it_was_switched_on_is_not_told(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    mapping = make_mapping(store)
    accept(store, make_trigger(mapping), NOON)
    teller(untold, listener, wanted=False).turn(NOON, 0.0)
    tells = teller(untold, listener)
    tells.turn(NOON, 0.0)
    assert listener.events(0) == []

    store.settings.set_mode(Mode.DISARMED, by="anna", now=NOON)
    tells.turn(NOON, 1.0)

    ((name, event),) = listener.events(1)
    assert name == "CONFIG_CHANGED"
    assert event["actor"] == "anna"
    assert event["reason"] == "disarmed"


def test_a_new_attack_is_told_until_it_is_answered(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    tells = teller(untold, listener)
    mapping = make_mapping(store)
    accept(store, make_trigger(mapping), NOON)
    run = store.runs.get(1)
    for state in (RunState.STARTING, RunState.RESTORING, RunState.READY):
        run = store.runs.record(run, state, "on", by="app", now=NOON)
    tells.turn(NOON, 0.0)

    later = NOON + timedelta(hours=1)
    for _ in range(5):
        accept(store, make_trigger(mapping), later)
    store.attacks.acknowledge(1, by="anna", now=later)
    tells.turn(later, 1.0)

    (noticed, event), (acknowledged, answer) = listener.events(2)
    assert (noticed, event["sev"]) == ("NEW_ATTACK", "9")
    assert event["reason"].startswith("New attack while run 1 is still mounted")
    assert mapping.job_name in event["subject"]
    assert (acknowledged, answer["actor"]) == ("NEW_ATTACK_ACKNOWLEDGED", "anna")


def test_switched_off_and_on_again_it_begins_anew(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    teller(untold, listener).turn(NOON, 0.0)
    teller(untold, listener, wanted=False).turn(NOON, 0.0)
    store.settings.set_mode(Mode.DISARMED, by="anna", now=NOON)

    teller(untold, listener).turn(NOON, 0.0)

    assert listener.events(0) == []


def test_refused_triggers_are_told_ten_times_a_minute_at_most(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    """The guard against a rule that matches our own events: such a circle can't get going."""
    tells = teller(untold, listener)
    tells.turn(NOON, 0.0)
    for _ in range(25):
        accept(store, make_trigger(rule_id=1), NOON)
    tells.turn(NOON, 1.0)
    assert [name for name, _ in listener.events(10)] == ["TRIGGER_REJECTED"] * 10

    accept(store, make_trigger(rule_id=1), NOON)
    tells.turn(NOON, 62.0)

    ((_, event),) = listener.events(1)
    assert event["leftOut"] == "15"


def test_triggers_that_a_run_swallows_are_not_told(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    tells = teller(untold, listener)
    tells.turn(NOON, 0.0)
    mapping = make_mapping(store)
    for _ in range(3):
        accept(store, make_trigger(mapping), NOON)

    tells.turn(NOON, 1.0)

    assert [name for name, _ in listener.events(1)] == ["RESTORE_REQUESTED"]


def test_a_dry_run_is_told_as_observed_and_a_simulation_not_at_all(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    store.settings.set_mode(Mode.OBSERVE, by="anna", now=NOON)
    tells = teller(untold, listener)
    tells.turn(NOON, 0.0)
    mapping = make_mapping(store)
    for source in (SIMULATION, "custom_action"):
        decision = accept(store, make_trigger(mapping, source=source), NOON)
        run = store.runs.get(decision.run_id or 0)
        store.runs.record(run, RunState.OBSERVED, "looked", by="app", now=NOON)
    store.mappings.change(mapping.id, enabled=False)
    accept(store, make_trigger(mapping, source=SIMULATION), NOON)

    tells.turn(NOON, 1.0)

    ((name, event),) = listener.events(1)
    assert (name, event["runId"]) == ("RESTORE_OBSERVED", "2")


def test_what_an_event_says_is_said_in_the_language_of_the_setting(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    untold.begin()
    accept(store, make_trigger(make_mapping(store)), NOON)
    run = store.runs.get(1)
    error = Message("CDM refused: {error}", error="CTGGA2398")
    store.runs.record(run, RunState.FAILED, error, by="app", now=NOON)

    teller(untold, listener, words=Brackets()).turn(NOON, 0.0)

    (_, requested), (name, failed) = listener.events(2)
    assert name == "RESTORE_FAILED"
    assert failed["reason"] == error.said(Brackets())
    assert "⟦" in failed["reason"]
    assert {key: text for key, text in failed.items() if "⟦" in text} == {
        "reason": failed["reason"]
    }
    assert requested["reason"].startswith("⟦triggered by ")


def test_an_address_that_is_none_is_tried_again_and_nothing_is_lost(
    store: Store, untold: Happenings, listener: Listener
) -> None:
    broken = Teller(untold, lambda: True, words=NullTranslations, address="[::zz]", version="1")
    broken.turn(NOON, 0.0)
    store.settings.set_mode(Mode.DISARMED, by="anna", now=NOON)
    assert broken.turn(NOON, 1.0) > 0
    assert broken.turn(NOON, 2.0) > 0

    teller(untold, listener).turn(NOON, 0.0)

    assert len(listener.events(1)) == 1
