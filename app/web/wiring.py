# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How the web process is put together: services from QRadar's environment, Flask, blueprints."""

import logging
from functools import partial
from typing import Any

from flask import Flask, Request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadHost
from werkzeug.routing import Map, MapAdapter

from app import copy_managers
from app.framework import logs, paths
from app.framework.bulkhead import Bulkhead
from app.framework.console_peers import ConsoleAddresses, console_peers
from app.framework.links import absolute_url
from app.framework.secrets import Secrets
from app.qradar.callers_console import CallersConsole
from app.qradar.console import ConsoleClient
from app.qradar.identity import Identity
from app.qradar.refused_asks import RefusedAsks
from app.remote.guard import Guard
from app.remote.trust import fetch_certificate
from app.store.database import Database
from app.store.migrate import migrate
from app.store.store import Store
from app.web.connections import pages as connections
from app.web.frame import (
    access,
    assets,
    bodies,
    headers,
    language,
    presentation,
    problems,
    theme,
)
from app.web.frame.opening import Opening
from app.web.frame.session_key import session_key
from app.web.front.framing import BODY_LIMIT
from app.web.mappings import pages as mappings
from app.web.mappings import rule_picker, simulation, watch_offer
from app.web.runs import api as runs_api
from app.web.runs import attacks, by_hand
from app.web.runs import pages as runs
from app.web.services import EXTENSION, OUTBOUND_CALLS, Services
from app.web.set_up import pages as set_up
from app.web.set_up import uninstall
from app.web.set_up.script import make_script
from app.web.settings import pages as settings
from app.web.settings import service_token
from app.web.status import api as status_api
from app.web.status import (
    diagnostics,
    fragments,
    help,
    needs_person,
    overview,
    unreachable,
)
from app.web.triggers import api as triggers_api

logger = logging.getLogger(__name__)

# What has a register(app) of its own, and what has a blueprint.
_PARTS = (
    *(headers, problems, bodies, theme, access, language, presentation),
    *(needs_person, attacks, unreachable, assets),
)
_SUBJECTS = (
    *(triggers_api, runs_api, status_api),
    *(overview, fragments, help, diagnostics),
    *(runs, attacks, by_hand),
    *(mappings, rule_picker, simulation, watch_offer),
    *(connections, settings, service_token, set_up, uninstall),
)


class _Map(Map):
    """No routing redirect: its address would be made of whatever Host says."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **(more | {"merge_slashes": False}))


class _App(Flask):
    """Answers whatever a request says of its host: the app makes no address of that."""

    url_map_class = _Map

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        try:
            return super().create_url_adapter(request)
        except BadHost:  # Flask would go on without routes, which no error page can do
            if request is None:
                raise
            request.environ["HTTP_HOST"] = "unreadable.invalid"
            return super().create_url_adapter(request)


class _Json(DefaultJSONProvider):
    """Letters stand as they are: the custom action prints an answer as it comes, to people.

    And these are told in the language of the setting.
    """

    ensure_ascii = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        # half of a surrogate pair has no UTF-8, but a JSON escape
        text = super().dumps(language.for_programs(obj), **kwargs)
        return text.encode("utf-8", "backslashreplace").decode()


def build_app(services: Services | None) -> Flask:
    """The Flask app; without ``services``, with those of a QRadar app container."""
    logs.set_up("web")
    services = services or build_services()
    # The rule for files is made by `assets`: Flask's own would be made before the next line.
    app = _App("app", static_folder=None)
    app.config.update(
        SECRET_KEY=session_key(services.database_path.with_name("session-key")),
        # Each app of a console has the same host: the number keeps their cookies apart.
        SESSION_COOKIE_NAME=f"session-{paths.app_id()}",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # Of a chunked body Werkzeug cuts off what is above the limit without a word: the one byte
        # more is what `bodies` recognises it by.
        MAX_CONTENT_LENGTH=BODY_LIMIT + 1,
    )
    app.extensions[EXTENSION] = services
    app.json = _Json(app)
    app.add_template_global(absolute_url, "q_url_for")
    for part in _PARTS:
        part.register(app)
    for subject in _SUBJECTS:
        app.register_blueprint(subject.bp)

    @app.get("/debug")
    def debug() -> str:
        """The platform's health check: it must answer whatever else is broken."""
        return "Pong!"

    return app


def build_services() -> Services:
    """The services of the real web process; the store is brought up to date beside it."""
    bulkhead = Bulkhead(OUTBOUND_CALLS)
    path = paths.database_path()
    system_ca = paths.system_ca_file()
    console = ConsoleClient(_console(), system_ca, timeout=3.0)
    identity = Identity(
        console,
        RefusedAsks(lambda: made.store.refused_asks),
        console_peers=next(console_peers()),
        place=bulkhead.place,
    )
    # what changes the console's configuration may take longer than a look at it
    slow_console = ConsoleClient(_console(), system_ca, timeout=10.0)
    console_api = CallersConsole(slow_console, identity.refused)
    guard = None if paths.is_demo() else Guard(ConsoleAddresses())
    made = Services(
        database_path=path,
        open_store=lambda: Store(Database(path)),
        secrets=Secrets(),
        identity=identity,
        bulkhead=bulkhead,
        cdm_client=partial(
            copy_managers.client_of, system_ca=system_ca, timeouts=(6.0, 10.0), guard=guard
        ),
        test_connection=partial(copy_managers.steps_to, system_ca=system_ca, guard=guard),
        fetch_certificate=partial(fetch_certificate, guard=guard),
        make_script=partial(make_script, bulkhead, system_ca),
        console_api=console_api,
        api_version=console_api.api_version,
        version=_version(),
        console=_console(),
        guard=guard,
        allow_loopback=paths.is_demo(),
        opening=Opening(path, migrate).begin(),
    )
    return made


def _console() -> str:
    """The console's name; without one the app still starts, and says that it can't be reached."""
    try:
        return paths.console_fqdn()
    except KeyError:
        return "console.invalid"


def _version() -> str:
    try:
        return paths.app_version()
    except (KeyError, OSError, ValueError):
        return "unknown"
