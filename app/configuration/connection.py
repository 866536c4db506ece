# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A connection to a CDM server: its fields, in the order of its page."""

from dataclasses import dataclass, field
from enum import StrEnum

from app.configuration import checks
from app.configuration.fields import declared
from app.configuration.kinds import Kind
from app.message import Message


class Trust(StrEnum):
    """By what a CDM server's certificate is verified."""

    SYSTEM = "system"  # the platform's CA file
    CA = "ca"  # an uploaded CA certificate
    FINGERPRINT = "fingerprint"  # a pinned SHA-256 of the server's certificate


@dataclass(frozen=True, slots=True)
class CdmConnection:
    """One CDM server as configured here. The password is elsewhere (``framework.secrets``)."""

    id: int
    name: str = field(
        metadata=declared(
            checks.check_name,
            Message("Name"),
            help=Message("Mappings and the history call the connection by this name."),
            widget="text",
        )
    )
    host: str = field(
        metadata=declared(
            checks.check_host,
            Message("Address"),
            help=Message(
                "Host name or IP address of the CDM server, without https:// and without a port."
            ),
            widget="text",
            address=True,
            sends=True,
        )
    )
    port: int = field(
        metadata=declared(
            checks.check_port,
            Message("Port"),
            help=Message("Usually 8443."),
            widget="number",
            begins=8443,
            sends=True,
        )
    )
    username: str = field(
        metadata=declared(
            checks.check_username,
            Message("User"),
            help=Message(
                "A CDM user of its own: a role that may view and run jobs, and cancel and clean up"
                " if the app shall offer them; a resource pool that holds just the restore jobs"
                " and their resources."
            ),
            widget="text",
            sends=True,
        )
    )
    trust: Trust = field(
        default=Trust.SYSTEM,
        metadata=declared(
            checks.one_of(Trust),
            Message("Trust"),
            question=Message("How the server's certificate is verified"),
            widget="choice",
            choices={
                Trust.SYSTEM: Message("By the CAs that the QRadar platform trusts"),
                Trust.CA: Message("By a CA certificate that you give here"),
                Trust.FINGERPRINT: Message(
                    "Only this very certificate, by its SHA-256 fingerprint"
                ),
            },
            sends=True,
        ),
    )
    ca_pem: str | None = field(
        default=None,
        metadata=declared(
            checks.check_ca_pem,
            Message("CA certificate (PEM)"),
            help=Message("The certificate of the CA that issued CDM's certificate, as PEM text."),
            widget="lines",
            only_for=("trust", Trust.CA),
            sends=True,
            changed=Message("CA certificate changed"),
        ),
    )
    fingerprint: str | None = field(
        default=None,
        metadata=declared(
            checks.check_fingerprint,
            Message("Fingerprint"),
            help=Message(
                "SHA-256 of the server's certificate: 64 hexadecimal digits. Compare it with CDM's"
                " administrator before you pin it."
            ),
            widget="text",
            only_for=("trust", Trust.FINGERPRINT),
            sends=True,
        ),
    )
    proxy: str | None = field(
        default=None,
        metadata=declared(
            checks.check_proxy,
            Message("HTTP proxy (optional)"),
            help=Message(
                "Only if CDM is reached through an HTTP proxy, such as http://proxy.example:3128."
                " QRadar's own proxy setting is not used."
            ),
            widget="text",
            address=True,
            sends=True,
        ),
    )
    secret_label: str | None = None  # names the stored password; None: must be entered
    kind: Kind = field(
        default=Kind.CDM,
        # No form asks for it while there is no other.
        metadata=declared(checks.one_of(Kind), quiet=True, sends=True),
    )
