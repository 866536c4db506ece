# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Where custom actions run: QRadar's jail (qradar §5.2), or unconfined where asked.

The jail is a chroot in a mount namespace of its own, held by a small process; all its mounts
vanish with that process, which ends with the simulator's, however that ends. Python is hidden by
an overlay over the bin folders that has a whiteout (a character device 0/0) for each of its names.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

HOME = "/home/customactionuser"
SCRIPTS = "/custom_action_scripts"
UID = 20001
"""No account of the host has it; the jail has no passwd at all."""
ENTER = ("unshare", "--mount", "--propagation", "private")
COMMANDS = ("unshare", "nsenter", "chroot", "mount", "bash")

SETUP = r"""
set -eu
root=$1 scripts=$2 uid=$3
mount -t tmpfs -o mode=0755,size=1m,nosuid jail "$root"
cd "$root"
mkdir -p dev etc home/customactionuser custom_action_scripts
mkdir -m 0755 .hidden
for program in /{bin,usr/bin}/{python,pypy,platform-python}*; do
    if [ -e "$program" ] && [ ! -e ".hidden/${program##*/}" ]; then
        mknod ".hidden/${program##*/}" c 0 0
    fi
done
for folder in bin lib lib64 usr/bin usr/lib usr/lib64 usr/share; do
    [ -d "/$folder" ] || continue
    mkdir -p "$folder"
    case $folder in
    *bin)
        mount -t overlay -o "ro,nosuid,lowerdir=$root/.hidden:/$folder" bin "$folder"
        ;;
    *)
        mount --bind "/$folder" "$folder"
        mount -o remount,bind,ro,nosuid "$folder"
        ;;
    esac
done
for device in null zero random urandom; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mount --bind "$scripts" custom_action_scripts
mount -o remount,bind,ro,nosuid,nodev custom_action_scripts
if [ -n "$4" ]; then
    printf '%s\n' "$4" >etc/resolv.conf
fi
mount -t tmpfs -o "mode=0700,size=16m,nosuid,nodev,uid=$uid,gid=$uid" home home/customactionuser
mount -o remount,ro,nosuid "$root"
echo ready
exec cat >/dev/null
"""


class JailUnavailable(Exception):
    """The jail can't be made on this machine; the text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class ScriptRun:
    """How one run of a script ended; ``exit_code`` is negative for a signal."""

    exit_code: int
    stdout: str
    stderr: str
    duration: float
    argv: tuple[str, ...] = field(repr=False)
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """What is left of a process."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool


class Confinement(Protocol):
    """A place where scripts run."""

    def run(
        self, argv: Sequence[str], *, environment: Mapping[str, str], folder: str, timeout: float
    ) -> Finished: ...

    def put_script(self, name: str, content: bytes) -> str: ...

    def home_files(self) -> list[str]: ...

    def close(self) -> None: ...


def jail_for(kind: str, folder: Path, *, resolv_conf: str | None) -> Confinement:
    """``chroot`` or ``none``; raises JailUnavailable, and ValueError for another word."""
    if kind == "chroot":
        return ChrootJail(folder, resolv_conf=resolv_conf)
    if kind == "none":
        return NoJail(folder)
    raise ValueError(f"jail is chroot or none, not {kind}")


class _Processes:
    """Starts processes, ends them all at once."""

    def __init__(self, folder: Path) -> None:
        self.scripts = folder / "custom_action_scripts"
        self.scripts.mkdir(mode=0o755, exist_ok=True)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def put_script(self, name: str, content: bytes) -> str:
        """Put a script where the processes see it, replacing at once; gives its path there."""
        path = self.scripts / name
        with self._lock:
            if not path.exists() or path.read_bytes() != content:
                fresh = path.with_suffix(".new")
                fresh.write_bytes(content)
                fresh.chmod(0o644)
                fresh.replace(path)
        return self._seen_as(name)

    def _seen_as(self, name: str) -> str:
        return str(self.scripts / name)

    def _run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        cwd: Path | None,
        timeout: float,
    ) -> Finished:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
        )
        with self._lock:
            self._running.add(process)
        timed_out = False
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            _kill(process)
            stdout, stderr = process.communicate()
        finally:
            with self._lock:
                self._running.discard(process)
        return Finished(process.returncode, stdout, stderr, timed_out)

    def close(self) -> None:
        with self._lock:
            running = list(self._running)
        for process in running:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The process and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class NoJail(_Processes):
    """Runs scripts unconfined, as whoever runs the simulator, in a temporary home."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)

    def run(
        self, argv: Sequence[str], *, environment: Mapping[str, str], folder: str, timeout: float
    ) -> Finished:
        cwd = self.home if folder == HOME else Path(folder)
        # In the jail a script finds its home by its fixed name, which is not on this machine.
        environment = {"HOME": str(self.home), **environment}
        return self._run(argv, environment=environment, cwd=cwd, timeout=timeout)

    def home_files(self) -> list[str]:
        return sorted(path.name for path in self.home.iterdir())


class ChrootJail(_Processes):
    """Runs scripts in the jail as uid 20001; raises JailUnavailable where it can't be made."""

    def __init__(self, folder: Path, *, resolv_conf: str | None) -> None:
        super().__init__(folder)
        if os.geteuid() != 0:
            raise JailUnavailable(
                f"The jail, a chroot with mounts of its own, needs root, and this is uid "
                f"{os.geteuid()}."
            )
        for command in COMMANDS:
            if shutil.which(command) is None:
                raise JailUnavailable(f"The jail needs the command {command}.")
        self.root = folder / "jail"
        self.root.mkdir(exist_ok=True)
        arguments = ("jail", self.root, self.scripts, str(UID), resolv_conf or "")
        self._keeper = subprocess.Popen(
            [*ENTER, "bash", "-c", SETUP, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if self._keeper.stdout is None or self._keeper.stdout.readline() != b"ready\n":
            _, problem = self._keeper.communicate()
            words = problem.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            raise JailUnavailable(f"The jail could not be set up: {words[-1]}.")

    def _seen_as(self, name: str) -> str:
        return f"{SCRIPTS}/{name}"

    def run(
        self, argv: Sequence[str], *, environment: Mapping[str, str], folder: str, timeout: float
    ) -> Finished:
        enter = ("nsenter", f"--mount=/proc/{self._keeper.pid}/ns/mnt", "--")
        confine = ("chroot", f"--userspec={UID}:{UID}", "--groups=", str(self.root))
        variables = [f"{name}={value}" for name, value in environment.items()]
        clean = ("/usr/bin/env", "-i", "-C", folder, *variables)
        return self._run(
            (*enter, *confine, *clean, *argv),
            environment={"PATH": os.environ.get("PATH", os.defpath)},
            cwd=None,
            timeout=timeout,
        )

    def home_files(self) -> list[str]:
        """What scripts left in the home that they share."""
        home = Path(f"/proc/{self._keeper.pid}/root{self.root}{HOME}")
        return sorted(path.name for path in home.iterdir())

    def close(self) -> None:
        super().close()
        self._keeper.communicate()
