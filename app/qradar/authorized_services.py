# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The authorized service whose token the custom action carries (qradar §6).

Its token lies on every event processor, so it gets a role that can do no more than look at
offenses. QRadar shows a token only in the answer that makes it: it is handed on and kept nowhere.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, count
from typing import Any

from app.message import Message
from app.qradar.administrator import Administrator, NotDone

LABEL = "safeguarded-restore-trigger"
WARN_DAYS = 14
"""A token that ends within so many days is shown as one to be renewed."""

_BASE = "/api/config/access"
_SERVICES = f"{_BASE}/authorized_services"
_OURS = re.compile(rf"{LABEL}(-[0-9]{{1,6}})?")
_FALLBACK_PROFILE = 1  # the security profile Admin, which each console has


@dataclass(frozen=True, slots=True)
class Role:
    """A QRadar user role."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Service:
    """An authorized service; ``expires_at`` None: never."""

    id: int
    label: str
    role_id: int | None
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewService:
    """A service just made, with its token."""

    service: Service
    token: str = field(repr=False)


def fitting_roles(admin: Administrator, app_name: str) -> tuple[Role, ...]:
    """The user roles with Offenses (SEM) and nothing more.

    This app's own capability may be among them: QRadar adds one for each app to the roles page. Its
    name is not documented, so it is known by the app's name.
    """
    fitting = []
    for row in admin.rows(f"{_BASE}/user_roles", Message("list the user roles")):
        capabilities = row.get("capabilities")
        entries = [one for one in capabilities or () if isinstance(one, dict)]
        # a list that can't be read may hold anything
        readable = isinstance(capabilities, list) and len(entries) == len(capabilities)
        more = [one for one in entries if not _is_harmless(one, app_name)]
        if readable and entries and not more and isinstance(row.get("id"), int):
            fitting.append(Role(row["id"], str(row.get("name") or row["id"])))
    return tuple(sorted(fitting, key=lambda role: role.name.casefold()))


def _is_harmless(capability: dict[str, Any], app_name: str) -> bool:
    if capability.get("name") == "SEM":
        return True
    own = app_name.casefold()
    return own in {str(capability.get(key, "")).casefold() for key in ("name", "description")}


def ours(admin: Administrator) -> tuple[Service, ...]:
    """Every authorized service that this app made, by its label."""
    rows = admin.rows(_SERVICES, Message("list the authorized services"))
    found = [_service(row) for row in rows if isinstance(row.get("id"), int)]
    return tuple(one for one in found if _OURS.fullmatch(one.label))


def free_label(admin: Administrator, taken: Iterable[str]) -> str:
    """A label of ours that no user and no service has, nor is ``taken``; they share their names."""
    taken = set(taken)
    for path, what, field_ in (
        ("authorized_services", Message("list the authorized services"), "label"),
        ("users", Message("list the users"), "username"),
    ):
        taken |= {str(row.get(field_)).casefold() for row in admin.rows(f"{_BASE}/{path}", what)}
    return next(label for label in _labels() if label not in taken)


def _labels() -> Iterator[str]:
    return chain([LABEL], (f"{LABEL}-{number}" for number in count(2)))


def create(admin: Administrator, label: str, role_id: int, *, expires_at: datetime) -> NewService:
    """Make the service; its end is always named, since QRadar's own default is 30 days.

    It gets the security profile of the person who makes it, so that it sees no more than they do.
    """
    answer = admin.post(
        _SERVICES,
        Message("make the authorized service"),
        json={
            "label": label,
            "user_role_id": role_id,
            "security_profile_id": _own_profile(admin),
            "tenant_id": None,
            "expiration_date": round(expires_at.timestamp() * 1000),
        },
    )
    token, number = answer.get("token"), answer.get("id")
    if not isinstance(number, int) or not isinstance(token, str) or not token:
        raise NotDone(
            Message("QRadar made the authorized service but did not show its token."),
            advice=Message("Make it by hand: the steps are at the end of the set-up page."),
            perhaps=True,
        )
    admin.hide(token)
    return NewService(_service({"label": label, **answer}), token)


def _own_profile(admin: Administrator) -> int:
    for row in admin.rows(f"{_BASE}/users", Message("look up your user"), current_user="true"):
        if isinstance(row.get("security_profile_id"), int):
            return int(row["security_profile_id"])
    return _FALLBACK_PROFILE


def delete(admin: Administrator, service_id: int) -> None:
    """Delete a service: its token is refused from then on. Not being there is as good."""
    admin.delete(f"{_SERVICES}/{service_id}", Message("delete the authorized service"))


def _service(row: dict[str, Any]) -> Service:
    role = row.get("user_role_id")
    return Service(
        row["id"],
        str(row.get("label", "")),
        role if isinstance(role, int) else None,
        _time(row.get("expiration_date")),
        _time(row.get("last_used_date")),
    )


def _time(value: object) -> datetime | None:
    """QRadar's epoch milliseconds as a time."""
    if not isinstance(value, int) or not 0 < value < 253_402_300_800_000:
        return None
    return datetime.fromtimestamp(value / 1000, UTC)
