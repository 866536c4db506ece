# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may log in: users, user roles, authorized services, sessions, lock-outs.

Facts: qradar §3.4 and §6.
"""

import threading
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tests.simulators.console.switches import Switches

ADMIN_PROFILE = 1
"""The security profile that an ADMIN role demands."""


@dataclass(frozen=True, slots=True)
class Role:
    id: int
    name: str
    capabilities: tuple[str, ...]
    deployed: bool = True


@dataclass(frozen=True, slots=True)
class User:
    id: int
    username: str
    role_id: int
    password: str = field(repr=False)
    tenant_id: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """An authorized service; ``expires_at`` None is never, times are aware."""

    id: int
    label: str
    role_id: int
    token: str = field(repr=False)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    security_profile_id: int = ADMIN_PROFILE
    tenant_id: int | None = None
    created_by: str = "admin"
    deployed: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    user_id: int
    sec: str = field(repr=False)
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a good token belongs to: exactly one of ``user`` and ``service`` is set."""

    role: Role
    user: User | None = None
    service: Service | None = None
    csrf: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        if self.user:
            return self.user.username
        return f"API_token: {self.service.label}" if self.service else ""

    def has(self, *capabilities: str) -> bool:
        """Whether the role has one of ``capabilities``; ADMIN has them all."""
        return not {*capabilities, "ADMIN"}.isdisjoint(self.role.capabilities)


class Unauthorized(Exception):
    """A request without a good token; ``code`` goes into the REST error's body."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


ROLES = (
    Role(2, "Admin", ("ADMIN",)),
    Role(3, "SaaS Administrators", ("SAASADMIN",)),
    Role(4, "Analysts", ("SEM", "SEM.VIEWRULES", "SEM.ASSIGNOFFENSE", "EventViewer")),
    Role(5, "Viewers", ("EventViewer",)),
    Role(6, "Restore operators", ("SEM",)),
    Role(7, "Restore trigger", ("SEM",)),
)
PEOPLE = {"admin": 2, "saasadmin": 3, "analyst": 4, "viewer": 5, "operator": 6}
SERVICES = {"restore-trigger": "Restore trigger", "restore-service": "Admin"}


class Identity:
    """All accounts, sessions and tokens, behind one lock."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.roles = {role.id: role for role in ROLES}
        self.users = {
            number: User(number, name, role_id, f"{name}-password")
            for number, (name, role_id) in enumerate(PEOPLE.items(), start=1)
        }
        self.services: dict[int, Service] = {}
        self.sessions: dict[str, Session] = {}
        self._lock = threading.RLock()
        self._next_id = 26
        self._failures: dict[str, int] = {}
        self._locked_until: dict[str, float] = {}
        for label, role in SERVICES.items():
            self.add_service(label, role)

    def role(self, name: str) -> Role:
        """The role of that name, upper or lower case; raises KeyError."""
        for role in self.roles.values():
            if role.name.lower() == name.lower():
                return role
        raise KeyError(name)

    def add_role(self, name: str, *capabilities: str, deployed: bool = True) -> Role:
        with self._lock:
            role = Role(max(self.roles) + 1, name, capabilities, deployed)
            self.roles[role.id] = role
            return role

    def add_user(self, username: str, role: str, *, password: str | None = None) -> User:
        with self._lock:
            user = User(
                max(self.users) + 1,
                username,
                self.role(role).id,
                password or f"{username}-password",
            )
            self.users[user.id] = user
            return user

    def add_service(
        self,
        label: str,
        role: str | int,
        *,
        expires_at: datetime | None = None,
        deployed: bool = True,
        created_by: str = "admin",
    ) -> Service:
        """A new authorized service for a role (name or id), with a token of its own."""
        with self._lock:
            role_id = self.role(role).id if isinstance(role, str) else role
            service = Service(
                self._next_id,
                label,
                role_id,
                str(uuid.uuid4()),
                expires_at=expires_at,
                deployed=deployed,
                created_by=created_by,
            )
            self._next_id += 1
            self.services[service.id] = service
            return service

    def change_service(self, service: Service) -> None:
        with self._lock:
            self.services[service.id] = service

    def remove_service(self, service_id: int) -> None:
        """Raises KeyError when there is none of that id."""
        with self._lock:
            del self.services[service_id]

    def deploy(self) -> None:
        """What was staged becomes good."""
        with self._lock:
            for service in list(self.services.values()):
                self.services[service.id] = replace(service, deployed=True)
            for role in list(self.roles.values()):
                self.roles[role.id] = replace(role, deployed=True)

    def log_in(self, username: str, password: str | None = None) -> Session | None:
        """A new session; None when the password is wrong. No password: a test's short cut."""
        with self._lock:
            for user in self.users.values():
                if user.username == username and password in (None, user.password):
                    session = Session(user.id, str(uuid.uuid4()), str(uuid.uuid4()))
                    self.sessions[session.sec] = session
                    return session
            return None

    def log_out(self, token: str | None) -> None:
        with self._lock:
            self.sessions.pop(token or "", None)

    def find(self, token: str | None) -> Caller | None:
        """Whose token it is, if it is good now."""
        if not token:
            return None
        with self._lock:
            if session := self.sessions.get(token):
                user = self.users[session.user_id]
                return Caller(self.roles[user.role_id], user=user, csrf=session.csrf)
            now = datetime.now(UTC)
            for service in self.services.values():
                good = service.deployed and (service.expires_at is None or service.expires_at > now)
                if service.token == token and good:
                    self.services[service.id] = replace(service, last_used_at=now)
                    return Caller(self.roles[service.role_id], service=service)
            return None

    def authenticate(self, token: str | None, host: str) -> Caller:
        """The caller at /api; counts the host's bad tokens. Raises Unauthorized."""
        with self._lock:
            if self._locked_until.get(host, 0.0) > time.monotonic():
                raise Unauthorized(24, "The host is locked out after too many failed log-ins")
            if caller := self.find(token):
                self._failures.pop(host, None)
                return caller
            if not token:
                raise Unauthorized(18, "No SEC header present in request")
            self._failures[host] = self._failures.get(host, 0) + 1
            if 0 < self.switches.lockout_after <= self._failures[host]:
                self._failures.pop(host)
                self._locked_until[host] = time.monotonic() + self.switches.lockout_seconds
            raise Unauthorized(18, "The SEC token is not valid or has expired")

    def unlock(self) -> None:
        """Forget all failed log-ins."""
        with self._lock:
            self._failures.clear()
            self._locked_until.clear()

    def secrets(self) -> list[str]:
        """Every token there is, for masking."""
        with self._lock:
            sessions = [value for item in self.sessions.values() for value in (item.sec, item.csrf)]
            return sessions + [service.token for service in self.services.values()]
