# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults on the wire: what a client sees, and what the simulated CDM did all the same."""

import http.client
import json
import threading
import time
from collections.abc import Iterator

import pytest

from tests.simulators.cdm import CdmSimulator

from .cdm_caller import Caller

START = {"method": "POST", "path": r"/job/\d+\?.*action=start"}


@pytest.fixture(params=["https", "http"])
def cdm(request: pytest.FixtureRequest) -> Iterator[CdmSimulator]:
    with CdmSimulator(tls=request.param == "https") as simulator:
        yield simulator


@pytest.fixture
def caller(cdm: CdmSimulator) -> Iterator[Caller]:
    caller = Caller(cdm)
    caller.login()
    yield caller
    caller.close()


class TestInsteadOfTheAnswer:
    def test_html_from_something_in_front(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("html502", path="/job$")
        answer = caller.get("job")

        assert answer.status == 502
        assert b"<title>502" in answer.body
        assert answer.headers["Content-Type"].startswith("text/html")
        assert caller.get("job").status == 200
        assert [request.answered for request in cdm.requests[1:]] == [502, 200]

    def test_an_empty_body_and_one_that_is_no_json(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("empty")
        cdm.add_fault("garbage")

        assert (caller.get("job").status, caller.get("job").status) == (200, 200)
        cdm.add_fault("garbage")
        with pytest.raises(ValueError, match="Expecting"):
            _ = caller.get("job").json

    def test_an_error_id_or_a_body_of_ones_own(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("status", status=401, id="XSBSessionLostException", **START)
        cdm.add_fault("status", status=418, body="", **START)

        assert caller.start().json["id"] == "XSBSessionLostException"
        assert caller.start().body == b""
        assert [start.answered for start in cdm.starts] == [401, 418]
        assert cdm.sessions == []

    def test_an_oversized_answer(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("oversize", megabytes=2)

        assert len(caller.get("job").body) > 2 * 1024 * 1024

    def test_a_redirect_shows_whether_the_session_was_carried_along(
        self, cdm: CdmSimulator, caller: Caller
    ):
        cdm.add_fault("redirect", status=307, location=f"{cdm.url}/elsewhere")
        answer = caller.get("job")
        caller.get(answer.headers["Location"])

        assert answer.status == 307
        assert cdm.requests[-1].path == "/elsewhere"
        assert cdm.requests[-1].had_session_header

    def test_an_error_may_come_although_the_start_had_its_effect(
        self, cdm: CdmSimulator, caller: Caller
    ):
        cdm.add_fault("html503", after=True, **START)

        assert caller.start().status == 503
        assert cdm.starts[0].session_id == cdm.sessions[0]["id"]


class TestTheConnection:
    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("do", ["close", "reset"])
    def test_it_ends_without_an_answer(
        self, cdm: CdmSimulator, caller: Caller, do: str, after: bool
    ):
        cdm.add_fault(do, after=after, **START)
        with pytest.raises((ConnectionError, http.client.BadStatusLine, OSError)):
            caller.start(body={})

        assert len(cdm.sessions) == int(after)
        assert cdm.starts[0].answered == do
        caller.close()
        assert caller.get("job").status == 200

    def test_a_reset_is_a_reset(self):
        with CdmSimulator(tls=False) as cdm:
            cdm.add_fault("reset")
            caller = Caller(cdm)
            with pytest.raises(ConnectionResetError):
                caller.login()
            caller.close()

    def test_half_an_answer(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("truncate", **START)
        with pytest.raises((http.client.IncompleteRead, OSError)):
            caller.start()

        assert len(cdm.sessions) == 1
        assert cdm.starts[0].answered == "truncate"

    @pytest.mark.parametrize("do", ["close", "reset"])
    def test_it_ends_before_anything_was_read(self, cdm: CdmSimulator, do: str):
        cdm.add_fault(do, stage="accept")
        caller = Caller(cdm)
        with pytest.raises((http.client.BadStatusLine, OSError)):
            caller.login()
        caller.close()

        assert cdm.requests == []
        assert caller.login().status == 200
        caller.close()


class TestTime:
    def test_an_answer_may_hang_for_ever_after_the_effect(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("hang", after=True, **START)
        caller.connection.sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            caller.start()

        assert cdm.wait_for(lambda: cdm.starts and cdm.starts[0].answered)
        assert len(cdm.sessions) == 1
        assert cdm.starts[0].answered == "hang"

    def test_what_hangs_may_be_released_into_its_answer(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("hang", then="answer", after=True, **START)
        answers: list[int] = []
        thread = threading.Thread(target=lambda: answers.append(caller.start().status))
        thread.start()
        assert cdm.wait_for(lambda: cdm.starts)
        while thread.is_alive():
            cdm.release()
            thread.join(0.01)

        assert answers == [200]

    def test_a_reset_lets_go_of_what_hangs(self, cdm: CdmSimulator, caller: Caller):
        fault = cdm.add_fault("hang", times=None)
        failed = threading.Event()

        def ask() -> None:
            try:
                caller.get("job")
            except (http.client.HTTPException, OSError):
                failed.set()

        thread = threading.Thread(target=ask)
        thread.start()
        assert cdm.wait_for(lambda: fault.hits)
        while thread.is_alive():
            cdm.reset()
            thread.join(0.01)

        assert failed.is_set()

    def test_a_delay_is_followed_by_the_answer_or_another_fault(
        self, cdm: CdmSimulator, caller: Caller
    ):
        cdm.add_fault("delay", seconds=0.05)
        cdm.add_fault("html503")
        began = time.monotonic()

        assert caller.get("job").status == 503
        assert time.monotonic() - began >= 0.05

    def test_an_answer_may_drip(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("drip", bytes=1000, seconds=0.01)
        began = time.monotonic()
        answer = caller.get("job")

        assert json.loads(answer.body)["total"] == 3
        assert time.monotonic() - began >= 0.01 * (len(answer.body) // 1000)


class TestMatching:
    def test_the_first_matches_may_pass_and_the_number_is_limited(
        self, cdm: CdmSimulator, caller: Caller
    ):
        fault = cdm.add_fault(
            "html503", match={"method": ["GET"], "path": "/job$"}, skip=1, times=2
        )

        assert [caller.get("job").status for _ in range(5)] == [200, 503, 503, 200, 200]
        assert fault.hits == 2

    def test_a_path_is_matched_decoded_with_its_query(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_fault("html503", path=r'jobsession\?filter=.*"jobId"')

        assert caller.get("jobsession").status == 200
        condition = [{"property": "jobId", "value": "1044"}]
        assert caller.get("jobsession", filter=condition).status == 503

    def test_single_resources_may_be_missing(self, cdm: CdmSimulator, caller: Caller):
        session_id = cdm.start_foreign_session()
        cdm.add_fault("status", status=404, path=r"/jobsession/\d+$", times=None)

        assert caller.get(f"jobsession/{session_id}").status == 404
        assert len(caller.sessions()) == 1
