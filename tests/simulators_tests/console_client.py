# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the console simulator's tests share: a client at the wire, and an app that echoes."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.simulators.console import ConsoleSimulator

BASE = "/console/plugins/app_proxy:safeguarded-restore"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Calls a console, verifying its certificate with the bundle of its two issuers."""

    def __init__(self, console: ConsoleSimulator) -> None:
        self.port = console.port
        self.context = ssl.create_default_context(cadata=console.ca_bundle)

    def call(
        self,
        method: str,
        target: str,
        *,
        token: str | None = None,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | dict[str, Any] | None = None,
    ) -> Reply:
        sent = dict(headers or {})
        if token:
            sent["SEC"] = token
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.context, timeout=20
        )
        try:
            connection.request(method, target, body=body, headers=sent)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, target: str, **more: Any) -> Reply:
        return self.call("GET", target, **more)

    def post(self, target: str, **more: Any) -> Reply:
        return self.call("POST", target, **more)


class _Echo(BaseHTTPRequestHandler):
    """Answers what it was asked; ``/redirect``, ``/slow`` and ``/cookies`` are special."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = {
            "method": self.command,
            "target": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode(),
        }
        answer = json.dumps(seen).encode()
        if self.path == "/slow":
            time.sleep(0.5)
        self.send_response(302 if self.path == "/redirect" else 200)
        if self.path == "/redirect":
            self.send_header("Location", "/runs/7")
        if self.path == "/cookies":
            self.send_header("Set-Cookie", "a=1")
            self.send_header("Set-Cookie", "b=2")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_arguments: object) -> None:
        """Nothing is logged."""


@contextmanager
def echo_app() -> Iterator[tuple[str, int]]:
    """An app that echoes what reaches it; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield "127.0.0.1", int(server.server_address[1])
        server.shutdown()
