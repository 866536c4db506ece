# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Every caller at every route of the app: what each may do is decided here, and nowhere by default.

The routes are read from the app, so that a new one without a decision fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app import create_app
from app.qradar.console import ConsoleAnswer, ConsoleRefused
from app.qradar.identity import Identity
from app.qradar.identity import Right as R
from app.qradar.refused_asks import RefusedAsks
from tests.web.conftest import World

PUBLIC = {"static", "debug", "triggers_api.receive_trigger", "uninstall.uninstall"}
VIEW = {
    *("overview.show", "runs.show_list", "runs.show", "help.show"),
    *("runs_api.list_runs", "runs_api.export_runs", "runs_api.read_run"),
    *("state_api.read_health", "state_api.read_csrf_token"),
    *("attacks.list_attacks", "by_hand.show"),
    *("fragments.show_offense", "fragments.find_restores", "fragments.show_dashboard_item"),
    "fragments.show_no_offense",
}
OPERATE = {
    *("by_hand.start", "by_hand.start_by_api"),
    *("attacks.acknowledge", "attacks.acknowledge_by_api"),
    *("runs.ask", "runs.resolve", "runs_api.ask", "runs_api.resolve", "overview.dismiss"),
}
ADMINISTER = {
    *("connections.show_list", "connections.show_new", "connections.show", "connections.add"),
    *("connections.change", "connections.delete", "connections.test"),
    *("mappings.show_list", "mappings.show_new", "mappings.show", "mappings.add"),
    *("mappings.change", "mappings.delete", "rules.search", "watch_offer.answer"),
    *(
        "settings.show",
        "settings.set_mode",
        "settings.set_leef",
        "settings.set_own_events",
        "settings.set_operator_roles",
        "settings.set_language",
    ),
    *(
        "settings.new_token",
        "settings.revoke_token",
        "settings.confirm_tokens",
        "settings.download_script",
    ),
    *("service_token.save", "service_token.remove", "state_api.read_config"),
    *("simulation.start", "simulation.show"),
    *("set_up.show", "set_up.install", "set_up.remove", "set_up.remove_service"),
    *("diagnostics.show", "diagnostics.download"),
}


def _token(number: int) -> str:
    """A token of the right shape."""
    return str(UUID(int=number))


TRIGGER, SERVICE = _token(6), _token(7)


@dataclass(frozen=True)
class Account:
    """What the console says of a token."""

    role: str
    capability: str
    service: bool = False


ACCOUNTS = {
    _token(1): Account("Viewers", "SEM"),
    _token(2): Account("Analysts", "SEM"),
    _token(3): Account("Storage operators", "SEM"),
    _token(4): Account("Admin", "ADMIN"),
    _token(5): Account("SaaS", "SAASADMIN"),
    TRIGGER: Account("Triggers", "SEM", service=True),
    SERVICE: Account("Automation", "ADMIN", service=True),
}
NONE: frozenset[R] = frozenset()
LOOK, ALL = frozenset({R.VIEW}), frozenset(R)
CALLERS: Mapping[str, tuple[str | None, frozenset[R] | None]] = {
    "no token": (None, None),
    "malformed": ("not a token!", None),
    "expired": (_token(9), None),
    "viewer": (_token(1), LOOK),
    "analyst": (_token(2), LOOK),
    "operator role": (_token(3), LOOK | {R.OPERATE}),
    "admin": (_token(4), ALL),
    "SAASADMIN": (_token(5), ALL),
    "the trigger's service": (TRIGGER, NONE),
    "a service with ADMIN": (SERVICE, ALL),
}


_FORM = "application/x-www-form-urlencoded"


class Console:
    """The console's three questions about a token."""

    def request(
        self, method: str, path: str, *, sec: str | None, params: Mapping[str, str] | None
    ) -> ConsoleAnswer:
        account = ACCOUNTS.get(sec or "")
        if account is None:
            raise ConsoleRefused(401, None, "No SEC header present in request.")
        rows: list[dict[str, object]] = []
        if path.endswith("user_roles"):
            rows = [{"id": 1, "name": account.role, "capabilities": [{"name": account.capability}]}]
        elif path.endswith("users") and not account.service:
            rows = [{"id": 1, "username": "somebody"}]
        elif path.endswith("authorized_services") and account.service:
            rows = [{"id": 1, "label": "a service"}]
        return ConsoleAnswer(200, rows, {})


def make_identity(world: World) -> Identity:
    return Identity(Console(), RefusedAsks(lambda: world.store.refused_asks))


@pytest.fixture
def app(world: World) -> Flask:
    world.store.settings.set("operator_roles", ["Storage operators"], by="test", now=world.clock())
    app = create_app(replace(world.services, identity=make_identity(world)))
    app.testing = True
    return app


def needed(endpoint: str) -> R | None:
    """The right that was decided for an endpoint; None: anybody."""
    decided = {
        **dict.fromkeys(PUBLIC, None),
        **dict.fromkeys(VIEW, R.VIEW),
        **dict.fromkeys(OPERATE, R.OPERATE),
        **dict.fromkeys(ADMINISTER, R.ADMINISTER),
    }
    return decided[endpoint]


def test_every_route_has_a_decision(app: Flask) -> None:
    """A route that is added must be decided on above; one that went must go there too."""
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == (
        PUBLIC | VIEW | OPERATE | ADMINISTER
    )


def address(rule: Rule) -> str:
    words = {"filename": "app.css", **(rule.defaults or {})}
    built = rule.build({name: words.get(name, 1) for name in rule.arguments})
    assert built is not None
    return built[1]


@pytest.mark.parametrize("who", CALLERS)
def test_each_caller_gets_what_was_decided_at_every_route(app: Flask, who: str) -> None:
    """401 who is not known, 403 who lacks the right; a form's token is asked for after that."""
    token, rights = CALLERS[who]
    wrong = []
    for rule in app.url_map.iter_rules():
        right = needed(rule.endpoint)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            client = app.test_client()
            if token:
                client.set_cookie("SEC", token)
            kind = "application/json" if "/api/" in rule.rule else _FORM
            answer = client.open(address(rule), method=method, content_type=kind)
            refused = answer.status_code == 403 and "may not do this" in answer.text
            if right is None:
                good = not refused
            elif rights is None:
                good = answer.status_code == 401
            else:
                good = refused is (right not in rights) and answer.status_code != 401
            if not good:
                wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []
