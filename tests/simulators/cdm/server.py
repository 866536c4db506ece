# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The HTTP(S) server: threads, TLS, keep-alive, and the faults that happen on the wire."""

import contextlib
import itertools
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from .faults import Fault
from .records import RequestRecord, StartRecord
from .reply import Reply, Request

HANDSHAKE_SECONDS = 20.0


class Exchange(Protocol):
    """One request on its way through the simulator."""

    record: RequestRecord
    start: StartRecord | None
    faults: list[Fault]

    def answer(self, request: Request) -> Reply:
        """Let the request have its effect."""

    def finish(self, answered: int | str) -> None:
        """Note what was answered."""


class Site(Protocol):
    """What the server needs to know of the simulator behind it."""

    released: threading.Event
    scheme: str

    def accept_fault(self) -> Fault | None:
        """The fault that strikes a fresh connection."""

    def begin(self, record: RequestRecord) -> Exchange:
        """A request's head was read."""

    def control(self, method: str, path: str, query: str, body: bytes) -> Reply:
        """Answer the control endpoint."""


class Server(ThreadingHTTPServer):
    """Accepts connections; TLS is negotiated in the connection's own thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], site: Site, context: ssl.SSLContext | None
    ) -> None:
        self.site, self.context = site, context
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.numbers = itertools.count(1)
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection to its end."""
        connection: socket.socket = request
        with self._registered(connection):
            fault = self.site.accept_fault()
            if fault is not None:
                if fault.do == "hang":
                    self.site.released.wait()
                elif fault.do == "reset":
                    reset_on_close(connection)
                    connection.close()
                return
        if self.context is not None:
            connection = self.context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        # A client may go away whenever it likes; that's nobody's error here.
        with (
            self._registered(connection),
            contextlib.closing(connection),
            contextlib.suppress(OSError),
        ):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if isinstance(connection, ssl.SSLSocket):
                connection.settimeout(HANDSHAKE_SECONDS)
                connection.do_handshake()
                connection.settimeout(None)
            Handler(connection, client_address, self)

    @contextlib.contextmanager
    def _registered(self, connection: socket.socket) -> Iterator[None]:
        with self._changed:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._changed:
                self._open.discard(connection)
                self._changed.notify_all()

    def stop(self) -> None:
        """Stop accepting, end every connection, and wait for their threads to let go of them."""
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=5)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a bug and is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def reset_on_close(connection: socket.socket) -> None:
    """Make the next close a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Handler(BaseHTTPRequestHandler):
    """One connection; keep-alive as HTTP/1.1 has it."""

    protocol_version = "HTTP/1.1"
    server_version = "Apache-Coyote"
    sys_version = ""
    server: Server

    def setup(self) -> None:
        """Number the connection."""
        super().setup()
        self.exchange: Exchange | None = None
        self.number = next(self.server.numbers)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the records tell it."""

    def _any(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.startswith("/_control/"):
            site, body = self.server.site, self._read_body()
            self._send(site.control(self.command, parts.path, parts.query, body))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        exchange = self.server.site.begin(
            RequestRecord(
                method=self.command,
                path=parts.path,
                query=parts.query,
                header_names=[name.lower() for name in self.headers],
                had_session_header="x-endeavour-sessionid" in headers,
                user_agent=headers.get("user-agent", ""),
                host=headers.get("host", ""),
                connection=self.number,
                time=0.0,
            )
        )
        self.exchange = exchange
        try:
            self._exchange(exchange, headers)
        finally:
            self._note("broken")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _any

    def _note(self, answered: int | str) -> None:
        """Record what is being answered, before the client can know it; the first note counts."""
        if self.exchange is not None:
            self.exchange.finish(answered)
            self.exchange = None

    def _exchange(self, exchange: Exchange, headers: dict[str, str]) -> None:
        """Answer one request, faults and all."""
        early = next((f for f in exchange.faults if f.is_terminal and not f.after), None)
        delays = [f for f in exchange.faults if not f.is_terminal]
        if early is not None and early.do == "reset":
            self._end(early)
            return
        body = self._read_body()
        self._pause(sum(f.wait for f in delays if not f.after))
        if early is not None and early.do not in ("truncate", "drip"):
            if early.do == "hang" and early.then == "answer":
                self.server.site.released.wait()
            else:
                self._instead(early)
                return
        reply = exchange.answer(self._request(body, headers))
        self._pause(sum(f.wait for f in delays if f.after))
        late = next((f for f in exchange.faults if f.is_terminal and f.after), None)
        if early is not None and early.do in ("truncate", "drip"):
            late = early
        if late is None:
            self._send(reply)
        else:
            self._spoil(late, reply)

    def _request(self, body: bytes, headers: dict[str, str]) -> Request:
        parts = urlsplit(self.path)
        host = headers.get("host") or "{}:{}".format(*self.connection.getsockname()[:2])
        base = f"{self.server.site.scheme}://{host}"
        header = headers.get("x-endeavour-sessionid")
        request = Request(self.command, parts.path, parts.query, headers, body, base, header)
        if header is None:
            request = replace(request, api_session=request.params.get("esessionid"))
        return request

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(int(length)) if length.isdigit() else b""

    def _read_chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    # --- answering ---

    def date_time_string(self, timestamp: float | None = None) -> str:
        """What ``Date`` says: the simulator's own time."""
        return super().date_time_string(
            self.server.site.world.clock() if timestamp is None else timestamp
        )

    def _head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.content_type:
            self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def _send(self, reply: Reply) -> None:
        self._note(reply.status)
        self._head(reply)
        if reply.status != 204 and self.command != "HEAD":
            self.wfile.write(reply.body)

    def _instead(self, fault: Fault) -> None:
        """The fault takes the answer's place."""
        reply = fault.answer()
        if reply is None:
            self._end(fault)
        else:
            self._send(reply)

    def _spoil(self, fault: Fault, reply: Reply) -> None:
        """The request had its effect; the fault strikes its answer."""
        match fault.do:
            case "truncate":
                self._note("truncate")
                self._head(reply)
                self.wfile.write(reply.body[: len(reply.body) // 2])
                self.close_connection = True
            case "drip":
                self._drip(fault, reply)
            case "hang" if fault.then == "answer":
                self.server.site.released.wait()
                self._send(reply)
            case _:
                self._instead(fault)

    def _drip(self, fault: Fault, reply: Reply) -> None:
        self._note(reply.status)
        self._head(reply)
        for index in range(0, len(reply.body), fault.bytes):
            self._pause(fault.wait)
            self.wfile.write(reply.body[index : index + fault.bytes])

    def _end(self, fault: Fault) -> None:
        """End the connection without an answer."""
        self._note(fault.do)
        if fault.do == "hang":
            self.server.site.released.wait()
        elif fault.do == "reset":
            reset_on_close(self.connection)
        self.close_connection = True

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self.server.site.released.wait(seconds)


def serve(server: Server) -> Callable[[], None]:
    """Run the server in a thread of its own; the function that stops it."""
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="cdm-simulator"
    )
    thread.start()

    def stop() -> None:
        server.stop()
        thread.join()

    return stop
