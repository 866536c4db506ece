# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What people ask of a run, for the JSON API and the pages alike."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.configuration import checks
from app.configuration.checks import InvalidField
from app.message import Message
from app.restore import actions
from app.restore.model import NoSuchRun, Overtaken, Run
from app.web.frame.access import caller
from app.web.frame.problems import Problem, one_of
from app.web.services import services


def get_run(run_id: int) -> Run:
    """The run of that number; `Problem` 404 when there is none."""
    with _told(run_id):
        return services().store.runs.get(run_id)


def ask(run_id: int, action: str) -> str:
    """Have one of `actions.ACTIONS` done; one sentence for the person. `Problem` 404, 409."""
    with _told(run_id):
        now = services().clock()
        return actions.ACTIONS[action].do(services().store, run_id, by=caller().name, now=now)


def resolve(run_id: int, decision: object, job_session_id: str | None) -> str:
    """Leave a person's decision; one sentence for the person. `Problem` 400, 404, 409."""
    get_run(run_id)
    if not isinstance(decision, str) or decision not in actions.DECISIONS:
        message = one_of("decision", actions.DECISIONS)
        raise Problem(400, message, field="decision")
    try:
        chosen = checks.check_job_id(job_session_id) if job_session_id else None
    except InvalidField as error:
        raise Problem(
            400,
            Message("This is no id of a job session: {text}", text=job_session_id),
            field="job_session_id",
            advice=Message("CDM shows the id in the job's history; it is a number."),
        ) from error
    with _told(run_id):
        return actions.resolve(
            services().store,
            run_id,
            decision,
            chosen,
            by=caller().name,
            now=services().clock(),
        )


@contextmanager
def _told(run_id: int) -> Iterator[None]:
    try:
        yield
    except (NoSuchRun, OverflowError) as error:  # a number larger than the database's is no run's
        raise Problem(
            404,
            Message("There is no run {number}.", number=run_id),
            advice=Message("Look at the list of runs."),
        ) from error
    except actions.NotPossible as error:
        raise Problem(
            409,
            str(error),
            cause=Message(
                "The run has moved on, or it never was in a state where this makes sense."
            ),
            advice=Message("Look at the run again."),
        ) from error
    except Overtaken as error:
        raise Problem(
            409,
            Message("The run has just moved on; nothing was changed."),
            advice=Message("Look at the run again."),
        ) from error
