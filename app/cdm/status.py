# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""CDM's status words and what they mean for a run (cdm §4): the only place that knows them."""

import re
from types import MappingProxyType

from app.restore.model import Phase

_RUNNING = (
    "ACTIVE",
    "RUNNING",
    "WAITING",
    "HELD",
    "CANCELING",
    "STOPPING",
    "PAUSING",
    "PAUSED",
    "SUSPENDING",
    "SUSPENDED",
)
_PHASES = MappingProxyType(
    dict.fromkeys(_RUNNING, Phase.RUNNING)
    | {
        "RESOURCE ACTIVE": Phase.READY,
        "COMPLETED": Phase.COMPLETED,
        "PARTIAL": Phase.PARTIAL,
        "SKIPPED": Phase.PARTIAL,  # in no source a session's status; over with a warning, if ever
        "FAILED": Phase.FAILED,
        "ABORTED": Phase.FAILED,
        "STOPPED": Phase.FAILED,  # nobody describes it: over, and the louder of the two readings
        "CANCELED": Phase.CANCELLED,
    }
)
_FREE = frozenset(
    {"IDLE", "COMPLETED", "PARTIAL", "SKIPPED", "FAILED", "ABORTED", "STOPPED", "CANCELED"}
)


def normalise(word: str) -> str:
    """Bring the spellings of one status word together: case, blanks, ``_``, one or two L."""
    plain = re.sub(r"[\s_]+", " ", word).strip().upper()
    return plain.replace("CANCELL", "CANCEL")


def phase(
    status: str, *, ended: bool = False, results: str | None = None, was_running: bool = False
) -> Phase:
    """Say what a job session's ``status`` means; a word not in the table is `Phase.UNKNOWN`.

    PENDING has two meanings: accepted and not yet active, or (2016-17) mounted and in use. It is
    the second once the session was seen running, has an end, or its results say "… active".
    """
    word = normalise(status)
    if word == "PENDING":
        says_active = re.search(r"\bactive\W*$", results or "", re.IGNORECASE) is not None
        return Phase.READY if was_running or ended or says_active else Phase.RUNNING
    return _PHASES.get(word, Phase.UNKNOWN)


def last_phase(status: str) -> Phase:
    """Say what the status means that a job shows of its last job session."""
    return phase(status, was_running=True)


def is_busy(job_status: str) -> bool:
    """Whether a *job's* status speaks against a start.

    Everything does but IDLE and the words for an ended session, which some releases show on the
    job. A word that nobody knows does too: starting on a guess can't be taken back. No status at
    all does not, the job sessions decide then.
    """
    word = normalise(job_status)
    return bool(word) and word not in _FREE
