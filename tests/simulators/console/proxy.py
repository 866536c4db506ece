# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The app proxy: the four URL forms, who may pass, what reaches the app (qradar §3)."""

import hmac
import http.client
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.console.identity import Caller, Identity
from tests.simulators.console.switches import Switches
from tests.simulators.console.wire import Answer, Request, html_error

FORMS = re.compile(
    r"/console/plugins/(?:"
    r"(?P<id>\d+)/app_proxy(?::(?P<service>[^/:]+))?"
    r"|app_proxy:(?P<id2>\d+):(?P<service2>[^/:]+)"
    r"|app_proxy:(?P<service3>[^/:]+)"
    r")(?P<rest>/.*|$)"
)
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade", "content-length", "expect"),
}
OURS = {
    *("host", "x-console-host", "qradaruser", "qradaruserrole", "qradarsecurityprofile"),
    *("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded"),
}
WRITES = {"POST", "PUT", "DELETE", "PATCH"}


@dataclass(frozen=True, slots=True)
class App:
    """An installed app: ``address`` is where its port 5000 is mapped to."""

    app_id: int
    service: str
    address: tuple[str, int]
    manifest: dict[str, Any] = field(default_factory=dict, repr=False)
    status: str = "RUNNING"

    @property
    def base_path(self) -> str:
        return f"/console/plugins/{self.app_id}/app_proxy"

    @property
    def areas(self) -> list[tuple[str, str]]:
        """Text and URL of its tabs and configuration pages; one tab when it declares none."""
        items = [*self.manifest.get("areas", []), *self.manifest.get("configuration_pages", [])]
        return [(item["text"], item["url"].lstrip("/")) for item in items] or [("App", "index")]


class Apps:
    """The installed apps by id; safe to change while requests are served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._apps: dict[int, App] = {}

    def register(self, app: App) -> None:
        with self._lock:
            self._apps[app.app_id] = app

    def remove(self, app_id: int) -> None:
        """Raises KeyError when it isn't installed."""
        with self._lock:
            del self._apps[app_id]

    def all(self) -> list[App]:
        with self._lock:
            return sorted(self._apps.values(), key=lambda app: app.app_id)

    def find(self, app_id: int | None, service: str | None) -> App | None:
        """The first app with that id and that service; None in either place fits all."""
        for app in self.all():
            if app_id in (None, app.app_id) and service in (None, app.service):
                return app
        return None


class Proxy:
    """Forwards a request to an app; ``note_caller`` is told who passed."""

    def __init__(self, apps: Apps, identity: Identity, switches: Switches) -> None:
        self.apps, self.identity, self.switches = apps, identity, switches

    def answer(self, request: Request, note_caller: Callable[[Caller], None]) -> Answer:
        form = FORMS.fullmatch(request.path)
        if form is None:
            return html_error(404, "No such app path.")
        caller = self.identity.find(request.token)
        if caller is None:
            return html_error(401, "Log in, or send a valid SEC token.")
        note_caller(caller)
        number = form["id"] or form["id2"]
        service = form["service"] or form["service2"] or form["service3"]
        app = self.apps.find(int(number) if number else None, service)
        if app is None:
            return html_error(404, "No such app or service.")
        if refusal := self._refusal(request, caller, app, form["rest"] or "/"):
            return refusal
        return self._forward(request, caller, app, request.target[form.start("rest") :])

    def _refusal(self, request: Request, caller: Caller, app: App, path: str) -> Answer | None:
        csrf_rule = self.switches.use_qradar_csrf or app.manifest.get("use_qradar_csrf") == "true"
        if csrf_rule and caller.user and request.method in WRITES:
            sent = request.headers.get("QRadarCSRF", "")
            if not hmac.compare_digest(sent.encode(), caller.csrf.encode()):
                return html_error(403, "The QRadarCSRF header is missing or wrong.")
        who = self.switches.enforce_capabilities
        if who == "all" or (who == "users" and caller.user):
            for declared in app.manifest.get("rest_methods", []):
                needed = declared.get("required_capabilities", [])
                same = declared["method"] == request.method and declared["url"] == path
                if same and needed and not caller.has(*needed):
                    return html_error(403, "You lack the capability that this needs.")
        return None

    def _forward(self, request: Request, caller: Caller, app: App, target: str) -> Answer:
        if not target.startswith("/"):
            target = f"/{target}"
        connection = http.client.HTTPConnection(*app.address, timeout=self.switches.proxy_timeout)
        try:
            connection.connect()
        except OSError:
            return html_error(503, "The app is not reachable.")
        try:
            connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in self._headers(request, caller, app):
                connection.putheader(name, value.encode("latin-1", "replace"))
            connection.endheaders(request.body)
            if len(request.body) < self._length(request):
                # Whoever sent it went away in the middle: the app sees that, as from a proxy that
                # passes a body on as it comes.
                connection.sock.shutdown(socket.SHUT_WR)
            response = connection.getresponse()
            body = response.read()
        except TimeoutError:
            return html_error(504, "The app did not answer in time.")
        except ValueError:
            return html_error(400, "The request can't be passed on.")
        except (OSError, http.client.HTTPException):
            return html_error(502, "The app's answer could not be read.")
        finally:
            connection.close()
        headers = [
            (name, self._location(value, app) if name.lower() == "location" else value)
            for name, value in response.getheaders()
            if name.lower() not in HOP_BY_HOP
        ]
        if request.method == "HEAD" and (length := response.headers.get("Content-Length")):
            headers.append(("Content-Length", length))
        return Answer(response.status, headers, body)

    def _headers(self, request: Request, caller: Caller, app: App) -> list[tuple[str, str]]:
        named = request.headers.get("Connection", "").lower().replace(" ", "").split(",")
        dropped = HOP_BY_HOP | OURS | set(named)
        if caller.service:
            dropped |= {"sec", "cookie"}
        kept = [(name, value) for name, value in request.headers.items()]
        headers = [(name, value) for name, value in kept if name.lower() not in dropped]
        if caller.service:
            headers += self._token_headers(request, caller.service.token)
        if request.body or request.method in WRITES:
            headers.append(("Content-Length", str(self._length(request))))
        return [
            ("Host", f"{app.address[0]}:{app.address[1]}"),
            *headers,
            ("X-Console-Host", request.headers.get("Host", "")),
            ("QRadarUser", caller.name),
            ("QRadarUserRole", caller.role.name),
            ("QRadarSecurityProfile", "Admin"),
            ("Connection", "close"),
        ]

    @staticmethod
    def _length(request: Request) -> int:
        """What the caller said that the body has; of a chunked one what it had."""
        said = request.headers.get("Content-Length", "")
        return int(said) if said.isdecimal() else len(request.body)

    def _token_headers(self, request: Request, token: str) -> list[tuple[str, str]]:
        """The SEC value of a token caller in the way the switch says; other cookies stay."""
        way = self.switches.token_reaches_app
        cookies = {name: value for name, value in request.cookies.items() if name != "SEC"}
        if way in ("cookie", "both"):
            cookies["SEC"] = token
        headers = [("SEC", token)] if way in ("header", "both") else []
        if cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
            headers.append(("Cookie", pairs))
        return headers

    def _location(self, value: str, app: App) -> str:
        if self.switches.rewrite_location and value.startswith("/") and value[1:2] != "/":
            return app.base_path + value
        return value
