# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Carbon's style sheet and fonts: locked, built for closed networks, with their licences."""

import json
import re
import zipfile
from pathlib import Path

from packing.pack import pack

ROOT = Path(__file__).resolve().parents[2]
STYLES = ROOT / "app/styles"
CARBON = ROOT / "app/static/carbon"


def test_every_package_is_locked_by_hash_and_names_no_registry() -> None:
    lock = json.loads((STYLES / "package-lock.json").read_text())
    packages = [one for path, one in lock["packages"].items() if path]

    assert packages
    assert [one for one in packages if not one["integrity"].startswith("sha512-")] == []
    assert [one for one in packages if "resolved" in one] == []
    wanted = json.loads((STYLES / "package.json").read_text())
    versions = {**wanted["dependencies"], **wanted["devDependencies"]}.values()
    assert [one for one in versions if not re.fullmatch(r"\d+\.\d+\.\d+", one)] == []


def test_the_style_sheet_loads_nothing_from_elsewhere() -> None:
    text = (CARBON / "carbon.css").read_text()
    loaded = {name.strip("\"'") for name in re.findall(r"url\(([^)]*)\)", text)}

    assert "//" not in re.sub(r"/\*.*?\*/", "", text)
    assert "@import" not in text
    assert "sourceMappingURL" not in text
    assert loaded == {path.name for path in CARBON.glob("*.woff2")}


def test_the_licences_stand_beside_what_they_are_for() -> None:
    carbon, plex = (CARBON / f"LICENSE-{name}.txt" for name in ("carbon", "plex"))

    assert b"\r" not in carbon.read_bytes() + plex.read_bytes()
    assert "Apache License" in carbon.read_text()
    assert "SIL Open Font License" in plex.read_text()
    assert "LICENSE-carbon.txt" in (CARBON / "carbon.css").read_text()[:200]


def test_the_app_carries_it_and_nothing_that_only_tests_need(tmp_path: Path) -> None:
    """Two packings of the real tree are the same bytes, with style sheet, fonts and licences."""
    zips = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        zips.append(pack(ROOT, tmp_path / name).app)
    with zipfile.ZipFile(zips[0]) as archive:
        names = archive.namelist()

    assert zips[0].read_bytes() == zips[1].read_bytes()
    built = {f"app/static/carbon/{one.name}" for one in CARBON.glob("[!.]*")}
    assert built
    assert built <= set(names)
    assert [one for one in names if "axe" in one or "node_modules" in one] == []
