# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console about itself: versions, release, deploys, installed apps, hosts, event columns."""

import threading
import time
from collections.abc import Callable
from typing import Any

from tests.simulators.console.actions import EVENT_COLUMNS
from tests.simulators.console.proxy import App, Apps
from tests.simulators.console.rest import (
    INVALID,
    NOT_FOUND,
    ApiError,
    Call,
    Rest,
    list_answer,
    one_answer,
)
from tests.simulators.console.switches import Switches
from tests.simulators.console.wire import Answer, json_answer

ABOUT = {
    "build_version": "2026.2.0.20260630120000",
    "external_version": "7.6.0.0",
    "release_name": "7.6.0 Fix Pack 1",
    "fips_enabled": False,
}
APPS = "/api/gui_app_framework"


class Platform:
    """Adds its routes to ``rest``; ``deploy`` makes effective what is staged."""

    def __init__(
        self,
        rest: Rest,
        apps: Apps,
        switches: Switches,
        *,
        deploy: Callable[[], None],
        staged: Callable[[], bool],
    ) -> None:
        self.rest, self.apps, self.switches = rest, apps, switches
        self.deploy, self.staged = deploy, staged
        self.about = dict(ABOUT)
        self.hosts: list[dict[str, Any]] = [
            _host(53, "console", "127.0.0.1"),
            _host(54, "ep1", "127.0.0.2"),
        ]
        self._deploy_lock = threading.Lock()
        self._last_deploy = ("INCREMENTAL", "admin", 0.0)
        self._ends_at = 0.0
        rest.add("GET", "/api/help/versions", self.versions)
        rest.add("GET", "/api/system/about", lambda call: one_answer(call, self.about))
        rest.add("GET", "/api/staged_config/deploy_status", self.status, needs=["ADMIN"])
        rest.add("POST", "/api/staged_config/deploy_status", self.start, needs=["ADMIN"])
        rest.add("GET", f"{APPS}/applications", self.applications, needs=["ADMIN"])
        rest.add("GET", f"{APPS}/applications/{{id}}", self.application, needs=["ADMIN"])
        rest.add("GET", f"{APPS}/named_services", self.named_services)
        rest.add(
            *("GET", "/api/config/deployment/hosts"),
            lambda call: list_answer(call, self.hosts),
            needs=["ADMIN"],
        )
        rest.add("GET", "/api/ariel/databases/events", self.columns, needs=["SEM", "EventViewer"])

    def versions(self, call: Call) -> Answer:
        return list_answer(call, self.rest.versions)

    def columns(self, call: Call) -> Answer:
        columns = [
            {"name": name, "argument_type": "VARCHAR", "object_value_type": "String"}
            for name in EVENT_COLUMNS
        ]
        return one_answer(call, {"columns": columns})

    def status(self, call: Call) -> Answer:
        return json_answer(self._status())

    def _status(self) -> dict[str, Any]:
        kind, who, began = self._last_deploy
        running = time.monotonic() < self._ends_at
        share = (time.monotonic() - began) / max(self.switches.deploy_seconds, 0.001)
        state = "IN_PROGRESS" if running else "SUCCESS"
        return {
            "type": kind,
            "status": "IN_PROGRESS" if running else "COMPLETE",
            "percent_complete": min(99, int(share * 100)) if running else 100,
            "initiated_by": who,
            "initiated_from": "127.0.0.1",
            "hosts": [{"ip": host["private_ip"], "status": state} for host in self.hosts],
        }

    def start(self, call: Call) -> Answer:
        """Starts a deploy; 409 while one runs and when there is nothing to deploy."""
        kind = call.document().get("type")
        if kind not in ("INCREMENTAL", "FULL"):
            raise ApiError(422, INVALID, "type is INCREMENTAL or FULL")
        with self._deploy_lock:
            if time.monotonic() < self._ends_at:
                raise ApiError(409, NOT_FOUND, "A deploy is in progress")
            if kind == "INCREMENTAL" and not self.staged():
                raise ApiError(409, NOT_FOUND, "There is nothing to deploy")
            self._last_deploy = (kind, call.caller.name, time.monotonic())
            self._ends_at = time.monotonic() + self.switches.deploy_seconds
        timer = threading.Timer(self.switches.deploy_seconds, self.deploy)
        timer.daemon = True
        timer.start()
        return json_answer({**self._status(), "status": "INITIALIZING"})

    def applications(self, call: Call) -> Answer:
        return list_answer(call, map(_application, self.apps.all()))

    def application(self, call: Call) -> Answer:
        app = self.apps.find(call.number(), None)
        return one_answer(call, None if app is None else _application(app))

    def named_services(self, call: Call) -> Answer:
        return list_answer(call, map(_named_service, self.apps.all()))


def _application(app: App) -> dict[str, Any]:
    return {
        "application_definition_id": app.app_id,
        "application_state": {
            "application_id": app.app_id,
            "status": app.status,
            "memory": app.manifest.get("resources", {}).get("memory", 100),
            "error_messages": [],
        },
        "image": app.manifest.get("image", "qradar-app-base:4.0.11"),
        "installed_by": "admin",
        "installed_on": 1_795_521_600_000,
        "managed_host_id": 53,
        "manifest": app.manifest,
    }


def _named_service(app: App) -> dict[str, Any]:
    declared: dict[str, Any] = next(iter(app.manifest.get("services", [])), {})
    endpoints = [
        {
            **endpoint,
            "path": f"/console/plugins/{app.app_id}/app_proxy:{app.service}{endpoint['path']}",
        }
        for endpoint in declared.get("endpoints", [])
    ]
    return {
        "name": app.service,
        "version": declared.get("version", "1.0"),
        "application_id": app.app_id,
        "uuid": app.manifest.get("uuid", ""),
        "endpoints": endpoints,
    }


def _host(number: int, name: str, address: str) -> dict[str, Any]:
    components = ["eventprocessor"] if name != "console" else ["console", "eventprocessor"]
    return {
        "id": number,
        "hostname": name,
        "private_ip": address,
        "public_ip": address,
        "status": "ACTIVE",
        "version": ABOUT["external_version"],
        "encryption_enabled": False,
        "components": components,
    }
