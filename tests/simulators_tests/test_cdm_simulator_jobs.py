# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated CDM as it comes: jobs, lists and the start (cdm §2, §3, §9)."""

from collections.abc import Iterator

import pytest

from tests.simulators.cdm import CdmSimulator

from .cdm_caller import EPOCH, Caller, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cdm(clock: Clock) -> Iterator[CdmSimulator]:
    with CdmSimulator(restore_seconds=100, jobs=8, tls=False, clock=clock) as simulator:
        yield simulator


@pytest.fixture
def caller(cdm: CdmSimulator) -> Iterator[Caller]:
    caller = Caller(cdm)
    caller.login()
    yield caller
    caller.close()


class TestJobs:
    def test_the_list_has_all_jobs_with_string_ids_and_no_run_yet(self, caller: Caller):
        listed = caller.get("job").json

        assert listed["total"] == len(listed["jobs"]) == 8
        assert all(job["id"].isdigit() and job["policyId"].isdigit() for job in listed["jobs"])
        assert {job["type"] for job in listed["jobs"]} > {"recovery", "protection", "maintenance"}
        assert all(job["lastrun"] is None for job in listed["jobs"])
        assert all(job["status"] == "IDLE" for job in listed["jobs"])

    def test_a_single_job_is_a_restore_job(self):
        with CdmSimulator(jobs=1, tls=False) as cdm:
            assert [job["type"] for job in cdm.jobs] == ["recovery"]

    def test_a_job_and_its_status_can_be_read(self, caller: Caller):
        assert caller.get("job/1044").json["name"] == "SQL clean-room restore"
        assert caller.get("job/1044/status").json == {"currentStatus": "IDLE"}

    def test_an_unknown_job_is_a_404(self, caller: Caller):
        answer = caller.get("job/77")

        assert answer.status == 404
        assert set(answer.json) == {"id", "description"}

    @pytest.mark.parametrize(
        ("condition", "count"),
        [
            ({"property": "name", "op": "=", "value": "Maintenance"}, 1),
            ({"property": "name", "value": "Maintenance"}, 1),
            ({"property": "name", "value": "VM*"}, 3),
            ({"property": "type", "op": "IN", "value": ["recovery", "script"]}, 4),
            ({"property": "id", "op": ">=", "value": 1050}, 2),
            ({"property": "name", "op": "=", "value": "VM* (1)"}, 0),
        ],
    )
    def test_filters(self, caller: Caller, condition: dict[str, object], count: int):
        listed = caller.get("job", filter=[condition]).json

        assert len(listed["jobs"]) == listed["total"] == count

    def test_conditions_are_anded(self, caller: Caller):
        both = [
            {"property": "type", "value": "recovery"},
            {"property": "subType", "value": "vmware"},
        ]

        assert [job["id"] for job in caller.get("job", filter=both).json["jobs"]] == ["1047"]

    @pytest.mark.parametrize(
        "text", ["name", '{"a":1}', '[{"op":"="}]', '[{"property":"a","op":"~"}]']
    )
    def test_a_malformed_filter_is_a_400(self, caller: Caller, text: str):
        assert caller.get("job", filter=text).status == 400

    def test_sorting(self, caller: Caller):
        order = [{"property": "name", "direction": "DESC"}]
        names = [job["name"] for job in caller.get("job", sort=order).json["jobs"]]

        assert names == sorted(names, reverse=True)

    def test_pages_follow_the_next_page_link_to_the_end(self):
        with CdmSimulator(jobs=253, tls=False) as cdm:
            caller = Caller(cdm)
            caller.login()
            page, sizes, ids = caller.get("job").json, [], []
            while True:
                sizes.append(len(page["jobs"]))
                ids += [job["id"] for job in page["jobs"]]
                if "nextPage" not in page["links"]:
                    break
                page = caller.get(page["links"]["nextPage"]["href"]).json
            last = caller.get("job", pageSize="10", pageStartIndex="250").json["jobs"]
            caller.close()

        assert sizes == [100, 100, 53]
        assert len(set(ids)) == 253
        assert len(last) == 3
        assert last[-1]["type"] == "recovery"

    def test_links_are_on_the_address_that_was_called(self, cdm: CdmSimulator, caller: Caller):
        caller.connection.putrequest("GET", "/api/endeavour/job/1044", skip_host=True)
        caller.connection.putheader("Host", "cdm.example:8443")
        caller.connection.putheader("x-endeavour-sessionid", str(caller.session_id))
        caller.connection.endheaders()
        body = caller.connection.getresponse().read().decode()

        assert '"http://cdm.example:8443/api/endeavour/job/1044?action=start"' in body
        assert cdm.url not in body


class TestStart:
    @pytest.mark.parametrize(
        ("params", "body"),
        [
            ({"actionname": "start"}, {}),
            ({}, None),
            ({}, {}),
            ({}, {"actionname": "15"}),
            ({"actionname": "start"}, {"actionname": "15"}),
        ],
    )
    def test_every_known_form_of_a_start_is_answered_with_the_job(
        self, cdm: CdmSimulator, caller: Caller, params: dict[str, str], body: object
    ):
        answer = caller.start(body=body, **params)

        assert answer.status == 200
        assert answer.json["id"] == "1044"
        assert answer.json["status"] == "PENDING"
        (start,) = cdm.starts
        assert (start.job_id, start.answered) == ("1044", 200)
        assert start.session_id == cdm.sessions[0]["id"]
        assert start.time == EPOCH

    def test_lastrun_in_the_answer_is_the_previous_run_for_a_few_seconds(
        self, cdm: CdmSimulator, caller: Caller, clock: Clock
    ):
        old = cdm.add_past_session("1044")
        answer = caller.start().json
        (new,) = {session["id"] for session in cdm.sessions} - {old}

        assert answer["lastrun"]["sessionId"] == old
        clock.advance(2.9)
        assert caller.get("job/1044").json["lastrun"]["sessionId"] == old
        clock.advance(0.2)
        assert caller.get("job/1044").json["lastrun"]["sessionId"] == new

    def test_a_second_start_is_refused_while_a_session_is_live(
        self, cdm: CdmSimulator, caller: Caller
    ):
        caller.start()
        answer = caller.start()

        assert answer.status == 409
        assert set(answer.json) == {"id", "description"}
        assert [start.answered for start in cdm.starts] == [200, 409]
        assert cdm.starts[1].session_id is None

    def test_a_body_that_is_no_object_is_refused(self, cdm: CdmSimulator, caller: Caller):
        assert caller.start(body=[1]).status == 400
        assert cdm.sessions == []
