# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Only the pinned wheels are bundled, in an order in which QRadar can install them."""

import hashlib
import re
import zipfile
from pathlib import Path

import pytest

from packing.wheels import INCOMPLETE, WheelError, main, order

ROOT = Path(__file__).resolve().parents[2]


def make_wheel(
    folder: Path, name: str, *needs: str, tag: str = "py3-none-any", content: str = ""
) -> str:
    """Write a wheel and give the line that pins it."""
    path = folder / f"{name}-1.0-{tag}.whl"
    required = "".join(f"Requires-Dist: {need}\n" for need in needs)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Name: {name}\n{required}\n{content}")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pip").mkdir()
    return tmp_path / "pip"


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    return tmp_path / "wheels.txt"


def test_what_a_wheel_requires_is_installed_before_it(folder: Path, pins: Path) -> None:
    """Extras and what the image brings (here: Flask) do not count."""
    lines = [
        make_wheel(folder, "a_form", "Flask", "Z.Base>=3", 'b-tool; extra == "email"'),
        make_wheel(folder, "b_tool"),
        make_wheel(folder, "z_base", "b_tool"),
    ]
    pins.write_text("".join(lines))

    assert [name.split("-")[0] for name in order(pins, folder)] == ["b_tool", "z_base", "a_form"]


def test_complete_folder_gets_its_ordering_file(folder: Path, pins: Path) -> None:
    pins.write_text(make_wheel(folder, "one"))

    assert main([str(pins), str(folder)]) == 0
    assert main([str(pins), str(folder)]) == 0  # its own ordering.txt is no wheel
    assert (folder / "ordering.txt").read_text() == "one-1.0-py3-none-any.whl\n"


@pytest.mark.parametrize("tag", ["cp311-cp311-manylinux_2_28_x86_64", "cp311-abi3-linux_x86_64"])
def test_wheel_with_machine_code_is_refused(folder: Path, pins: Path, tag: str) -> None:
    pins.write_text(make_wheel(folder, "fast", tag=tag))

    with pytest.raises(WheelError, match="not a pure Python wheel"):
        order(pins, folder)


def test_wheel_with_another_hash_is_refused(folder: Path, pins: Path) -> None:
    pins.write_text(make_wheel(folder, "one"))
    make_wheel(folder, "one", content="changed")

    with pytest.raises(WheelError, match="has a hash that wheels.txt does not name"):
        order(pins, folder)


def test_missing_wheel_is_said_in_one_line(
    folder: Path, pins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pins.write_text(make_wheel(folder, "one") + f"two==1 --hash=sha256:{'0' * 64}\n")

    assert main([str(pins), str(folder)]) == INCOMPLETE
    assert capsys.readouterr().err == "1 of the wheels in wheels.txt are missing\n"


def test_every_pin_has_a_hash_and_is_not_in_the_image() -> None:
    text = (ROOT / "container/wheels.txt").read_text()
    pinned = {name.lower() for name in re.findall(r"^([\w-]+)==\S+ \\$", text, re.MULTILINE)}
    constraints = [ROOT / f"tests/constraints-image-{v}.txt" for v in ("4.0.2", "4.0.11")]
    image = {
        line.split("==")[0].lower()
        for path in constraints
        for line in path.read_text().splitlines()
        if "==" in line and not line.startswith("#")
    }

    assert len(pinned) == text.count("--hash=sha256:") == 3
    assert not pinned & image
