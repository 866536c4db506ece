# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Custom actions: interpreters, scripts, actions; staged and deployed (qradar §5)."""

import threading
from dataclasses import dataclass, field
from typing import Any

_BUILT_IN = """
adekey adevalue category collectorid credibility creeventlist destinationaddress destinationip
destinationmac destinationport devicegrouplist devicetime devicetype domainid duration endtime
eventcount eventdirection geographiclocation hasidentity hasoffense highlevelcategory
identityhostname identityip iscreevent isduplicate islogonly istruncated isunparsed logsourceid
logsourceidentifier magnitude partialmatchlist payload postnatdestinationip postnatdestinationport
postnatsourceip postnatsourceport prenatdestinationip prenatdestinationport prenatsourceip
prenatsourceport processorid protocolid qid qideventcategory qideventid relevance severity
sourceaddress sourceip sourcemac sourceport sourcev6 starttime storedforperformance username
"""
_CUSTOM = ("CRE Name", "CRE Description", "rule name", "rule id", "hostname", "url")
EVENT_COLUMNS = (*_BUILT_IN.split(), *_CUSTOM)
"""The columns of the ``events`` database, custom properties last."""


class ActionError(Exception):
    """A custom action or script can't be made, changed or deleted."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    id: int
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Script:
    id: int
    file_name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One positional argument: a constant (``fixed``) or an event column (``dynamic``)."""

    name: str
    parameter_type: str
    encrypted: bool
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Action:
    id: int
    name: str
    description: str
    interpreter: int
    script: int
    parameters: tuple[Parameter, ...]


INTERPRETERS = (
    Interpreter(1, "Bash", "/bin/bash"),
    Interpreter(2, "Perl", "/usr/bin/perl"),
    Interpreter(3, "Python", "/usr/bin/python"),
)


class CustomActions:
    """What was defined, and what the event processors have since the last deploy."""

    def __init__(self) -> None:
        self.interpreters = {item.id: item for item in INTERPRETERS}
        self.scripts: dict[int, Script] = {}
        self.actions: dict[int, Action] = {}
        self.deployed: dict[int, tuple[Action, Script]] = {}
        self._lock = threading.RLock()
        self._next_id = 101

    def _number(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def put_script(
        self, content: bytes, file_name: str = "script", *, script_id: int | None = None
    ) -> Script:
        """Upload a script, or replace one; raises KeyError when there is none to replace."""
        with self._lock:
            if script_id is not None and script_id not in self.scripts:
                raise KeyError(script_id)
            script = Script(script_id or self._number(), file_name, content)
            self.scripts[script.id] = script
            return script

    def delete_script(self, script_id: int) -> None:
        """Raises KeyError, and ActionError while an action uses it."""
        with self._lock:
            if any(action.script == script_id for action in self.actions.values()):
                raise ActionError("The script is in use by a custom action")
            del self.scripts[script_id]

    def put_action(self, document: dict[str, Any], *, action_id: int | None = None) -> Action:
        """Create an action from its REST form, or change one; raises KeyError, ActionError."""
        with self._lock:
            old = None if action_id is None else self.actions[action_id]
            name = document.get("name", old.name if old else None)
            if not isinstance(name, str) or not name:
                raise ActionError("name is required")
            if any(item.name == name and item.id != action_id for item in self.actions.values()):
                raise ActionError(f"The name {name} is taken")
            interpreter, script = document.get("interpreter"), document.get("script")
            if interpreter not in self.interpreters:
                raise ActionError("interpreter names no interpreter")
            if script not in self.scripts:
                raise ActionError("script names no script")
            action = Action(
                action_id or self._number(),
                name,
                str(document.get("description", old.description if old else "")),
                interpreter,
                script,
                _parameters(document.get("parameters")),
            )
            self.actions[action.id] = action
            return action

    def delete_action(self, action_id: int) -> None:
        """Raises KeyError."""
        with self._lock:
            del self.actions[action_id]

    def current(self) -> dict[int, tuple[Action, Script]]:
        """What a deploy would bring to the event processors."""
        with self._lock:
            return {item.id: (item, self.scripts[item.script]) for item in self.actions.values()}

    def deploy(self) -> None:
        self.deployed = self.current()

    @property
    def staged(self) -> bool:
        """Whether there is something to deploy."""
        return self.deployed != self.current()


def _parameters(items: object) -> tuple[Parameter, ...]:
    if not isinstance(items, list):
        raise ActionError("parameters is a list")
    made = []
    for item in items:
        if not isinstance(item, dict) or not {"name", "parameter_type", "value"} <= item.keys():
            raise ActionError("a parameter has name, parameter_type, encrypted and value")
        encrypted = item.get("encrypted", False)
        parameter = Parameter(item["name"], item["parameter_type"], encrypted, item["value"])
        _check(parameter)
        made.append(parameter)
    if len({parameter.name for parameter in made}) != len(made):
        raise ActionError("parameter names are unique within an action")
    return tuple(made)


def _check(parameter: Parameter) -> None:
    if not isinstance(parameter.name, str) or not parameter.name:
        raise ActionError("a parameter's name is a string")
    if not isinstance(parameter.value, str) or not isinstance(parameter.encrypted, bool):
        raise ActionError("a parameter's value is a string, encrypted a boolean")
    if parameter.parameter_type == "dynamic":
        if parameter.encrypted:
            raise ActionError("a dynamic parameter can't be encrypted")
        if parameter.value not in EVENT_COLUMNS:
            raise ActionError(f"{parameter.value} is no column of the events database")
    elif parameter.parameter_type != "fixed":
        raise ActionError("parameter_type is fixed or dynamic")
