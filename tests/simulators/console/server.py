# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The front web server: TLS with the leaf alone, framing, and the request line's limit."""

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.simulators.console.wire import Answer, Hangup, Request, html_error

REQUEST_LINE_LIMIT = 8190
"""Bytes, without the line end (qradar §3.1)."""

HANDSHAKE_SECONDS = 10


class Server(ThreadingHTTPServer):
    """Serves ``answer`` over TLS; a thread for each connection, handshake included."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        answer: Callable[[Request], Answer],
        *,
        cert: Path,
        key: Path,
    ) -> None:
        self.answer = answer
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(HANDSHAKE_SECONDS)
        try:
            secured = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return  # a client that does not trust us, or that speaks no TLS
        with self._lock:
            self._connections.add(secured)
        try:
            secured.settimeout(None)
            super().finish_request(secured, client_address)
        finally:
            with self._lock:
                self._connections.discard(secured)
            _close(secured)

    @property
    def open_connections(self) -> int:
        """How many connections have their handshake behind them."""
        with self._lock:
            return len(self._connections)

    def hang_up(self) -> None:
        """Close all connections, those that wait for another request included."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of ours; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _close(secured: ssl.SSLSocket) -> None:
    """Close both directions; the other side may be gone already."""
    with contextlib.suppress(OSError):
        secured.shutdown(socket.SHUT_RDWR)
    secured.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one record, at once: otherwise each answer takes 40 ms longer.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server
    raw_requestline: bytes

    def parse_request(self) -> bool:
        if len(self.raw_requestline.rstrip(b"\r\n")) > REQUEST_LINE_LIMIT:
            self.requestline, self.request_version, self.command = "", "HTTP/1.1", "GET"
            self.close_connection = True
            self._drain_headers()
            self._write(html_error(414, "The requested URL's length exceeds the capacity limit."))
            return False
        return super().parse_request()

    def _drain_headers(self) -> None:
        while self.rfile.readline(65537) not in (b"\r\n", b"\n", b""):
            pass

    def _serve(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True
            self._write(html_error(400, "The message could not be framed."))
            return
        request = Request(self.command, self.path, self.headers, body, self.client_address[0])
        try:
            answer = self.server.answer(request)
        except Hangup:
            self.close_connection = True
            return
        self._write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _serve  # noqa: N815

    def _body(self) -> bytes:
        """The whole body, by length or by chunks; raises ValueError when it can't be framed."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline(64).split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline(4)
            self._drain_headers()
            return b"".join(parts)
        length = int(self.headers.get("Content-Length", 0))
        if length < 0:
            raise ValueError("negative length")
        return self.rfile.read(length)

    def _write(self, answer: Answer) -> None:
        names = {name.lower() for name, _ in answer.headers}
        self.send_response_only(answer.status)
        for name, value in (("Date", self.date_time_string()), ("Server", "QRadar")):
            if name.lower() not in names:
                self.send_header(name, value)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status not in (204, 304) and "content-length" not in names:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *_arguments: object) -> None:
        """Requests are recorded by the simulator, not logged."""
