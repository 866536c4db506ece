# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Our files under container/, at work in a container around a tiny app."""

import configparser
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.simulators.container import Container, Image
from tests.simulators_tests.tiny_app import ROOT, bundled_wheels, make_zip

CONF = ROOT / "container/conf"
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True:
    time.sleep(1)
"""


def build(folder: Path, **changed: str) -> Image:
    """The tiny app with our own container files."""
    ours = {
        f"container/{path.relative_to(ROOT / 'container')}": path.read_text()
        for path in (ROOT / "container").rglob("*")
        if path.is_file() and path.parent.name != "pip"
    }
    # gunicorn's worker is a part of the app.
    ours |= {
        str(path.relative_to(ROOT)): path.read_text()
        for path in (
            *(ROOT / "app/web/front").glob("*.py"),
            *(ROOT / "app" / part for part in ("web/__init__.py", "framework/__init__.py")),
            ROOT / "app/framework/console_peers.py",
        )
    }
    manifest = {"manifest.json": (ROOT / "manifest.json").read_text()}
    without = dict.fromkeys(("container/build/ordering.txt", "container/run/ordering.txt"))
    files: dict[str, str | None] = {**ours, **manifest, **without, **changed}
    return Image.build(make_zip(folder / "app.zip", bundled_wheels(), **files))


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    image = build(tmp_path_factory.mktemp("zip"))
    with Container(image, store=tmp_path_factory.mktemp("store")) as container:
        container.wait_ready(20)
        yield container


def test_each_program_is_named_by_its_whole_path() -> None:
    """What a PATH would find is another image's business."""
    programs = configparser.ConfigParser(interpolation=None)
    programs.read(CONF / "supervisord.d/app.conf")
    commands = [programs[section]["command"] for section in programs.sections()]

    assert len(commands) == 2
    assert all(command.startswith("/usr/") for command in commands)


@pytest.mark.processes
def test_both_processes_run(container: Container) -> None:
    processes = container.processes()

    assert processes.keys() == {"web", "worker"}
    assert len(processes["web"]) == 2  # gunicorn's master and its one worker
    assert len(processes["worker"]) == 1


@pytest.mark.processes
def test_what_the_processes_print_ends_in_the_apps_log_folder(container: Container) -> None:
    names = {path.name for path in (container.store / "log").iterdir()}

    assert {"web-output.log", "worker-output.log", "supervisord.log"} <= names
    assert "FrontWorker" in (container.store / "log/web-output.log").read_text()


@pytest.mark.processes
def test_no_request_line_is_written_down(container: Container) -> None:
    url = f"http://127.0.0.1:{container.port}/debug?token=s3cret"
    requests.get(url, headers={"X-Trigger-Token": "s3cret"}, timeout=5)
    requests.get(f"{url}{'x' * 9000}", timeout=5)
    for broken in (
        b"GET /debug HTTP/1.1\r\nX-Trigger-Token s3cret\r\n\r\n",
        b"GET /debug?token=s3cret and more HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", container.port), timeout=5) as peer:
            peer.sendall(broken)
            assert b"400 Bad Request" in peer.recv(100)

    assert "Refused requests: 1. Why: malformed (1). From: 127.0.0.1 (1)" in container.logs()
    assert "s3cret" not in container.logs()


@pytest.mark.processes
def test_request_line_longer_than_the_consoles_is_refused(container: Container) -> None:
    answer = requests.get(f"http://127.0.0.1:{container.port}/debug?{'x' * 9000}", timeout=5)

    assert answer.status_code == 414


@pytest.mark.processes
def test_stop_tells_the_worker_and_waits_for_it(tmp_path: Path) -> None:
    """Without cleanup.sh it would be killed without a word (qradar §2.3)."""
    with Container(build(tmp_path), store=tmp_path / "store") as container:
        container.wait_ready(20)
        seconds = container.stop()

    log = (tmp_path / "store/log/worker-output.log").read_text()
    assert "worker was told to stop" in log
    assert seconds < 9


@pytest.mark.processes
def test_worker_that_does_not_listen_cannot_hold_up_the_stop(tmp_path: Path) -> None:
    with Container(
        build(tmp_path, **{"app/worker.py": STUBBORN}), store=tmp_path / "store"
    ) as container:
        container.wait_ready(20)
        seconds = container.stop()

    assert seconds < 9  # the container engine's own limit is 10
    assert "stopped: worker (terminated by SIGKILL)" in container.logs()


@pytest.mark.processes
def test_the_oldest_image_takes_the_same_zip(tmp_path: Path) -> None:
    """QRadar rebuilds an installed app on whatever 4.x image it has (qradar §1.3)."""
    build(tmp_path)
    oldest = Image.build(tmp_path / "app.zip", image="4.0.2")
    with Container(oldest, store=tmp_path / "store") as container:
        container.wait_ready(20)
        listed = container.exec(["pip", "list", "--format=freeze"]).stdout
        checked = container.exec(["pip", "check"])

    assert "Flask==2.3.2" in listed
    assert checked.returncode == 0, checked.stdout


def test_command_files_have_unix_line_ends() -> None:
    """QRadar runs them as they are (qradar §1.1)."""
    for path in (ROOT / "container").rglob("*"):
        if path.suffix in (".sh", ".txt", ".conf", ".py"):
            assert b"\r" not in path.read_bytes(), path


def test_nothing_names_a_user_or_another_file_outside_the_apps_root() -> None:
    lines = (CONF / "supervisord.d/app.conf").read_text().splitlines()
    settings = [line for line in lines if "=" in line and not line.startswith(";")]

    assert not [line for line in settings if line.startswith("user")]
    files = [line.split("=", 1)[1] for line in settings if line.startswith("stdout_logfile=")]
    assert all(name.startswith("/opt/app-root/store/log/") for name in files)
    assert len(files) == 2
