# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""All job sessions of a job, from all the places where CDM may show them (cdm §4, §12).

A partial answer must never look like "none": whatever can't be read raises. A list that isn't there
at all (404) is passed over, there are others.
"""

from collections.abc import Iterator
from typing import Any

from app.cdm.links import BadLink, Target, api, href, rebase
from app.cdm.pages import Get, records
from app.cdm.records import job_session, text_id
from app.message import Message
from app.remote.failures import Cleaner
from app.restore.model import JobSession, NotFound, Refused, Unknown

_LINKS = ("pendingjobsessions", "activejobsessions", "livejobsessions")


def all_sessions(get: Get, job: dict[str, Any], cleaner: Cleaner) -> list[JobSession]:
    """Every job session of ``job`` (as CDM gave it), each as it was read last; in no order."""
    job_id = str(text_id(job.get("id")))
    listed = _listed(get, job_id)
    found: dict[str, JobSession] = {}
    for raws in (listed or [], *(_linked(get, job, name) for name in _LINKS)):
        for raw in raws:
            session = job_session(raw, cleaner)
            if session.job_id == job_id:
                found[session.id] = session
    if listed is None:
        last = _last_run(get, job, cleaner, known=set(found))
        found |= {last.id: last} if last else {}
    return list(found.values())


def _listed(get: Get, job_id: str) -> list[dict[str, Any]] | None:
    """By filter; by history where that list isn't there; None where neither is."""
    ours = [{"property": "jobId", "value": job_id, "op": "="}]
    newest = [{"property": "start", "direction": "DESC"}]
    by_filter = api("jobsession").with_query(filter=ours, sort=newest)
    for target in (by_filter, api("jobsession", "history", "jobid", job_id)):
        try:
            return list(_at(get, target, job_id))
        except NotFound:
            continue
    return None


def _linked(get: Get, job: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Behind one of the job's links; none where the job has no such link."""
    link = href(job.get("links"), name)
    if link is None:
        return
    try:
        target = rebase(link)
    except BadLink as error:
        raise Unknown(
            Message("CDM's link {name} can't be followed.", name=name), cause=str(error)
        ) from error
    try:
        yield from _at(get, target, str(job.get("id")))
    except NotFound:
        return


def _at(get: Get, target: Target, job_id: str) -> Iterator[dict[str, Any]]:
    what = Message("job sessions of job {job}", job=job_id)
    try:
        yield from records(get, target, "sessions", what=what)
    except NotFound:
        raise
    except Refused as error:  # of a list; the job itself is not refused
        raise Unknown(error.message, cause=error.cause, advice=error.advice) from error


def _last_run(
    get: Get, job: dict[str, Any], cleaner: Cleaner, *, known: set[str]
) -> JobSession | None:
    """The session that the job itself remembers: all there is where CDM has no list."""
    last = job.get("lastrun")
    if not isinstance(last, dict):
        return None
    session_id = text_id(last.get("sessionId"))
    if session_id is None or session_id in known:
        return None
    job_id = text_id(job.get("id"))
    if isinstance(last.get("status"), str):
        return job_session({**last, "id": session_id}, cleaner, job_id=job_id)
    try:
        return job_session(
            get(api("jobsession", session_id), Message("a job session")), cleaner, job_id=job_id
        )
    except Refused as error:
        raise Unknown(error.message, cause=error.cause, advice=error.advice) from error
