# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How the app is, from what the store knows; nobody else is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.restore.model import CdmConnection, RunState
from app.store.connections import Contact
from app.store.qradar import Console
from app.store.times import to_text, to_text_or_none
from app.web.mappings.drift import drifts
from app.web.services import Services

WORKER_LATE_S = 20.0  # seconds without a sign of life after which the worker counts as gone


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """A CDM connection and its last contact."""

    connection: CdmConnection
    contact: Contact
    lost_since: datetime | None  # since when an open run can't reach it

    @property
    def ok(self) -> bool | None:
        """Whether it answered last time; None while it was never asked."""
        if self.contact.error or self.lost_since:
            return False
        return None if self.contact.at is None else True


@dataclass(frozen=True, slots=True)
class Health:
    """What the health strip and ``GET /api/v1/health`` tell."""

    mode: str
    version: str
    worker_at: datetime | None
    worker_age_s: float | None
    connections: tuple[ConnectionHealth, ...]
    last_trigger: tuple[datetime, str] | None  # when, and its outcome
    needs_decision: int
    live: int
    console: Console
    drift: tuple[tuple[str, Sequence[str]], ...]  # mappings, and how each has drifted
    store_problem: str | None  # why nothing can be written to the store

    @property
    def worker_ok(self) -> bool:
        """Whether the worker showed a sign of life lately."""
        return self.worker_age_s is not None and self.worker_age_s <= WORKER_LATE_S

    @property
    def ok(self) -> bool:
        """Whether a rule that fires now would be served."""
        heard = self.store_problem is None and self.worker_ok
        return heard and all(one.ok is not False for one in self.connections)


def read_health(services: Services) -> Health:
    """The app's health at this moment."""
    store, now = services.store, services.clock()
    open_runs = store.runs.open()
    beat = store.heartbeats.all().get("worker")
    recent = store.triggers.recent(1, simulated=False)
    names = {mapping.id: mapping.name for mapping in store.mappings.list()}
    lost: dict[int, datetime] = {}
    for run in open_runs:
        if run.contact_lost_since is not None:
            since = lost.setdefault(run.connection_id, run.contact_lost_since)
            lost[run.connection_id] = min(since, run.contact_lost_since)
    return Health(
        mode=store.settings.mode,
        version=services.version,
        worker_at=beat[0] if beat else None,
        # A clock that stepped back must not make a living worker look dead.
        worker_age_s=max((now - beat[0]).total_seconds(), 0.0) if beat else None,
        connections=tuple(
            ConnectionHealth(one, store.connections.contact(one.id), lost.get(one.id))
            for one in store.connections.list()
        ),
        last_trigger=(recent[0].received_at, recent[0].outcome) if recent else None,
        needs_decision=sum(run.state is RunState.NEEDS_DECISION for run in open_runs),
        live=len(open_runs),
        console=store.qradar.console(),
        drift=tuple((names[number], words) for number, words in drifts(store).items()),
        store_problem=services.store_problem(),
    )


def health_document(services: Services) -> dict[str, object]:
    """The health as JSON: times as ISO 8601 in UTC, ages in seconds."""
    health = read_health(services)
    return {
        "status": "ok" if health.ok else "degraded",
        "version": health.version,
        "mode": health.mode,
        "store": {"ok": health.store_problem is None, "error": health.store_problem},
        "worker": {
            "ok": health.worker_ok,
            "last_seen": to_text_or_none(health.worker_at),
            "age_s": health.worker_age_s,
        },
        "connections": [
            {
                "name": one.connection.name,
                "ok": one.ok,
                "last_contact": to_text_or_none(one.contact.at),
                "contact_lost_since": to_text_or_none(one.lost_since),
                "error": one.contact.error,
                "certificate_ends_at": to_text_or_none(one.contact.certificate_ends_at),
            }
            for one in health.connections
        ],
        "qradar": {
            "last_contact": to_text_or_none(health.console.contact_at),
            "error": health.console.contact_error,
            "certificate_ends_at": to_text_or_none(health.console.certificate_ends_at),
            "token_ends_at": to_text_or_none(health.console.token_expires_at),
        },
        "drift": [{"mapping": name, "warnings": list(words)} for name, words in health.drift],
        "runs": {"open": health.live, "needs_decision": health.needs_decision},
        "last_trigger": None
        if health.last_trigger is None
        else {"received_at": to_text(health.last_trigger[0]), "outcome": health.last_trigger[1]},
    }
