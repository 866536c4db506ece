# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Process 1 of a simulated container: makes files and network, then runs what it is told.

Started by ``sandbox.Sandbox`` in fresh namespaces, with one end of a message socket. The first
message is the plan; each later one starts a program, signals all programs, or ends everything. When
the socket closes, process 1 ends, and the kernel kills whatever runs in its namespace.
"""

import asyncio
import ctypes
import errno
import fcntl
import json
import os
import platform
import select
import signal
import socket
import struct
from pathlib import Path
from typing import Any, NoReturn

from tests.simulators.container.forward import forward

MESSAGE_BYTES = 1 << 17
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MNT_DETACH, CLONE_NEWUSER = 4096, 16384, 2, 0x10000000
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, IFF_UP = 0x8914, 0x8916, 0x891C, 1
DEVICES = ("null", "zero", "full", "random", "urandom")

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _mount(source: str, target: Path, kind: str = "", flags: int = 0, data: str = "") -> None:
    result = _libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data.encode()
    )
    _check(result, f"mount {target}")


def _bind(source: str, target: Path, *, read_only: bool) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(source, target, flags=MS_BIND | MS_REC)
    if read_only:
        # A user namespace may not drop the flags that the mount has already.
        kept = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
        _mount("", target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def make_tree(plan: dict[str, Any]) -> None:
    """Build the container's file tree in an empty folder and make it the root of this namespace."""
    root = Path(plan["root"])
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for name, target in plan["links"].items():
        (root / name).symlink_to(target)
    for source, target, mode in plan["mounts"]:
        _bind(source, root / target.lstrip("/"), read_only=mode == "ro")
    for name in ("proc", "dev", "run", "home", "old"):
        (root / name).mkdir(exist_ok=True)
    for name in ("tmp", "dev/shm"):
        (root / name).mkdir(exist_ok=True)
        _mount("tmpfs", root / name, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    _mount("proc", root / "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in DEVICES:
        _bind(f"/dev/{name}", root / "dev" / name, read_only=False)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (root / "dev" / name).symlink_to(f"/proc/self/fd{target}")
    home = root / "home/appuser"
    home.mkdir()
    if not plan["user"]["nested"]:
        os.chown(home, plan["user"]["uid"], plan["user"]["gid"])
    os.chdir(root)
    result = _libc.syscall(PIVOT_ROOT[platform.machine()], b".", b"old")
    _check(result, "pivot_root")
    os.chdir("/")
    _check(_libc.umount2(b"old", MNT_DETACH), "umount")
    Path("/old").rmdir()


def make_network(plan: dict[str, Any]) -> list[socket.socket]:
    """Bring the loopback interface up with the plan's addresses; listen where the plan says."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh22x", b"lo", IFF_UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, up)
        for number, address in enumerate(plan["addresses"]):
            for request, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.255")):
                name, packed = f"lo:{number}".encode(), socket.inet_aton(value)
                fcntl.ioctl(
                    any_socket, request, struct.pack("16sH2x4s16x", name, socket.AF_INET, packed)
                )
    socket.sethostname(plan["hostname"])
    return [socket.create_server(tuple(address)) for address in plan["listen"]]


def _become(user: dict[str, Any]) -> None:
    uid, gid = user["uid"], user["gid"]
    if not user["nested"]:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return
    # Only one user exists in an unprivileged namespace. A further namespace gives it the app's
    # number, so that the app finds itself without root's rights there too.
    _check(_libc.unshare(CLONE_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} 0 1")
    Path("/proc/self/gid_map").write_text(f"{gid} 0 1")


def _run(request: dict[str, Any], fds: list[int], user: dict[str, Any]) -> NoReturn:
    try:
        os.setsid()
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
        os.closerange(len(fds), 1024)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in (signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        if request["as_appuser"]:
            _become(user)
        os.umask(0o022)
        os.chdir(request["cwd"])
        os.execvpe(request["argv"][0], request["argv"], request["environment"])  # noqa: S606  # no shell
    except OSError as error:
        os.write(2, f"{request['argv'][0]}: {error}\n".encode())
    os._exit(127)


def serve(control: socket.socket, user: dict[str, Any]) -> None:
    """Carry out requests until the other side closes the socket or says ``exit``."""
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, int] = {}
    while True:
        ready = select.select([control.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            _reap(control, running)
        if control.fileno() in ready:
            data, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 8)
            request: dict[str, Any] = json.loads(data) if data else {"do": "exit"}
            if request["do"] == "exit":
                return
            if request["do"] == "signal":
                _signal_all(request["signal"])
                continue
            pid = os.fork()
            if pid == 0:
                _run(request, fds, user)
            running[pid] = request["id"]
            for fd in fds:
                os.close(fd)


def _signal_all(number: int) -> None:
    try:
        os.kill(-1, number)
    except OSError as error:
        if error.errno != errno.ESRCH:
            raise


def _reap(control: socket.socket, running: dict[int, int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in running:
            code = os.waitstatus_to_exitcode(status)
            control.send(json.dumps({"ended": running.pop(pid), "code": code}).encode())


def _forward_inwards(listener: socket.socket, port: int) -> None:
    """A child that outlives the app's processes: what ends it is the end of the namespace."""
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        asyncio.run(forward([(listener, "127.0.0.1", port)]))
        os._exit(0)
    listener.close()


def main(control_fd: int) -> NoReturn:
    """Take the plan, set up, report, serve."""
    control = socket.socket(fileno=control_fd)
    data, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 8)
    plan = json.loads(data)
    try:
        # Before the tree: a name that is looked up later would load a library that is gone then.
        "".encode("idna")
        make_tree(plan)
        listeners = make_network(plan)
    except OSError as error:
        control.send(json.dumps({"failed": error.strerror}).encode())
        os._exit(1)
    for fd, port in zip(fds, plan["inward"], strict=True):
        _forward_inwards(socket.socket(fileno=fd), port)
    ready = json.dumps({"ready": True}).encode()
    socket.send_fds(control, [ready], [listener.fileno() for listener in listeners])
    for listener in listeners:
        listener.close()
    serve(control, plan["user"])
    # No cleaning up: with process 1 everything else in the namespace is killed.
    os._exit(0)
