# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The job log: entries follow from a session's time line (cdm §5).

Several entries share one millisecond, and the last one of each phase can be read only later than
its time says, so that a reader who goes by time or by position alone misses it.
"""

from collections.abc import Iterator

from .sessions import LogEntry, Phase, Session

# status → (seconds after the phase began, type, message, whether it arrives late)
CLEAN_UP = "clean-up"
SCRIPT: dict[str, tuple[tuple[float, str, str, bool], ...]] = {
    "PENDING": ((0.0, "INFO", "The job was queued.", False),),
    "RUNNING": (
        (0.0, "INFO", "The job has started.", False),
        (0.0, "DETAIL", "Server catalogue opened – 1 resource selected.", False),
        (0.0, "DEBUG", "Worker thread assigned.", False),
        (0.001, "INFO", "The latest copy was chosen.", True),
    ),
    CLEAN_UP: (
        (0.0, "INFO", "Cleaning up was asked for.", False),
        (0.0, "INFO", "The copy was unmounted.", True),
    ),
    "RESOURCE ACTIVE": (
        (0.0, "INFO", "The copy is mounted on the clean-room host.", False),
        (0.0, "SUMMARY", "Total 1, successful 1, failed 0.", False),
    ),
    "COMPLETED": ((0.0, "SUMMARY", "The job has completed.", False),),
    "PARTIAL": (
        (0.0, "WARN", "One resource was left out.", False),
        (0.0, "SUMMARY", "The job has completed partially.", True),
    ),
    "FAILED": (
        (0.0, "ERROR", "The volume could not be mapped to the host.", False),
        (0.0, "SUMMARY", "The job has failed.", True),
    ),
    "CANCELLING": ((0.0, "WARN", "Cancelling was asked for.", False),),
    "CANCELLED": ((0.0, "SUMMARY", "The job was cancelled.", False),),
}


def entries(session: Session, now: float, *, lag: float) -> list[LogEntry]:
    """The entries that can be read now, in the order of their time."""
    made = [*_scripted(session, lag), *session.extra_log]
    readable = [
        entry for entry in made if entry.visible_at <= now and entry.time > session.log_purged_at
    ]
    return sorted(readable, key=lambda entry: entry.time)


def _scripted(session: Session, lag: float) -> Iterator[LogEntry]:
    mounted = False
    for index, phase in enumerate(session.phases):
        name = CLEAN_UP if mounted and phase.status == "RUNNING" else phase.status
        yield from _of_phase(session, index, phase, name=name, lag=lag)
        mounted = mounted or phase.status == "RESOURCE ACTIVE"


def _of_phase(
    session: Session, index: int, phase: Phase, *, name: str, lag: float
) -> Iterator[LogEntry]:
    for line, (offset, kind, message, late) in enumerate(SCRIPT.get(name, ())):
        time = phase.at + offset
        yield LogEntry(
            f"{session.id}{index:02}{line:02}",
            time,
            time + (lag if late else 0.0),
            kind,
            message,
            f"CTGGA{2000 + 10 * index + line}",
        )
