# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which kinds of copy manager there are, and what sentences say of each.

What each can do is in `app.copy_managers`.
"""

from enum import StrEnum


class Kind(StrEnum):
    """A kind of copy manager, by its word in the configuration."""

    CDM = "cdm"

    @property
    def product(self) -> str:
        """What sentences call it."""
        return _PRODUCTS[self]

    @property
    def port(self) -> int:
        """The port on which its API usually listens."""
        return _PORTS[self]


_PRODUCTS = {Kind.CDM: "CDM"}
_PORTS = {Kind.CDM: 8443}
