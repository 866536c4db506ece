# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads from the console whose token it is, on the token's own authority (qradar §3.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from app.message import Message
from app.qradar.console import ConsoleAnswer, ConsoleRefused, ConsoleUnavailable

_ACCESS = "/api/config/access"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token belongs to: a user, or an authorized service (``name`` is its label)."""

    name: str
    kind: Literal["user", "service"]
    capabilities: frozenset[str]
    roles: frozenset[str]  # names of user roles; QRadar gives each account one
    id: int | None = None
    role_ids: frozenset[int] = frozenset()
    language: str = ""  # as QRadar keeps it for a user: "en-US"; "" when it does not say


class Console(Protocol):
    """What is asked of; `app.qradar.console.ConsoleClient` is one."""

    def request(
        self, method: str, path: str, *, sec: str | None, params: Mapping[str, str] | None
    ) -> ConsoleAnswer: ...


def read_caller(console: Console, token: str, known: Caller | None) -> Caller:
    """One request for rights, and one for the name (two for an authorized service's).

    A session never changes its user, so a later ask, which has the ``known`` caller, is about
    rights only; a service's label, by which settings name it, can change. Raises `ConsoleRefused`
    when the token is not accepted, and `ConsoleUnavailable`.
    """
    roles = _rows(console, token, "user_roles", "current_user_role")
    names = frozenset(str(row["name"]) for row in roles if row.get("name"))
    capabilities = frozenset(name for row in roles for name in _capabilities(row))
    ids = frozenset(row["id"] for row in roles if isinstance(row.get("id"), int))
    if known is not None and known.kind == "user":
        return replace(known, capabilities=capabilities, roles=names, role_ids=ids)
    for kind, path, parameter, field in (
        ("user", "users", "current_user", "username"),
        ("service", "authorized_services", "current_authorized_service", "label"),
    ):
        for row in _rows(console, token, path, parameter, may_be_refused=True):
            if row.get(field):
                number = row["id"] if isinstance(row.get("id"), int) else None
                name = str(row[field])[:255]
                whose: Literal["user", "service"] = "user" if kind == "user" else "service"
                language = str(row.get("locale_id") or "")[:35]
                return Caller(name, whose, capabilities, names, number, ids, language)
    # rights but no name: as a service that no setting can name it counts only with ADMIN
    return Caller("", "service", capabilities, names, None, ids)


def _rows(
    console: Console, token: str, path: str, parameter: str, *, may_be_refused: bool = False
) -> list[dict[str, Any]]:
    try:
        answer = console.request("GET", f"{_ACCESS}/{path}", sec=token, params={parameter: "true"})
    except ConsoleRefused as error:
        if error.status == 401 or (error.status == 403 and not may_be_refused):
            raise
        if may_be_refused:
            return []
        raise ConsoleUnavailable(
            Message("QRadar does not say who is calling: {why}", why=error)
        ) from error
    if not isinstance(answer.body, list):
        raise ConsoleUnavailable(Message("QRadar's answer about {path} is not a list.", path=path))
    return [row for row in answer.body if isinstance(row, dict)]


def _capabilities(role: dict[str, Any]) -> list[str]:
    entries = role.get("capabilities")
    if not isinstance(entries, list):
        return []
    return [str(each["name"]) for each in entries if isinstance(each, dict) and each.get("name")]
