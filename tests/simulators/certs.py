# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Certificates for the simulators, made with the ``openssl`` command and nothing else."""

import atexit
import hashlib
import ipaddress
import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, as PEM files."""

    cert: Path
    key: Path

    @property
    def pem(self) -> str:
        return self.cert.read_text()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the DER form, as 64 lower-case hex digits."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.pem)).hexdigest()


@dataclass(frozen=True, slots=True)
class Chain:
    """A leaf under an intermediate under a root, as QRadar's console has it."""

    root: Certificate
    intermediate: Certificate
    leaf: Certificate

    @property
    def ca_bundle(self) -> str:
        """Both issuers, what a client needs when the server sends only its leaf."""
        return self.intermediate.pem + self.root.pem


def self_signed(
    folder: Path,
    common_name: str,
    names: Sequence[str] = (),
    *,
    days: int = 365,
    stem: str = "self",
) -> Certificate:
    """Make a self-signed server certificate for ``names`` (host names or addresses)."""
    return _issue(
        folder, stem, common_name, days, _extensions(names or (common_name,), ca=False), None
    )


def chain(folder: Path, common_name: str, names: Sequence[str] = (), *, days: int = 365) -> Chain:
    """Make a root, an intermediate and a leaf for ``names``.

    The leaf has no Authority Key Identifier, as on QRadar (qradar §2.7).
    """
    root = _issue(folder, "root", "QRadar Local Root CA", 3650, _extensions((), ca=True), None)
    intermediate = _issue(
        folder, "intermediate", "QRadar Local CA", 3650, _extensions((), ca=True), root
    )
    leaf = _issue(
        folder,
        "leaf",
        common_name,
        days,
        _extensions(names or (common_name,), ca=False),
        intermediate,
    )
    return Chain(root, intermediate, leaf)


@cache
def shared_chain(common_name: str, *names: str) -> Chain:
    """Give the chain of all simulators of this name in a process: making one takes six programs."""
    folder = TemporaryDirectory(prefix="certificates-")
    atexit.register(folder.cleanup)
    return chain(Path(folder.name), common_name, names)


def _extensions(names: Sequence[str], *, ca: bool) -> str:
    if ca:
        return (
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
            "subjectKeyIdentifier=hash\n"
        )
    return (
        f"subjectAltName={','.join(map(_san, names))}\nbasicConstraints=CA:FALSE\n"
        "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=none\n"
    )


def _san(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name.strip('[]'))}"
    except ValueError:
        return f"DNS:{name}"


def _issue(
    folder: Path, stem: str, common_name: str, days: int, extensions: str, ca: Certificate | None
) -> Certificate:
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificate(folder / f"{stem}.pem", folder / f"{stem}.key")
    request, ext = folder / f"{stem}.csr", folder / f"{stem}.ext"
    ext.write_text(extensions)
    _openssl(
        *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-keyout", made.key, "-out", request, "-subj", f"/CN={common_name}"),
    )
    signer = ("-signkey", made.key) if ca is None else ("-CA", ca.cert, "-CAkey", ca.key)
    _openssl(
        *("x509", "-req", "-in", request, "-out", made.cert, "-days", str(days), "-sha256"),
        *("-set_serial", str(int(hashlib.sha256(f"{folder}{stem}".encode()).hexdigest()[:14], 16))),
        *("-extfile", ext, *signer),
    )
    made.key.chmod(0o600)
    return made


def _openssl(*arguments: object) -> None:
    result = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed: {result.stderr.strip()}")
