# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs an image as QRadar does: start order, environment, both stops (qradar §2.3-2.6)."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.simulators.container import image as images
from tests.simulators.container import processes, variables
from tests.simulators.container.image import Image
from tests.simulators.container.sandbox import APPUSER, REPOSITORY, Layout, Program, Sandbox

STOP_SECONDS = 10  # the time between a container engine's request to stop and its kill
STEP_SECONDS = 60
START_SECONDS = 60  # the time an app has before an unanswered /debug counts against it
SUPERVISORD = ("supervisord", "-c", "/etc/supervisord.conf")
CLEANUP = "/opt/app-root/container/clean/cleanup.sh"
FORWARD = "import sys; from tests.simulators.container.forward import main; main(sys.argv[1])"
Address = tuple[str, int]


class ContainerFailed(Exception):
    """The app did not come up, or went down by itself; the text ends with its last log lines."""


class Container:
    """One app instance. Its store outlives it: a second container on the same store goes on."""

    def __init__(
        self,
        image: Image,
        *,
        store: Path,
        console: Address = ("console.example", 443),
        hosts: Mapping[str, Address] | None = None,
        ca_bundle: str = "",
        environment: Mapping[str, str] | None = None,
        poll_seconds: float | None = None,
    ) -> None:
        """Describe a container; ``start`` (or ``with``) runs it.

        console: the console's FQDN and the port on 127.0.0.1 of this machine where it listens;
        inside, port 443 of that name. hosts: further outbound targets, "name:port" as the app says
        it → address on this machine. Nothing else can be reached from inside. ca_bundle: PEM text,
        what REQUESTS_CA_BUNDLE names. environment: added to QRadar's variables. poll_seconds: ask
        /debug so often and start the container anew when it does not answer, as QRadar does once a
        minute; None: don't.
        """
        self.image, self.store, self.port = image, store, 0
        self.restarts = 0
        self._console_name = console[0]
        self._routes = {f"{console[0]}:443": ("127.0.0.1", console[1]), **(hosts or {})}
        names = list(dict.fromkeys(_split(target)[0] for target in self._routes))
        # No loopback addresses: the app refuses to be sent to its own machine (architecture §5).
        self._addresses = {name: f"10.99.0.{number}" for number, name in enumerate(names, 1)}
        self._ca_bundle, self._extra = ca_bundle, dict(environment or {})
        self._poll_seconds = poll_seconds
        self._sandbox: Sandbox | None = None
        self._supervisord: Program | None = None
        self._outward: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._begun, self._came_up = 0.0, False
        self._changing = threading.RLock()
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that QRadar sets, and what this container adds to them."""
        address = self._addresses[self._console_name]
        return variables.of(self._console_name, address, self.store) | self._extra

    @property
    def memory_limit(self) -> int:
        """Bytes that the manifest grants; on QRadar a hard limit, here only a number."""
        return int(self.image.manifest["resources"]["memory"]) * 2**20

    def start(self) -> None:
        """Start: run steps one after the other, then supervisord (qradar §2.3).

        Returns when supervisord was started; ``wait_ready`` waits for the app. Raises
        ``ContainerFailed`` when a run step fails, ``ContainerUnavailable`` without namespaces.
        """
        with self._changing:
            self._stopped.clear()
            try:
                self._start()
            except BaseException:
                self._tear_down()
                raise
        if self._poll_seconds is not None:
            threading.Thread(target=self._poll, args=(self._poll_seconds,), daemon=True).start()

    def _start(self) -> None:
        self._begun, self._came_up = time.monotonic(), False
        self._folder = tempfile.TemporaryDirectory(prefix="container-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        # As from an image: each container begins with a fresh copy of everything but the store.
        for name in ("app-root", "etc"):
            shutil.copytree(self.image.folder / name, folder / name, symlinks=True)
        hosts = "".join(f"{ip} {name}\n" for name, ip in self._addresses.items())
        (folder / "etc/hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
        bundle = folder / f".{variables.CA_BUNDLE}"
        bundle.parent.mkdir(parents=True)
        bundle.write_text(self._ca_bundle)
        (self.store / "log").mkdir(parents=True, exist_ok=True)
        _give_to_appuser(folder / "app-root", self.store)
        mounts = images.mounts(
            folder / "app-root", self.image.folder / "usr-local", folder / "etc", mode="ro"
        )
        targets = [_split(target) for target in self._routes]
        listener = socket.create_server(("127.0.0.1", self.port))
        try:
            self._sandbox = Sandbox(
                Layout(
                    [*mounts, (self.store, "/opt/app-root/store", "rw")],
                    hostname="qapp",
                    addresses=list(self._addresses.values()),
                    listen=[(self._addresses[name], port) for name, port in targets],
                    inward={5000: listener},
                )
            )
            self.port = listener.getsockname()[1]
        finally:
            # Only the container holds it: when that is gone, a connection is refused.
            listener.close()
        self._outward = _forward_outwards(self._sandbox.listeners, list(self._routes.values()))
        ordering = self.image.folder / "app-root/container/run/ordering.txt"
        for line in ordering.read_text().splitlines() if ordering.exists() else ():
            if words := line.split():
                self._run_step(words)
        self._supervisord = self._spawn(SUPERVISORD)

    def _run_step(self, words: Sequence[str]) -> None:
        code = self._spawn(words).wait(STEP_SECONDS)
        if code != 0:
            step = " ".join(words)
            raise ContainerFailed(f"run step '{step}' ended with {code}:\n{self.logs()[-2000:]}")

    def _spawn(self, argv: Sequence[str]) -> Program:
        with (self.store / "log/startup.log").open("ab") as log:
            return self._inside.start(
                argv,
                self.environment,
                cwd="/opt/app-root",
                stdout=log.fileno(),
                stderr=log.fileno(),
            )

    @property
    def _inside(self) -> Sandbox:
        if self._sandbox is None:
            raise ContainerFailed("the container is not running")
        return self._sandbox

    def wait_ready(self, timeout: float) -> None:
        """Wait until /debug answers 200; raises ``ContainerFailed`` if that takes longer."""
        deadline = time.monotonic() + timeout
        while not self.healthy():
            with self._changing:
                ended = self._supervisord is None or not self._supervisord.running
            if ended and self._poll_seconds is None:
                raise ContainerFailed(f"the container has ended:\n{self.logs()[-3000:]}")
            if time.monotonic() > deadline:
                raise ContainerFailed(f"/debug does not answer 200:\n{self.logs()[-3000:]}")
            time.sleep(0.05)

    def healthy(self, timeout: float = 5) -> bool:
        """Whether ``GET /debug`` answers 200 just now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", "/debug")
            answers = connection.getresponse().status == 200
            self._came_up |= answers
            return answers
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _poll(self, seconds: float) -> None:
        while not self._stopped.wait(seconds):
            if self.healthy():
                continue
            if not self._came_up and time.monotonic() - self._begun < START_SECONDS:
                continue
            with self._changing:
                if self._stopped.is_set():
                    return
                self._tear_down()
                self.restarts += 1
                # What failed once may fail again: QRadar goes on trying, and so do we.
                with contextlib.suppress(ContainerFailed):
                    self._start()

    def exec(
        self, argv: Sequence[str], *, stdin: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside as appuser, in the app's root, with the app's environment."""
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin.encode())
            given.seek(0)
            program = self._inside.start(
                argv,
                self.environment,
                cwd="/opt/app-root",
                stdin=given.fileno(),
                stdout=out.fileno(),
                stderr=err.fileno(),
            )
            code = program.wait(timeout)
            said = []
            for stream in (out, err):
                stream.seek(0)
                said.append(stream.read().decode(errors="replace"))
        return subprocess.CompletedProcess(list(argv), -9 if code is None else code, *said)

    def processes(self) -> dict[str, list[int]]:
        """Each supervisord program's processes, its first one first, as this machine's pids."""
        return processes.by_program(self._inside.pids())

    def pss(self) -> int:
        """Memory in bytes of supervisord and all programs, shared pages counted by their share."""
        return processes.pss(self._inside.pids())

    def logs(self) -> str:
        """All files of the store's log folder, one after the other."""
        files = sorted(path for path in (self.store / "log").rglob("*") if path.is_file())
        return "".join(f"== {path.name}\n{path.read_text(errors='replace')}\n" for path in files)

    def stop(self, kind: Literal["sdk", "docker"] = "sdk") -> float:
        """Stop the container and give the seconds it took.

        Both run cleanup.sh to its end first, and kill what is left after 10 s in all. "sdk" kills
        everything right after it, as measured with the SDK's scripts; "docker" sends SIGTERM to
        everything then and waits (qradar §2.3 "Stopping").
        """
        begun = time.monotonic()
        with self._changing:
            self._stopped.set()
            if self._sandbox is not None:
                # Out of time: the engine kills all the same.
                with contextlib.suppress(TimeoutError):
                    self._stop_in_order(kind, begun + STOP_SECONDS)
                self._tear_down()
        return time.monotonic() - begun

    def _stop_in_order(self, kind: Literal["sdk", "docker"], deadline: float) -> None:
        if (self.image.folder / "app-root/container/clean/cleanup.sh").exists():
            self._spawn(["sh", CLEANUP]).wait(deadline - time.monotonic())
        if kind == "docker" and self._supervisord is not None:
            self._inside.signal_all(signal.SIGTERM)
            self._supervisord.wait(deadline - time.monotonic())

    def kill(self) -> None:
        """SIGKILL for everything at the same instant, as when the machine's power fails."""
        with self._changing:
            self._stopped.set()
            self._tear_down()

    def _tear_down(self) -> None:
        if self._sandbox is not None:
            self._sandbox.destroy()
        if self._outward is not None:
            self._outward.kill()
            self._outward.communicate()
        if self._folder is not None:
            self._folder.cleanup()
        self._sandbox = self._outward = self._folder = self._supervisord = None


def _split(target: str) -> tuple[str, int]:
    name, _, port = target.partition(":")
    return name, int(port or 443)


def _give_to_appuser(*folders: Path) -> None:
    if os.geteuid() != 0:
        return  # our own user is the app's in its namespace
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, APPUSER, APPUSER, follow_symlinks=False)


def _forward_outwards(
    listeners: Sequence[socket.socket], targets: Sequence[Address]
) -> subprocess.Popen[bytes]:
    fds = [listener.fileno() for listener in listeners]
    routes = [[fd, *target] for fd, target in zip(fds, targets, strict=True)]
    process = subprocess.Popen(
        [sys.executable, "-c", FORWARD, json.dumps(routes)],
        cwd=REPOSITORY,
        pass_fds=fds,
        stdin=subprocess.PIPE,
    )
    for listener in listeners:
        listener.close()
    return process
