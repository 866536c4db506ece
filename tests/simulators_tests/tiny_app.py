# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""A tiny app, with which the container simulator and our container files are tested."""

import json
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MANIFEST: dict[str, Any] = {
    "name": "Tiny",
    "description": "For the simulator's own tests",
    "version": "0.0.1",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "image": "qradar-app-base:4.0.2",
    "load_flask": "false",
    "resources": {"memory": 200},
    "services": [{"name": "tiny", "version": "1", "port": 5000}],
}
APP = """
import os, socket, sqlite3, threading
from flask import Flask, abort

def create_app():
    app = Flask(__name__)

    @app.get("/debug")
    def debug():
        if os.path.exists("store/sick"):
            os.remove("store/sick")
            abort(500)
        return ""

    @app.get("/seen")
    def seen():
        facts = {"uid": os.getuid(), "sqlite": sqlite3.sqlite_version}
        return facts | {"environment": dict(os.environ)}

    @app.get("/reach/<name>/<int:port>")
    def reach(name, port):
        try:
            with socket.create_connection((name, port), timeout=2) as peer:
                return peer.recv(100)
        except OSError as error:
            return f"{type(error).__name__}"

    return app
"""
WORKER = """
import signal, sys, time

def stop(*_):
    print("worker was told to stop", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
print("worker is ready", flush=True)
while True:
    time.sleep(0.1)
"""
PROGRAMS = """
[program:web]
command=/usr/local/bin/gunicorn -k gthread -b 0.0.0.0:5000 --no-control-socket "app:create_app()"
directory=/opt/app-root
stdout_logfile=/opt/app-root/store/log/web.log
redirect_stderr=true
[program:worker]
command=/usr/bin/python3 -m app.worker
directory=/opt/app-root
stdout_logfile=/opt/app-root/store/log/worker.log
redirect_stderr=true
"""
FILES = {
    "manifest.json": json.dumps(MANIFEST),
    "app/__init__.py": APP,
    "app/worker.py": WORKER,
    "container/conf/supervisord.d/app.conf": PROGRAMS,
    "container/run/ordering.txt": "touch store/one   store/two\nsh -c true\n",
    "container/build/ordering.txt": "echo built > /opt/app-root/built\ntest -f built || test ok\n",
    "container/clean/cleanup.sh": "date > store/cleaned\nsupervisorctl stop worker\n",
}


def make_zip(path: Path, wheels: dict[str, bytes] | None = None, **changed: str | None) -> Path:
    """A zip of the tiny app; ``changed`` replaces a file's text, or leaves the file out.

    The same content gives the same zip, so that it is built into an image only once.
    """
    files = {name: text.encode() for name, text in (FILES | changed).items() if text is not None}
    files |= {f"container/pip/{name}": data for name, data in (wheels or {}).items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def bundled_wheels() -> dict[str, bytes]:
    """container/pip/ as ``./build.sh`` filled it: the wheels and their order."""
    found = {path.name: path.read_bytes() for path in (ROOT / "container/pip").iterdir()}
    assert "ordering.txt" in found, "./build.sh package fetches the wheels"
    return found
