# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Switches of the simulated CDM for its answers and accounts do what they say."""

from collections.abc import Iterator

import pytest

from tests.simulators.cdm import CdmSimulator, Switches

from .cdm_caller import Caller, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cdm(clock: Clock) -> Iterator[CdmSimulator]:
    with CdmSimulator(restore_seconds=10, jobs=8, tls=False, clock=clock) as simulator:
        yield simulator


@pytest.fixture
def caller(cdm: CdmSimulator) -> Iterator[Caller]:
    caller = Caller(cdm)
    caller.login()
    yield caller
    caller.close()


class TestLinks:
    def test_they_may_be_on_another_address_and_carry_the_session(
        self, cdm: CdmSimulator, caller: Caller
    ):
        cdm.switches.link_base = "http://10.1.2.3:8082"
        cdm.switches.links_with_session = True
        links = caller.get("job").json["jobs"][0]["links"]

        assert links["self"]["href"].startswith("http://10.1.2.3:8082/api/endeavour/job/1044?")
        assert all(f"esessionid={caller.session_id}" in link["href"] for link in links.values())
        assert caller.get(links["livejobsessions"]["href"]).status == 200

    def test_they_may_be_missing(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.hidden_links = ["start", "end_ia"]
        cdm.switches.hidden_links_while_live = ["livejobsessions"]
        idle = caller.get("job/1044").json["links"]
        live = caller.start().json["links"]
        cdm.switches.hidden_links = ["*"]

        assert "start" not in idle
        assert "livejobsessions" in idle
        assert "livejobsessions" not in live
        assert caller.get("job/1044").json["links"] == {}
        assert caller.sessions()[0]["links"] == {}

    def test_the_cancel_link_has_any_name_or_none(self, cdm: CdmSimulator, caller: Caller):
        caller.start()
        cdm.switches.cancel_link = "stop now"
        assert caller.sessions()[0]["links"]["stop now"]["href"].endswith("?action=cancel")
        cdm.switches.cancel_link = None
        assert "action=cancel" not in str(caller.sessions()[0]["links"])


class TestShapes:
    def test_the_total_may_be_wrong(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.total = 0
        listed = caller.get("job").json

        assert (listed["total"], len(listed["jobs"])) == (0, 8)

    def test_the_page_size_and_the_next_page_link(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.default_page_size = 5
        assert len(caller.get("job").json["jobs"]) == 5
        cdm.switches.next_page_link = False
        assert "nextPage" not in caller.get("job").json["links"]

    def test_filter_and_sort_may_be_ignored(self, cdm: CdmSimulator, caller: Caller):
        cdm.start_foreign_session("1044")
        cdm.start_foreign_session("1047")
        cdm.switches.ignore_filter = ["jobsession"]
        cdm.switches.ignore_sort = ["jobsession"]
        order = [{"property": "start", "direction": "DESC"}]

        assert [s["jobId"] for s in caller.sessions(sort=order)] == ["1044", "1047"]

    def test_fields_may_be_null_or_missing(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_past_session("1044")
        cdm.switches.job_overrides = {"lastrun": None}
        cdm.switches.job_drop = ["lastRunTime"]
        cdm.switches.session_overrides = {"properties": None}
        cdm.switches.session_drop = ["percent", "end"]
        job, (session,) = caller.get("job/1044").json, caller.sessions()

        assert job["lastrun"] is None
        assert "lastRunTime" not in job
        assert session["properties"] is None
        assert not {"percent", "end"} & session.keys()

    def test_ids_may_be_numbers(self, cdm: CdmSimulator, caller: Caller):
        caller.start()
        assert isinstance(caller.get("log/job").json["logs"][0]["jobsessionId"], str)
        cdm.switches.numeric_log_session_ids = True
        assert isinstance(caller.get("log/job").json["logs"][0]["jobsessionId"], int)
        cdm.switches.numeric_ids = True
        (session,) = caller.sessions()
        assert (session["jobId"], type(session["id"])) == (1044, int)
        assert len(caller.sessions(sort=[{"property": "id"}])) == 1

    def test_the_status_of_a_job_may_be_null(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.null_job_status = True

        assert caller.get("job/1044/status").json == {"currentStatus": None}

    def test_copies_can_be_handed_in(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.copies = []

        path = "/api/ibmsvc/1030/volume/2401/version"
        assert caller.call("GET", path).json["versions"] == []

    def test_copies_can_be_asked_for_by_site_and_page(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.copies = [
            {"protectionTime": 1, "siteId": site} for site in ("1000", "2000", "1000")
        ]
        path = "/api/ibmsvc/1030/volume/2401/version"
        site = {"property": "siteId", "op": "=", "value": "1000"}

        found = caller.call("GET", path, filter=[site]).json
        assert [copy["id"] for copy in found["versions"]] == ["3000", "3002"]
        assert found["versions"][0]["protectionInfo"] == {"protectionTime": 1}
        page = caller.call("GET", path, pageSize=2, pageStartIndex=2).json
        assert [copy["id"] for copy in page["versions"]] == ["3002"]

    def test_a_job_restores_what_it_is_told(self, cdm: CdmSimulator, caller: Caller):
        pinned = {"id": "3001", "name": "Nov 20 01:00:00 2026"}
        cdm.switches.sources = [{"name": "SALES", "version": pinned}, {"name": "HR", "copies": []}]

        sales, hr = caller.get("policy/2044").json["spec"]["source"]
        assert sales["version"]["metadata"] == pinned
        assert sales["version"]["href"].endswith("/database/2201/version/3001?time=0")
        assert (hr["metadata"]["name"], hr["version"]["metadata"]["id"]) == ("HR", "latest")
        assert len(caller.get(sales["href"].replace("?time=0", "/version")).json["versions"]) == 3
        assert caller.get(hr["href"].replace("?time=0", "/version")).json["versions"] == []
        cdm.update_job("1044", sources=[{"name": "ERP"}])
        (own,) = caller.get("policy/2044").json["spec"]["source"]
        assert own["metadata"]["name"] == "ERP"

    def test_the_version_of_the_sister_product(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.version = {"version": "10.1.17", "build": "1"}
        caller.session_id = None

        assert caller.call("GET", "/api/lifecycle/ping").json["version"] == "10.1.17"


class TestAccounts:
    def test_a_session_may_end_after_some_calls(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.session_calls = 2

        assert [caller.get("job").status for _ in range(3)] == [200, 200, 401]

    @pytest.mark.parametrize(("body", "found"), [("json", True), ("empty", False)])
    def test_an_ended_session_is_answered_as_told(
        self, cdm: CdmSimulator, caller: Caller, body: str, found: bool
    ):
        cdm.switches.expired_status = 403
        cdm.switches.expired_id = "NoSuchSessionException"
        cdm.switches.expired_body = body
        cdm.expire_api_sessions()
        answer = caller.get("job")

        assert answer.status == 403
        assert (b"NoSuchSessionException" in answer.body) is found

    def test_logins_may_be_refused_for_another_reason(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.login_refusal = {"status": 403, "id": "XSBPasswordExpiredException"}
        answer = caller.login()

        assert (answer.status, answer.json["id"]) == (403, "XSBPasswordExpiredException")

    def test_wrong_passwords_may_lock_the_account(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.lock_out_after = 2
        answers = [caller.login(password="no"), caller.login(password="no"), caller.login()]

        assert [answer.status for answer in answers] == [401, 401, 403]


class TestBehindTheClientsBack:
    def test_a_session_may_vanish_and_a_log_be_purged(self, cdm: CdmSimulator, caller: Caller):
        session_id = cdm.start_foreign_session()
        assert caller.get("log/job").json["logs"]
        cdm.purge_log(session_id)
        assert caller.get("log/job").json["logs"] == []
        cdm.add_log_entry(session_id, "WARN", "afterwards")
        cdm.vanish_session(session_id)
        assert caller.get(f"jobsession/{session_id}").status == 404
        assert caller.sessions() == []

    def test_a_session_may_be_put_into_any_status(
        self, cdm: CdmSimulator, caller: Caller, clock: Clock
    ):
        session_id = cdm.start_foreign_session()
        cdm.advance_session(session_id, "PUZZLED", ended=False)
        clock.advance(100)

        assert caller.status(session_id) == "PUZZLED"
        assert caller.get("job/1044").json["status"] == "ACTIVE"

    def test_jobs_may_change(self, cdm: CdmSimulator, caller: Caller):
        cdm.rename_job("1044", "Another")
        cdm.set_job_type("1047", "protection")
        cdm.delete_job("1045")
        added = cdm.add_job("New restore").id
        listed = {job["id"]: job for job in caller.get("job").json["jobs"]}

        assert listed["1044"]["name"] == "Another"
        assert listed["1047"]["type"] == "protection"
        assert "1045" not in listed
        assert listed[added]["type"] == "recovery"


class TestSwitches:
    def test_an_unknown_switch_or_value_is_refused_and_changes_nothing(self):
        switches = Switches()
        with pytest.raises(ValueError, match="no such switch"):
            switches.merge({"total": 3, "nonsense": 1})
        with pytest.raises(ValueError, match="dialect"):
            switches.merge({"total": 3, "dialect": "klingon"})
        with pytest.raises(ValueError, match="no such fault"):
            switches.merge({"total": 3, "faults": [{"do": "explode"}]})

        assert switches == Switches()
