# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The container simulator builds and runs an app as qradar §2 says, with a tiny app."""

import json
import os
import signal
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.simulators.container import (
    BuildRefused,
    Container,
    ContainerFailed,
    ContainerUnavailable,
    Image,
)
from tests.simulators.container.sandbox import Layout, Sandbox
from tests.simulators_tests.tiny_app import MANIFEST, bundled_wheels, make_zip

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def wheels() -> dict[str, bytes]:
    return bundled_wheels()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, bytes]) -> Image:
    try:
        return Image.build(make_zip(tmp_path_factory.mktemp("zip") / "tiny.zip", wheels))
    except ContainerUnavailable as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module")
def running(tiny: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A container that tests only look at."""
    with (
        socket.create_server(("127.0.0.1", 0)) as console,
        Container(
            tiny,
            store=tmp_path_factory.mktemp("store"),
            console=("console.example", console.getsockname()[1]),
            hosts={"cdm.example:8443": console.getsockname()[:2]},
            ca_bundle="the console's CA",
            environment={"QRADAR_APPFW_SDK": "true"},
        ) as container,
    ):
        console.settimeout(10)
        container.console = console  # type: ignore[attr-defined]  # for the one test that answers
        container.wait_ready(20)
        yield container


def get(container: Container, path: str) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{container.port}{path}", timeout=10)


def test_app_runs_as_appuser_with_qradars_variables(running: Container) -> None:
    seen = get(running, "/seen").json()
    environment = seen["environment"]

    assert seen["uid"] == 1001
    assert environment["APP_ROOT"] == "/opt/app-root"
    assert environment["QRADAR_APP_UUID"] != MANIFEST["uuid"]
    assert environment["QRADAR_CONSOLE_FQDN"] == "console.example"
    assert environment["QRADAR_APPFW_SDK"] == "true"
    assert running.exec(["cat", environment["REQUESTS_CA_BUNDLE"]]).stdout == "the console's CA"


def test_app_has_the_images_sqlite(running: Container) -> None:
    assert get(running, "/seen").json()["sqlite"] == "3.26.0"


def test_container_has_the_images_packages_and_the_bundled_wheel_only(running: Container) -> None:
    listed = running.exec(["pip", "list", "--format=freeze"]).stdout.split()

    assert "supervisor==4.2.5" in listed
    assert "gunicorn==27.0.1" in listed
    assert not [line for line in listed if line.startswith(("pytest", "mypy", "ruff"))]


def test_paths_are_qradars_and_the_machines_own_files_are_hidden(running: Container) -> None:
    looked = running.exec(["sh", "-c", "ls /etc/supervisord.d; cat built; ls -d /work /root"])

    assert looked.stdout.split() == ["app.conf", "built"]
    assert running.exec(["test", "-e", "container/conf/supervisord.d/app.conf"]).returncode == 1
    assert running.exec(["sh", "-c", "command -v gunicorn"]).stdout == "/usr/local/bin/gunicorn\n"


def test_run_steps_are_split_at_blanks_and_run_before_the_programs(running: Container) -> None:
    assert {"one", "two"} <= {path.name for path in running.store.iterdir()}


def test_app_reaches_the_named_hosts_and_nothing_else(running: Container) -> None:
    console: socket.socket = running.console  # type: ignore[attr-defined]
    for target in ("console.example/443", "cdm.example/8443"):
        # The answer waits in the kernel's queue: one thread is enough for both sides.
        answer = running.exec(["sh", "-c", f"curl -s http://127.0.0.1:5000/reach/{target} >&2 & :"])
        assert answer.returncode == 0
        peer, _ = console.accept()
        with peer:
            peer.sendall(b"hello from outside")
    assert get(running, "/reach/cdm.example/22").text == "ConnectionRefusedError"
    assert get(running, f"/reach/127.0.0.1/{running.port}").text == "ConnectionRefusedError"


def test_exec_gives_input_output_and_exit_code(running: Container) -> None:
    done = running.exec(["sh", "-c", "cat; echo oops >&2; exit 3"], stdin="grüße")

    assert (done.stdout, done.stderr, done.returncode) == ("grüße", "oops\n", 3)
    assert running.exec(["no-such-command"]).returncode == 127


def test_memory_is_accounted(running: Container) -> None:
    assert 2**20 < running.pss() < running.memory_limit == 200 * 2**20


def test_killed_program_is_started_again_by_supervisord(running: Container) -> None:
    before = running.processes()["worker"]
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while (now := running.processes().get("worker", [])) in ([], before):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert now != before


def test_two_containers_run_side_by_side(running: Container, tiny: Image, tmp_path: Path) -> None:
    with Container(tiny, store=tmp_path) as second:
        second.wait_ready(20)
        assert second.port != running.port
        first_uuid, second_uuid = (
            get(container, "/seen").json()["environment"]["QRADAR_APP_UUID"]
            for container in (running, second)
        )
    assert first_uuid != second_uuid


def test_every_stop_ends_all_and_the_store_stays(tiny: Image, tmp_path: Path) -> None:
    """Kill, the SDK's stop and an engine's stop, one after the other on one store."""
    container = Container(tiny, store=tmp_path)
    told = "worker was told to stop"
    uuids, log = set(), tmp_path / "log/worker.log"
    for starts, end in enumerate(
        (container.kill, container.stop, lambda: container.stop("docker")), start=1
    ):
        container.start()
        container.wait_ready(20)
        # Told to stop before it listens to that, it would end without a word.
        deadline = time.monotonic() + 20
        while not log.exists() or log.read_text().count("worker is ready") < starts:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        uuids.add(get(container, "/seen").json()["environment"]["QRADAR_APP_UUID"])
        pids = [pid for pids in container.processes().values() for pid in pids]
        assert len(pids) >= 3
        end()
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        with pytest.raises(requests.ConnectionError):
            get(container, "/debug")

    assert len(uuids) == 1
    assert log.read_text().count(told) == 2  # not by kill; by cleanup.sh in both stops
    assert (tmp_path / "cleaned").exists()


def test_sick_app_is_started_anew(tiny: Image, tmp_path: Path) -> None:
    with Container(tiny, store=tmp_path, poll_seconds=0.2) as container:
        container.wait_ready(20)
        (tmp_path / "sick").touch()
        deadline = time.monotonic() + 10
        while container.restarts == 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        container.wait_ready(20)


def test_failing_run_step_stops_the_app(wheels: dict[str, bytes], tmp_path: Path) -> None:
    step = {"container/run/ordering.txt": "touch store/log/before\nls /nowhere\n"}
    image = Image.build(make_zip(tmp_path / "app.zip", wheels, **step))
    container = Container(image, store=tmp_path / "store")

    with pytest.raises(ContainerFailed, match="'ls /nowhere' ended with 2"):
        container.start()


def test_wheel_that_needs_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """33201: pip looks neither on the network nor in the folder (qradar §2.2)."""
    wheel = tmp_path / "needy-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        metadata = "Metadata-Version: 2.1\nName: needy\nVersion: 1\nRequires-Dist: absent\n"
        archive.writestr("needy-1.dist-info/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("needy-1.dist-info/WHEEL", tags)
        archive.writestr("needy-1.dist-info/RECORD", "")
    bad = make_zip(tmp_path / "app.zip", {wheel.name: wheel.read_bytes()})

    with pytest.raises(BuildRefused, match="absent") as refused:
        Image.build(bad)
    assert refused.value.code == 33201


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"manifest.json": None}, 33103),
        ({"manifest.json": "{"}, 33106),
        ({"manifest.json": '{"name": "a", "name": "b"}'}, 33105),
        ({"manifest.json": json.dumps(MANIFEST | {"load_flask": False})}, 33104),
        ({"manifest.json": json.dumps(MANIFEST | {"image": "qradar-app-base:3.0.0"})}, 33403),
        ({"app/__init__.py": None, "app/worker.py": None}, 33102),
    ],
)
def test_bad_zip_is_refused_with_qradars_code(
    tmp_path: Path, changed: dict[str, str | None], code: int
) -> None:
    with pytest.raises(BuildRefused) as refused:
        Image.build(make_zip(tmp_path / "bad.zip", **changed))
    assert refused.value.code == code


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app.zip").write_text("no zip")
    with pytest.raises(BuildRefused) as refused:
        Image.build(tmp_path / "app.zip")
    assert refused.value.code == 33108


def test_machine_without_namespaces_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "unshare").write_text("#!/bin/sh\necho 'unshare: not permitted' >&2\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with pytest.raises(ContainerUnavailable) as unavailable:
        Sandbox(Layout([]))
    assert str(unavailable.value) == "this machine can't run containers: unshare: not permitted"
