# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What needs a person, as the overview says it."""


def needs_decision(run_id: int, job: str) -> str:
    """A run with two readings."""
    return f"Run {run_id} of {job} needs a decision: look into CDM, then decide on its page."


def needs_approval(run_id: int, job: str) -> str:
    """A run that waits for a yes."""
    return f"Run {run_id} of {job} waits for somebody to approve it."


def still_mounted(run_id: int, job: str, since: str) -> str:
    """A forgotten mount."""
    return (
        f"Run {run_id} of {job} has its copy mounted for {since}: clean it up when nobody needs it"
        " any more. Until then this job can't be restored again."
    )
