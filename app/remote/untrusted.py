# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a server's certificate is not trusted, in the operator's words, and what to do about it."""

import ssl

from urllib3.util.ssl_match_hostname import CertificateError

from app.message import Message
from app.remote.failures import MAX_TEXT, Advice, chain, has
from app.remote.guard import Guard
from app.remote.trust import fetch_certificate, no_handshake
from app.restore.model import CdmConnection, CopyManagerError, NothingSent, Untrusted

# OpenSSL's X509_V_ERR_…: issuer missing, self-signed, no chain
_ISSUER_UNKNOWN = {2, 18, 19, 20, 21}
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_NAME, _OTHER_ADDRESS = 62, 64


def not_made(
    error: BaseException, connection: CdmConnection, guard: Guard | None = None
) -> NothingSent:
    """Say why a connection was not made: TLS or the network below it."""
    errors = list(chain(error))
    where, manager = f"{connection.host}:{connection.port}", connection.kind.product
    if has(errors, CertificateError):  # urllib3 1.26 compares names itself
        return _other_name(connection, guard)
    bad = next((e for e in errors if isinstance(e, ssl.SSLCertVerificationError)), None)
    if bad:
        return _not_verified(bad, connection, guard)
    if any("ingerprints did not match" in str(e) for e in errors):
        return Untrusted(
            Message(
                "{manager} at {where} does not show the pinned certificate.",
                manager=manager,
                where=where,
            ),
            cause=_shown(connection, guard),
            advice=Advice(
                Message(
                    "If it was renewed, compare the SHA-256 with {manager}'s administrator and pin"
                    " the new one; if not, somebody may be in between.",
                    manager=manager,
                ),
                terminal=Message(
                    "If it was renewed, compare the SHA-256 with {manager}'s administrator and"
                    " give the new one with --fingerprint; if not, somebody may be in between.",
                    manager=manager,
                ),
            ),
        )
    if any(isinstance(e, OSError) and "TLS CA certificate bundle" in str(e) for e in errors):
        return Untrusted(
            Message(
                "The platform's CA file can't be read, so {manager}'s certificate can't be"
                " verified.",
                manager=manager,
            ),
            cause=Message("REQUESTS_CA_BUNDLE names no readable file."),
            advice=Advice(
                Message(
                    "Restart the app; or upload {manager}'s CA certificate on the connection's"
                    " page.",
                    manager=manager,
                ),
                terminal=Message(
                    "Unset it, or have it name one; or give {manager}'s CA certificate with"
                    " --ca-file.",
                    manager=manager,
                ),
            ),
        )
    return no_handshake(error, connection.kind, connection.host, connection.port, connection.proxy)


def _not_verified(
    bad: ssl.SSLCertVerificationError, connection: CdmConnection, guard: Guard | None
) -> Untrusted:
    where, manager = f"{connection.host}:{connection.port}", connection.kind.product
    if bad.verify_code in _ISSUER_UNKNOWN:
        return Untrusted(
            Message(
                "The certificate of {manager} at {where} is not trusted: its issuer is not"
                " known here.",
                manager=manager,
                where=where,
            ),
            cause=_shown(connection, guard),
            advice=Advice(
                Message(
                    "Upload the certificate of that issuer on the connection's page, or pin the"
                    " certificate's SHA-256 fingerprint."
                ),
                terminal=Message(
                    "Give the certificate of that issuer with --ca-file, or give the certificate's"
                    " SHA-256 with --fingerprint."
                ),
            ),
        )
    if bad.verify_code in {_EXPIRED, _NOT_YET_VALID}:
        return _other_time(connection, guard)
    if bad.verify_code in {_OTHER_NAME, _OTHER_ADDRESS}:
        return _other_name(connection, guard)
    return Untrusted(
        Message(
            "The certificate of {manager} at {where} is not trusted.", manager=manager, where=where
        ),
        cause=f"{bad.verify_message.rstrip('.')}.",
        advice=Advice(
            Message(
                "Upload {manager}'s CA certificate on the connection's page, or pin the"
                " certificate's SHA-256 fingerprint.",
                manager=manager,
            ),
            terminal=Message(
                "Give {manager}'s CA certificate with --ca-file, or give the certificate's SHA-256"
                " with --fingerprint.",
                manager=manager,
            ),
        ),
    )


def _other_time(connection: CdmConnection, guard: Guard | None) -> Untrusted:
    where, manager = f"{connection.host}:{connection.port}", connection.kind.product
    return Untrusted(
        Message(
            "The certificate of {manager} at {where} is not valid at this time.",
            manager=manager,
            where=where,
        ),
        cause=_shown(connection, guard),
        advice=Advice(
            Message(
                "Renew it in {manager}, check the clocks, or pin the certificate's SHA-256"
                " fingerprint.",
                manager=manager,
            ),
            terminal=Message(
                "Renew it in {manager}, check the clocks, or give the certificate's SHA-256"
                " with --fingerprint.",
                manager=manager,
            ),
        ),
    )


def _other_name(connection: CdmConnection, guard: Guard | None) -> Untrusted:
    return Untrusted(
        Message(
            "The certificate of {manager} at {where} is for another name.",
            manager=connection.kind.product,
            where=f"{connection.host}:{connection.port}",
        ),
        cause=_shown(connection, guard),
        advice=Advice(
            Message(
                "Enter the host by the name in the certificate, or pin the certificate's SHA-256"
                " fingerprint."
            ),
            terminal=Message(
                "Name the host as the certificate does, or give the certificate's SHA-256"
                " with --fingerprint."
            ),
        ),
    )


def _shown(connection: CdmConnection, guard: Guard | None) -> str:
    """Describe the certificate that is shown, from a look of its own; empty if that fails."""
    try:
        found = fetch_certificate(
            connection.host, connection.port, connection.proxy, guard=guard, kind=connection.kind
        )
    except CopyManagerError:
        return ""
    return Message(
        "It is for {subject}, issued by {issuer}, valid {since} to {until}, SHA-256 {sha256}.",
        subject=_printable(found.subject[:MAX_TEXT]),
        issuer=_printable(found.issuer[:MAX_TEXT]),
        since=f"{found.not_before:%Y-%m-%d}",
        until=f"{found.not_after:%Y-%m-%d}",
        sha256=found.sha256,
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
