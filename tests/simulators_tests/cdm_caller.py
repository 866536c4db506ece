# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A caller that speaks plain HTTP with the simulated CDM: ``http.client`` and nothing of ours."""

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.simulators.cdm import CdmSimulator

EPOCH = 1_764_000_000.0


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the headers and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Caller:
    """One connection, and the API session that it has after ``login``."""

    def __init__(self, cdm: CdmSimulator, *, timeout: float = 10.0) -> None:
        if cdm.scheme == "https":
            context = ssl.create_default_context(cadata=cdm.certificate_pem)
            self.connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                cdm.host, cdm.port, timeout=timeout, context=context
            )
        else:
            self.connection = http.client.HTTPConnection(cdm.host, cdm.port, timeout=timeout)
        self.cdm = cdm
        self.session_id: str | None = None

    def login(self, user: str | None = None, password: str | None = None) -> Answer:
        """POST session; keeps the session id if there is one."""
        pair = f"{user or self.cdm.user}:{password or self.cdm.password}"
        basic = base64.b64encode(pair.encode()).decode()
        answer = self.call(
            "POST", "/api/endeavour/session", headers={"Authorization": f"Basic {basic}"}
        )
        if answer.status == 200:
            self.session_id = answer.json["sessionid"]
        return answer

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        **params: object,
    ) -> Answer:
        """One request; parameters that aren't text are sent as JSON."""
        query = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}
        if query:
            path += ("&" if "?" in path else "?") + urlencode(query, quote_via=quote)
        sent = dict(headers or {})
        if self.session_id is not None:
            sent["X-Endeavour-Sessionid"] = self.session_id
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, sent)
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **params: object) -> Answer:
        """GET a path below ``/api/endeavour/``, or an absolute link."""
        if "://" in path:
            parts = urlsplit(path)
            return self.call("GET", f"{parts.path}?{parts.query}", **params)
        return self.call("GET", f"/api/endeavour/{path}", **params)

    def post(self, path: str, body: object = None, **params: object) -> Answer:
        """POST to a path below ``/api/endeavour/``."""
        return self.call("POST", f"/api/endeavour/{path}", body, **params)

    def start(self, job_id: str = "1044", body: object = None, **params: object) -> Answer:
        """Start a job."""
        return self.post(f"job/{job_id}", body, action="start", **params)

    def sessions(self, job_id: str = "1044", **params: object) -> list[dict[str, Any]]:
        """The sessions of a job."""
        condition = {"property": "jobId", "value": job_id, "op": "="}
        answer = self.get("jobsession", filter=[condition], **params)
        assert answer.status == 200
        return answer.json["sessions"]

    def status(self, session_id: str) -> str:
        """The status of a session."""
        return self.get(f"jobsession/{session_id}").json["status"]

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
