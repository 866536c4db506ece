# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The two zips of ``./build.sh package``: the bare app and the extension around it.

    python3 -m packing.pack [--say-what-to-set] ROOT DIST

The same tree gives the same bytes: names sorted, times fixed, modes set by rule
(qradar §1.1, §1.4).
"""

import io
import json
import os
import re
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from packing import manifest as rules

EPOCH = 1795478400  # 2026-11-24T00:00:00Z, unless SOURCE_DATE_EPOCH says otherwise
EXTENSION = "SafeguardedRestore"
HUB_ID = "d2a58c07f4be4b6f9d1e3a6c5b80f712"
APP_NUMBER = 1501  # a placeholder, the console assigns its own (qradar §1.4)
# The oldest release with a 4.x image, 7.5.0 UP7 (qradar §0): a console may refuse what is newer.
MIN_QRADAR_VERSION = "2021.6.7"
QRADAR_VERSION = "2021.6.7.20230822112654"
LONG_DESCRIPTION = (
    "When a QRadar rule sees an attack on storage or on a SQL database, its custom action asks this"
    " app for a restore. The app starts the restore job predefined in IBM Copy Data Management, so"
    " that the latest FlashSystem Safeguarded Copy comes up in a clean room for scrutiny, follows"
    " the job to its end, writes what happened to the offense's notes, and keeps the history. One"
    " attack starts one restore, however many events it makes. A set-up in six steps puts the"
    " custom action on the console and ends in a simulation; nothing is started before the app is"
    " armed. It needs QRadar 7.5.0 Update Package 7 or later, Copy Data Management with its REST"
    " API, and a restore job predefined there."
)
# Whose package it is. IBM's validation wants all three to be somebody's; each builder sets them.
BUILDERS = {
    "PACKAGE_AUTHOR": "Safeguarded Restore contributors",
    "PACKAGE_AUTHOR_EMAIL": "noreply@example.com",
    "PACKAGE_DOCUMENTATION_URL": "",  # empty: as manifest.json has it
}
PACKED = ("app", "container")
NOT_PACKED = ("__pycache__", "node_modules", "styles", ".pyc", ".po")


class PackError(Exception):
    """The tree can't be packed; the text says why."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The two files that were written."""

    extension: Path
    app: Path


def pack(root: Path, dist: Path) -> Packed:
    """Write both zips of the tree ``root`` into the existing folder ``dist``.

    Raises ``PackError`` when the manifest breaks a rule, the changelog's newest version is another
    one, or a part of the app is missing.
    """
    manifest = _manifest(root)
    version = manifest["version"]
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH))
    app = dist / f"safeguarded-restore-app-{version}.zip"
    app.write_bytes(_zip(_app_files(root, manifest), moment))
    extension = dist / f"{EXTENSION}-{version}.zip"
    extension.write_bytes(_extension(manifest, app.read_bytes(), moment))
    return Packed(extension, app)


def _manifest(root: Path) -> dict[str, Any]:
    text = (root / "manifest.json").read_text()
    if problems := rules.check(text):
        raise PackError("manifest.json: " + "; ".join(map(str, problems)))
    manifest: dict[str, Any] = json.loads(text)
    changelog = (root / "CHANGELOG.md").read_text()
    # what is being worked on, under "Unreleased", stands above the newest version
    newest = re.search(r"^## (?!Unreleased$)(\S+)", changelog, re.MULTILINE)
    if newest is None or newest[1] != manifest["version"]:
        raise PackError(
            f"manifest.json is version {manifest['version']}, the newest in CHANGELOG.md "
            f"is {newest[1] if newest else 'missing'}"
        )
    if url := builder("PACKAGE_DOCUMENTATION_URL"):
        for hook in manifest["uninstall_hooks"]:
            hook["documentation_url"] = url
    return manifest


def builder(name: str) -> str:
    """What the environment says of the builder, else a neutral default.

    Raises ``PackError`` for an e-mail address or a URL that is none.
    """
    value = os.environ.get(name, "").strip() or BUILDERS[name]
    wrong = {
        "PACKAGE_AUTHOR_EMAIL": not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", value),
        "PACKAGE_DOCUMENTATION_URL": not re.fullmatch(r"(https://[^\s<>]+)?", value),
    }
    if wrong.get(name):
        raise PackError(f"{name} can't be used: {value}")
    return value


def not_set() -> list[str]:
    """The names of what the builder has not said."""
    return [name for name in BUILDERS if not os.environ.get(name, "").strip()]


def _app_files(root: Path, manifest: dict[str, Any]) -> dict[str, bytes]:
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    files = {"manifest.json": text.encode()}
    for top in PACKED:
        for path in sorted((root / top).rglob("*")):
            parts = path.relative_to(root).parts
            hidden = any(part.startswith(".") or part in NOT_PACKED for part in parts)
            if path.is_symlink():
                raise PackError(f"{'/'.join(parts)} is a link, which QRadar would not follow")
            if (
                path.is_file()
                and not hidden
                and path.suffix not in NOT_PACKED
                and path.name[-1] != "~"
            ):
                files["/".join(parts)] = path.read_bytes()
    for needed in ("app/__init__.py", "container/pip/ordering.txt"):
        if needed not in files:
            raise PackError(f"{needed} is missing")
    return files


def _extension(manifest: dict[str, Any], app: bytes, moment: int) -> bytes:
    """The extension; its manifest.txt, stored as it is, names the size of the whole zip."""
    files = {
        f"{EXTENSION}.xml": content_xml(manifest, moment).encode(),
        f"{EXTENSION}/{APP_NUMBER}.zip": app,
    }
    size, packed = 0, b""
    while size == 0 or len(packed) != size:  # each digit more of the size is a byte more of the zip
        size = len(packed)
        files["manifest.txt"] = json.dumps(manifest_txt(manifest, size), indent=2).encode()
        packed = _zip(files, moment, stored="manifest.txt")
    return packed


def content_xml(manifest: dict[str, Any], moment: int) -> str:
    """The extension's content description, with the elements of the smallest app (qradar §1.4).

    No secret_uuid: a shared one would become the encryption key of every customer.
    """
    source = f"/store/qapp/{APP_NUMBER}/{APP_NUMBER}.zip"
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(moment))
    application = {
        "image": manifest["image"],
        "installed_by": "",
        "memory": manifest["resources"]["memory"],
        "single_instance_only": manifest["single_instance_only"],
        "manifest": json.dumps(manifest, separators=(",", ":")),
        "description": manifest["description"],
        "ootb_install": "false",
        "multitenancy_safe": manifest["multitenancy_safe"],
        "zip_source_file_path": source,
        "image_repo": f"qapp/{APP_NUMBER}:{manifest['version']}-{stamp}",
        "name": manifest["name"],
        "installed_on": moment * 1000,
        "id": APP_NUMBER,
        "cpu_share": "0.1",
        "status": "COMPLETED",
    }
    archive: dict[str, object] = {"filedata": f"/{EXTENSION}/{APP_NUMBER}.zip", "id": source}
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<content>\n'
        + _element("qradarversion", QRADAR_VERSION, "  ")
        + _group("application_zip", archive)
        + _group("installed_application", application)
        + "</content>\n"
    )


def _group(name: str, values: dict[str, object]) -> str:
    inner = "".join(_element(key, value, "    ") for key, value in values.items())
    return f"  <{name}>\n{inner}  </{name}>\n"


def _element(name: str, value: object, indent: str) -> str:
    text = escape(str(value))
    return f"{indent}<{name}>{text}</{name}>\n" if text else f"{indent}<{name}/>\n"


def manifest_txt(manifest: dict[str, Any], package_size: int) -> dict[str, Any]:
    """The extension's metadata: what Extensions Management shows, what tells two versions apart."""
    return {
        "_id": HUB_ID,
        "doc": {
            "extension_manifest": {
                "extension_name": "extension.name",
                "extension_long_description": "extension.long.description",
                "locale": {
                    "en-US": {
                        "extension.name": manifest["name"],
                        "extension.short.description": manifest["description"],
                        "extension.long.description": LONG_DESCRIPTION,
                    }
                },
                "supported_language_set": ["en-US"],
                "min_qradar_version": MIN_QRADAR_VERSION,
                "version": manifest["version"],
                "authored_by": builder("PACKAGE_AUTHOR"),
                "authored_by_email": builder("PACKAGE_AUTHOR_EMAIL"),
                "package_size": str(package_size),
            }
        },
    }


def _zip(files: dict[str, bytes], moment: int, *, stored: str = "") -> bytes:
    """A zip of ``files`` with an entry for each folder, as QRadar's SDK writes one (qradar §1.1).

    The file ``stored`` is not compressed.
    """
    folders = {
        "/".join(parts[:depth]) + "/"
        for parts in (name.split("/") for name in files)
        for depth in range(1, len(parts))
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(folders | files.keys()):
            entry = zipfile.ZipInfo(name, time.gmtime(moment)[:6])
            entry.create_system = 3  # Unix, whatever machine builds
            if name in folders:
                entry.external_attr = (0o40755 << 16) | 0x10
                archive.writestr(entry, b"")
            else:
                mode = 0o100755 if name.endswith(".sh") else 0o100644
                entry.external_attr = mode << 16
                entry.compress_type = zipfile.ZIP_STORED if name == stored else zipfile.ZIP_DEFLATED
                archive.writestr(entry, files[name], compresslevel=9)
    return packed.getvalue()


def main(arguments: list[str]) -> int:
    """Pack and name the two files, or say in one line why not."""
    *more, root, dist = arguments
    try:
        packed = pack(Path(root), Path(dist))
    except (PackError, OSError) as error:
        print(f"not packed: {error}", file=sys.stderr)
        return 1
    print(packed.extension, packed.app, sep="\n")
    if "--say-what-to-set" in more and (missing := not_set()):
        print(f"before IBM's validation, build with {', '.join(missing)} set", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
