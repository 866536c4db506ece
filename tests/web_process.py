# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The real web process on loopback without a container, and raw sockets to it.

Addresses of 127.0.0.0/8 stand for peers; the console's proxy calls from `CONSOLE_PEER`.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "container/conf/gunicorn.conf.py"
CONSOLE_PEER, OTHER_PEER = "127.0.0.2", "127.0.0.3"
SCRIPT_WAITS_S = 4  # start_restore.sh waits so long for its answer
A_TEST_WAITS_S = 30  # where time is not what the test is about


class WebProcess:
    """gunicorn with our configuration; use it in a ``with`` statement."""

    def __init__(
        self,
        folder: Path,
        *,
        console: str = "console.invalid",
        ca_file: Path | None = None,
        app: str = "app:create_app()",
        pythonpath: str = "",
    ) -> None:
        self.root, self._app = folder / "app-root", app
        self.log = folder / "web-output.log"
        (self.root / "store/log").mkdir(parents=True)
        shutil.copy(ROOT / "manifest.json", self.root)
        path = [*([pythonpath] if pythonpath else []), str(ROOT), str(ROOT / "tests/standins")]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "APP_ROOT": str(self.root),
            "QRADAR_APP_ID": "1001",
            "QRADAR_APP_UUID": "3f6b1d52-0c1f-4a57-9a42-5d1b6f0c8e11",
            "QRADAR_CONSOLE_FQDN": console,
            "QRADAR_CONSOLE_IP": CONSOLE_PEER,
            "REQUESTS_CA_BUNDLE": str(ca_file or ""),
        }
        self.port = 0
        self.trigger_token = ""

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "gunicorn", "-c", str(CONF)]
                    + ["-b", f"fd://{listener.fileno()}", self._app],
                    env=self.environment,
                    cwd=ROOT,
                    stdout=log,
                    stderr=log,
                    pass_fds=[listener.fileno()],
                )
        until = time.monotonic() + 30
        while not self.ask(b"GET /debug HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200"):
            if time.monotonic() > until or self._process.poll() is not None:
                self.__exit__(None, None, None)
                raise RuntimeError(f"the web process does not come up:\n{self.logs()}")
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.terminate()
        self._process.wait(20)

    def terminate(self) -> None:
        self._process.terminate()

    def configure(self, *arguments: str, text: str = "") -> str:
        """Run ``python3 -m app.configure``; give what it prints."""
        return subprocess.run(
            [sys.executable, "-m", "app.configure", *arguments],
            env=self.environment,
            cwd=ROOT,
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def set_up(self) -> None:
        """Arm, and make a trigger token."""
        self.trigger_token = self.configure("trigger-token", "new", "test").strip()
        self.configure("import", "-", text=json.dumps({"settings": {"mode": "armed"}}))

    def logs(self) -> str:
        """All that was logged and printed."""
        files = [self.log, *sorted((self.root / "store/log").glob("*"))]
        return "".join(file.read_text(errors="replace") for file in files)

    def connect(self, peer: str = OTHER_PEER, timeout: float = A_TEST_WAITS_S) -> socket.socket:
        """A connection from ``peer``."""
        return socket.create_connection(("127.0.0.1", self.port), timeout, (peer, 0))

    def ask(self, request: bytes, peer: str = OTHER_PEER, timeout: float = A_TEST_WAITS_S) -> bytes:
        """Send ``request``, end the sending, and give all that comes back."""
        with self.connect(peer, timeout) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def trigger(self, request_id: str, peer: str = CONSOLE_PEER) -> int:
        """The status with which a trigger is answered within the script's wait."""
        body = f"token={self.trigger_token}&request_id={request_id}&rule_id=7".encode()
        return status_of(self.ask(post("/api/v1/triggers", body), peer, SCRIPT_WAITS_S))


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side ends; a reset counts as an end."""
    data = b""
    try:
        while more := connection.recv(65536):
            data += more
    except ConnectionError:
        pass
    return data


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 when there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def post(path: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """A form as curl sends it; ``length`` is what it claims to be."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: app.invalid",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
