# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages a person sees: the log-in form, an app in the console's frame, and an offense."""

from html import escape

from tests.simulators.console import offense_page
from tests.simulators.console.identity import Identity
from tests.simulators.console.offenses import Offenses
from tests.simulators.console.proxy import App, Apps
from tests.simulators.console.switches import Switches
from tests.simulators.console.wire import Answer, Request, html_answer, html_error, redirect

COOKIE = "{name}={value}; Path=/; Secure"


class Pages:
    """``/console/``, ``/console/logon.jsp``, ``/console/logout`` and the page of an offense."""

    def __init__(
        self, apps: Apps, identity: Identity, offenses: Offenses, switches: Switches
    ) -> None:
        self.apps, self.identity, self.offenses = apps, identity, offenses
        self.switches = switches

    def answer(self, request: Request) -> Answer:
        match request.path, request.method:
            case ("/" | "/console", _):
                return redirect("/console/")
            case ("/console/logon.jsp", "POST"):
                return self._log_in(request)
            case ("/console/logon.jsp", "GET" | "HEAD"):
                return _logon_form()
            case ("/console/logout", _):
                self.identity.log_out(request.cookies.get("SEC"))
                gone = COOKIE.format(name="SEC", value="") + "; HttpOnly; Max-Age=0"
                return redirect("/console/logon.jsp", headers=[("Set-Cookie", gone)])
            case ("/console/", "GET" | "HEAD"):
                return self._console(request)
            case (offense_page.PATH, "GET" | "HEAD"):
                if self.identity.find(request.cookies.get("SEC")) is None:
                    return redirect("/console/logon.jsp")
                return offense_page.answer(request, self.apps, self.offenses, self.switches)
            case ("/favicon.ico", _):
                # A browser asks for it by itself, and a 404 would stand in its console.
                return html_answer("")
        return html_error(404)

    def _log_in(self, request: Request) -> Answer:
        session = self.identity.log_in(
            request.form.get("user", ""), request.form.get("password", "")
        )
        if session is None:
            return _logon_form("The user name or the password is wrong.", status=401)
        cookies = [
            ("Set-Cookie", COOKIE.format(name="SEC", value=session.sec) + "; HttpOnly"),
            ("Set-Cookie", COOKIE.format(name="QRadarCSRF", value=session.csrf)),
        ]
        return redirect("/console/", headers=cookies)

    def _console(self, request: Request) -> Answer:
        """An app in an iframe: the first one's first area, or what ``app`` and ``page`` name."""
        caller = self.identity.find(request.cookies.get("SEC"))
        if caller is None:
            return redirect("/console/logon.jsp")
        theme = "dark" if request.query.get("theme") == "dark" else "light"
        apps = self.apps.all()
        wanted = request.query.get("app", "")
        shown = next((app for app in apps if str(app.app_id) == wanted), apps[0] if apps else None)
        tabs = "".join(_tab(app, text, url, theme) for app in apps for text, url in app.areas)
        if shown is None:
            frame = "<p>No app is installed.</p>"
        else:
            page = request.query.get("page", shown.areas[0][1])
            source = f"plugins/{shown.app_id}/app_proxy/{page}?ui=new&theme={theme}"
            frame = (
                f'<iframe id="app" name="app" title="App" src="{escape(source)}" '
                'style="border:0;width:100%;height:calc(100vh - 4rem)"></iframe>'
            )
        return html_answer(
            f'<header><b>QRadar</b> <nav style="display:inline">{tabs}</nav> '
            f'<span id="user">{escape(caller.name)}</span> <a href="logout">Log out</a></header>'
            f"<main>{frame}</main>",
            title="IBM QRadar (simulator)",
        )


def _tab(app: App, text: str, url: str, theme: str) -> str:
    source = f"plugins/{app.app_id}/app_proxy/{url}?ui=new&theme={theme}"
    return f'<a target="app" href="{escape(source)}">{escape(text)}</a> '


def _logon_form(problem: str = "", *, status: int = 200) -> Answer:
    return html_answer(
        '<h1>QRadar</h1><form method="post" action="logon.jsp">'
        '<label>User <input name="user" autocomplete="username"></label> '
        '<label>Password <input name="password" type="password"></label> '
        f'<button type="submit">Log in</button></form><p role="alert">{escape(problem)}</p>',
        status,
        title="Log in to QRadar",
    )
