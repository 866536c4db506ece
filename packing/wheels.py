# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundled wheels: exactly those that container/wheels.txt pins, pure Python, in order.

    python3 -m packing.wheels container/wheels.txt container/pip

checks the folder and writes its ordering.txt. Exit 0: complete; 3: something is missing or wrong,
said in one line.
"""

import email.parser
import hashlib
import re
import sys
import zipfile
from pathlib import Path

INCOMPLETE = 3


class WheelError(Exception):
    """The folder does not hold exactly the pinned wheels."""


def order(pins: Path, folder: Path) -> list[str]:
    """The file names of the pinned wheels in ``folder``, dependencies first.

    QRadar installs them one by one with neither network nor search path, so each one's
    requirements must be there before it (qradar §2.2). Raises ``WheelError`` for a wheel
    that is missing, unpinned, has another hash or is not pure Python.
    """
    wanted = set(re.findall(r"sha256:([0-9a-f]{64})", pins.read_text()))
    wheels = sorted(path for path in folder.iterdir() if path.name != "ordering.txt")
    for path in wheels:
        if not path.name.endswith("-none-any.whl"):
            raise WheelError(f"{path.name} is not a pure Python wheel")
        if hashlib.sha256(path.read_bytes()).hexdigest() not in wanted:
            raise WheelError(f"{path.name} has a hash that {pins.name} does not name")
    if len(wheels) < len(wanted):
        raise WheelError(f"{len(wanted) - len(wheels)} of the wheels in {pins.name} are missing")
    needs = {path.name: _needs(path) for path in wheels}
    names = {_normal(name.split("-")[0]): name for name in needs}
    ordered: list[str] = []

    def add(name: str) -> None:
        for need in sorted(needs[name] & names.keys()):
            if names[need] not in ordered:
                add(names[need])
        if name not in ordered:
            ordered.append(name)

    for name in sorted(needs):
        add(name)
    return ordered


def _needs(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = email.parser.Parser().parsestr(archive.read(name).decode())
    required = [r for r in metadata.get_all("Requires-Dist", []) if "extra ==" not in r]
    return {_normal(match[0]) for r in required if (match := re.match(r"[\w.-]+", r))}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(arguments: list[str]) -> int:
    """Check a folder and write its ordering.txt (see the module's docstring)."""
    pins, folder = map(Path, arguments)
    try:
        names = order(pins, folder)
    except WheelError as error:
        print(error, file=sys.stderr)
        return INCOMPLETE
    (folder / "ordering.txt").write_text("".join(f"{name}\n" for name in names))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
