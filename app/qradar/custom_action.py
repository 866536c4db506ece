# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The custom action that rules run: its parameters, their order, and its script.

QRadar hands the parameters over by position (qradar §5.1), so a wrong order would fail
silently: `PARAMETERS` is the one place that has it; script and action are both made from it.
"""

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from app.message import Message

TRIGGER_PATH = "/console/plugins/app_proxy:safeguarded-restore/api/v1/triggers"
EMPTY = "-"  # stands for an empty fixed value, which QRadar may refuse or drop from the arguments
_TEMPLATE = Path(__file__).with_name("start_restore.sh")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


class Kind(StrEnum):
    """Where the value of a parameter comes from."""

    FIXED = "fixed"
    ENCRYPTED = "encrypted"  # fixed, and kept encrypted by QRadar
    DYNAMIC = "dynamic"  # a column of the event


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the custom action; ``field`` is its name in ``POST /api/v1/triggers``."""

    name: str
    kind: Kind
    field: str | None = None


# For a dynamic parameter the name is the event's column too (qradar §5.1).
PARAMETERS = (
    Parameter("console", Kind.FIXED),
    Parameter("path", Kind.FIXED),
    Parameter("sec", Kind.ENCRYPTED),
    Parameter("token", Kind.ENCRYPTED),
    Parameter("mapping", Kind.FIXED, "mapping"),
    Parameter("starttime", Kind.DYNAMIC, "event_time"),
    Parameter("sourceip", Kind.DYNAMIC, "source_ip"),
    Parameter("destinationip", Kind.DYNAMIC, "destination_ip"),
    Parameter("username", Kind.DYNAMIC, "username"),
    Parameter("logsourceid", Kind.DYNAMIC, "log_source_id"),
    Parameter("qid", Kind.DYNAMIC, "qid"),
    Parameter("magnitude", Kind.DYNAMIC, "magnitude"),
)


class NoIssuers(Exception):
    """The console's certificate can't be led back to a root in the CA file; says what to do."""


def parameters(
    console: str, sec: str, *, token: str, mapping: str = "", path: str = TRIGGER_PATH
) -> list[dict[str, object]]:
    """Give the action's parameters in order, as ``POST /actions`` takes them.

    The form is that of qradar §5.3. ``sec`` is the token of the authorized service,
    ``token`` the trigger token.
    """
    fixed = {"console": console, "path": path, "sec": sec, "token": token, "mapping": mapping}
    return [
        {
            "name": parameter.name,
            "parameter_type": "dynamic" if parameter.kind is Kind.DYNAMIC else "fixed",
            "encrypted": parameter.kind is Kind.ENCRYPTED,
            "value": fixed.get(parameter.name, parameter.name) or EMPTY,
        }
        for parameter in PARAMETERS
    ]


def generate_script(console_fqdn: str, console_ip: str, *, issuers_pem: str, version: str) -> str:
    """Give the script for this console, with the console's address and issuers inside.

    ``console_fqdn`` may have a port; ``console_ip`` may be a bracketed IPv6 address or empty;
    ``issuers_pem`` is what `find_issuers` gave. Raise ValueError for what can't stand in a script.
    """
    name = re.fullmatch(
        r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?", console_fqdn
    )
    if name is None:
        raise ValueError(f"{console_fqdn!r} is not a host name")
    if not re.fullmatch(r"[0-9A-Za-z.+-]{1,40}", version):
        raise ValueError(f"{version!r} is not a version")
    address = str(ipaddress.ip_address(console_ip.strip("[]"))) if console_ip else ""
    script = _with_parameters(_TEMPLATE.read_text(encoding="utf-8"))
    for placeholder, value in {
        "VERSION": version,
        "CONSOLE": name[1],
        "CONSOLE_PORT": name[2] or "443",
        "CONSOLE_ADDRESS": address,
        "CA_CERTIFICATES": "\n".join(_PEM.findall(issuers_pem)),
    }.items():
        script = script.replace(f"@{placeholder}@", value)
    return script.replace("@SHA256@", hashlib.sha256(script.encode()).hexdigest())


def parameter_block() -> str:
    """Give the lines of the script that read its arguments, made from `PARAMETERS`."""
    lines = [
        f"{parameter.name}=${{{place}-}}"
        for place, parameter in enumerate(PARAMETERS, 1)
        if parameter.field is None
    ]
    sent = [(place, p.field) for place, p in enumerate(PARAMETERS, 1) if p.field is not None]
    values = " ".join(f'"${{{place}-}}"' for place, _ in sent)
    lines.append(f"fields=({' '.join(field for _, field in sent)})")
    lines.append(f"values=({values})")
    return "\n".join(lines) + "\n"


def _with_parameters(template: str) -> str:
    before, rest = template.split("# <parameters>\n")
    after = rest.split("# </parameters>\n")[1]
    return f"{before}# <parameters>\n{parameter_block()}# </parameters>\n{after}"


def find_issuers(leaf_pem: str, bundle_pem: str, *, now: datetime | None = None) -> str:
    """Give the issuers of a server's certificate, from its own up to a self-signed root, as PEM.

    An issuer is found by its subject *and* by verifying the signature with its key, since a CA file
    may hold several CAs of one name. Raise `NoIssuers` if the chain does not reach a root.
    """
    leaf = x509.load_pem_x509_certificate(leaf_pem.encode())
    now = now or datetime.now(UTC)
    candidates = [c for c in _certificates(bundle_pem) if _is_valid(c, now)]
    chain: list[x509.Certificate] = []
    rooted = False
    todo = [leaf]
    while todo:
        child = todo.pop(0)
        for issuer in candidates:
            if issuer in chain or not _issued(issuer, child):
                continue
            chain.append(issuer)
            if _issued(issuer, issuer):
                rooted = True
            else:
                todo.append(issuer)
    if not rooted:
        last = chain[-1] if chain else leaf
        raise NoIssuers(
            Message(
                "The certificate {subject} was issued by {issuer}, but the CA file of this app"
                " (REQUESTS_CA_BUNDLE) has no valid certificate of that issuer. Add the console's"
                " root and intermediate CA certificates to QRadar's trusted certificates, restart"
                " the app, and try again.",
                subject=last.subject.rfc4514_string(),
                issuer=last.issuer.rfc4514_string(),
            )
        )
    return "".join(c.public_bytes(Encoding.PEM).decode() for c in chain)


def _certificates(bundle_pem: str) -> list[x509.Certificate]:
    found = []
    for pem in _PEM.findall(bundle_pem):
        try:
            found.append(x509.load_pem_x509_certificate(pem.encode()))
        except ValueError:  # an old CA with an encoding that is no longer accepted: not our issuer
            continue
    return found


def _is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    begin = certificate.not_valid_before.replace(tzinfo=UTC)
    end = certificate.not_valid_after.replace(tzinfo=UTC)
    return begin <= now <= end


def _issued(issuer: x509.Certificate, child: x509.Certificate) -> bool:
    if issuer.subject != child.issuer:
        return False
    key, signature, signed = issuer.public_key(), child.signature, child.tbs_certificate_bytes
    algorithm = child.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(signature, signed, ec.ECDSA(algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, signed)
        else:
            return False
    except InvalidSignature:
        return False
    return True
