# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds an app zip into an image, step by step as QRadar's SDK does (qradar §2.2)."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packing import manifest as rules
from tests.simulators.container import environment
from tests.simulators.container.sandbox import (
    PYTHON,
    REPOSITORY,
    ContainerUnavailable,
    Layout,
    Sandbox,
)

BUILD = REPOSITORY / ".build"
QPYLIB = REPOSITORY / "tests/standins/qpylib"
PYTHON3 = Path(__file__).with_name("python3.sh")
SQLITE = BUILD / "sqlite326"
PATH = "/opt/app-root/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
STEP_SECONDS = 120
UNUSED_SECONDS = 24 * 3600
# The base image's own; the app's programs come in through the include (qradar §2.3).
SUPERVISORD_CONF = """\
[supervisord]
nodaemon=true
logfile=/opt/app-root/store/log/supervisord.log
pidfile=/tmp/supervisord.pid
[unix_http_server]
file=/tmp/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix:///tmp/supervisor.sock
[include]
files=/etc/supervisord.d/*.conf
"""


class BuildRefused(Exception):
    """QRadar would refuse the zip: ``code`` is its error code (qradar §1.2)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: ``folder`` holds app-root, usr-local and etc."""

    folder: Path
    version: str

    @classmethod
    def build(
        cls,
        zip_path: Path,
        *,
        image: str = "4.0.11",
        qpylib: Path = QPYLIB,
        compiled: bool = False,
    ) -> "Image":
        """Build ``zip_path`` on base image ``image``; the same zip is built only once.

        ``qpylib`` is the folder of that name which the image brings: the real one, or a stand-in.
        ``compiled``: with what Python writes beside the app's modules at the first start; a start
        takes a second less than on QRadar, where each is a first one.
        Raises ``BuildRefused`` as QRadar does, ``ContainerUnavailable`` without namespaces.
        """
        check_zip(zip_path)
        base = environment.prepare(image)
        key = hashlib.sha256(zip_path.read_bytes() + (base / ".fingerprint").read_bytes())
        key.update(bytes([compiled]))
        for path in [*sorted(qpylib.rglob("*.py")), *sorted(Path(__file__).parent.glob("*.py"))]:
            key.update(path.read_bytes())
        folder = BUILD / "images" / key.hexdigest()[:16]
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            _remove_old(folder.parent)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix="new-") as new:
                _build(zip_path, base, qpylib, Path(new, "image"), compiled)
                # Another process may have built the same meanwhile; either's will do.
                if not folder.exists():
                    Path(new, "image").rename(folder)
        os.utime(folder)
        return cls(folder, image)

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest that was built."""
        text = (self.folder / "app-root/manifest.json").read_text()
        manifest: dict[str, Any] = json.loads(text)
        return manifest


def _remove_old(images: Path) -> None:
    """Remove what nobody has used for a day: each version of an app leaves an image."""
    for folder in images.iterdir():
        if time.time() - folder.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def check_zip(zip_path: Path) -> dict[str, Any]:
    """The manifest of a zip that QRadar would take; raises ``BuildRefused`` for another."""
    try:
        with zipfile.ZipFile(zip_path) as archive:
            names = archive.namelist()
            if "manifest.json" not in names:
                raise BuildRefused(33103, "manifest.json is missing at the root of the zip")
            text = archive.read("manifest.json").decode()
    except zipfile.BadZipFile:
        raise BuildRefused(33108, "this is no zip") from None
    if not any(name.startswith("app/") for name in names):
        raise BuildRefused(33102, "the folder app is missing")
    if problems := rules.check(text):
        raise BuildRefused(problems[0].code, "; ".join(map(str, problems)))
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def _build(zip_path: Path, base: Path, qpylib: Path, folder: Path, compiled: bool) -> None:
    app_root, local, etc = folder / "app-root", folder / "usr-local", folder / "etc"
    with zipfile.ZipFile(zip_path) as archive:
        archive.extractall(app_root)
    # Linked, not copied: pip replaces files and never writes into one.
    shutil.copytree(base, local, symlinks=True, copy_function=os.link)
    if qpylib.is_dir():
        target = local / "lib/python3.11/site-packages/qpylib"
        shutil.copytree(qpylib, target, ignore=shutil.ignore_patterns("__pycache__"))
    _make_etc(etc, app_root)
    for name in ("build", "run", "clean", "service"):
        for path in [app_root / "container" / name, *(app_root / "container" / name).rglob("*")]:
            if path.exists():
                path.chmod(0o755)
    sandbox = Sandbox(Layout(mounts(app_root, local, etc, mode="rw")))
    try:
        for wheel in _wheels(app_root / "container/pip"):
            pip = "pip install --no-index --disable-pip-version-check"
            _step(sandbox, f"{pip} /opt/app-root/container/pip/{wheel}", 33201)
        build = app_root / "container/build/ordering.txt"
        if build.exists() and (lines := build.read_text().strip().splitlines()):
            _step(sandbox, " && ".join(lines), 33201)
        if compiled:
            _step(sandbox, "python3 -m compileall -q /opt/app-root/app", 33201)
    finally:
        sandbox.destroy()


def _make_etc(etc: Path, app_root: Path) -> None:
    (etc / "supervisord.d").mkdir(parents=True)
    for path in sorted((app_root / "container/conf/supervisord.d").glob("*.conf")):
        shutil.move(path, etc / "supervisord.d")
    (etc / "supervisord.conf").write_text(SUPERVISORD_CONF)
    (etc / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/bash\nappuser:x:1001:1001::/home/appuser:/bin/bash\n"
    )
    (etc / "group").write_text("root:x:0:\nappuser:x:1001:\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    (etc / "resolv.conf").write_text("")
    if Path("/etc/ld.so.cache").exists():
        shutil.copy("/etc/ld.so.cache", etc)
    if Path("/etc/alternatives").exists():
        shutil.copytree("/etc/alternatives", etc / "alternatives", symlinks=True)


def mounts(app_root: Path, local: Path, etc: Path, *, mode: str) -> list[tuple[Path, str, str]]:
    """The mounts that building and running share; ``mode`` is that of /usr/local."""
    shared = [(Path("/usr"), "/usr", "ro"), (Path(sys.base_prefix), PYTHON, "ro")]
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_dir() and not Path("/", name).is_symlink():
            shared.append((Path("/", name), f"/{name}", "ro"))
    if SQLITE.is_dir():
        shared.append((SQLITE, "/opt/sqlite326", "ro"))
    own = [(local, "/usr/local", mode), (etc, "/etc", "rw"), (app_root, "/opt/app-root", "rw")]
    return [*shared, *own, (PYTHON3, _usr_bin_python3(), "ro")]


def _usr_bin_python3() -> str:
    """The file behind /usr/bin/python3, whose place the image's Python takes in a container."""
    path = Path("/usr/bin/python3").resolve()
    if not path.is_file() or Path("/usr") not in path.parents:
        raise ContainerUnavailable("this machine has no /usr/bin/python3")
    return str(path)


def library_path() -> str:
    """LD_LIBRARY_PATH inside: the image's SQLite where it was built, a shared Python's library."""
    return f"/opt/sqlite326:{PYTHON}/lib"


def _wheels(folder: Path) -> list[str]:
    """The order of installing: ordering.txt's, skipping what is not there; else all, sorted."""
    if not folder.is_dir():
        return []
    files = [path.name for path in sorted(folder.iterdir())]
    there = [name for name in files if name not in ("ordering.txt", "requirements.txt")]
    ordering = folder / "ordering.txt"
    lines = ordering.read_text().split() if ordering.exists() else []
    if lines:
        return [line for line in lines if line in there]
    return [" /opt/app-root/container/pip/".join(there)] if there else []


def _step(sandbox: Sandbox, command: str, code: int) -> None:
    environment_inside = {
        "PATH": PATH,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "APP_ROOT": "/opt/app-root",
        "LD_LIBRARY_PATH": library_path(),
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    with tempfile.TemporaryFile() as output:
        fd = output.fileno()
        program = sandbox.start(
            ["sh", "-c", command], environment_inside, as_appuser=False, stdout=fd, stderr=fd
        )
        if program.wait(STEP_SECONDS) != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            raise BuildRefused(code, f"{command}\n{said}")
