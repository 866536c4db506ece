# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The list of what is bundled: whole, in the package, and the same for the same parts."""

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from packing.pack import pack
from packing.wheels import order

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "app/sbom.cdx.json"


@pytest.fixture(scope="module")
def listed() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(LIST.read_text())
    return document


def digests(listed: dict[str, Any], prefix: str) -> dict[str, str]:
    """Name with version, and the hash, of the parts whose package URL begins so."""
    return {
        f"{part['name']} {part['version']}": part["hashes"][0]["content"]
        for part in listed["components"]
        if part["purl"].startswith(prefix)
    }


def test_it_is_of_this_app_in_cyclonedx(listed: dict[str, Any]) -> None:
    manifest = json.loads((ROOT / "manifest.json").read_text())
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    app = listed["metadata"]["component"]
    assert (app["name"], app["version"]) == (manifest["name"], manifest["version"])
    (root,) = [one for one in listed["dependencies"] if one["ref"] == app["bom-ref"]]
    assert set(root["dependsOn"]) == {part["bom-ref"] for part in listed["components"]}


def test_every_bundled_wheel_is_in_it_with_its_hash(listed: dict[str, Any]) -> None:
    folder = ROOT / "container/pip"
    wheels = [folder / name for name in order(ROOT / "container/wheels.txt", folder)]
    found = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
    assert wheels
    assert set(digests(listed, "pkg:pypi/").values()) == found


def test_every_npm_part_of_the_style_sheet_is_in_it(listed: dict[str, Any]) -> None:
    wanted = json.loads((ROOT / "app/styles/package.json").read_text())["dependencies"]
    names = set(digests(listed, "pkg:npm/"))
    assert {f"{name} {version}" for name, version in wanted.items()} <= names
    assert not [name for name in names if name.startswith(("sass", "axe-core"))]


def test_every_part_names_its_licence(listed: dict[str, Any]) -> None:
    for part in listed["components"]:
        (licence,) = part["licenses"]
        assert licence["license"]["id"] in {"MIT", "BSD-3-Clause", "Apache-2.0", "OFL-1.1"}


def test_the_package_carries_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(pack(ROOT, tmp_path).app) as archive:
        assert archive.read("app/sbom.cdx.json") == LIST.read_bytes()


def test_it_is_written_again_to_the_same_bytes(listed: dict[str, Any]) -> None:
    (mark,) = [one["value"] for one in listed["metadata"]["properties"]]
    python = ROOT / ".build/sbom/bin/python"
    done = subprocess.run(
        [python, "-m", "packing.sbom", ".", mark],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == LIST.read_bytes()
