# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated CDM in a process of its own, and its control endpoint."""

import hashlib
import json
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from tests.simulators.cdm import CdmSimulator, Switches

from .cdm_caller import Caller


@pytest.fixture
def cdm() -> Iterator[CdmSimulator]:
    with CdmSimulator(tls=False) as simulator:
        yield simulator


@pytest.fixture
def caller(cdm: CdmSimulator) -> Iterator[Caller]:
    caller = Caller(cdm)
    caller.login()
    yield caller
    caller.close()


class TestControl:
    def test_the_state_tells_everything_but_the_password(self, cdm: CdmSimulator, caller: Caller):
        caller.start()
        answer = caller.call("GET", "/_control/state")
        state = answer.json

        assert state["starts"][0]["session_id"] == state["sessions"][0]["id"]
        assert state["requests"][-1]["path"] == "/api/endeavour/job/1044"
        assert state["live_api_sessions"] == [caller.session_id]
        assert state["jobs"][0]["id"] == "1044"
        assert state["switches"]["outcome"] == "RESOURCE ACTIVE"
        assert cdm.password.encode() not in answer.body
        part = caller.call("GET", "/_control/state", only="starts,time").json
        assert part.keys() == {"starts", "time"}

    def test_switches_are_merged(self, cdm: CdmSimulator, caller: Caller):
        fault = {"match": {"method": "GET", "path": "/job$"}, "do": "html502", "times": 1}
        answer = caller.call(
            "POST", "/_control/switches", {"outcome": "PARTIAL", "faults": [fault]}
        )

        assert answer.json["outcome"] == cdm.switches.outcome == "PARTIAL"
        assert caller.get("job").status == 502
        state = caller.call("GET", "/_control/switches").json
        assert state["faults"][0]["hits"] == 1

    def test_actions_are_the_methods(self, cdm: CdmSimulator, caller: Caller):
        def act(action: str, **rest: object) -> object:
            return caller.call("POST", "/_control/actions", {"action": action, **rest}).json[
                "result"
            ]

        session_id = act("start_foreign_session", job_id="1044")
        act("advance_session", session_id=session_id, status="FAILED")
        act("set_password", password="new")
        act("expire_api_sessions")

        assert cdm.sessions[0]["id"] == session_id
        assert cdm.sessions[0]["status"] == "FAILED"
        assert act("add_job", name="More") == cdm.jobs[-1]["id"]
        assert (cdm.password, cdm.live_api_sessions) == ("new", [])

    def test_reset_keeps_the_switches_it_was_made_with(self):
        with CdmSimulator(tls=False, switches=Switches(total=7, faults=[{"do": "empty"}])) as cdm:
            caller = Caller(cdm)
            assert caller.get("job").body == b""
            cdm.switches.total = 0
            cdm.reset()
            assert (cdm.switches.total, cdm.switches.faults[0].hits) == (7, 0)
            caller.close()

    def test_reset_makes_it_as_it_was(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.total = 0
        cdm.password = "new"
        cdm.delete_job("1044")
        cdm.start_foreign_session("1045")
        caller.call("POST", "/_control/reset")

        assert (len(cdm.jobs), cdm.sessions, cdm.requests) == (3, [], [])
        assert cdm.switches.total is None
        assert caller.login().status == 200

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("actions", {"action": "stop"}),
            ("actions", {"action": "advance_session"}),
            ("actions", {"action": "vanish_session", "session_id": "1"}),
            ("switches", {"nonsense": 1}),
            ("nonsense", {}),
        ],
    )
    def test_what_cannot_be_done_is_a_400(self, caller: Caller, path: str, body: object):
        answer = caller.call("POST", f"/_control/{path}", body)

        assert answer.status == 400
        assert answer.json["description"]

    def test_control_needs_no_login_and_leaves_no_trace(self, cdm: CdmSimulator):
        cdm.add_fault("html503", times=None)
        caller = Caller(cdm)
        answer = caller.call("GET", "/_control/state")
        caller.close()

        assert answer.status == 200
        assert answer.json["requests"] == []


class TestCommandLine:
    def run(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.simulators.cdm", "--port", "0", *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_prints_its_address_and_stops_on_a_signal(self, number: signal.Signals):
        with self.run("--jobs", "12", "--user", "u", "--password", "p") as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(
                r"CDM simulator on https://127\.0\.0\.1:(\d+) user u "
                r"certificate SHA-256 ([0-9a-f]{64})\n",
                line,
            )
            assert match
            pem = ssl.get_server_certificate(("127.0.0.1", int(match.group(1))))
            process.send_signal(number)
            assert process.wait(10) == 0

        der = ssl.PEM_cert_to_DER_cert(pem)
        assert hashlib.sha256(der).hexdigest() == match.group(2)

    def test_switches_are_given_as_json(self):
        switches = {"outcome": "FAILED", "total": 0}
        given = [f"{name}={json.dumps(value)}" for name, value in switches.items()]
        arguments = [part for each in given for part in ("--switch", each)]
        with self.run("--plain-http", *arguments) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = line.split()[3]
            with urllib.request.urlopen(f"{address}/_control/switches") as response:  # noqa: S310
                shown = json.load(response)
            process.terminate()

        assert line.startswith("CDM simulator on http://127.0.0.1:")
        assert line.endswith("certificate SHA-256 none\n")
        assert shown.items() >= switches.items()

    @pytest.mark.parametrize(
        "arguments", [("--jobs", "0"), ("--switch", "nonsense=1"), ("--cert", "x")]
    )
    def test_unusable_arguments_are_refused(self, arguments: tuple[str, ...]):
        with self.run(*arguments) as process:
            assert process.wait(10) == 2
