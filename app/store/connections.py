# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""CDM connections: which servers there are, and when each last answered."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.message import Message, Sentence, stored
from app.restore.model import CdmConnection
from app.store.database import Database
from app.store.rows import from_row
from app.store.run_rows import OPEN
from app.store.times import to_text

_COLUMNS = {
    *("name", "host", "port", "username", "proxy"),
    *("trust", "ca_pem", "fingerprint", "secret_label", "secret_set_at", "kind"),
}


class DuplicateConnection(Exception):
    """There is a connection of that name, or one to that host and port, already."""


class ConnectionInUse(Exception):
    """A mapping or an open run needs the connection as it is."""


@dataclass(frozen=True, slots=True)
class Contact:
    """When a CDM last answered, and what the last failed call said if it came later."""

    at: datetime | None
    error: Sentence | None
    certificate_ends_at: datetime | None = None  # of the server's own, as last seen


class Connections:
    """The CDM connections in the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self) -> Sequence[CdmConnection]:
        rows = self._db.execute("SELECT * FROM connections ORDER BY name")
        return [from_row(CdmConnection, row) for row in rows]

    def get(self, connection_id: int) -> CdmConnection:
        """Give one connection. Raises `LookupError`."""
        row = self._db.execute(
            "SELECT * FROM connections WHERE id = ?", (connection_id,)
        ).fetchone()
        if row is None:
            raise LookupError(f"there is no connection {connection_id}")
        return from_row(CdmConnection, row)

    def find(self, name: str) -> CdmConnection | None:
        row = self._db.execute("SELECT * FROM connections WHERE name = ?", (name,)).fetchone()
        return None if row is None else from_row(CdmConnection, row)

    def add(self, **columns: object) -> CdmConnection:
        """Add a connection. Raises `DuplicateConnection`."""
        _check_names(columns)
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        with self._db.transaction():
            try:
                cursor = self._db.execute(
                    f"INSERT INTO connections ({names}) VALUES ({marks})",  # noqa: S608 - checked names
                    tuple(columns.values()),
                )
            except sqlite3.IntegrityError as error:
                raise _duplicate(error) from error
        return self.get(int(cursor.lastrowid or 0))

    def change(self, connection_id: int, **columns: object) -> CdmConnection:
        """Change columns of a connection.

        Raises `DuplicateConnection`, and `ConnectionInUse` when host, port or username would change
        under an open run. What was seen of the server's certificate is forgotten.
        """
        _check_names(columns)
        with self._db.transaction():
            old = self.get(connection_id)
            moved = any(
                name in columns and columns[name] != getattr(old, name)
                for name in ("host", "port", "username")
            )
            if moved and self.has_open_run(connection_id):
                raise ConnectionInUse(
                    Message(
                        "Connection {connection} has an open run: host, port and user can't be"
                        " changed until it has ended.",
                        connection=old.name,
                    )
                )
            assignments = ", ".join(f"{name} = ?" for name in columns)
            try:
                self._db.execute(
                    f"UPDATE connections SET {assignments} WHERE id = ?",  # noqa: S608 - checked names
                    (*columns.values(), connection_id),
                )
            except sqlite3.IntegrityError as error:
                raise _duplicate(error) from error
            if self.get(connection_id) != old:
                self._db.execute(
                    "UPDATE connections SET certificate_ends_at = NULL WHERE id = ?",
                    (connection_id,),
                )
        return self.get(connection_id)

    def delete(self, connection_id: int) -> None:
        """Delete a connection. Raises `ConnectionInUse` while a mapping or an open run needs it."""
        with self._db.transaction():
            name = self.get(connection_id).name
            if self.has_open_run(connection_id):
                raise ConnectionInUse(
                    Message(
                        "Connection {connection} has an open run and can't be deleted until it has"
                        " ended.",
                        connection=name,
                    )
                )
            row = self._db.execute(
                "SELECT name FROM mappings WHERE connection_id = ? LIMIT 1", (connection_id,)
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
            self._db.execute("DELETE FROM connections WHERE id = ?", (connection_id,))

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


def _check_names(columns: dict[str, object]) -> None:
    if unknown := set(columns) - _COLUMNS:
        raise TypeError(f"a connection has no {', '.join(sorted(unknown))}")


def _duplicate(error: sqlite3.IntegrityError) -> Exception:
    if "connections.name" in str(error):
        return DuplicateConnection(Message("There is a connection of that name already."))
    if "connections_by_address" in str(error) or "UNIQUE" in str(error):
        return DuplicateConnection(Message("There is a connection to that host and port already."))
    return error
