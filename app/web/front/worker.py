# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""gunicorn's worker for this app: one loop for all connections, a thread only for whole requests.

gunicorn's gthread gives a connection a thread as soon as something has come from it, and that
thread then waits for the rest of the request, for a reader of the answer, or for ever: as many slow
connections as there are threads stop everything, without any token. Its other workers are no way
out: gevent and eventlet are compiled, tornado and the ASGI worker want an app of another kind, and
a front of its own process would be a second thing that can die, with a hop in between. So this
keeps gthread's pool and signals, and replaces what it does with connections:

- the loop reads without blocking until a request is whole (`framing`); head and body together have
  one deadline, however many bytes trickle in;
- a thread gets the request as bytes and gives the answer as bytes (`answering`);
- the loop sends what the kernel does not take at once, with one deadline for the whole answer;
- each peer has a limit of connections, the console a larger one of its own; a connection that waits
  makes room for a new one, a request that has arrived is never dropped (`room`).
"""

import errno
import selectors
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped] # no stubs

from app.framework.console_peers import ConsoleAddresses, plain
from app.web.front.answering import Answer, Answerer, refusal
from app.web.front.connection import Connection, State
from app.web.front.refusals import Refusals
from app.web.front.room import first_to_go, in_the_way, too_much_unsent

_TICK_S = 0.25  # how late a deadline may be noticed
_LINGER_WHEN_STOPPING_S = 1.0
_ACCEPTED_AT_ONCE = 64
_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE}


class FrontWorker(ThreadWorker):  # type: ignore[misc] # no stubs
    """What ``worker_class`` of container/conf/gunicorn.conf.py names."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._connections: set[Connection] = set()
        self._refusals = Refusals(self.log)
        self._swept_at = 0.0

    def init_process(self) -> None:
        """Called in the new process; returns when that is to end."""
        self._console = ConsoleAddresses()
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then answer what has begun for `graceful_timeout`."""
        self._answerer = Answerer(self.cfg, self.wsgi, self.log)
        wake = self.method_queue
        self.poller.register(wake.fileno(), selectors.EVENT_READ, wake.run_callbacks)
        self.set_accept_enabled(True)
        while self.alive and self.is_parent_alive():
            self._turn()
        self.set_accept_enabled(False)
        until = time.monotonic() + self.cfg.graceful_timeout
        for connection in self._connections:
            connection.hurry(time.monotonic() + _LINGER_WHEN_STOPPING_S)
        while self._connections and time.monotonic() < until:
            self._turn()
        for connection in list(self._connections):
            self._drop(connection)
        self.tpool.shutdown(wait=False)
        self.poller.close()
        self.method_queue.close()
        for listener in self.sockets:
            listener.close()

    def _turn(self) -> None:
        self.notify()
        self.wait_for_and_dispatch_events(timeout=_TICK_S)
        now = time.monotonic()
        if now - self._swept_at >= _TICK_S:
            self._swept_at = now
            for late in [each for each in self._connections if each.deadline <= now]:
                self._end_late(late)
            self._refusals.tell(now)

    # --- who is there ---------------------------------------------------------------------------

    def _is_console(self, peer: str) -> bool:
        return plain(peer) in self._console()

    def accept(self, listener: Any) -> None:
        """Take in the connections that wait, as far as there is room."""
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                client, address = listener.accept()
            except (BlockingIOError, ConnectionError):
                return
            except OSError as error:
                if error.errno not in _NO_DESCRIPTOR:
                    raise
                self._make_room(first_to_go(self._connections))
                return
            self._admit(Connection(client, address, listener.getsockname()))

    def _admit(self, new: Connection) -> None:
        room, in_its_way = in_the_way(new.peer, self._connections, self._is_console)
        self._make_room(in_its_way)
        self._connections.add(new)
        if room:
            self._expect(new)
        else:
            self._finish(new, refusal(503, "Service Unavailable", "too many connections"))

    def _make_room(self, other: Connection | None) -> None:
        if other is not None:
            self._refusals.note(other.peer, "made room for others", time.monotonic())
            self._drop(other)

    # --- the way of a request -------------------------------------------------------------------

    def _expect(self, connection: Connection) -> None:
        connection.state = State.READING
        connection.start_waiting(time.monotonic())
        self._look(connection)

    def _look(self, connection: Connection) -> None:
        """Hand a request on if it is whole, else wait for more of it."""
        if connection.take_request():
            self._watch(connection, 0)
            self.tpool.submit(self._answer, connection)
        else:
            self._watch(connection, selectors.EVENT_READ)

    def _answer(self, connection: Connection) -> None:
        """In a thread of the pool: have the request answered, send what can be sent at once."""
        answer = self._answerer.answer(
            connection.request,
            connection.problem,
            peer=connection.address,
            server=connection.server,
            last=lambda: not self.alive,
        )
        self.method_queue.defer(self._finish, connection, connection.send_some(answer))

    def _finish(self, connection: Connection, answer: Answer) -> None:
        if connection not in self._connections:
            return
        if answer.refused:
            self._refusals.note(connection.peer, answer.refused, time.monotonic())
        connection.keep = answer.keep
        connection.start_sending(answer.data, time.monotonic())
        self._send(connection)
        slowest = too_much_unsent(self._connections)
        if slowest is not None:
            self._make_room(slowest)

    def _send(self, connection: Connection) -> None:
        if connection.broken:
            self._drop(connection)
        elif connection.unsent:
            self._watch(connection, selectors.EVENT_WRITE)
        elif connection.keep and self.alive:
            self._expect(connection)
        else:
            connection.start_parting(time.monotonic())
            self._watch(connection, selectors.EVENT_READ)

    def _on_event(self, connection: Connection, _socket: Any) -> None:
        try:
            if connection.state is State.SENDING:
                connection.send_more()
                self._send(connection)
            elif not connection.receive(time.monotonic()):
                self._drop(connection)
            elif connection.state is State.READING:
                self._look(connection)
        except OSError:  # a peer that went away
            self._drop(connection)

    def _end_late(self, connection: Connection) -> None:
        if connection.state is State.READING and connection.has_begun:
            self._watch(connection, 0)
            self._finish(connection, refusal(408, "Request Timeout", "too slow"))
        else:
            self._drop(connection)

    def _watch(self, connection: Connection, events: int) -> None:
        if connection.watched == events:
            return
        if connection.watched:
            self.poller.unregister(connection.socket)
        if events:
            self.poller.register(connection.socket, events, partial(self._on_event, connection))
        connection.watched = events

    def _drop(self, connection: Connection) -> None:
        self._watch(connection, 0)
        self._connections.discard(connection)
        connection.socket.close()
