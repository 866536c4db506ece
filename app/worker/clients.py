# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the lanes ask with: a lane's clients of its copy manager, and whom none may reach."""

from functools import cache

from app.copy_managers import Client, client_of
from app.framework import logs, paths
from app.framework.console_peers import ConsoleAddresses
from app.framework.secrets import SecretNotStored, Secrets, SecretUnreadable
from app.message import Message
from app.remote.guard import Guard
from app.restore.model import CdmConnection, LoginRefused
from app.store import Store


@cache
def cdm_guard() -> Guard | None:
    """What keeps all lanes from being sent to this app's own host."""
    return None if paths.is_demo() else Guard(ConsoleAddresses())


class Clients:
    """A lane's CDM client, made anew when the connection or its password has changed."""

    def __init__(self, store: Store, secrets: Secrets) -> None:
        self._store, self._secrets = store, secrets
        self._made: tuple[CdmConnection, Client] | None = None

    def client_for(self, connection_id: int) -> Client:
        """Give the client of a connection. Raises `LoginRefused` while there is no password."""
        connection = self._store.connections.get(connection_id)
        if self._made is None or self._made[0] != connection:
            self.close()
            password = self._password(connection)
            ca, version = paths.system_ca_file(), paths.app_version()
            made = client_of(connection, password, system_ca=ca, version=version, guard=cdm_guard())
            self._made = (connection, made)
        return self._made[1]

    def close(self) -> None:
        """Log out of CDM."""
        if self._made is not None:
            self._made[1].close()
            self._made = None

    def _password(self, connection: CdmConnection) -> str:
        advice = Message(
            "Enter it on the connections page ({connection}).", connection=connection.name
        )
        if connection.secret_label is None:
            raise LoginRefused(Message("The password for CDM is not set."), advice=advice)
        try:
            password = self._secrets.get(connection.secret_label)
        except (SecretNotStored, SecretUnreadable) as error:
            raise LoginRefused(
                Message("The stored password for CDM can't be read."),
                cause=str(error),
                advice=advice,
            ) from error
        logs.mask(password)
        return password


def cdm_clients(store: Store) -> Clients:
    """Give a lane's clients of the real CDM servers."""
    return Clients(store, Secrets())
