# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console as a whole: puts the parts together and is what tests hold in their hands."""

import tempfile
import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.simulators import certs
from tests.simulators.console.actions import CustomActions
from tests.simulators.console.control import Control
from tests.simulators.console.engine import Engine, Firing, ScriptRun
from tests.simulators.console.identity import Caller, Identity, Role
from tests.simulators.console.jail import Confinement, jail_for
from tests.simulators.console.offenses import Limiter, Offenses, Rule
from tests.simulators.console.pages import Pages
from tests.simulators.console.proxy import App, Apps, Proxy
from tests.simulators.console.rest import Rest
from tests.simulators.console.rest_access import Access
from tests.simulators.console.rest_actions import ActionsApi
from tests.simulators.console.rest_platform import Platform
from tests.simulators.console.rest_siem import Siem
from tests.simulators.console.server import Server
from tests.simulators.console.switches import Switches
from tests.simulators.console.wire import Answer, Hangup, Recorded, Request, html_error


class ConsoleSimulator:
    """A QRadar console on ``host:port`` (0 = any free port); use it in a ``with`` statement.

    ``fqdn`` is in its certificate and need not resolve. ``jail`` is ``chroot`` (needs root) or
    ``none``; it is made when the first script runs. ``api_version`` is the newest version offered.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        fqdn: str = "console.example",
        jail: str = "chroot",
        resolv_conf: str | None = None,
        api_version: str = "29.0",
    ) -> None:
        self.host, self.fqdn, self._asked_port = host, fqdn, port
        self._jail_kind, self._resolv_conf = jail, resolv_conf
        self._jail: Confinement | None = None
        self._jail_lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="console-simulator-")
        self.folder = Path(self._folder.name)
        self.chain = certs.shared_chain(fqdn, fqdn, "localhost", "127.0.0.1")
        self.switches = Switches()
        self.identity = Identity(self.switches)
        self.apps = Apps()
        self.custom_actions = CustomActions()
        self.store = Offenses()
        self.engine = Engine(
            self.store, self.custom_actions, self.switches, get_jail=lambda: self.jail
        )
        self.rest = Rest(self.identity, newest=api_version)
        Access(self.rest, self.identity, self.switches)
        ActionsApi(self.rest, self.custom_actions)
        Siem(self.rest, self.store)
        self.platform = Platform(
            self.rest,
            self.apps,
            self.switches,
            deploy=self.deploy,
            staged=lambda: self.custom_actions.staged,
        )
        self.proxy = Proxy(self.apps, self.identity, self.switches)
        self.pages = Pages(self.apps, self.identity, self.store, self.switches)
        self.requests: list[Recorded] = []
        self.control = Control(self)
        self._stopped = threading.Event()
        self._server: Server | None = None

    def __enter__(self) -> "ConsoleSimulator":
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> "ConsoleSimulator":
        """Listen; requests are answered from now on."""
        (self.folder / "ca.pem").write_text(self.ca_bundle)
        leaf = self.chain.leaf
        self._server = Server(
            (self.host, self._asked_port), self.answer, cert=leaf.cert, key=leaf.key
        )
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Stop listening, end scripts that still run, take the jail and the folder away."""
        self._stopped.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
        if self._jail:
            self._jail.close()
        self.engine.close()
        self._folder.cleanup()

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the console was not started")
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    @property
    def open_connections(self) -> int:
        """How many clients are connected at this moment."""
        return self._server.open_connections if self._server else 0

    @property
    def ca_bundle(self) -> str:
        """The PEM of intermediate and root; also in the file ``ca_file``."""
        return self.chain.ca_bundle

    @property
    def ca_file(self) -> Path:
        """The CA bundle as REQUESTS_CA_BUNDLE would name it."""
        return self.folder / "ca.pem"

    @property
    def root(self) -> certs.Certificate:
        return self.chain.root

    @property
    def jail(self) -> Confinement:
        """Where scripts run, made at the first use; raises JailUnavailable."""
        with self._jail_lock:
            if self._jail is None:
                self._jail = jail_for(self._jail_kind, self.folder, resolv_conf=self._resolv_conf)
            return self._jail

    # Accounts and apps

    def login(self, username: str) -> dict[str, str]:
        """A session's cookies SEC and QRadarCSRF, without the form; raises KeyError."""
        session = self.identity.log_in(username)
        if session is None:
            raise KeyError(username)
        return {"SEC": session.sec, "QRadarCSRF": session.csrf}

    def token(self, label: str) -> str:
        """The token of the authorized service ``label``; raises KeyError."""
        for service in self.identity.services.values():
            if service.label == label:
                return service.token
        raise KeyError(label)

    def add_service(self, label: str, role: str, *, expires_at: datetime | None = None) -> str:
        """A new authorized service for the role of that name; gives its token."""
        return self.identity.add_service(label, role, expires_at=expires_at).token

    def expire_service(self, label: str, at: datetime) -> None:
        """Give the service ``label`` another end, past or future; raises KeyError."""
        token = self.token(label)
        for service in list(self.identity.services.values()):
            if service.token == token:
                self.identity.change_service(replace(service, expires_at=at))

    def add_role(self, name: str, *capabilities: str) -> Role:
        return self.identity.add_role(name, *capabilities)

    def register_app(
        self,
        app_id: int,
        service: str,
        *,
        address: tuple[str, int],
        manifest: dict[str, Any] | None = None,
        status: str = "RUNNING",
    ) -> App:
        """Install an app, or move it; ``address`` is where its port 5000 is mapped to."""
        app = App(app_id, service, (address[0], int(address[1])), manifest or {}, status)
        self.apps.register(app)
        return app

    # Rules and actions

    @property
    def rules(self) -> dict[int, Rule]:
        return self.store.rules

    @property
    def offenses(self) -> dict[int, dict[str, Any]]:
        return self.store.offenses

    @property
    def notes(self) -> dict[int, list[dict[str, Any]]]:
        return self.store.notes

    @property
    def firings(self) -> list[Firing]:
        """Every rule that fired so far, oldest first."""
        return self.engine.firings

    def add_rule(
        self,
        rule_id: int,
        name: str,
        *,
        action: int | None = None,
        limiter: Limiter | None = None,
        **more: Any,
    ) -> Rule:
        """Make a rule, or change it, as the Rule Wizard does; ``more`` are fields of Rule."""
        return self.store.add_rule(Rule(rule_id, name, action, limiter, **more))

    def fire_rule(
        self,
        rule_id: int,
        rule_name: str | None = None,
        *,
        event: dict[str, Any] | None = None,
        action: int | None = None,
        offense: bool = True,
    ) -> Firing:
        """A rule matches ``event``: its action's script starts, its offense comes later.

        A rule not known yet is made. Gives at once; ``Firing.wait()`` gives the script's result.
        """
        return self.engine.fire(
            rule_id, rule_name, event=event or {}, action=action, offense=offense
        )

    def test_execution(self, action_id: int, *, event: dict[str, Any] | None = None) -> ScriptRun:
        """The admin page's Test Execution: the staged script, without RULE_ID, to its end."""
        return self.engine.test(action_id, event or {})

    def deploy(self) -> None:
        """Deploy Changes, at once."""
        self.custom_actions.deploy()
        self.identity.deploy()

    # Requests

    @property
    def api_calls(self) -> list[Recorded]:
        """The recorded requests to the REST API."""
        return [item for item in self.requests if item.path.startswith("/api/")]

    def answer(self, request: Request) -> Answer:
        """What the front web server calls for each request."""
        if request.path.startswith("/_control/"):
            return self.control.answer(request)
        who = ["-"]

        def note_caller(caller: Caller) -> None:
            who[0] = caller.name

        status = 0
        try:
            answer = self._disturbed(request) or self._routed(request, note_caller)
            status = answer.status
            if any(one.lost for one in self.switches.for_request(request.method, request.path)):
                raise Hangup
            return answer
        finally:
            self.requests.append(
                Recorded(
                    *(request.method, request.target, who[0], status),
                    headers=dict(request.headers.items()),
                    body=request.body,
                )
            )

    def _routed(self, request: Request, note_caller: Any) -> Answer:
        if request.path.startswith("/api/"):
            return self.rest.answer(request, note_caller)
        if request.path.startswith("/console/plugins/"):
            return self.proxy.answer(request, note_caller)
        return self.pages.answer(request)

    def _disturbed(self, request: Request) -> Answer | None:
        """What the switches do to the request: wait, hang, hang up, another answer."""
        method, path = request.method, request.path
        for switch in self.switches.for_request(method, path):
            if switch.down or self._stopped.wait(switch.latency):
                raise Hangup
        while any(switch.hang for switch in self.switches.for_request(method, path)):
            if self._stopped.wait(0.05):
                raise Hangup
        statuses = [item.status for item in self.switches.for_request(method, path) if item.status]
        return html_error(statuses[-1]) if statuses else None
