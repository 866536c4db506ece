# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Clients that others wrote take the simulated CDM for a CDM."""

import base64
import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import requests

from tests.simulators.cdm import CdmSimulator

REPOSITORY = Path(__file__).parents[2]
PACKAGES = REPOSITORY / ".build" / "py27"
WANTED = ("ecxclient==0.42", "configparser==4.0.2")
QUIET = ("--quiet", "--disable-pip-version-check")


@pytest.fixture
def cdm() -> Iterator[CdmSimulator]:
    with CdmSimulator(restore_seconds=30) as simulator:
        yield simulator


@cache
def python27() -> str:
    """A Python 2.7 with the vendor's client, or the test is skipped."""
    candidates = [shutil.which("python2.7"), _from_pyenv()]
    python = next((each for each in candidates if each and _is_27(each)), None)
    if python is None:
        pytest.skip("no python2.7 that works, on the PATH or from pyenv")
    if not (PACKAGES / "ecxclient").is_dir() or not (PACKAGES / "configparser.py").is_file():
        pip = [python, "-m", "pip", "install", *QUIET, "--target", str(PACKAGES), *WANTED]
        if subprocess.run(pip, capture_output=True, timeout=90, check=False).returncode:
            pytest.skip(f"pip for python2.7 can't install {' and '.join(WANTED)}")
    return python


def _from_pyenv() -> str | None:
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob("versions/2.7.*/bin/python2.7"))
    return str(found[-1]) if found else None


def _is_27(python: str) -> bool:
    result = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
    return result.returncode == 0 and "2.7" in result.stdout + result.stderr


def _run27(*arguments: str, home: Path) -> str:
    """Run Python 2.7 with the vendor's packages; what it printed."""
    environment = {"PYTHONPATH": str(PACKAGES), "HOME": str(home), "PATH": os.defpath}
    environment |= {"LC_ALL": "C.UTF-8", "PAGER": "cat", "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [python27(), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


class TestProofOfConcept:
    """The sequence of the script that the app replaces: login, list, start."""

    def test_with_requests(self, cdm: CdmSimulator, tmp_path: Path):
        trust = tmp_path / "cdm.pem"
        trust.write_text(cdm.certificate_pem)
        common = {"verify": str(trust), "timeout": 30}
        login = requests.post(
            f"{cdm.url}/api/endeavour/session", auth=(cdm.user, cdm.password), **common
        )
        headers = {
            "Accept": "application/json",
            "Content-type": "application/json",
            "x-endeavour-sessionid": login.json()["sessionid"],
        }
        listed = requests.get(
            f"{cdm.url}/api/endeavour/job", headers=headers, data=json.dumps({}), **common
        ).json()
        names = {listed["jobs"][i]["name"]: listed["jobs"][i] for i in range(listed["total"])}
        job = names["SQL clean-room restore"]
        url = f"{cdm.url}/api/endeavour/job/{job['id']}?action=start&actionname=start"
        started = requests.post(url, headers=headers, data=json.dumps({}), **common)

        assert started.json()["id"] == job["id"]
        assert [(start.job_id, start.answered) for start in cdm.starts] == [(job["id"], 200)]

    def test_with_urllib(self, cdm: CdmSimulator):
        context = ssl.create_default_context(cadata=cdm.certificate_pem)

        def call(method: str, path: str, **headers: str) -> dict[str, object]:
            request = urllib.request.Request(  # noqa: S310 - the simulator's own https address
                f"{cdm.url}/api/endeavour/{path}",
                data=b"{}" if method == "POST" else None,
                headers={name.replace("_", "-"): value for name, value in headers.items()},
                method=method,
            )
            opener = urllib.request.build_opener(
                urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({})
            )
            with opener.open(request, timeout=30) as response:
                return json.load(response)

        basic = base64.b64encode(f"{cdm.user}:{cdm.password}".encode()).decode()
        session_id = str(call("POST", "session", Authorization=f"Basic {basic}")["sessionid"])
        jobs = call("GET", "job", x_endeavour_sessionid=session_id)["jobs"]
        assert isinstance(jobs, list)
        path = f"job/{jobs[0]['id']}?action=start&actionname=start"
        call("POST", path, x_endeavour_sessionid=session_id)

        assert cdm.starts[0].session_id == cdm.sessions[0]["id"]


class TestVendorsClient:
    """ecxclient 0.42 for Python 2, with its own code only."""

    def test_its_library(self, cdm: CdmSimulator, tmp_path: Path):
        script = Path(__file__).with_name("ecx_calls.py")
        found = json.loads(_run27(str(script), cdm.url, cdm.user, cdm.password, home=tmp_path))

        assert found["jobs"] == 3
        assert found["ran"] == "1044"
        assert found["status"] in ("PENDING", "ACTIVE")
        assert found["session"] == cdm.starts[0].session_id
        assert "The job was queued." in found["logs"]
        assert found["version"] == "latest"
        assert len(cdm.logouts) == 1

    def test_its_command_line_lists_jobs(self, cdm: CdmSimulator, tmp_path: Path):
        printed = self.ecxcli(cdm, "job", "list", home=tmp_path)

        assert "SQL clean-room restore" in printed
        assert "IDLE" in printed

    def test_its_command_line_runs_and_monitors_a_job_to_the_mounted_resource(
        self, cdm: CdmSimulator, tmp_path: Path
    ):
        cdm.switches.lastrun_lag_seconds = 0  # this client takes lastrun for the new session
        cdm.switches.pending_seconds = 0  # and must once have seen the job ACTIVE
        cdm.update_job("1044", restore_seconds=0.5)
        printed = self.ecxcli(cdm, "job", "run", "--mon", "-i", "1", "1044", home=tmp_path)

        assert "The copy is mounted on the clean-room host." in printed
        assert cdm.sessions[0]["status"] == "RESOURCE ACTIVE"
        assert len(cdm.starts) == 1

    def ecxcli(self, cdm: CdmSimulator, *arguments: str, home: Path) -> str:
        code = (
            "import sys, ecxclient.cli; sys.path.insert(0, ecxclient.cli.__path__[0]);"
            "from ecxclient.cli.ecxcli import main; main()"
        )
        account = ("--url", cdm.url, "--user", cdm.user, "--passwd", cdm.password)
        return _run27("-c", code, *account, *arguments, home=home)
