# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""/api/config/access: users, user roles, authorized services (qradar §3.4, §6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tests.simulators.console.identity import ADMIN_PROFILE, Identity, Role, Service, User
from tests.simulators.console.rest import INVALID, NOT_FOUND, ApiError, Call, Rest, list_answer
from tests.simulators.console.switches import Switches
from tests.simulators.console.wire import Answer, json_answer

ROLE_NOT_DEPLOYED, LABEL_TAKEN = 95103005, 95103008
ADMIN_PROFILE_NEEDED, NO_TENANT_FOR_ADMIN = 95103009, 95103010
CANNOT_UPDATE_ITSELF = 95104011
DEFAULT_VALIDITY = timedelta(days=30)
BASE = "/api/config/access"
T = TypeVar("T")


class Access:
    """Adds its routes to ``rest``."""

    def __init__(self, rest: Rest, identity: Identity, switches: Switches) -> None:
        self.identity, self.switches = identity, switches
        services = f"{BASE}/authorized_services"
        rest.add("GET", f"{BASE}/users", self.users)
        rest.add("GET", f"{BASE}/user_roles", self.roles)
        rest.add("GET", services, self.services)
        rest.add("POST", services, self.add_service, needs=["ADMIN"])
        rest.add("GET", f"{services}/{{id}}", self.service, needs=["ADMIN"])
        rest.add("POST", f"{services}/{{id}}", self.change_service, needs=["ADMIN"])
        rest.add("DELETE", f"{services}/{{id}}", self.remove_service, needs=["ADMIN"])

    def users(self, call: Call) -> Answer:
        """The caller alone, or all for ADMIN; an authorized service is no user."""
        me = [call.caller.user] if call.caller.user else []
        everyone = list(self.identity.users.values())
        return list_answer(call, map(_user, _visible(call, "current_user", me, everyone)))

    def roles(self, call: Call) -> Answer:
        everything = list(self.identity.roles.values())
        own = [call.caller.role]
        return list_answer(call, map(_role, _visible(call, "current_user_role", own, everything)))

    def services(self, call: Call) -> Answer:
        me = [call.caller.service] if call.caller.service else []
        everything = list(self.identity.services.values())
        shown = _visible(call, "current_authorized_service", me, everything)
        return list_answer(call, map(_service, shown))

    def service(self, call: Call) -> Answer:
        return json_answer(_service(self._found(call)))

    def add_service(self, call: Call) -> Answer:
        """201 with the token, which is never shown again."""
        document = call.document()
        label = self._label(document)
        role = self._role(document)
        expires_at: datetime | None = datetime.now(UTC) + DEFAULT_VALIDITY
        if "expiration_date" in document:
            expires_at = _time(document["expiration_date"])
        service = self.identity.add_service(
            label,
            role.id,
            expires_at=expires_at,
            deployed=not self.switches.tokens_need_deploy,
            created_by=call.caller.name,
        )
        return json_answer({**_service(service), "token": service.token}, 201)

    def change_service(self, call: Call) -> Answer:
        """201; a date in the past disables the service, which can't update itself."""
        service = self._found(call)
        if call.caller.service and call.caller.service.id == service.id:
            raise ApiError(422, CANNOT_UPDATE_ITSELF, "An authorized service can't update itself")
        document = call.document()
        if "label" in document and document["label"] != service.label:
            service = replace(service, label=self._label(document))
        if "user_role_id" in document:
            service = replace(service, role_id=self._role(document).id)
        if "expiration_date" in document:
            service = replace(service, expires_at=_time(document["expiration_date"]))
        self.identity.change_service(service)
        return json_answer(_service(service), 201)

    def remove_service(self, call: Call) -> Answer:
        self.identity.remove_service(self._found(call).id)
        return Answer(204)

    def _found(self, call: Call) -> Service:
        service = self.identity.services.get(call.number())
        if service is None:
            raise ApiError(404, NOT_FOUND, "No such authorized service")
        return service

    def _label(self, document: dict[str, Any]) -> str:
        label = document.get("label")
        if not isinstance(label, str) or not 0 < len(label) <= 255:
            raise ApiError(422, INVALID, "label is required, at most 255 characters")
        names = {user.username for user in self.identity.users.values()}
        if label in names | {service.label for service in self.identity.services.values()}:
            raise ApiError(422, LABEL_TAKEN, "The label is taken by a user or a service")
        return label

    def _role(self, document: dict[str, Any]) -> Role:
        role = self.identity.roles.get(document.get("user_role_id", 0))
        if role is None:
            raise ApiError(422, INVALID, "user_role_id names no user role")
        if not role.deployed:
            raise ApiError(422, ROLE_NOT_DEPLOYED, "The user role has not been deployed")
        if "ADMIN" in role.capabilities:
            if document.get("security_profile_id", ADMIN_PROFILE) != ADMIN_PROFILE:
                raise ApiError(422, ADMIN_PROFILE_NEEDED, "An ADMIN role needs profile Admin")
            if document.get("tenant_id") is not None:
                raise ApiError(422, NO_TENANT_FOR_ADMIN, "An ADMIN role can't have a tenant")
        return role


def _visible(call: Call, flag: str, own: list[T], everything: list[T]) -> list[T]:
    if call.query.get(flag) == "true" or not call.caller.has("ADMIN"):
        return own
    return everything


def _time(value: object) -> datetime | None:
    """Epoch milliseconds to an aware time; None is never."""
    if value is None:
        return None
    if not isinstance(value, int):
        raise ApiError(422, INVALID, "expiration_date is epoch milliseconds or null")
    return datetime.fromtimestamp(value / 1000, UTC)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.username,
        "user_role_id": user.role_id,
        "security_profile_id": ADMIN_PROFILE,
        "tenant_id": user.tenant_id,
        "locale_id": "en-US",
        "display_theme": "DARK",
    }


def _role(role: Role) -> dict[str, Any]:
    capabilities = [
        {"application_id": 5, "name": name, "description": f"Capability {name}"}
        for name in role.capabilities
    ]
    return {"id": role.id, "name": role.name, "capabilities": capabilities}


def _service(service: Service) -> dict[str, Any]:
    return {
        "id": service.id,
        "label": service.label,
        "user_role_id": service.role_id,
        "security_profile_id": service.security_profile_id,
        "tenant_id": service.tenant_id,
        "expiration_date": _ms(service.expires_at),
        "last_used_date": _ms(service.last_used_at),
        "created_by": service.created_by,
        "token": None,
    }
