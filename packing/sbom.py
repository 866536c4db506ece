# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The list of what the package bundles, in CycloneDX's JSON: wheels and npm parts.

    python3 -m packing.sbom ROOT MARK >app/sbom.cdx.json

``MARK`` stands for what the list was made from; it is kept in the list, and the serial number made
from it, so that the same parts give the same bytes. Runs in a venv of its own (sbom-requirements).
"""

import base64
import json
import os
import re
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from packing.pack import EPOCH

LICENCES = {"gunicorn": "MIT", "WTForms": "BSD-3-Clause", "Flask-WTF": "BSD-3-Clause"}
_WHEEL = re.compile(r"^([\w.-]+)==([\w.]+) \\\n\s+--hash=sha256:([0-9a-f]{64})$", re.MULTILINE)
# What the style sheet and the fonts are made from; the other packages of the lock only build.
_PACKED = re.compile(r"node_modules/(@carbon/[\w-]+|@ibm/plex-(?:mono|sans))")


def main(arguments: list[str]) -> int:
    """Write the list for the tree ``ROOT`` to standard output."""
    root, mark = Path(arguments[0]), arguments[1]
    manifest = json.loads((root / "manifest.json").read_text())
    app = Component(
        name=manifest["name"],
        version=manifest["version"],
        type=ComponentType.APPLICATION,
        description=manifest["description"],
        bom_ref=manifest["uuid"],
        licenses=[_licence("Apache-2.0")],
    )
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, mark))
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH))
    bom.metadata.timestamp = datetime.fromtimestamp(moment, UTC)
    bom.metadata.component = app
    bom.metadata.properties = [Property(name="safeguarded-restore:made-from", value=mark)]
    parts = [*_wheels(root / "container/wheels.txt"), *_npm(root / "app/styles/package-lock.json")]
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(app, parts)
    writer = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    print(writer.output_as_string(indent=2))
    return 0


def _wheels(pins: Path) -> Iterator[Component]:
    for name, version, digest in _WHEEL.findall(pins.read_text()):
        hashed = HashType(alg=HashAlgorithm.SHA_256, content=digest)
        yield _part(PackageURL("pypi", None, name.lower(), version), name, LICENCES[name], hashed)


def _npm(lock: Path) -> Iterator[Component]:
    for path, found in json.loads(lock.read_text())["packages"].items():
        if packed := _PACKED.fullmatch(path):
            digest = base64.b64decode(found["integrity"].removeprefix("sha512-")).hex()
            hashed = HashType(alg=HashAlgorithm.SHA_512, content=digest)
            namespace, name = packed[1].split("/")
            url = PackageURL("npm", namespace, name, found["version"])
            yield _part(url, packed[1], found["license"], hashed)


def _part(url: PackageURL, name: str, licence: str, hashed: HashType) -> Component:
    return Component(
        name=name,
        version=url.version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=url.to_string(),
        licenses=[_licence(licence)],
        hashes=[hashed],
    )


def _licence(name: str) -> object:
    return LicenseFactory().make_from_string(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
