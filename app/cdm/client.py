# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The client of one CDM server: the verbs that the engine, the pages and the command line know.

Built for one thread; it logs in with the first call and out with `CdmClient.close`. Errors are the
family of `app.restore.model.CopyManagerError`.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from app.cdm import actions
from app.cdm.actions import StartPlan
from app.cdm.api_session import ApiSession
from app.cdm.copies import CopyReader
from app.cdm.job_log import JobLog
from app.cdm.job_sessions import all_sessions
from app.cdm.links import BadLink, Target, api
from app.cdm.pages import records
from app.cdm.records import (
    job_entry,
    job_session,
    restore_job,
    text_id,
)
from app.message import Message
from app.remote.failures import Cleaner
from app.remote.guard import Guard
from app.remote.http import Transport
from app.remote.told import JobEntry
from app.restore.model import (
    CdmConnection,
    CopyManagerError,
    JobSession,
    LogLine,
    NotFound,
    NothingSent,
    Refused,
    RestoreJob,
    Unknown,
)
from app.restore.model.copies import Copy

_POLICY_TIMEOUT = 10.0
_BRIEF_TIMEOUT = 3.0  # the same, for one answer
_COPY_LIMIT = 4.0


class CdmClient:
    """One CDM server, as one user.

    :param system_ca: the platform's CA file, for `Trust.SYSTEM`; None is `requests`' default
    :param timeouts: seconds to connect, and to wait for more of an answer; a whole exchange, second
        tries of a GET included, may take twice the latter
    :param insecure: no verification at all; only for ``--insecure`` of the command line
    :param guard: says to which addresses no connection may lead; None: to none in particular
    """

    def __init__(
        self,
        connection: CdmConnection,
        password: str,
        *,
        system_ca: str | None,
        timeouts: tuple[float, float] = (6.0, 60.0),
        monotonic: Callable[[], float] = time.monotonic,
        version: str = "",
        insecure: bool = False,
        guard: Guard | None = None,
    ) -> None:
        self._cleaner, self._monotonic = Cleaner(), monotonic
        self._transport = Transport(
            connection,
            system_ca=system_ca,
            timeouts=timeouts,
            total=2 * timeouts[1],
            headers={
                "User-Agent": f"SafeguardedRestore/{version}" if version else "SafeguardedRestore",
                "Accept": "application/json",
                "X-Endeavour-Locale": "en-us",
            },
            insecure=insecure,
            guard=guard,
        )
        self._api = ApiSession(
            connection,
            password,
            transport=self._transport,
            cleaner=self._cleaner,
            monotonic=monotonic,
        )
        self._log = JobLog(self._api.get, self._cleaner, monotonic=monotonic)
        self._job_of: dict[str, str] = {}  # job session → job, for where one can't be read alone

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def login(self) -> None:
        """Log in, unless that was done before; raises a `NothingSent`."""
        self._api.login()

    def logout(self) -> None:
        """Log out; never raises."""
        self._api.logout()

    def close(self) -> None:
        """Log out and close all connections; never raises."""
        self._api.logout()
        self._transport.close()

    def server_version(self) -> str | None:
        """Connect, and ask for the version without a log-in; None if CDM doesn't say (cdm §8).

        :raises NothingSent: no connection, or its certificate is not trusted
        """
        try:
            answer = self._transport.send("GET", "/api/lifecycle/ping", headers={})
        except Unknown:
            return None
        version = answer.body.get("version") if isinstance(answer.body, dict) else None
        return self._cleaner.clean(version, 60) if isinstance(version, str) and version else None

    # --- jobs

    def jobs(self) -> list[JobEntry]:
        """Every job that CDM shows to this user, of all types, by name (cdm §2)."""
        target = api("job").with_query(sort=[{"property": "name", "direction": "ASC"}])
        found = records(self._api.get, target, "jobs", what=Message("jobs"))
        entries = (job_entry(record, self._cleaner) for record in found)
        return [entry for entry in entries if entry]

    def job(self, job_id: str, *, within: float | None = None) -> RestoreJob:
        """One job as it is now; raises `NotFound`.

        :param within: seconds for CDM to answer, if less than usual
        """
        return restore_job(self._job(job_id, read_timeout=within), str(job_id), self._cleaner)

    def makes_permanent(self, job_id: str) -> bool:
        """Whether RESOURCE ACTIVE is only a stage of this job, on the way to a permanent copy.

        Only nice to know, so CDM has few seconds for it.

        :raises CopyManagerError: it can't be read now; a policy that the role may not see says no
        """
        policy_id = text_id(self._job(job_id, read_timeout=_BRIEF_TIMEOUT).get("policyId"))
        if policy_id is None:
            return False
        target = self._target("policy", policy_id)
        try:
            policy = self._api.get(target, Message("a policy"), read_timeout=_BRIEF_TIMEOUT)
        except Refused:
            return False
        return actions.makes_permanent(policy)

    def copy_to_restore(
        self,
        job_id: str,
        *,
        policy_id: str | None = None,
        until: datetime | None = None,
        within: float = _COPY_LIMIT,
    ) -> Copy:
        """Which copy the job will restore (cdm §7); only reads, and says what it can't know.

        :param policy_id: of the job's policy, where it is known already
        :param until: by CDM's clock, when the job was started; None: it starts now
        :param within: seconds for all of it
        :raises NothingSent: CDM can't be reached, or lets nobody in
        :raises NoAnswer: the connection was lost
        """
        reader = CopyReader(self._api.get, self._cleaner, monotonic=self._monotonic, within=within)
        copy = reader.copy_of(str(job_id), policy_id, until=until)
        return replace(copy, clock=self._transport.clock.offset)

    def plan_start(self, job_id: str, action_name: str | None) -> StartPlan:
        """Find out how this job is started; only reads (cdm §3).

        :param action_name: the action that the mapping names, for jobs that offer several
        :raises Refused: no action of several is named, or one that is not offered
        :raises Busy: CDM offers no start of this job now
        """
        job = self._job(job_id)
        target = actions.start_target(job, str(job_id), action_name)
        schema = actions.schema_target(job)
        if schema is None:
            body = actions.body_without_schema(job, action_name)
        else:
            found = self._schema(schema, str(job_id))
            body = actions.choose_action(found, job, action_name)
        return StartPlan(str(job_id), target, body, self._api)

    # --- job sessions

    def sessions(self, job_id: str) -> list[JobSession]:
        """All job sessions of a job that CDM shows, in no order; those that run are never missing.

        :raises NotFound: no such job
        :raises CopyManagerError: CDM could not be read in full; an empty list always means none
        """
        found = all_sessions(self._api.get, self._job(job_id), self._cleaner)
        self._job_of.update({session.id: session.job_id for session in found})
        return found

    def session(
        self, session_id: str, *, was_running: bool = False, job_id: str | None = None
    ) -> JobSession:
        """One job session as it is now.

        :param was_running: whether it was seen running before, which settles what PENDING means
        :param job_id: its job, where known: another way to find it if CDM can't show it alone
        :raises NotFound: CDM does not show it, and its job's list, where the job is known, neither
        """
        job_id = job_id or self._job_of.get(session_id)
        try:
            raw = self._api.get(self._target("jobsession", session_id), _session(session_id))
        except NotFound:
            found = {s.id: s for s in self.sessions(job_id)} if job_id else {}
            if session_id not in found:
                raise
            return found[session_id]
        session = job_session(raw, self._cleaner, was_running=was_running, job_id=job_id)
        if session.id != session_id:
            raise Unknown(
                Message("CDM was asked for job session {id} and shows another one.", id=session_id)
            )
        self._job_of[session.id] = session.job_id
        return session

    def log(self, session_id: str, skip: int) -> list[LogLine]:
        """The job log from record ``skip`` on, oldest first; a line may come twice (`JobLog`)."""
        return self._log.read(session_id, skip)

    # --- requests that act on a job session: an allow-list, built here, never a link that CDM gave

    def cancel(self, session_id: str) -> None:
        """Ask CDM to cancel a job session: one request, the errors of `StartPlan.send` (cdm §6)."""
        target = self._target("jobsession", session_id).with_query(action="cancel")
        self._api.post(target, {}, Message("cancel job session {id}", id=session_id), any_2xx=True)

    def clean_up(self, session_id: str) -> None:
        """Ask CDM to take the restored copy down: one request, the errors of `StartPlan.send`.

        :raises Refused: neither the job session nor its policy says by which action
        """
        try:
            action = self._clean_up_action(session_id)
        except Unknown as error:  # only reading so far
            raise NothingSent(error.message, cause=error.cause, advice=error.advice) from error
        target = self._target("jobsession", session_id)
        target = target.with_query(action="resume", actionname=action)
        self._api.post(
            target, {}, Message("clean up job session {id}", id=session_id), any_2xx=True
        )

    def _clean_up_action(self, session_id: str) -> str:
        what = _session(session_id)
        session = self._api.get(self._target("jobsession", session_id), what)
        action = actions.clean_up_name(session.get("links"))
        job_id = text_id(session.get("jobId"))
        if action is None and job_id:
            job = self._job(job_id)
            action = actions.clean_up_name_by_policy(self._policy(job), job)
        if action is None:
            raise actions.no_clean_up(what)
        return action

    # --- reading

    def _target(self, *segments: str) -> Target:
        try:
            return api(*segments)
        except BadLink as error:
            raise NotFound(Message("CDM can't be asked for an empty id.")) from error

    def _job(self, job_id: str, *, read_timeout: float | None = None) -> dict[str, Any]:
        target = self._target("job", str(job_id))
        job = self._api.get(target, Message("job {job}", job=job_id), read_timeout=read_timeout)
        if text_id(job.get("id")) != str(job_id):
            raise Unknown(Message("CDM was asked for job {job} and shows another one.", job=job_id))
        return job

    def _schema(self, target: Target, job_id: str) -> dict[str, Any]:
        try:
            return self._api.get(target, Message("the start actions of job {job}", job=job_id))
        except Refused as error:  # a schema that isn't there says nothing about the job
            raise Unknown(error.message, cause=error.cause, advice=error.advice) from error

    def _policy(self, job: dict[str, Any]) -> dict[str, Any]:
        policy_id = text_id(job.get("policyId"))
        if policy_id is None:
            return {}
        try:
            return self._api.get(
                self._target("policy", policy_id), Message("a policy"), read_timeout=_POLICY_TIMEOUT
            )
        except CopyManagerError:
            return {}  # the role may not show it; proves nothing, and the job can be read without


def _session(session_id: str) -> Message:
    return Message("job session {id}", id=session_id)
