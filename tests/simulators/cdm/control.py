# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The control endpoint ``/_control/…``, for tests in another process (see the package)."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .faults import Fault
from .reply import ApiError, Reply, error, json_reply
from .sessions import LogEntry

if TYPE_CHECKING:
    from .model import Job
    from .simulator import CdmSimulator

ACTIONS = (
    "start_foreign_session",
    "advance_session",
    "add_past_session",
    "vanish_session",
    "purge_log",
    "add_log_entry",
    "expire_api_sessions",
    "add_job",
    "update_job",
    "rename_job",
    "set_job_type",
    "delete_job",
    "add_fault",
    "release",
)


class Control:
    """Answers control requests for one simulator."""

    def __init__(self, simulator: "CdmSimulator") -> None:
        self.simulator = simulator

    def answer(self, method: str, path: str, *, query: str, body: bytes) -> Reply:
        """Answer one; 400 with an error body for what can't be done."""
        try:
            given = json.loads(body) if body.strip() else {}
            found = self._do(method, path.removeprefix("/_control/"), given)
            only = dict(parse_qsl(query)).get("only")
            if only and isinstance(found, dict):
                found = {name: found[name] for name in only.split(",")}
            return json_reply(found)
        except (ValueError, TypeError, KeyError, ApiError) as problem:
            return error(400, "Control", f"{type(problem).__name__}: {problem}")

    def _do(self, method: str, name: str, given: dict[str, Any]) -> object:
        match method, name.rstrip("/"):
            case "GET", "state":
                return self.simulator.state()
            case "GET", "switches":
                return self.simulator.switches.as_json()
            case "POST", "switches":
                self.simulator.switches.merge(given)
                return self.simulator.switches.as_json()
            case "POST", "reset":
                self.simulator.reset()
                return {"result": None}
            case "POST", "actions":
                return {"result": self._act(dict(given))}
        raise ValueError(f"no such control: {method} {name}")

    def _act(self, given: dict[str, Any]) -> object:
        action = given.pop("action", None)
        if action == "set_password":
            self.simulator.password = given["password"]
            return None
        if action not in ACTIONS:
            raise ValueError(f"no such action: {action}")
        result: str | LogEntry | Fault | Job | None = getattr(self.simulator, action)(**given)
        if isinstance(result, Fault):
            return result.as_json()
        return getattr(result, "id", result)
