# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The rule engine: a rule fires, its custom action runs, its offense follows (qradar §5.1)."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from tests.simulators.console.actions import Action, CustomActions, Script
from tests.simulators.console.jail import Confinement, ScriptRun
from tests.simulators.console.offenses import Offenses, Rule, now_ms
from tests.simulators.console.switches import Switches

__all__ = ["Engine", "Firing", "ScriptRun"]

OLD_BASH = "4.4"


class Firing:
    """One firing of a rule; ``skipped`` says why no script ran, and is empty when one did."""

    def __init__(self, rule: Rule, event: Mapping[str, Any]) -> None:
        self.rule, self.event = rule, dict(event)
        self.skipped = ""
        self.run: ScriptRun | None = None
        self.offense_id: int | None = None
        self._ended = threading.Event()
        self._has_offense = threading.Event()

    def ended(self, run: ScriptRun | None, skipped: str = "") -> None:
        self.run, self.skipped = run, skipped
        self._ended.set()

    def made_offense(self, offense_id: int | None) -> None:
        self.offense_id = offense_id
        self._has_offense.set()

    def wait(self, timeout: float = 90) -> ScriptRun | None:
        """The script's end, None when none ran; raises TimeoutError after ``timeout`` seconds."""
        if not self._ended.wait(timeout):
            raise TimeoutError("the script is still running")
        return self.run

    def wait_for_offense(self, timeout: float = 150) -> int | None:
        """The id of the offense, None when none is made; raises TimeoutError."""
        if not self._has_offense.wait(timeout):
            raise TimeoutError("there is no offense yet")
        return self.offense_id


class Engine:
    """Fires rules; each script has a thread of its own."""

    def __init__(
        self,
        offenses: Offenses,
        custom_actions: CustomActions,
        switches: Switches,
        *,
        get_jail: Callable[[], Confinement],
    ) -> None:
        self.offenses, self.custom_actions, self.switches = offenses, custom_actions, switches
        self.get_jail = get_jail
        self.firings: list[Firing] = []
        self._lock = threading.Lock()
        self._responses: dict[tuple[int, str], deque[float]] = {}
        self._timers: list[threading.Timer] = []
        self._threads: list[threading.Thread] = []

    def fire(
        self,
        rule_id: int,
        rule_name: str | None,
        *,
        event: Mapping[str, Any],
        action: int | None,
        offense: bool,
    ) -> Firing:
        """See ConsoleSimulator.fire_rule; raises JailUnavailable before anything has happened."""
        rule = self.offenses.rules.get(rule_id)
        if rule is None:
            rule = self.offenses.add_rule(Rule(rule_id, rule_name or f"Rule {rule_id}", action))
        event = {"starttime": now_ms(), **event}
        firing = Firing(rule, event)
        number = rule.action if action is None else action
        found, skipped = self._response(rule, number, event)
        if found:
            self._start(firing, *found)
        else:
            firing.ended(None, skipped)
        self.firings.append(firing)
        self._make_offense(firing, offense=offense and rule.enabled)
        return firing

    def test(self, action_id: int, event: Mapping[str, Any]) -> ScriptRun:
        """See ConsoleSimulator.test_execution; raises KeyError without such an action."""
        return self._execute(*self.custom_actions.current()[action_id], event, None)

    def close(self) -> None:
        """No more offenses; ends scripts that run, through the jail, and waits for them."""
        with self._lock:
            timers, threads = list(self._timers), list(self._threads)
        for timer in timers:
            timer.cancel()
        for thread in threads:
            thread.join(timeout=10)

    def _response(
        self, rule: Rule, number: int | None, event: Mapping[str, Any]
    ) -> tuple[tuple[Action, Script] | None, str]:
        """The action and script that the response runs, or None and the reason."""
        if not rule.enabled:
            return None, "the rule is disabled"
        if number is None:
            return None, "the rule has no custom action"
        need_deploy = self.switches.actions_need_deploy
        known = self.custom_actions.deployed if need_deploy else self.custom_actions.current()
        if number not in known:
            return None, "the custom action has not been deployed"
        if self._limited(rule, event):
            return None, "the response limiter"
        return known[number], ""

    def _limited(self, rule: Rule, event: Mapping[str, Any]) -> bool:
        if (limiter := rule.limiter) is None:
            return False
        now = time.monotonic()
        with self._lock:
            key = (rule.id, str(event.get(limiter.per, "")))
            times = self._responses.setdefault(key, deque())
            while times and times[0] <= now - limiter.seconds:
                times.popleft()
            if len(times) >= limiter.times:
                return True
            times.append(now)
            return False

    def _start(self, firing: Firing, action: Action, script: Script) -> None:
        self.get_jail()

        def work() -> None:
            firing.ended(self._execute(action, script, firing.event, firing.rule))

        thread = threading.Thread(target=work, daemon=True)
        with self._lock:
            self._threads = [item for item in self._threads if item.is_alive()] + [thread]
            thread.start()

    def _execute(
        self, action: Action, script: Script, event: Mapping[str, Any], rule: Rule | None
    ) -> ScriptRun:
        jail = self.get_jail()
        path = jail.put_script(f"customaction_{script.id}.script", script.content)
        interpreter = self.custom_actions.interpreters[action.interpreter]
        argv = (interpreter.path, path, *self._arguments(action, event))
        environment = dict(self.switches.script_environment)
        if self.switches.old_bash and interpreter.name == "Bash":
            environment["BASH_COMPAT"] = OLD_BASH
        if rule is not None:
            environment |= {"RULE_ID": str(rule.id), "RULE_NAME": rule.name}
        began = time.monotonic()
        done = jail.run(
            argv,
            environment=environment,
            folder=self.switches.script_folder,
            timeout=self.switches.script_timeout,
        )
        return ScriptRun(
            done.exit_code,
            done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
            time.monotonic() - began,
            argv,
            timed_out=done.timed_out,
        )

    def _arguments(self, action: Action, event: Mapping[str, Any]) -> list[str]:
        """Positional, in the order defined; a column that the event lacks is ``missing_value``."""
        values = []
        for parameter in action.parameters:
            value: Any = parameter.value
            if parameter.parameter_type == "dynamic":
                value = event.get(parameter.value)
            values.append(self.switches.missing_value if value is None else str(value))
        return values

    def _make_offense(self, firing: Firing, *, offense: bool) -> None:
        if not offense:
            firing.made_offense(None)
            return

        def work() -> None:
            firing.made_offense(self.offenses.contribute(firing.rule, firing.event))

        timer = threading.Timer(self.switches.offense_delay, work)
        timer.daemon = True
        with self._lock:
            self._timers = [item for item in self._timers if item.is_alive()] + [timer]
            timer.start()
