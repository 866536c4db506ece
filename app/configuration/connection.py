# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A connection to a CDM server: its fields, in the order of its page."""

from enum import StrEnum

from app.configuration import checks
from app.configuration.fields import configured, declared
from app.configuration.kinds import Kind
from app.message import Message


class Trust(StrEnum):
    """By what a CDM server's certificate is verified."""

    SYSTEM = "system"  # the platform's CA file
    CA = "ca"  # an uploaded CA certificate
    FINGERPRINT = "fingerprint"  # a pinned SHA-256 of the server's certificate


@configured
class CdmConnection:
    """One CDM server as configured here. The password is elsewhere (``framework.secrets``)."""

    id: int
    name: str = declared(
        checks.check_name,
        Message("Name"),
        Message("Mappings and the history call the connection by this name."),
        widget="text",
    )
    host: str = declared(
        checks.check_host,
        Message("Address"),
        Message("Host name or IP address of the CDM server, without https:// and without a port."),
        widget="text",
        address=True,
        sends=True,
        held=True,
    )
    port: int = declared(
        checks.check_port,
        Message("Port"),
        Message("Usually 8443."),
        default=8443,
        widget="number",
        sends=True,
        held=True,
    )
    username: str = declared(
        checks.check_username,
        Message("User"),
        Message(
            "A CDM user of its own: a role that may view and run jobs, and cancel and clean up"
            " if the app shall offer them; a resource pool that holds just the restore jobs"
            " and their resources."
        ),
        widget="text",
        sends=True,
        held=True,
    )
    trust: Trust = declared(
        checks.one_of(Trust),
        Message("Trust"),
        default=Trust.SYSTEM,
        question=Message("How the server's certificate is verified"),
        widget="choice",
        choices={
            Trust.SYSTEM: Message("By the CAs that the QRadar platform trusts"),
            Trust.CA: Message("By a CA certificate that you give here"),
            Trust.FINGERPRINT: Message("Only this very certificate, by its SHA-256 fingerprint"),
        },
        sends=True,
    )
    ca_pem: str | None = declared(
        checks.check_ca_pem,
        Message("CA certificate (PEM)"),
        Message("The certificate of the CA that issued CDM's certificate, as PEM text."),
        default=None,
        widget="lines",
        only_for=("trust", Trust.CA),
        sends=True,
        changed=Message("CA certificate changed"),
    )
    fingerprint: str | None = declared(
        checks.check_fingerprint,
        Message("Fingerprint"),
        Message(
            "SHA-256 of the server's certificate: 64 hexadecimal digits. Compare it with CDM's"
            " administrator before you pin it."
        ),
        default=None,
        widget="text",
        only_for=("trust", Trust.FINGERPRINT),
        sends=True,
    )
    proxy: str | None = declared(
        checks.check_proxy,
        Message("HTTP proxy (optional)"),
        Message(
            "Only if CDM is reached through an HTTP proxy, such as http://proxy.example:3128."
            " QRadar's own proxy setting is not used."
        ),
        default=None,
        widget="text",
        address=True,
        sends=True,
    )
    secret_label: str | None = None  # names the stored password; None: must be entered
    # No form asks for it while there is no other.
    kind: Kind = declared(checks.one_of(Kind), default=Kind.CDM, quiet=True, sends=True, held=True)
