# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""/api/analytics/custom_actions (qradar §5.3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.simulators.console.actions import Action, ActionError, CustomActions, Script
from tests.simulators.console.rest import (
    INVALID,
    NOT_FOUND,
    ApiError,
    Call,
    Rest,
    list_answer,
    one_answer,
)
from tests.simulators.console.wire import Answer

BASE = "/api/analytics/custom_actions"
MASK = "********"
"""What GET shows of an encrypted value; on QRadar that is not stated (qradar §5.3)."""


class ActionsApi:
    """Adds its routes to ``rest``; all need ADMIN."""

    def __init__(self, rest: Rest, custom_actions: CustomActions) -> None:
        self.store = custom_actions
        for method, path, handler in (
            ("GET", "/interpreters", self.interpreters),
            ("GET", "/interpreters/{id}", self.interpreter),
            ("GET", "/scripts", self.scripts),
            ("POST", "/scripts", self.put_script),
            ("GET", "/scripts/{id}", self.script),
            ("POST", "/scripts/{id}", self.put_script),
            ("DELETE", "/scripts/{id}", self.delete_script),
            ("GET", "/actions", self.actions),
            ("POST", "/actions", self.put_action),
            ("GET", "/actions/{id}", self.action),
            ("POST", "/actions/{id}", self.put_action),
            ("DELETE", "/actions/{id}", self.delete_action),
        ):
            rest.add(method, BASE + path, handler, needs=["ADMIN"])

    def interpreters(self, call: Call) -> Answer:
        rows = list(self.store.interpreters.values())
        return list_answer(call, ({"id": item.id, "name": item.name} for item in rows))

    def interpreter(self, call: Call) -> Answer:
        item = self.store.interpreters.get(call.number())
        return one_answer(call, None if item is None else {"id": item.id, "name": item.name})

    def scripts(self, call: Call) -> Answer:
        return list_answer(call, map(_script, list(self.store.scripts.values())))

    def script(self, call: Call) -> Answer:
        script = self.store.scripts.get(call.number())
        return one_answer(call, None if script is None else _script(script))

    def put_script(self, call: Call) -> Answer:
        kind = call.request.headers.get_content_type()
        if kind != "application/octet-stream":
            raise ApiError(415, INVALID, "A script is sent as application/octet-stream")
        name = call.request.headers.get("file_name", "script")
        number = call.number() if call.args else None
        with _errors():
            script = self.store.put_script(call.request.body, name, script_id=number)
        return one_answer(call, _script(script), 200 if call.args else 201)

    def delete_script(self, call: Call) -> Answer:
        with _errors():
            self.store.delete_script(call.number())
        return Answer(204)

    def actions(self, call: Call) -> Answer:
        return list_answer(call, map(_action, list(self.store.actions.values())))

    def action(self, call: Call) -> Answer:
        action = self.store.actions.get(call.number())
        return one_answer(call, None if action is None else _action(action))

    def put_action(self, call: Call) -> Answer:
        document = call.document()
        number = call.number() if call.args else None
        if number is not None and document.get("id") != number:
            raise ApiError(422, INVALID, "id is required and is that of the path")
        with _errors():
            action = self.store.put_action(document, action_id=number)
        return one_answer(call, _action(action), 200 if call.args else 201)

    def delete_action(self, call: Call) -> Answer:
        with _errors():
            self.store.delete_action(call.number())
        return Answer(204)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except KeyError:
        raise ApiError(404, NOT_FOUND, "No such custom action or script") from None
    except ActionError as error:
        raise ApiError(422, INVALID, str(error)) from None


def _script(script: Script) -> dict[str, Any]:
    return {"id": script.id, "file_name": script.file_name}


def _action(action: Action) -> dict[str, Any]:
    return {
        "id": action.id,
        "name": action.name,
        "description": action.description,
        "interpreter": action.interpreter,
        "script": action.script,
        "parameters": [
            {
                "name": item.name,
                "parameter_type": item.parameter_type,
                "encrypted": item.encrypted,
                "value": MASK if item.encrypted else item.value,
            }
            for item in action.parameters
        ],
    }
