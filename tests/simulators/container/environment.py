# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The Python environment of a base image: exactly its packages, placed as in the image."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.simulators.container.sandbox import PYTHON, REPOSITORY

# The images' own pip (base-image.md); it installs the app's wheels.
PIP = {"4.0.2": "23.2", "4.0.11": "26.0.1"}


def prepare(image: str) -> Path:
    """The folder with the environment of ``image``, made when it is missing or out of date.

    It is made for one place: /usr/local in a container.
    Raises ``subprocess.CalledProcessError`` when pip can't install the packages.
    """
    folder = REPOSITORY / f".build/image-{image}"
    constraints = REPOSITORY / f"tests/constraints-image-{image}.txt"
    described = constraints.read_bytes() + f"{PIP[image]} {sys.version}".encode()
    described += Path(__file__).read_bytes()
    fingerprint = hashlib.sha256(described).hexdigest()
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / f".environment-{image}.lock").open("w") as lock:
        # Two test runs at a time must not both set it up.
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / ".fingerprint"
        if not stamp.exists() or stamp.read_text() != fingerprint:
            _install(image, constraints, folder)
            stamp.write_text(fingerprint)
    return folder


def _install(image: str, constraints: Path, folder: Path) -> None:
    print(f"setting up {folder.name}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    python = Path(sys.base_prefix, "bin", "python3.11")
    subprocess.run([python, "-m", "venv", folder], check=True)
    pip = [
        str(folder / "bin/python3"),
        "-m",
        "pip",
        "install",
        "-qq",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "-r", str(constraints)], check=True)
    subprocess.run([*pip, f"pip=={PIP[image]}"], check=True)
    _relocate(folder)


def _relocate(folder: Path) -> None:
    """Make the environment believe that it was created as /usr/local."""
    (folder / "pyvenv.cfg").write_text(
        f"home = {PYTHON}/bin\ninclude-system-site-packages = false\nversion = 3.11\n"
    )
    interpreter = f"#!{folder}/bin/".encode()
    for script in (folder / "bin").iterdir():
        if script.is_symlink():
            if script.readlink().is_absolute():
                script.unlink()
                script.symlink_to(f"{PYTHON}/bin/python3.11")
        elif script.name.lower().startswith("activate"):
            script.unlink()
        elif script.read_bytes().startswith(interpreter):
            lines = script.read_bytes().split(b"\n", 1)
            script.write_bytes(b"#!/usr/local/bin/python3\n" + lines[1])
