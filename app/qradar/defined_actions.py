# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console's custom actions, their scripts and interpreters, by REST (qradar §5.3).

Ids differ from console to console, so everything is looked up by name first. Of what is made, only
the id is asked back (``fields``): an answer that repeats the parameters would repeat the tokens.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.message import Message
from app.qradar.administrator import BY_HAND, Administrator, Gone, NotDone

_BASE = "/api/analytics/custom_actions"
_ID_ONLY = {"fields": "id"}


@dataclass(frozen=True, slots=True)
class Action:
    """A custom action as the console shows it; ``parameters`` None: it does not show them."""

    id: int
    name: str
    description: str
    interpreter: int | None
    script: int | None
    parameters: tuple[tuple[str, str, bool, str | None], ...] | None


def visible(parameters: Sequence[dict[str, Any]]) -> tuple[tuple[str, str, bool, str | None], ...]:
    """Parameters as they can be compared: name, type, encrypted, value; an encrypted one's: None.

    What the console shows of an encrypted value is not stated, so it is never looked at.
    """
    return tuple(
        (
            str(one.get("name")),
            str(one.get("parameter_type")).lower(),
            bool(one.get("encrypted")),
            None if one.get("encrypted") else str(one.get("value")),
        )
        for one in parameters
    )


def find_interpreter(admin: Administrator) -> int:
    """The id of Bash: the name has that word, and if several have, the one that is just that."""
    rows = admin.rows(f"{_BASE}/interpreters", Message("list the interpreters"))
    found = [
        (len(str(row.get("name"))), row["id"])
        for row in rows
        if re.search(r"\bbash\b", str(row.get("name")), re.IGNORECASE)
        and isinstance(row.get("id"), int)
    ]
    if not found:
        names = ", ".join(str(row.get("name")) for row in rows) or Message("none")
        raise NotDone(
            Message("This console offers no interpreter named Bash for custom actions."),
            cause=Message("It offers: {names}.", names=names),
            advice=BY_HAND,
        )
    return int(min(found)[1])


def list_actions(admin: Administrator) -> tuple[Action, ...]:
    """Every custom action of the console."""
    rows = admin.rows(f"{_BASE}/actions", Message("list the custom actions"))
    return tuple(_action(row) for row in rows if isinstance(row.get("id"), int))


def has_script(admin: Administrator, script_id: int) -> bool:
    """Whether a script is there; its content can't be read back."""
    return admin.find(f"{_BASE}/scripts/{script_id}", Message("look up the script")) is not None


def find_script(admin: Administrator, file_name: str) -> int | None:
    """The id of the script with that file name."""
    for row in admin.rows(f"{_BASE}/scripts", Message("list the scripts")):
        if row.get("file_name") == file_name and isinstance(row.get("id"), int):
            return int(row["id"])
    return None


def put_script(admin: Administrator, content: str, file_name: str, *, script_id: int | None) -> int:
    """Upload a script, or replace one; give its id. Raises `Gone` when it is not there."""
    path = f"{_BASE}/scripts" if script_id is None else f"{_BASE}/scripts/{script_id}"
    answer = admin.post(
        path,
        Message("upload the script"),
        data=content.encode(),
        headers={"Content-Type": "application/octet-stream", "file_name": file_name, **_ID_ONLY},
    )
    return (
        script_id
        if script_id is not None
        else _id(answer, Message("QRadar took the script but did not say under which number."))
    )


def put_action(admin: Administrator, document: dict[str, Any], *, action_id: int | None) -> int:
    """Create an action, or change one, with all its parameters; give its id.

    Raises `Gone` when the one to be changed is not there.
    """
    if action_id is None:
        answer = admin.post(
            f"{_BASE}/actions", Message("create the custom action"), json=document, headers=_ID_ONLY
        )
        return _id(
            answer, Message("QRadar took the custom action but did not say under which number.")
        )
    admin.post(
        f"{_BASE}/actions/{action_id}",
        Message("change the custom action"),
        json={"id": action_id, **document},
        headers=_ID_ONLY,
    )
    return action_id


def delete_action(admin: Administrator, action_id: int) -> None:
    """Delete an action; not being there is as good."""
    admin.delete(f"{_BASE}/actions/{action_id}", Message("delete the custom action"))


def delete_script(admin: Administrator, script_id: int) -> None:
    """Delete a script, which no action may use any more; not being there is as good."""
    admin.delete(f"{_BASE}/scripts/{script_id}", Message("delete the script"))


def _id(answer: dict[str, Any], unnumbered: Message) -> int:
    number = answer.get("id")
    if not isinstance(number, int):
        raise NotDone(
            unnumbered,
            advice=Message("Look under Admin, Custom Actions, Define Actions."),
            perhaps=True,
        )
    return number


def _action(row: dict[str, Any]) -> Action:
    shown = row.get("parameters")
    return Action(
        row["id"],
        str(row.get("name", "")),
        str(row.get("description") or ""),
        row.get("interpreter") if isinstance(row.get("interpreter"), int) else None,
        row.get("script") if isinstance(row.get("script"), int) else None,
        visible([one for one in shown if isinstance(one, dict)])
        if isinstance(shown, list)
        else None,
    )


__all__ = [
    "Action",
    "Gone",
    "delete_action",
    "delete_script",
    "find_interpreter",
    "find_script",
    "has_script",
    "list_actions",
    "put_action",
    "put_script",
    "visible",
]
