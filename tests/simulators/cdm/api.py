# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The API below ``/api/``: which call is what. Takes requests that were read, gives answers."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from .accounts import Accounts, ApiSession
from .catalog import Catalog
from .joblog import entries
from .links import Links
from .model import World
from .query import Query, parse, select
from .records import DestructiveCall, Records, StartRecord
from .render import Renderer
from .reply import ApiError, Reply, Request, bad_request, json_reply, not_found
from .sessions import Session

SESSION = re.compile(r"/api/endeavour/session/?$")
START = re.compile(r"/api/endeavour/job/(\d+)/?$")


class Api:
    """All calls, with the world they work on. Callers hold the simulator's lock."""

    def __init__(self, world: World, accounts: Accounts, records: Records) -> None:
        self.world, self.accounts, self.records = world, accounts, records
        self.switches = world.switches

    def handle(self, request: Request, start: StartRecord | None) -> Reply:
        """Answer one request; ``start`` is its record if it is a start."""
        try:
            return self._handle(request, start)
        except ApiError as error:
            return error.reply()
        except ValueError as error:
            return bad_request(str(error)).reply()

    def _handle(self, request: Request, start: StartRecord | None) -> Reply:
        if request.path in ("/api/lifecycle/ping", "/ngp/version") and self.switches.version:
            return json_reply(self.switches.version)
        if SESSION.match(request.path) and request.method == "POST":
            return self.accounts.login(request)
        if not request.path.startswith("/api/") or request.path == "/api/lifecycle/ping":
            raise not_found(request.path)
        caller = self.accounts.check(request.api_session)
        if isinstance(caller, Reply):
            return caller
        return _Call(self, request, caller, start).answer()


class _Call:
    """One authenticated call."""

    def __init__(
        self, api: Api, request: Request, caller: ApiSession, start: StartRecord | None
    ) -> None:
        self.api, self.request, self.caller, self.start = api, request, caller, start
        self.world, self.switches = api.world, api.switches
        self.links = Links(api.switches, request.base, caller.id)
        locale = request.headers.get("x-endeavour-locale")
        self.render = Renderer(api.world, self.links, locale=locale)
        self.params = request.params

    def answer(self) -> Reply:
        path = self.request.path.rstrip("/").removeprefix("/api/")
        known = False
        for method, pattern, function in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.request.method:
                return function(self, *match.groups())
            known = known or match is not None
        if known:
            raise ApiError(405, "XSBMethodNotAllowedException", "This method is not allowed.")
        raise not_found(self.request.path)

    # --- lists ---

    def _page(
        self,
        name: str,
        records: Sequence[dict[str, Any]],
        *,
        resource: str,
        ignored: tuple[str, ...] = (),
        values: Callable[[dict[str, Any], str], Sequence[object]] | None = None,
    ) -> Reply:
        query = parse(self.params, default_page_size=self.switches.default_page_size)
        kept = tuple(c for c in query.conditions if c.prop not in ignored)
        if resource in self.switches.ignore_filter or resource == "history":
            kept = ()
        order = () if resource in self.switches.ignore_sort else query.sort
        chosen = select(records, Query(kept, order, 0, 0), values=values)
        first, size = query.start_index, query.page_size
        page = chosen[first : first + size]
        total = len(chosen) if self.switches.total is None else self.switches.total
        more = first + size < len(chosen) and self.switches.next_page_link
        return json_reply(
            {name: page, "total": total, "links": self._list_links(first + size if more else None)}
        )

    def _asked_for(self, prop: str, resource: str) -> str | None:
        """The value that an ``=`` condition asks for: only spares us rendering all the rest."""
        if resource in self.switches.ignore_filter:
            return None
        query = parse(self.params, default_page_size=self.switches.default_page_size)
        values = (str(c.value) for c in query.conditions if c.prop == prop and c.op == "=")
        value = next(values, None)
        return None if value is None or "*" in value else value

    def _list_links(self, following: int | None) -> dict[str, Any]:
        path = self.request.path.removeprefix("/api/")
        params = {k: v for k, v in self.params.items() if k != "esessionid"}
        links = {"self": {"href": self.links.href(path, **params)}}
        if following is not None:
            changed = {**params, "pageStartIndex": str(following)}
            links["nextPage"] = {"href": self.links.href(path, **changed)}
        return self.links.shown(links)

    def jobs(self) -> Reply:
        records = [self.render.job(job) for job in self.world.jobs.values()]
        return self._page("jobs", records, resource="job")

    def sessions(self) -> Reply:
        job_id = self._asked_for("jobId", "jobsession")
        return self._sessions(self.world.sessions_of(job_id), "jobsession")

    def history(self, job_id: str) -> Reply:
        return self._sessions(self.world.sessions_of(job_id), "history")

    def _sessions(self, sessions: Sequence[Session], resource: str) -> Reply:
        records = [self.render.session(session) for session in sessions]
        return self._page(
            "sessions",
            records,
            resource=resource,
            ignored=("range", "rangeunit"),
            values=self._session_values,
        )

    def _session_values(self, record: dict[str, Any], prop: str) -> Sequence[object]:
        """A status can be asked for by its usual word even where a dialect shows another."""
        if prop != "status":
            return [record.get(prop)]
        session = self.world.sessions[str(record["id"])]
        return [record.get("status"), session.at(self.world.clock()).status]

    def log(self) -> Reply:
        now, lag = self.world.clock(), self.switches.log_lag_seconds
        records = [
            self.render.log_entry(session, entry)
            for session in self._sessions_with_log()
            for entry in entries(session, now, lag=lag)
        ]
        return self._page("logs", records, resource="log", ignored=("messageId",))

    def _sessions_with_log(self) -> list[Session]:
        wanted = self._asked_for("jobsessionId", "log")
        return [s for s in self.world.sessions_of() if wanted in (None, s.id)]

    def log_entry(self, entry_id: str) -> Reply:
        now, lag = self.world.clock(), self.switches.log_lag_seconds
        for session in self.world.sessions_of():
            for entry in entries(session, now, lag=lag):
                if entry.id == entry_id:
                    return json_reply(self.render.log_entry(session, entry))
        raise not_found(f"Log entry {entry_id}")

    def download(self) -> Reply:
        name = {"Content-Disposition": "attachment; filename=log_1490030341274.zip"}
        empty_archive = b"PK\x05\x06" + bytes(18)
        return Reply(200, empty_archive, "application/zip", name)

    # --- single objects ---

    def job(self, job_id: str) -> Reply:
        return json_reply(self.render.job(self.world.job(job_id)))

    def job_status(self, job_id: str) -> Reply:
        job = self.world.job(job_id)
        word = None if self.switches.null_job_status else self.render.job_word(job)
        return json_reply({"currentStatus": word})

    def start_schema(self, job_id: str) -> Reply:
        modes = self.world.modes(self.world.job(job_id))
        if modes is None:
            raise not_found("The schema")
        values = [{"name": mode.replace("_", " "), "value": mode} for mode in modes]
        return json_reply({"parameter": {"actionname": {"values": values}}})

    def session(self, session_id: str) -> Reply:
        return json_reply(self.render.session(self.world.session(session_id)))

    def policy(self, policy_id: str) -> Reply:
        return json_reply(Catalog(self.world, self.links).policy(policy_id))

    def versions(self, path: str) -> Reply:
        found = Catalog(self.world, self.links).versions(path)
        sites = {record["id"]: site for record, site in found}
        return self._page(
            "versions",
            [record for record, _ in found],
            resource="version",
            values=lambda record, prop: [
                sites[record["id"]] if prop == "siteId" else record.get(prop)
            ],
        )

    def collection(self, path: str) -> Reply:
        return json_reply(Catalog(self.world, self.links).collection(path))

    def logout(self) -> Reply:
        return self.api.accounts.logout(self.caller)

    # --- actions ---

    def act_on_job(self, job_id: str) -> Reply:
        action = self.params.get("action")
        if action == "start":
            return self._start(job_id)
        if action == "cancel":
            self.world.job(job_id)
            session = self.world.live_session(job_id)
            if session is None:
                raise bad_request("The job has no active session.")
            self.world.cancel(session)
            return json_reply(self.render.job(self.world.job(job_id)), 201)
        self._destructive(f"job action {action}")
        raise bad_request(f"Unknown action {action}.")

    def _start(self, job_id: str) -> Reply:
        job = self.world.job(job_id)
        name = self.request.json().get("actionname") or self.params.get("actionname")
        if self.start is not None:
            self.start.action_name = str(name) if name else None
        made = self.world.start(job, str(name) if name else None)
        if self.start is not None and made:
            self.start.session_ids = [session.id for session in made]
            self.start.session_id = made[0].id
        usual = 201 if self.switches.dialect == "spp" else 200
        self.render.now = self.world.clock()
        return json_reply(self.render.job(job), self.switches.start_status or usual)

    def act_on_session(self, session_id: str) -> Reply:
        session = self.world.session(session_id)
        action, name = self.params.get("action"), self.params.get("actionname", "")
        status = 200
        if action == "cancel":
            self.request.json()
            self.world.cancel(session)
            status = 201
        elif action == "resume":
            if name not in ("end_ia", "end_iv"):
                self._destructive(f"session action {name}")
            self.world.resume(session, name)
        else:
            self._destructive(f"session action {action}")
            if action not in ("expire", "expireall"):
                raise bad_request(f"Unknown action {action}.")
        self.render.now = self.world.clock()
        return json_reply(self.render.session(session), status)

    def delete_job(self, job_id: str) -> Reply:
        self.world.job(job_id)
        self._destructive("job deleted")
        del self.world.jobs[job_id]
        return Reply(204)

    def write_policy(self, policy_id: str) -> Reply:
        self._destructive("policy written or deleted")
        return self.policy(policy_id)

    def _destructive(self, what: str) -> None:
        target = f"{self.request.path}?{self.request.query}".rstrip("?")
        call = DestructiveCall(what, self.request.method, target, self.world.clock())
        self.api.records.destructive_calls.append(call)


ROUTES: tuple[tuple[str, str, Callable[..., Reply]], ...] = (
    ("DELETE", r"endeavour/session", _Call.logout),
    ("GET", r"endeavour/job", _Call.jobs),
    ("GET", r"endeavour/job/(\d+)", _Call.job),
    ("POST", r"endeavour/job/(\d+)", _Call.act_on_job),
    ("DELETE", r"endeavour/job/(\d+)", _Call.delete_job),
    ("GET", r"endeavour/job/(\d+)/status", _Call.job_status),
    ("GET", r"endeavour/job/(\d+)/schema/start", _Call.start_schema),
    ("GET", r"endeavour/jobsession", _Call.sessions),
    ("GET", r"endeavour/jobsession/history/jobid/(\d+)", _Call.history),
    ("GET", r"endeavour/jobsession/(\d+)", _Call.session),
    ("POST", r"endeavour/jobsession/(\d+)", _Call.act_on_session),
    ("GET", r"endeavour/log/job", _Call.log),
    ("GET", r"endeavour/log/job/(\d+)", _Call.log_entry),
    ("GET", r"endeavour/log/(?:job/)?download/(?:diagnostics|csv)", _Call.download),
    ("GET", r"endeavour/policy/(\d+)", _Call.policy),
    ("PUT", r"endeavour/policy/(\d+)", _Call.write_policy),
    ("DELETE", r"endeavour/policy/(\d+)", _Call.write_policy),
    ("GET", r"((?:application/sql|ibmsvc|vsphere)/.+)/version", _Call.versions),
    ("GET", r"((?:application/sql|ibmsvc|vsphere|spec)(?:/.+)?)", _Call.collection),
)


def reads_as_start(method: str, path: str, query: str) -> str | None:
    """The job id if this request is a start, whatever becomes of it."""
    match = START.match(path)
    params = Request(method, path, query, {}, b"", "", None).params
    if method == "POST" and match and params.get("action") == "start":
        return match.group(1)
    return None
