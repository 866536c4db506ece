# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the programs in a container look like from outside, read from /proc."""

from collections.abc import Iterable
from pathlib import Path


def by_program(pids: Iterable[int]) -> dict[str, list[int]]:
    """Supervisord program → its processes, its first one first."""
    found: dict[str, list[int]] = {}
    for pid in sorted(pids):
        if name := _environment_of(pid).get("SUPERVISOR_PROCESS_NAME"):
            found.setdefault(name, []).append(pid)
    return found


def pss(pids: Iterable[int]) -> int:
    """Bytes of memory of supervisord and its programs, shared pages counted by their share.

    What belongs to the simulator (process 1, the forwarder) is left out.
    """
    ours = (
        pid
        for pid in pids
        if "SUPERVISOR_ENABLED" in _environment_of(pid) or b"supervisord" in _read(pid, "cmdline")
    )
    rollups = (_read(pid, "smaps_rollup").decode() for pid in ours)
    return sum(int(text.split("\nPss:")[1].split()[0]) * 1024 for text in rollups if text)


def _environment_of(pid: int) -> dict[str, str]:
    entries = _read(pid, "environ").decode(errors="replace").split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def _read(pid: int, name: str) -> bytes:
    """A file of a process; empty when it has ended meanwhile, or is not the program's own yet."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
