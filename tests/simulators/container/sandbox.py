# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A sandbox: namespaces with process 1 (``init``) in them, seen from outside."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulators.container.init import MESSAGE_BYTES

REPOSITORY = Path(__file__).resolve().parents[3]
APPUSER = 1001
PYTHON = "/opt/python"  # where the base of the image's environment appears inside
SETUP_SECONDS = 20
INIT = "import sys; from tests.simulators.container.init import main; main(int(sys.argv[1]))"


class ContainerUnavailable(Exception):
    """This machine does not let us make the namespaces that a container needs."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the sandbox is made of: mounts (source, target, "ro" or "rw") and its network."""

    mounts: Sequence[tuple[Path, str, str]]
    hostname: str = "app"
    addresses: Sequence[str] = ()
    listen: Sequence[tuple[str, int]] = ()
    inward: Mapping[int, socket.socket] = field(default_factory=dict)


class Program:
    """A program that runs in the sandbox; ``wait`` gives its exit code, negative for a signal."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self.code: int | None = None

    def end(self, code: int | None) -> None:
        """Note that the program has ended; None: with the whole sandbox."""
        self.code = code
        self._ended.set()

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    def wait(self, timeout: float) -> int | None:
        """The exit code; raises ``TimeoutError`` when it does not end in ``timeout`` seconds."""
        if not self._ended.wait(timeout):
            raise TimeoutError("the program in the container did not end in time")
        return self.code


class Sandbox:
    """Fresh mount, process, network, IPC and host-name namespaces, and the programs in them."""

    def __init__(self, layout: Layout) -> None:
        """Set everything up; raises ``ContainerUnavailable`` where the kernel refuses it."""
        self._programs: dict[int, Program] = {}
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        as_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        namespaces = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        init = [sys.executable, "-c", INIT, str(theirs.fileno())]
        try:
            self._process = subprocess.Popen(
                ["unshare", *as_user, *namespaces, *init],
                cwd=REPOSITORY,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                text=True,
            )
        except FileNotFoundError:
            raise ContainerUnavailable("the command unshare (util-linux) is missing") from None
        theirs.close()
        self.init_pid: int | None = None
        self.listeners: list[socket.socket] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        try:
            self.listeners = self._set_up(layout)
        except BaseException:
            self.destroy()
            raise
        self.init_pid = self._children(self._process.pid)[0]
        self._reader.start()

    def _set_up(self, layout: Layout) -> list[socket.socket]:
        plan = {
            "root": self._folder.name,
            "links": _top_links(),
            "mounts": [(str(source), target, mode) for source, target, mode in layout.mounts],
            "hostname": layout.hostname,
            "addresses": list(layout.addresses),
            "listen": list(layout.listen),
            "inward": list(layout.inward),
            "user": {"uid": APPUSER, "gid": APPUSER, "nested": os.geteuid() != 0},
        }
        self._control.settimeout(SETUP_SECONDS)
        try:
            self._send(plan, [listener.fileno() for listener in layout.inward.values()])
            data, fds, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 64)
        except OSError:
            data, fds = b"", []
        answer: dict[str, Any] = json.loads(data) if data else {}
        if not answer.get("ready"):
            said = answer.get("failed") or self._last_words()
            raise ContainerUnavailable(f"this machine can't run containers: {said}")
        self._control.settimeout(None)
        return [socket.socket(fileno=fd) for fd in fds]

    def _last_words(self) -> str:
        self._process.kill()
        _, said = self._process.communicate()
        return (said or "no answer").strip().splitlines()[-1]

    def _send(self, message: Mapping[str, Any], fds: Sequence[int] = ()) -> None:
        socket.send_fds(self._control, [json.dumps(message).encode()], list(fds))

    def _read(self) -> None:
        while True:
            try:
                data = self._control.recv(MESSAGE_BYTES)
            except OSError:
                data = b""
            if not data:
                break
            message = json.loads(data)
            with self._lock:
                program = self._programs.pop(message["ended"])
            program.end(message["code"])
        with self._lock:
            left, self._programs = list(self._programs.values()), {}
        for program in left:
            program.end(None)

    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        *,
        cwd: str = "/",
        as_appuser: bool = True,
        stdin: int | None = None,
        stdout: int,
        stderr: int,
    ) -> Program:
        """Start a program inside, with file descriptors of ours as its standard streams."""
        program = Program()
        nothing = os.open(os.devnull, os.O_RDONLY)
        with self._lock:
            number = max(self._programs, default=0) + 1
            self._programs[number] = program
        request = {
            "do": "run",
            "id": number,
            "argv": list(argv),
            "environment": dict(environment),
            "cwd": cwd,
            "as_appuser": as_appuser,
        }
        try:
            self._send(request, [nothing if stdin is None else stdin, stdout, stderr])
        except OSError:
            program.end(None)
        finally:
            os.close(nothing)
        return program

    def signal_all(self, number: int) -> None:
        """Send a signal to every program inside."""
        self._send({"do": "signal", "signal": number})

    def pids(self) -> list[int]:
        """The programs inside and their children, as this machine numbers them."""
        found: list[int] = []
        new = [self.init_pid] if self.init_pid else []
        while new:
            new = [child for pid in new for child in self._children(pid)]
            found += new
        return found

    @staticmethod
    def _children(pid: int) -> list[int]:
        try:
            tasks = list(Path(f"/proc/{pid}/task").iterdir())
            return [int(p) for task in tasks for p in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            return []

    def destroy(self) -> None:
        """End process 1 and with it, at the same instant, everything inside."""
        if self.init_pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.init_pid, signal.SIGKILL)
        else:
            self._process.kill()
        # The kernel lets it end only when nothing is left in its process namespace.
        self._process.wait()
        if self._reader.is_alive():
            self._reader.join()
        self._control.close()
        if self._process.stderr:
            self._process.stderr.close()
        for listener in self.listeners:
            listener.close()
        self._folder.cleanup()


def _top_links() -> dict[str, str]:
    """/bin, /lib, … as this machine has them: links into /usr."""
    names = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
    return {name: str(Path("/", name).readlink()) for name in names if Path("/", name).is_symlink()}
