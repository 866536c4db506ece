# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the front, each without a process."""

import itertools
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.web.front import connection as connections
from app.web.front.connection import Connection, State
from app.web.front.framing import BODY_LIMIT, HEAD_LIMIT, Framing, Problem, Whole
from app.web.front.refusals import A_LINE_EVERY_S, Refusals
from app.web.front.room import (
    ALL_OTHERS,
    CONSOLE,
    EACH_OTHER,
    UNSENT_BYTES,
    in_the_way,
    too_much_unsent,
)

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
PLAIN = b"GET /debug HTTP/1.1\r\nHost: a\r\n\r\n"
WITH_LENGTH = HEAD + b"content-LENGTH: \t5\r\n\r\nabcde"
CHUNKED = HEAD + b"Transfer-Encoding: Chunked\r\n\r\n"
CHUNKS = CHUNKED + b"3;x=1\r\nabc\r\n0a \r\n0123456789\r\n0\r\n\r\n"
TRAILERS = CHUNKED + b"1\r\na\r\n0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n"


@pytest.mark.parametrize("request_", [PLAIN, WITH_LENGTH, CHUNKS, TRAILERS])
def test_a_request_is_whole_with_its_last_byte_wherever_it_was_torn(request_: bytes) -> None:
    for step in (1, 2, 3, 7, len(request_)):
        framing, buffer = Framing(), bytearray()
        for at in range(0, len(request_), step):
            buffer += request_[at : at + step]
            found = framing.look(buffer)
            whole = len(buffer) >= len(request_)
            assert found == (Whole(len(request_)) if whole else None), (step, at)


@pytest.mark.parametrize("request_", [PLAIN, WITH_LENGTH, CHUNKS, TRAILERS])
def test_what_follows_a_request_is_left_for_the_next_one(request_: bytes) -> None:
    assert Framing().look(bytearray(request_ + PLAIN)) == Whole(len(request_))


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_a_body_that_nobody_can_frame_is_not_waited_for(framing: bytes) -> None:
    head = HEAD + framing + b"\r\n"

    assert Framing().look(bytearray(head)) == Whole(len(head))


@pytest.mark.parametrize("size", [b"zz", b"", b"-1", b"+1", b"0x1", b"1_0", b"f" * 16, b"1" * 9000])
def test_a_chunk_that_nobody_can_frame_is_not_waited_for(size: bytes) -> None:
    request = bytearray(CHUNKED + size + b"\r\n")

    assert Framing().look(request) == Whole(len(request))


def test_of_a_body_that_is_too_large_nothing_is_waited_for() -> None:
    with_length = bytearray(HEAD + b"Content-Length: %d\r\n\r\nab" % (BODY_LIMIT + 1))
    one_chunk = bytearray(CHUNKED + b"%x\r\nab" % (BODY_LIMIT + 1))
    many_chunks = bytearray(CHUNKED + b"2\r\nab\r\n" * (BODY_LIMIT // 2 + 1))
    framing_alone = bytearray(CHUNKED + b"1;%s\r\na\r\n" % (b"x" * 8000) * 140)

    for request in (with_length, one_chunk, many_chunks, framing_alone):
        assert Framing().look(request) == Whole(len(request), too_large=True)


def test_a_body_of_the_largest_size_is_waited_for() -> None:
    assert Framing().look(bytearray(HEAD + b"Content-Length: %d\r\n\r\n" % BODY_LIMIT)) is None
    assert Framing().look(bytearray(CHUNKED + b"%x\r\n" % BODY_LIMIT)) is None


def test_a_head_without_an_end_is_cut_at_its_limit() -> None:
    framing = Framing()

    assert framing.look(bytearray(b"x" * HEAD_LIMIT)) is None
    assert framing.look(bytearray(b"x" * (HEAD_LIMIT + 1))) == Whole(HEAD_LIMIT, too_large=True)


# --- one connection -----------------------------------------------------------------------------


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(ours, ("192.0.2.9", 1), ("192.0.2.1", 5000))
        connection.start_waiting(100.0)
        yield connection, theirs


def test_head_and_body_have_one_deadline_in_all(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    assert connection.deadline == 100.0 + connections.IDLE_S

    for second, byte in enumerate(WITH_LENGTH[:-1], start=101):
        peer.send(bytes([byte]))
        assert connection.receive(float(second))
        assert not connection.take_request()
        assert connection.deadline == 101.0 + connections.REQUEST_S


def test_a_request_that_waits_behind_another_has_its_own_deadline(
    pair: tuple[Connection, socket.socket],
) -> None:
    connection, peer = pair
    peer.send(PLAIN + PLAIN[:10])
    assert connection.receive(101.0)
    assert connection.take_request()
    assert connection.request == PLAIN

    connection.start_waiting(120.0)

    assert connection.has_begun
    assert connection.deadline == 120.0 + connections.REQUEST_S


def test_what_was_cut_off_is_handed_on_as_such(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    peer.send(WITH_LENGTH[:-1])
    peer.shutdown(socket.SHUT_WR)
    assert connection.receive(101.0)
    assert connection.receive(101.0)

    assert connection.take_request()
    assert connection.problem is Problem.CUT


def test_leave_to_send_the_body_is_given_once(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    peer.send(HEAD + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
    for byte in (b"", b"a"):
        peer.send(byte)
        connection.receive(101.0)
        assert not connection.take_request()
    peer.setblocking(False)

    assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    with pytest.raises(BlockingIOError):
        peer.recv(100)


def test_a_stop_shortens_the_wait_for_requests(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    connection.hurry(101.0)
    assert connection.deadline == 101.0
    peer.send(PLAIN[:3])
    connection.receive(100.5)
    assert connection.deadline == 101.0


# --- room ---------------------------------------------------------------------------------------


@dataclass(eq=False)
class Held:
    peer: str
    deadline: float
    busy: bool = False
    unsent: int = 0


def is_console(peer: str) -> bool:
    return peer == "console"


def test_a_peer_makes_room_among_its_own_only() -> None:
    its_own = [Held("a", 50.0 - number) for number in range(EACH_OTHER)]
    others = [Held("b", 1.0), Held("console", 0.0)]

    assert in_the_way("a", [*its_own[1:], *others], is_console) == (True, None)
    assert in_the_way("a", [*its_own, *others], is_console) == (True, its_own[-1])
    assert in_the_way("b", [*its_own, *others], is_console) == (True, None)


def test_the_console_has_a_place_of_its_own() -> None:
    peers = itertools.cycle("abcdefgh")
    crowd = [Held(next(peers), 9.0) for _ in range(ALL_OTHERS)]
    crowd[3].deadline = 2.0
    consoles = [Held("console", 5.0) for _ in range(CONSOLE - 1)]

    assert in_the_way("console", [*crowd, *consoles], is_console) == (True, None)
    assert in_the_way("z", [*crowd, *consoles], is_console) == (True, crowd[3])
    one_more = Held("console", 4.0)
    assert in_the_way("console", [*crowd, *consoles, one_more], is_console) == (True, one_more)


def test_whose_request_is_being_answered_never_goes() -> None:
    busy = [Held("a", 0.0, busy=True) for _ in range(EACH_OTHER - 1)]
    waiting = Held("a", 7.0)

    assert in_the_way("a", [*busy, waiting], is_console) == (True, waiting)
    assert in_the_way("a", [*busy, Held("a", 0.0, busy=True)], is_console) == (False, None)


def test_the_slowest_reader_goes_when_too_much_waits_for_readers() -> None:
    slow, slower = Held("a", 8.0, unsent=1), Held("b", 7.0, unsent=UNSENT_BYTES - 1)

    assert too_much_unsent([slow, slower, Held("c", 1.0)]) is None
    slow.unsent = 2
    assert too_much_unsent([slow, slower, Held("c", 1.0)]) is slower


# --- the log ------------------------------------------------------------------------------------


def test_refusals_take_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals(logging.getLogger("front"))
    for number in range(3000):
        refusals.note(f"192.0.2.{number % 7}", "malformed", 100.0 + number / 100)
    assert caplog.messages == ["Refused requests: 1. Why: malformed (1). From: 192.0.2.0 (1)"]

    refusals.note("192.0.2.9", "too slow", 100.0 + A_LINE_EVERY_S)

    assert len(caplog.messages) == 2
    assert "Refused requests: 3000. Why: malformed (2999), too slow (1)." in caplog.messages[1]
    assert caplog.messages[1].endswith(" and 3 more")
    refusals.tell(1000.0)
    assert len(caplog.messages) == 2


def test_the_state_of_a_new_connection_lets_it_be_sent_away(
    pair: tuple[Connection, socket.socket],
) -> None:
    connection, peer = pair
    assert not connection.busy
    peer.send(PLAIN)
    connection.receive(101.0)
    connection.take_request()
    assert connection.busy
    connection.start_sending(b"x" * 10_000_000, 102.0)
    assert connection.state is State.SENDING
    assert connection.deadline == 102.0 + connections.ANSWER_S
    connection.send_more()
    assert 0 < connection.unsent < 10_000_000
    assert connection.deadline == 102.0 + connections.ANSWER_S
