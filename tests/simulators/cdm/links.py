# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Links: the map name → {href, schema?}, on the address that was called (cdm §9)."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from .switches import Switches

LIVE_GROUP = ["PENDING", "WAITING", "HELD", "RUNNING", "CANCELLING", "RESOURCE ACTIVE"]
PENDING_GROUP = ["PENDING", "WAITING", "HELD", "RESOURCE ACTIVE"]
ACTIVE_GROUP = ["RUNNING", "CANCELLING"]


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links for one caller."""

    switches: Switches
    base: str
    api_session: str | None

    def href(self, path: str, **params: object) -> str:
        """An absolute link to ``/api/…``; values that aren't text are written as JSON."""
        query = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in params.items()
        }
        if self.switches.links_with_session and self.api_session:
            query["esessionid"] = self.api_session
        base = (self.switches.link_base or self.base).rstrip("/")
        return f"{base}/api/{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")

    def shown(self, links: dict[str, Any], *, hidden: list[str] | None = None) -> dict[str, Any]:
        """The links without those that a switch hides."""
        names = [*self.switches.hidden_links, *(hidden or [])]
        if "*" in names:
            return {}
        return {name: link for name, link in links.items() if name not in names}

    def sessions(self, job_id: str, group: list[str] | None = None) -> dict[str, str]:
        """A link to the sessions of a job, maybe only those in a group of statuses."""
        conditions: list[dict[str, object]] = [
            {"property": "jobId", "value": job_id, "op": "="},
        ]
        if group:
            conditions.append({"property": "status", "value": group, "op": "IN"})
        return {"href": self.href("endeavour/jobsession", filter=conditions)}

    def log(self, session_id: str) -> dict[str, str]:
        """A link to the log of a session."""
        condition = {"property": "jobsessionId", "value": session_id, "op": "="}
        order = {"property": "logTime", "direction": "ASC"}
        return {"href": self.href("endeavour/log/job", filter=[condition], sort=[order])}
