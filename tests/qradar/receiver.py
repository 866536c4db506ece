# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The receiving end of the script: a console that shows its leaf certificate only."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from tests.simulators import certs


@dataclass
class Console:
    """A console that answers with the statuses in ``script``, then with 202."""

    port: int = 0
    script: list[str | int] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    message: str = "Restore of SQL started."
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def forms(self) -> list[dict[str, str]]:
        return [form for _, _, form in self.requests]


class Handler(BaseHTTPRequestHandler):
    console: Console

    def setup(self) -> None:
        self.request.settimeout(20)
        self.request.do_handshake()
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body, True, True, errors="surrogateescape"))
        with self.console.lock:
            self.console.requests.append((self.path, dict(self.headers), form))
            todo = self.console.script.pop(0) if self.console.script else 202
        self.console.arrived.set()
        if todo == "wait":
            self.console.go_on.wait(15)
            todo = 202
        if todo == "drop":
            self.close_connection = True
            return
        answer = {"trigger_id": 1, "outcome": "accepted", "run_id": 17}
        answer |= {"message": self.console.message}
        if todo == "401 app":
            answer = {"error": {"code": "bad_token", "message": "Unknown token", "field": None}}
        status = int(str(todo).split()[0])
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us hangs up; that is what some tests are about."""


@contextmanager
def receiving(leaf: certs.Certificate) -> Iterator[Console]:
    """Run a console on a free port of loopback."""
    state = Console()
    server = Server(("127.0.0.1", 0), type("H", (Handler,), {"console": state}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.cert, leaf.key)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
