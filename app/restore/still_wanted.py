# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a queued run is still to start: not cancelled, not too old, mapping and job the same."""

from app.message import Message
from app.restore.asks import CANCEL
from app.restore.model import SIMULATION, Mode, RestoreJob, RunState
from app.restore.turn import Turn

STALE_S = 3600.0  # a restore nobody expects any more is not started silently


def cancelled(turn: Turn) -> bool:
    """Obey a cancel that was asked for while the start, without effect as it proved, was out."""
    request = turn.request(CANCEL.kind)
    if request is None:
        return False
    turn.move(RunState.CANCELLED, Message("cancelled by a person"), by=request.by)
    return True


def gone(turn: Turn) -> str:
    """The question that a job raises which is not there any more."""
    return Message(
        "{manager} has no job {job_id} ({job}) any more.",
        manager=turn.product,
        job_id=turn.run.job_id,
        job=turn.run.job_name,
    )


def waited_too_long(turn: Turn) -> bool:
    """Ask a person where the run has waited for more than an hour."""
    if turn.memory.waited_s <= STALE_S:
        return False
    why: str = Message("The run has waited for more than an hour and was not started.")
    if turn.run.error:
        why = Message("{why} The last obstacle: {error}", why=why, error=turn.run.error)
    turn.ask_a_person(why)
    return True


def still_wanted(turn: Turn) -> bool:
    """Read mode and mapping again; if they say no, record that."""
    run = turn.run
    if turn.store.settings.mode is Mode.DISARMED and run.source != SIMULATION:
        turn.move(RunState.CANCELLED, Message("the app was disarmed before the start"))
        return False
    try:
        mapping = turn.store.mappings.get(run.mapping_id or 0)
    except LookupError:
        turn.move(
            RunState.CANCELLED,
            Message("mapping {mapping} was deleted before the start", mapping=run.mapping),
        )
        return False
    if not mapping.enabled:
        turn.move(
            RunState.CANCELLED,
            Message("mapping {mapping} was disabled before the start", mapping=mapping.name),
        )
        return False
    if (mapping.connection_id, mapping.job_id) != (run.connection_id, run.job_id):
        turn.ask_a_person(
            Message(
                "Mapping {mapping} was changed before the start and names another job now.",
                mapping=mapping.name,
            )
        )
        return False
    return True


def changed(turn: Turn, job: RestoreJob) -> str | None:
    """Say what makes the job another than the run was made for; None: nothing."""
    if job.name != turn.run.job_name:
        return Message(
            "Job {job_id} was named {job}; in {manager} it is now named {name}.",
            manager=turn.product,
            job_id=job.id,
            job=turn.run.job_name,
            name=job.name,
        )
    if not job.is_restore:
        return Message(
            "Job {job} is no longer a restore job in {manager}.", manager=turn.product, job=job.name
        )
    return None
