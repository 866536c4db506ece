# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The copy managers by kind: what web and worker get of one, and who alone knows them all.

A new one is a package like `app.cdm`, a word in `app.configuration.kinds`, and a line here; it must
pass ``tests/copy_managers``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.cdm import diagnose
from app.cdm.client import CdmClient
from app.cdm.status import last_phase
from app.configuration.kinds import Kind
from app.remote.told import JobEntry, Step
from app.restore.model import CdmConnection, Phase
from app.restore.model.copies import Copy
from app.restore.ports import CopyManager


class Client(CopyManager, Protocol):
    """One copy manager as one user: for one thread, logged in with the first call."""

    # Every job that it shows to this user, of all types.
    def jobs(self) -> list[JobEntry]: ...

    # With ``policy_id`` as the list gave it, and within so many seconds.
    def copy_to_restore(
        self,
        job_id: str,
        *,
        policy_id: str | None = None,
        until: datetime | None = None,
        within: float = ...,
    ) -> Copy: ...

    # Log out and close all connections; never raises.
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Manager:
    """What a kind of copy manager brings; the options are those of `CdmClient`."""

    client: Callable[..., Client]
    test: Callable[..., Sequence[Step]]
    last_phase: Callable[[str], Phase]


MANAGERS: Mapping[Kind, Manager] = {
    Kind.CDM: Manager(CdmClient, diagnose.test_connection, last_phase),
}


def client_of(connection: CdmConnection, password: str, **options: object) -> Client:
    """A client of the copy manager that a connection leads to; nothing is sent yet."""
    return MANAGERS[connection.kind].client(connection, password, **options)


def steps_to(connection: CdmConnection, password: str, **options: object) -> Sequence[Step]:
    """Try the way to it step by step, up to the first that fails; never raises."""
    return MANAGERS[connection.kind].test(connection, password, **options)


def last_phase_of(connection: CdmConnection, status: str) -> Phase:
    """What the status of a job's last job session means, as its list gave it."""
    return MANAGERS[connection.kind].last_phase(status)
