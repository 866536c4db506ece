# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The two zips: laid out as QRadar wants them, the same bytes each time, nothing too much."""

import io
import json
import os
import re
import shutil
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as XML

import pytest

from packing.pack import Packed, PackError, main, pack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with the real manifest, changelog and container files, and a tiny app."""
    root = tmp_path / "tree"
    shutil.copytree(ROOT / "container", root / "container", ignore=shutil.ignore_patterns("pip"))
    for name in ("manifest.json", "CHANGELOG.md"):
        shutil.copy(ROOT / name, root)
    for name, text in {
        "app/__init__.py": "def create_app(): ...\n",
        "app/qradar/start_restore.sh": "#!/bin/bash\n",
        "app/__pycache__/__init__.cpython-311.pyc": "",
        "app/styles/package.json": "{}",
        "app/locales/de/LC_MESSAGES/messages.mo": "",
        "app/locales/de/LC_MESSAGES/messages.po": "",
        "app/.hidden": "",
        "app/web/pages.py~": "",
        "container/pip/ordering.txt": "one.whl\n",
        "container/pip/one.whl": "",
        "tests/test_app.py": "",
        "store/app.db": "",
        "README.md": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def packed(tree: Path, tmp_path: Path) -> Packed:
    (tmp_path / "dist").mkdir()
    return pack(tree, tmp_path / "dist")


def entries(path: Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()


def read(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def test_app_zip_has_the_apps_files_and_nothing_else(packed: Packed) -> None:
    names = [entry.filename for entry in entries(packed.app)]

    assert names == sorted(names)
    assert {name.split("/")[0] for name in names} == {"manifest.json", "app", "container"}
    assert [name for name in names if name.startswith("app/")] == [
        "app/",
        "app/__init__.py",
        "app/locales/",
        "app/locales/de/",
        "app/locales/de/LC_MESSAGES/",
        "app/locales/de/LC_MESSAGES/messages.mo",
        "app/qradar/",
        "app/qradar/start_restore.sh",
    ]
    assert {"container/pip/ordering.txt", "container/conf/supervisord.d/app.conf"} <= set(names)


def test_modes_and_compression_are_the_same_on_every_machine(packed: Packed) -> None:
    for entry in entries(packed.app):
        mode = entry.external_attr >> 16
        script = entry.filename.endswith(".sh")
        expected = 0o40755 if entry.is_dir() else 0o100755 if script else 0o100644
        assert mode == expected, (entry.filename, stat.filemode(mode))
        assert entry.compress_type == (
            zipfile.ZIP_STORED if entry.is_dir() else zipfile.ZIP_DEFLATED
        )


def test_extension_holds_description_metadata_and_the_same_app_zip(packed: Packed) -> None:
    names = [entry.filename for entry in entries(packed.extension)]

    assert names == [
        "SafeguardedRestore.xml",
        "SafeguardedRestore/",
        "SafeguardedRestore/1501.zip",
        "manifest.txt",
    ]
    assert read(packed.extension, "SafeguardedRestore/1501.zip") == packed.app.read_bytes()


def test_description_leads_to_the_app_zip_and_repeats_its_manifest(packed: Packed) -> None:
    content = XML.fromstring(read(packed.extension, "SafeguardedRestore.xml"))  # noqa: S314  # ours
    archive, app = content.find("application_zip"), content.find("installed_application")
    assert archive is not None
    assert app is not None
    manifest: dict[str, Any] = json.loads(read(packed.app, "manifest.json"))

    assert read(packed.extension, (archive.findtext("filedata") or "").removeprefix("/"))
    assert archive.findtext("id") == app.findtext("zip_source_file_path")
    assert json.loads(app.findtext("manifest") or "") == manifest
    for key in ("name", "description", "image", "single_instance_only", "multitenancy_safe"):
        assert app.findtext(key) == manifest[key]
    assert app.findtext("memory") == str(manifest["resources"]["memory"])
    assert app.find("secret_uuid") is None


def test_metadata_passes_ibms_validation_report(packed: Packed) -> None:
    """The checks that qradar §1.4 lists, and that all values are strings."""
    metadata = json.loads(read(packed.extension, "manifest.txt"))
    extension = metadata["doc"]["extension_manifest"]
    words = extension["locale"]["en-US"]

    assert re.fullmatch("[0-9a-f]{32}", metadata["_id"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", extension["version"])
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.\d+)?", extension["min_qradar_version"])
    assert extension["supported_language_set"] == ["en-US"]
    assert extension["package_size"] == str(packed.extension.stat().st_size)
    assert words[extension["extension_name"]] == "Safeguarded restore"
    long = words[extension["extension_long_description"]]
    assert len(long) > 2 * len(words["extension.short.description"])
    assert extension["authored_by"]
    assert extension["authored_by_email"] == "noreply@example.com"


def test_a_builder_says_whose_package_it_is(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until then the command names what is to be set before IBM's validation."""
    names = ("PACKAGE_AUTHOR", "PACKAGE_AUTHOR_EMAIL", "PACKAGE_DOCUMENTATION_URL")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    main([str(tree), str(tmp_path)])
    assert capsys.readouterr().err == ""
    command = ["--say-what-to-set", str(tree), str(tmp_path)]
    main(command)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(name in said for name in names)

    values = ("A & B", "a@b.example", "https://b.example/uninstall")
    for name, value in zip(names, values, strict=True):
        monkeypatch.setenv(name, value)
    assert main(command) == 0
    assert capsys.readouterr().err == ""
    packed = pack(tree, tmp_path)
    extension = json.loads(read(packed.extension, "manifest.txt"))["doc"]["extension_manifest"]
    assert (extension["authored_by"], extension["authored_by_email"]) == values[:2]
    (hook,) = json.loads(read(packed.app, "manifest.json"))["uninstall_hooks"]
    assert hook["documentation_url"] == values[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PACKAGE_AUTHOR_EMAIL", "somebody"),
        ("PACKAGE_AUTHOR_EMAIL", "a b@c"),
        ("PACKAGE_DOCUMENTATION_URL", "http://b.example"),
        ("PACKAGE_DOCUMENTATION_URL", "https://b.example/<x>"),
    ],
)
def test_a_builder_who_cannot_be_written_to_is_refused(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(PackError, match=f"{name} can't be used"):
        pack(tree, tmp_path)


def test_the_real_packages_icons_are_there_and_as_large_as_qradar_wants(tmp_path: Path) -> None:
    manifest = json.loads((ROOT / "manifest.json").read_text())
    wanted = [(one["icon"], 32) for one in manifest["configuration_pages"]]
    wanted += [(one["icon"], 16) for one in manifest["gui_actions"]]
    for path, size in wanted:
        content = (ROOT / "app" / path).read_bytes()
        assert content.startswith(b"\x89PNG\r\n")
        assert struct.unpack(">II", content[16:24]) == (size, size)
        assert len(content) < 4096


def test_one_version_everywhere(packed: Packed) -> None:
    version = json.loads(read(packed.app, "manifest.json"))["version"]
    metadata = json.loads(read(packed.extension, "manifest.txt"))

    assert metadata["doc"]["extension_manifest"]["version"] == version
    assert packed.extension.name == f"SafeguardedRestore-{version}.zip"
    assert packed.app.name == f"safeguarded-restore-app-{version}.zip"
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_second_build_is_byte_identical(packed: Packed, tree: Path, tmp_path: Path) -> None:
    """Also from files with other times and modes, written in another order."""
    copy = tmp_path / "copy"
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_file():
            target = copy / path.relative_to(tree)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            target.chmod(0o600)
            os.utime(target, (1, 1))
    (tmp_path / "again").mkdir()
    again = pack(copy, tmp_path / "again")

    assert again.app.read_bytes() == packed.app.read_bytes()
    assert again.extension.read_bytes() == packed.extension.read_bytes()


def test_source_date_epoch_sets_the_times(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    extension = pack(tree, tmp_path).extension

    assert {entry.date_time for entry in entries(extension)} == {(2027, 1, 15, 8, 0, 0)}
    assert b"1.0.0-20270115080000" in read(extension, "SafeguardedRestore.xml")


def test_text_is_escaped_in_the_description(tree: Path, tmp_path: Path) -> None:
    manifest = json.loads((tree / "manifest.json").read_text())
    manifest["description"] = 'Copies & "restores"'
    (tree / "manifest.json").write_text(json.dumps(manifest))
    content = XML.parse(  # noqa: S314  # ours
        io.BytesIO(read(pack(tree, tmp_path).extension, "SafeguardedRestore.xml"))
    )

    assert content.findtext("installed_application/description") == 'Copies & "restores"'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("CHANGELOG.md", "# Changelog\n\n## 1.0.1\n", "the newest in CHANGELOG.md is 1.0.1"),
        ("CHANGELOG.md", "## Unreleased\n\n## 1.0.1\n", "the newest in CHANGELOG.md is 1.0.1"),
        ("CHANGELOG.md", "## Unreleased\n", "the newest in CHANGELOG.md is missing"),
        ("CHANGELOG.md", "", "the newest in CHANGELOG.md is missing"),
        ("manifest.json", "{}", "33104 name: is missing"),
        ("app/__init__.py", None, "app/__init__.py is missing"),
        ("container/pip/ordering.txt", None, "container/pip/ordering.txt is missing"),
    ],
)
def test_incomplete_tree_is_not_packed(
    tree: Path, tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    (tree / name).unlink() if text is None else (tree / name).write_text(text)

    with pytest.raises(PackError, match=re.escape(said)):
        pack(tree, tmp_path)


def test_link_is_not_packed(tree: Path, tmp_path: Path) -> None:
    (tree / "app/link.py").symlink_to("__init__.py")

    with pytest.raises(PackError, match=r"app/link\.py is a link"):
        pack(tree, tmp_path)


def test_command_line_names_the_files_or_the_reason(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tree), str(tmp_path)]) == 0
    assert [Path(line).suffix for line in capsys.readouterr().out.split()] == [".zip", ".zip"]
    (tree / "app/__init__.py").unlink()

    assert main([str(tree), str(tmp_path)]) == 1
    assert capsys.readouterr().err == "not packed: app/__init__.py is missing\n"
