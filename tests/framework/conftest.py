# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""An app folder as QRadar lays it out, for this process or for one that a test starts."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MANIFEST = {"name": "Safeguarded Restore", "version": "1.2.3", "log_level": "INFO"}

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def forget_qpylib_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let qpylib, stand-in or real, read the manifest and open its log again."""
    names = {"_manifest", "_logger", "_may_log", "Q_CACHED_MANIFEST", "QLOGGER"}
    for module in ("qpylib.qpylib", "qpylib.app_qpylib", "qpylib.log_qpylib"):
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        for name in names & set(vars(found)):
            monkeypatch.setattr(found, name, False if name == "_may_log" else None)


@pytest.fixture
def app_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """APP_ROOT with a manifest and a store, and the environment QRadar gives an app."""
    for name in [*os.environ]:
        if name.startswith(("QRADAR_", "REQUESTS_", "SEC_")):
            monkeypatch.delenv(name)
    for name, value in {
        "APP_ROOT": str(tmp_path),
        "QRADAR_APP_ID": "1051",
        "QRADAR_APP_UUID": "7c0ffee0-1111-2222-3333-444455556666",
        "QRADAR_CONSOLE_FQDN": "console.example",
        "QRADAR_CONSOLE_IP": "192.0.2.10",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "store").mkdir()
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    forget_qpylib_state(monkeypatch)
    return tmp_path


@pytest.fixture
def run(app_root: Path) -> Run:
    """Run Python source in a process of its own, in the same environment and search path."""

    def start(source: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", source, *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return start
