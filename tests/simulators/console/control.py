# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``/_control/…``: drives a simulator that runs in another process; only from this machine."""

import ipaddress
import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.simulators.console.engine import Firing
from tests.simulators.console.jail import JailUnavailable, ScriptRun
from tests.simulators.console.offenses import Limiter
from tests.simulators.console.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from tests.simulators.console.simulator import ConsoleSimulator

MASK = "********"


class Control:
    """GET ``state`` and ``switches``; POST an action's name, with its arguments as JSON."""

    def __init__(self, console: "ConsoleSimulator") -> None:
        self.console = console
        self.actions: dict[str, Callable[..., Any]] = {
            "switches": self.switches,
            "register_app": self.register_app,
            "remove_app": self.remove_app,
            "login": console.login,
            "add_service": self.add_service,
            "add_rule": self.add_rule,
            "close_offense": console.store.close,
            "deploy": console.deploy,
            "fire_rule": self.fire_rule,
            "test_execution": self.test_execution,
            "unlock": console.identity.unlock,
            "forget_requests": console.requests.clear,
        }

    def answer(self, request: Request) -> Answer:
        if not ipaddress.ip_address(request.client).is_loopback:
            return json_answer({"error": "only from this machine"}, 404)
        name = request.path.removeprefix("/_control/")
        if request.method == "GET":
            views = {"state": self.state, "switches": self.console.switches.as_dict}
            view = views.get(name)
            return json_answer(view()) if view else json_answer({"error": "no such view"}, 404)
        if name not in self.actions:
            return json_answer({"error": "no such action"}, 404)
        try:
            arguments = json.loads(request.body or b"{}")
            return json_answer({"result": self.actions[name](**arguments)})
        except (ValueError, TypeError, KeyError, JailUnavailable, TimeoutError) as error:
            return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)

    def state(self) -> dict[str, Any]:
        """Everything worth seeing, with every token masked."""
        console = self.console
        document = {
            "url": console.url,
            "fqdn": console.fqdn,
            "apps": [
                {"app_id": app.app_id, "service": app.service, "address": list(app.address)}
                for app in console.apps.all()
            ],
            "users": sorted(user.username for user in console.identity.users.values()),
            "services": [
                {"id": item.id, "label": item.label, "role_id": item.role_id}
                for item in list(console.identity.services.values())
            ],
            "switches": console.switches.as_dict(),
            "staged": console.custom_actions.staged,
            "actions": [
                {"id": action.id, "name": action.name, "script": action.script}
                for action in list(console.custom_actions.actions.values())
            ],
            "rules": [
                {"id": rule.id, "name": rule.name, "action": rule.action}
                for rule in list(console.rules.values())
            ],
            "offenses": list(console.offenses.values()),
            "notes": {str(number): list(notes) for number, notes in console.notes.items()},
            "firings": [_firing(firing) for firing in list(console.engine.firings)],
            "requests": [
                {"method": item.method, "path": item.path, "who": item.who, "status": item.status}
                for item in list(console.requests)
            ],
        }
        return self._masked(document)

    def _masked(self, document: dict[str, Any]) -> dict[str, Any]:
        """``document`` without any token or any encrypted parameter of a custom action."""
        secrets = self.console.identity.secrets()
        for action in list(self.console.custom_actions.actions.values()):
            secrets += [item.value for item in action.parameters if item.encrypted and item.value]
        text = json.dumps(document)
        for secret in secrets:
            text = text.replace(json.dumps(secret)[1:-1], MASK)
        masked: dict[str, Any] = json.loads(text)
        return masked

    def switches(self, **changes: Any) -> dict[str, object]:
        self.console.switches.update(changes)
        return self.console.switches.as_dict()

    def register_app(
        self,
        app_id: int,
        service: str,
        *,
        address: list[Any],
        manifest: dict[str, Any] | None = None,
    ) -> str:
        host, port = address
        app = self.console.register_app(
            app_id, service, address=(host, int(port)), manifest=manifest
        )
        return app.base_path

    def remove_app(self, app_id: int) -> None:
        self.console.apps.remove(app_id)

    def add_service(self, label: str, role: str, *, expires_at: str | None = None) -> str:
        """``expires_at`` in ISO 8601 with its offset; gives the token."""
        moment = None if expires_at is None else datetime.fromisoformat(expires_at)
        return self.console.add_service(label, role, expires_at=moment)

    def add_rule(
        self, rule_id: int, name: str, *, limiter: dict[str, Any] | None = None, **more: Any
    ) -> None:
        made = None if limiter is None else Limiter(**limiter)
        self.console.add_rule(rule_id, name, limiter=made, **more)

    def fire_rule(self, rule_id: int, *, wait: bool = True, **more: Any) -> dict[str, Any]:
        """Fires; with ``wait`` (the default) answers once the script has ended."""
        firing = self.console.fire_rule(rule_id, **more)
        if wait:
            firing.wait()
        return self._masked(_firing(firing))

    def test_execution(self, action_id: int, **more: Any) -> dict[str, Any]:
        return self._masked(_run(self.console.test_execution(action_id, **more)))


def _firing(firing: Firing) -> dict[str, Any]:
    return {
        "rule_id": firing.rule.id,
        "rule_name": firing.rule.name,
        "event": firing.event,
        "skipped": firing.skipped,
        "offense_id": firing.offense_id,
        "run": None if firing.run is None else _run(firing.run),
    }


def _run(run: ScriptRun) -> dict[str, Any]:
    """Without the arguments, which carry tokens."""
    return {
        "exit_code": run.exit_code,
        "stdout": run.stdout,
        "stderr": run.stderr,
        "duration": round(run.duration, 3),
        "timed_out": run.timed_out,
    }
