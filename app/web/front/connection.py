# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""One connection: what has come, what is still to be sent, and until when. It never blocks."""

import math
import socket
from dataclasses import replace
from enum import Enum, auto

from app.web.front.answering import Answer, Peer
from app.web.front.framing import Framing, Problem

IDLE_S = 5.0  # without a first byte; the console's proxy keeps connections
REQUEST_S = 10.0  # for head and body of one request in all; no longer than all tries of the script
ANSWER_S = 30.0  # to fetch one whole answer
# After the last answer: what still comes is read, or the kernel would take the answer back.
_PARTING_S = 2.0
_READ_BYTES = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class State(Enum):
    """What a connection waits for."""

    READING = auto()
    ANSWERING = auto()
    SENDING = auto()
    PARTING = auto()


class Connection:
    """All but `send_some` is called from the loop only; times are monotonic."""

    def __init__(self, client: socket.socket, address: Peer, server: Peer) -> None:
        client.setblocking(False)
        self.socket, self.address, self.server = client, address, server
        self.peer = str(address[0])
        self.state = State.READING
        self.deadline = math.inf
        self.watched = 0  # selectors' events
        self.keep = False
        self.broken = False
        self.request = b""
        self.problem: Problem | None = None
        self._latest = math.inf
        self._incoming = bytearray()
        self._framing = Framing()
        self._ended = False  # the peer will send no more
        self._outgoing = memoryview(b"")

    @property
    def busy(self) -> bool:
        return self.state is State.ANSWERING

    @property
    def has_begun(self) -> bool:
        """Whether something of the next request has come."""
        return bool(self._incoming)

    @property
    def unsent(self) -> int:
        return len(self._outgoing)

    def hurry(self, latest: float) -> None:
        """Wait for requests until ``latest`` at most."""
        self._latest = latest
        if self.state is State.READING:
            self.deadline = min(self.deadline, latest)

    def start_waiting(self, now: float) -> None:
        """For the next request, of which something may be here already."""
        self.state, self._framing = State.READING, Framing()
        self.deadline = min(now + (REQUEST_S if self._incoming else IDLE_S), self._latest)

    def receive(self, now: float) -> bool:
        """Take what has come; False when there is nothing more to wait for. Raises OSError."""
        try:
            data = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        if self.state is State.PARTING:
            return bool(data)
        if data and not self._incoming:
            self.deadline = min(now + REQUEST_S, self._latest)
        self._incoming += data
        self._ended = self._ended or not data
        return bool(self._incoming)

    def take_request(self) -> bool:
        """Whether a request is whole, or will never be: it is then in ``request``."""
        whole = self._framing.look(self._incoming) if self._incoming else None
        if whole is None and not (self._ended and self._incoming):
            self._allow_body()
            return False
        size = whole.size if whole else len(self._incoming)
        self.request = bytes(self._incoming[:size])
        del self._incoming[:size]
        self.problem = Problem.TOO_LARGE if whole and whole.too_large else None
        if whole is None and self._framing.has_head:
            self.problem = Problem.CUT
        self.state, self.deadline = State.ANSWERING, math.inf
        return True

    def _allow_body(self) -> None:
        if self._framing.expects_continue:
            self._framing.expects_continue = False
            self._try_to_send(memoryview(_CONTINUE))

    def send_some(self, answer: Answer) -> Answer:
        """Send what the kernel takes at once, and give what is left. Called in a thread."""
        sent = self._try_to_send(memoryview(answer.data))
        return replace(answer, data=answer.data[sent:])

    def _try_to_send(self, data: memoryview) -> int:
        try:
            return self.socket.send(data) if data else 0
        except BlockingIOError:
            return 0
        except OSError:
            self.broken = True
            return 0

    def start_sending(self, data: bytes, now: float) -> None:
        """Go on with the rest of an answer."""
        self.state, self.deadline = State.SENDING, now + ANSWER_S
        self.request, self._outgoing = b"", memoryview(data)

    def send_more(self) -> None:
        """Send what the kernel takes; ``broken`` when nobody is there any more."""
        self._outgoing = self._outgoing[self._try_to_send(self._outgoing) :]

    def start_parting(self, now: float) -> None:
        """Say that nothing more comes, and wait for the peer to have read it. Raises nothing."""
        self.state, self.deadline = State.PARTING, now + _PARTING_S
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.deadline = now
