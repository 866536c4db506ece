# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``./build.sh`` does what its help says, in a tree without history."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("build.sh", "manifest.json", "CHANGELOG.md", "app", "container", "packing")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what packing needs, the bundled wheels included; what is set up is set up once."""
    for part in PARTS:
        target = tmp_path / "tree" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, target)
    (tmp_path / "tree/.build").symlink_to(ROOT / ".build")
    return tmp_path / "tree"


def build(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", tree / "build.sh", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_package_empties_dist_and_writes_both_zips(tree: Path) -> None:
    (tree / "dist").mkdir()
    (tree / "dist/SafeguardedRestore-0.9.0.zip").touch()
    done = build(tree)

    assert done.returncode == 0, done.stderr
    files = sorted(path.relative_to(tree) for path in (tree / "dist").iterdir())
    assert files == sorted(map(Path, done.stdout.split()))
    assert len(files) == 2


def test_two_builds_are_byte_identical(tree: Path) -> None:
    """Whatever the zone, the language and the place."""
    first = build(tree)
    packed = {path.name: path.read_bytes() for path in (tree / "dist").iterdir()}
    moved = tree.rename(tree.with_name("elsewhere"))
    second = build(moved, "package", TZ="Asia/Kathmandu", LC_ALL="C")

    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert {path.name: path.read_bytes() for path in (moved / "dist").iterdir()} == packed


def test_help_names_every_command_and_an_unknown_one_is_refused() -> None:
    helped, refused = build(ROOT, "help"), build(ROOT, "frobnicate")

    assert helped.returncode == 0
    for command in ("package", "demo", "check", "test", "bench", "proof", "help"):
        assert re.search(rf"^\./build\.sh \[?{command}\b", helped.stdout, re.MULTILINE)
    assert refused.returncode == 2
    assert refused.stderr == helped.stdout


def test_missing_python_is_said_in_one_line(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for command in ("dirname", "cat"):
        (tmp_path / "bin" / command).symlink_to(shutil.which(command) or command)
    done = build(tree, "package", PATH=str(tmp_path / "bin"))

    assert done.returncode == 1
    assert done.stderr.startswith("build.sh: python3.11 is missing")
    assert done.stderr.count("\n") == 1


def test_ci_runs_the_tests() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()

    assert [line for line in lines if not line.startswith("#")] == ["exec ./build.sh test"]
