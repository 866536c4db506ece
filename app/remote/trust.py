# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""TLS towards a server: by what its certificate is verified, and how people are shown one.

The only place that may switch the platform's verification off: where a pinned fingerprint takes its
place, where ``--insecure`` was said aloud on the command line, and where a certificate is only
looked at.
"""

import contextlib
import http.client
import socket
import ssl
import tempfile
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.ssl_ import create_urllib3_context

from app.configuration.kinds import Kind
from app.message import Message
from app.remote.failures import Advice, chain, unreachable
from app.remote.guard import Guard
from app.restore.model import (
    CdmConnection,
    Trust,
    Unreachable,
    Untrusted,
)


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """A certificate as a server showed it, verified by nobody yet."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    sha256: str  # 64 lower-case hex digits, of the DER form
    pem: str

    @property
    def is_self_signed(self) -> bool:
        """Whether no CA vouches for it: it names itself as its issuer."""
        return self.subject == self.issuer


@dataclass(frozen=True, slots=True)
class Verification:
    """What `requests` needs: ``verify=`` for each request, settings for the connections."""

    verify: bool | str
    tls: dict[str, Any] = field(default_factory=dict)
    _file: "IO[bytes] | None" = None

    def close(self) -> None:
        """Remove the private file with the uploaded CA."""
        if self._file:
            self._file.close()


def verification(
    connection: CdmConnection, system_ca: str | None, *, insecure: bool = False
) -> Verification:
    """Turn a connection's trust into settings.

    :param system_ca: the file that ``REQUESTS_CA_BUNDLE`` names; None is `requests`' own default
    :raises Untrusted: the uploaded CA or the fingerprint is missing or unreadable
    """
    if insecure:
        warnings.simplefilter("ignore", InsecureRequestWarning)  # said aloud, no need to repeat it
        return Verification(verify=False, tls={"assert_hostname": False})
    if connection.trust is Trust.FINGERPRINT:
        pin = (connection.fingerprint or "").replace(":", "").lower()
        if len(pin) != 64 or not set(pin) <= set("0123456789abcdef"):
            raise Untrusted(
                Message("The pinned fingerprint of this connection is not a SHA-256."),
                advice=Advice(
                    Message("Enter its 64 hexadecimal digits on the connection's page."),
                    terminal=Message("Give its 64 hexadecimal digits with --fingerprint."),
                ),
            )
        # urllib3 compares the pin before the first byte of the request is written.
        return Verification(verify=False, tls={"assert_fingerprint": pin, "assert_hostname": False})
    if connection.trust is Trust.CA:
        return _uploaded(connection.ca_pem or "")
    return Verification(verify=system_ca or True)


def _uploaded(pem: str) -> Verification:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise Untrusted(
            Message("The CA certificate uploaded for this connection can't be read."),
            advice=Advice(
                Message("Upload it again, as PEM text (-----BEGIN CERTIFICATE-----)."),
                terminal=Message(
                    "Give --ca-file a file of PEM text (-----BEGIN CERTIFICATE-----)."
                ),
            ),
        ) from error
    context = create_urllib3_context()
    # An uploaded intermediate or self-signed certificate is enough, its own issuer need not be
    # there.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    # A file, because requests adds its default CAs to a context unless verify= names another file.
    file = tempfile.NamedTemporaryFile(prefix="cdm-ca-", suffix=".pem")  # noqa: SIM115 - kept open
    file.write(pem.encode())
    file.flush()
    return Verification(verify=file.name, tls={"ssl_context": context}, _file=file)


def fetch_certificate(
    host: str,
    port: int,
    proxy: str | None = None,
    timeout: float = 6.0,
    *,
    guard: Guard | None = None,
    kind: Kind = Kind.CDM,
) -> ServerCertificate:
    """Fetch the certificate that a server shows, without believing it and without sending anything.

    :param proxy: ``http://host:port``, asked with CONNECT
    :param timeout: seconds for each step of the way
    :param kind: what is expected there; only errors speak of it
    :raises Unreachable: no connection, or no TLS on that port
    :raises NothingSent: ``guard`` refuses whom the connection has reached
    """
    context = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _shake_hands(kind, (host, port, proxy), timeout, context, guard)


def verified_certificate(
    connection: CdmConnection,
    system_ca: str | None,
    timeout: float = 6.0,
    *,
    guard: Guard | None = None,
) -> ServerCertificate:
    """Fetch the certificate of a connection's server and verify it as the connection demands.

    Nothing is sent. A pinned certificate is compared only, whatever its dates say: so it is for
    requests too.

    :raises Unreachable: no connection, no TLS, or the certificate is not verified
    :raises Untrusted: it is not the pinned one, or the connection's CA or pin is unreadable
    """
    where = (connection.host, connection.port, connection.proxy)
    with contextlib.closing(verification(connection, system_ca)) as demanded:
        if connection.trust is Trust.FINGERPRINT:
            found = fetch_certificate(*where, timeout, guard=guard, kind=connection.kind)
            if found.sha256 != demanded.tls["assert_fingerprint"]:
                raise Untrusted(
                    Message(
                        "{manager} at {host} does not show the pinned certificate.",
                        manager=connection.kind.product,
                        host=connection.host,
                    )
                )
            return found
        context: ssl.SSLContext = demanded.tls.get("ssl_context") or create_urllib3_context()
        file = demanded.verify if isinstance(demanded.verify, str) else DEFAULT_CA_BUNDLE_PATH
        try:
            context.load_verify_locations(file)
        except OSError as error:
            raise Untrusted(
                Message("The file of CA certificates, {file}, can't be read.", file=file)
            ) from error
        context.check_hostname = True  # urllib3 1.26 compares names itself
        return _shake_hands(connection.kind, where, timeout, context, guard)


class _Connection(http.client.HTTPSConnection):
    """Shows its socket to a guard before anything is sent, a proxy's CONNECT included."""

    guard: Guard | None = None

    def connect(self) -> None:
        self._create_connection = self._create_guarded
        super().connect()

    def _create_guarded(self, *arguments: Any) -> socket.socket:
        sock = socket.create_connection(*arguments)
        try:
            if self.guard:
                self.guard.check(sock)
        except BaseException:
            sock.close()
            raise
        return sock


def _shake_hands(
    kind: Kind,
    target: tuple[str, int, str | None],
    timeout: float,
    context: ssl.SSLContext,
    guard: Guard | None,
) -> ServerCertificate:
    host, port, proxy = target
    where = urlsplit(proxy) if proxy else None
    if where:
        connection = _Connection(where.hostname or "", where.port, timeout=timeout, context=context)
        connection.set_tunnel(host, port)
    else:
        connection = _Connection(host, port, timeout=timeout, context=context)
    connection.guard = guard
    with contextlib.closing(connection):
        try:
            connection.connect()
            der = connection.sock.getpeercert(True)
        except (OSError, http.client.HTTPException) as error:
            raise no_handshake(error, kind, host, port, proxy) from error
    return read_certificate(der or b"")


def read_certificate(der: bytes) -> ServerCertificate:
    """Read a DER certificate; raise `Untrusted` if it is none."""
    try:
        found = x509.load_der_x509_certificate(der)
        return ServerCertificate(
            subject=found.subject.rfc4514_string(),
            issuer=found.issuer.rfc4514_string(),
            not_before=found.not_valid_before.replace(tzinfo=UTC),
            not_after=found.not_valid_after.replace(tzinfo=UTC),
            sha256=found.fingerprint(SHA256()).hex(),
            pem=ssl.DER_cert_to_PEM_cert(der),
        )
    except ValueError as error:
        raise Untrusted(Message("The server shows a certificate that can't be read.")) from error


def no_handshake(
    error: BaseException, kind: Kind, host: str, port: int, proxy: str | None
) -> Unreachable:
    """Say why a connection was not made whose certificate is not in question."""
    failed = next((e for e in chain(error) if isinstance(e, ssl.SSLError)), None)
    if failed is None:
        return unreachable(error, kind, host, port, proxy=proxy)
    reason = (failed.reason or type(failed).__name__).replace("_", " ").lower()
    return Unreachable(
        Message(
            "There is no TLS connection with {manager} at {host}:{port}.",
            manager=kind.product,
            host=host,
            port=port,
        ),
        cause=Message(
            "The handshake failed ({reason}): the port may speak plain HTTP, or an old TLS.",
            reason=reason,
        ),
        advice=Message(
            "Check the port: {manager}'s API speaks HTTPS, usually on {usual}.",
            manager=kind.product,
            usual=kind.port,
        ),
    )
