# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""One restore by the name of its job, straight at CDM: find the job, start it once, follow it.

What `app.run_restore_job` does once it knows whom to ask; it says its progress to a terminal.
"""

import difflib
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

from app.cdm.client import CdmClient
from app.remote.failures import for_terminal
from app.remote.told import JobEntry
from app.restore import clock
from app.restore.model import (
    CopyManagerError,
    JobSession,
    LoginRefused,
    NotFound,
    Phase,
    RestoreJob,
    Unknown,
)

LOOK_S = 120.0  # how long CDM must have been readable before "no job session" is believed
GLANCE_S = 8.0  # how long a confirmed start's job session is looked for when nobody waits
LOST_S = 900.0  # how long CDM may be unreadable in a row before we stop looking
OK, FAILED, WRONG_USAGE, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130


class Stop(Exception):
    """Ends the program with a sentence on standard error."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the program touches outside of CDM; tests hand in their own."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    sleep: Callable[[float], None] = time.sleep
    client: Callable[..., CdmClient] = CdmClient

    def say(self, line: str) -> None:
        # A name that the terminal can't show must not end a program that has started a restore.
        encoding = self.stdout.encoding or "utf-8"
        text = one_line(line).encode(encoding, "backslashreplace").decode(encoding)
        print(text, file=self.stdout, flush=True)


def find_job(entries: Iterable[JobEntry], name: str) -> JobEntry:
    """Give the one restore job of exactly that name; else raise `Stop` with what there is."""
    entries = list(entries)
    named = [entry for entry in entries if entry.name == name]
    found = [entry for entry in named if entry.is_restore]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(entry.id for entry in found)
        raise Stop(FAILED, f"CDM has {len(found)} restore jobs named {name} (ids {ids}).")
    if named:
        raise Stop(FAILED, f"job {name} is no restore job: CDM says its type is {named[0].type}.")
    names = sorted({entry.name for entry in entries if entry.is_restore})
    lower = {each.lower(): each for each in names}
    close = [lower[each] for each in difflib.get_close_matches(name.lower(), lower, 3, 0.5)]
    if close:
        hint = f" Did you mean {' or '.join(close)}?"
    else:
        hint = f" It shows {len(names)} restore jobs to this user."
    raise Stop(FAILED, f"CDM has no job named {name}.{hint}")


def free_job(client: CdmClient, job_id: str) -> tuple[RestoreJob, Sequence[JobSession]]:
    """Give the job and its earlier job sessions; raise `Stop` if something of it is still open."""
    job = client.job(job_id)
    sessions = client.sessions(job_id)
    live = next((session for session in sessions if session.live), None)
    if live is not None:
        raise Stop(
            FAILED,
            f"nothing was started: job session {live.id} of job {job.name} is still open in CDM"
            f" ({live.status}).",
        )
    if job.busy:
        raise Stop(FAILED, f"nothing was started: job {job.name} is {job.status} in CDM.")
    return job, sessions


def start(
    client: CdmClient,
    job: RestoreJob,
    noted: Sequence[JobSession],
    *,
    wait: bool,
    around: Surroundings,
) -> JobSession | None:
    """Send the start once, and find the job session that it made.

    None: CDM confirmed the start, the session is not to be seen yet, and nobody waits for it.
    """
    plan = client.plan_start(job.id, None)
    lost: Unknown | None = None
    try:
        plan.send()
    except Unknown as unknown:
        lost = unknown
        around.say("CDM's answer to the start was lost; looking into its job sessions ...")
    else:
        around.say(f"CDM started job {job.name} ({job.id}).")
    patience = LOOK_S if wait or lost else GLANCE_S
    new = _look(client, job.id, noted, patience=patience, around=around)
    if len(new) == 1:
        around.say(f"Job session {new[0].id}{': found, so CDM did start it' if lost else ''}.")
        return new[0]
    seen = f"{len(new)} new job sessions appeared" if new else "no new job session was found"
    if lost is not None:
        raise Stop(
            FAILED,
            f"it is not known whether job {job.name} was started: the answer was lost and {seen};"
            f" look into CDM before starting it again ({lost.message})",
        )
    if wait:
        raise Stop(FAILED, f"CDM started job {job.name}, but {seen} to follow; look into CDM.")
    return None


def _look(
    client: CdmClient,
    job_id: str,
    noted: Sequence[JobSession],
    *,
    patience: float,
    around: Surroundings,
) -> list[JobSession]:
    """Look for job sessions that were not there before the start, as in architecture §4.

    Looks for ``patience`` seconds during which CDM could be read; none may mean that it couldn't.
    """
    ids = {session.id for session in noted}
    starts: list[datetime] = [session.start for session in noted if session.start is not None]
    latest = max(starts, default=None)
    readable = unreadable = 0.0
    polls = 0
    while readable < patience and unreadable < LOST_S:
        gap = clock.poll_gap(polls)
        around.sleep(gap)
        polls += 1
        try:
            sessions = client.sessions(job_id)
        except LoginRefused:
            return []
        except CopyManagerError:
            unreadable += gap
            continue
        readable += gap
        new = [
            session
            for session in sessions
            if session.id not in ids
            and (session.start is None or latest is None or session.start > latest)
        ]
        if new:
            return new
    return []


def follow(client: CdmClient, job: RestoreJob, session: JobSession, *, around: Surroundings) -> int:
    """Follow a job session to its end, a line for each change; give the exit code."""
    shown, seen_running, missing, lost = "", False, 0, 0.0
    polls = 0
    while True:
        line = session.status + ("" if session.percent is None else f" {session.percent} %")
        if line != shown:
            around.say(f"Job session {session.id}: {line}")
            shown = line
        # PENDING before a restore ran and PENDING while it is mounted are one word (cdm §4).
        pending = session.status.strip().upper() == "PENDING"
        seen_running = seen_running or (session.phase is Phase.RUNNING and not pending)
        if (code := _verdict(client, session, around)) is not None:
            return code
        gap = clock.poll_gap(polls)
        around.sleep(gap)
        polls += 1
        try:
            session = client.session(session.id, was_running=seen_running)
        except (LoginRefused, NotFound) as error:
            missing += 1
            if missing >= 3 or isinstance(error, LoginRefused):
                raise
        except CopyManagerError as error:
            lost += gap
            if lost >= LOST_S:
                raise Stop(
                    FAILED, f"contact to CDM was lost, the restore may go on: {for_terminal(error)}"
                ) from error
        else:
            missing, lost = 0, 0.0


def _verdict(client: CdmClient, session: JobSession, around: Surroundings) -> int | None:
    said = f" ({session.results})" if session.results else ""
    match session.phase:
        case Phase.READY if _makes_permanent(client, session.job_id):
            return None  # only a stage: the copy is being made permanent
        case Phase.READY:
            around.say(f"The restore succeeded: the copy is up in the clean room{said}.")
            return OK
        case Phase.COMPLETED:
            around.say(f"The restore completed{said}.")
            return OK
        case Phase.PARTIAL:
            raise Stop(PARTIAL, f"the restore completed with warnings: {session.status}{said}.")
        case Phase.FAILED | Phase.CANCELLED:
            raise Stop(FAILED, f"the restore did not succeed: {session.status}{said}.")
    return None


def _makes_permanent(client: CdmClient, job_id: str) -> bool:
    try:
        return client.makes_permanent(job_id)
    except CopyManagerError:
        return False  # what can't be read, is not


def one_line(text: str) -> str:
    """Text that can neither break the line nor steer the terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
