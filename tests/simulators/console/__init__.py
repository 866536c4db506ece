# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A QRadar console to test against: app proxy, log-in, REST API, rule engine with its jail.

Written from the facts (docs/qradar.md), not from our app; standard library and ``openssl``.

    with ConsoleSimulator(port=0, fqdn="console.example") as console:
        console.register_app(1001, "safeguarded-restore", address=("127.0.0.1", 32768))
        cookies = console.login("analyst")              # {"SEC": …, "QRadarCSRF": …}
        token = console.add_service("trigger", "Restore trigger")
        script = console.custom_actions.put_script(b"echo $1\n", "hello.sh")
        action = console.custom_actions.put_action({"name": "Hello", "interpreter": 1,
            "script": script.id, "parameters": [{"name": "who", "parameter_type": "dynamic",
            "encrypted": False, "value": "username"}]})
        console.deploy()
        firing = console.fire_rule(100231, "SQL attack", event={"username": "anna"},
                                   action=action.id)
        assert firing.wait().stdout == "anna\n"
        offense_id = firing.wait_for_offense()

Clients verify TLS with ``console.ca_file`` (intermediate and root; the server sends the leaf
alone). Users are ``admin saasadmin analyst viewer operator``, each with the password
``<name>-password``; authorized services ``restore-trigger`` and ``restore-service`` exist from the
start (``console.token("restore-service")``). Everything that is open about QRadar, or awkward, is
a switch: see ``switches.py``. Without root the jail raises JailUnavailable; ``jail="none"`` runs
scripts unconfined.

On its own: ``python3 -m tests.simulators.console --port 8444 --app-port 5000`` prints where it
listens and which file holds the tokens, and ends on SIGTERM. Another process drives it with JSON,
from the same machine: GET ``/_control/state`` and ``/_control/switches``; POST
``/_control/switches {"latency": 2.0, "paths": {"/api/siem": {"hang": true}}}``,
``register_app {"app_id", "service", "address": ["127.0.0.1", 5000], "manifest"}``, ``remove_app``,
``login {"username"}``, ``add_service {"label", "role", "expires_at"}``, ``add_rule {"rule_id",
"name", "action", "limiter": {"times", "seconds", "per"}}``, ``deploy``, ``fire_rule {"rule_id",
"rule_name", "event", "action", "wait"}``, ``test_execution {"action_id"}``, ``close_offense
{"offense_id"}``, ``unlock``, ``forget_requests``. An answer is ``{"result": …}``, or
``{"error": …}`` with status 400.
"""

from tests.simulators.console.engine import Firing, ScriptRun
from tests.simulators.console.jail import JailUnavailable
from tests.simulators.console.offenses import Limiter, Rule
from tests.simulators.console.proxy import App
from tests.simulators.console.simulator import ConsoleSimulator
from tests.simulators.console.switches import PathSwitch, Switches
from tests.simulators.console.wire import Recorded

__all__ = [
    "App",
    "ConsoleSimulator",
    "Firing",
    "JailUnavailable",
    "Limiter",
    "PathSwitch",
    "Recorded",
    "Rule",
    "ScriptRun",
    "Switches",
]
