# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""CDM connections: which servers there are, and when each last answered."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from app.configuration.connection import CdmConnection
from app.configuration.fields import fields_of
from app.configuration.ports import ConnectionInUse, Taken
from app.message import Message, Sentence, stored
from app.store.rows import NamedRows, from_row
from app.store.run_rows import OPEN
from app.store.times import to_text

_HELD = [name for name, one in fields_of(CdmConnection).items() if one.held]


@dataclass(frozen=True, slots=True)
class Contact:
    """When a CDM last answered, and what the last failed call said if it came later."""

    at: datetime | None
    error: Sentence | None
    certificate_ends_at: datetime | None = None  # of the server's own, as last seen


class Connections(NamedRows[CdmConnection]):
    """The CDM connections in the store."""

    kind, table, word, beside = CdmConnection, "connections", "connection", ("secret_set_at",)

    def change(self, number: int, /, **values: object) -> CdmConnection:
        """Change columns of a connection.

        Raises `Taken`, and `ConnectionInUse` when host, port, username or kind would change
        under an open run. What was seen of the server's certificate is forgotten.
        """
        with self._db.transaction():
            old = self.get(number)
            moved = any(name in values and values[name] != getattr(old, name) for name in _HELD)
            if moved and self.has_open_run(number):
                raise ConnectionInUse(
                    Message(
                        "Connection {connection} has an open run: host, port and user can't be"
                        " changed until it has ended.",
                        connection=old.name,
                    )
                )
            new = super().change(number, **values)
            if new != old:
                self._db.execute(
                    "UPDATE connections SET certificate_ends_at = NULL WHERE id = ?", (number,)
                )
        return new

    def delete(self, number: int, /) -> None:
        """Delete a connection. Raises `ConnectionInUse` while a mapping or an open run needs it."""
        with self._db.transaction():
            name = self.get(number).name
            if self.has_open_run(number):
                raise ConnectionInUse(
                    Message(
                        "Connection {connection} has an open run and can't be deleted until it has"
                        " ended.",
                        connection=name,
                    )
                )
            row = self._db.execute(
                "SELECT name FROM mappings WHERE connection_id = ? LIMIT 1", (number,)
            ).fetchone()
            if row is not None:
                raise ConnectionInUse(
                    Message(
                        "Mapping {mapping} uses connection {connection}: delete or change it"
                        " first.",
                        mapping=row["name"],
                        connection=name,
                    )
                )
            super().delete(number)

    def has_open_run(self, connection_id: int) -> bool:
        row = self._db.execute(
            f"SELECT 1 FROM runs WHERE connection_id = ? AND {OPEN} LIMIT 1",  # noqa: S608 - our own text
            (connection_id,),
        ).fetchone()
        return row is not None

    def contact(self, connection_id: int) -> Contact:
        """Say when this CDM last answered, what is wrong since, when its certificate ends."""
        row = self._db.execute(
            "SELECT contact_at AS at, contact_error AS error, certificate_ends_at"
            " FROM connections WHERE id = ?",
            (connection_id,),
        ).fetchone()
        return Contact(None, None) if row is None else from_row(Contact, row)

    def note_contact(self, connection_id: int, error: str | None, *, now: datetime) -> None:
        """Remember that a CDM answered just now, or (``error``) that it did not."""
        with self._db.transaction():
            if error is None:
                self._db.execute(
                    "UPDATE connections SET contact_at = ?, contact_error = NULL WHERE id = ?",
                    (to_text(now), connection_id),
                )
            else:
                self._db.execute(
                    "UPDATE connections SET contact_error = ? WHERE id = ?",
                    (stored(error), connection_id),
                )

    def note_certificate(self, seen: CdmConnection, ends_at: datetime) -> None:
        """Remember when the certificate ends that the server of a connection showed.

        Nothing is kept if the connection was changed or deleted since it was read as ``seen``: the
        certificate may be another server's.
        """
        with self._db.transaction():
            row = self._db.execute("SELECT * FROM connections WHERE id = ?", (seen.id,)).fetchone()
            if row is not None and from_row(CdmConnection, row) == seen:
                self._db.execute(
                    "UPDATE connections SET certificate_ends_at = ? WHERE id = ?",
                    (to_text(ends_at), seen.id),
                )

    def _taken(self, error: sqlite3.IntegrityError) -> Taken | None:
        if "UNIQUE" not in str(error):
            return None
        if "connections.name" in str(error):
            return Taken("name", Message("There is a connection of that name already."))
        return Taken("host", Message("There is a connection to that host and port already."))
