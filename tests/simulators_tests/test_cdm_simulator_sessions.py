# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated CDM as it comes: job sessions and their logs (cdm §4, §5, §6)."""

import itertools
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


class TestSessions:
    def test_a_restore_goes_from_pending_to_its_resource(self, caller: Caller, clock: Clock):
        caller.start()
        seen, percents = [], []
        for _ in range(22):
            (session,) = caller.sessions()
            seen.append((session["status"], caller.get("job/1044").json["status"]))
            percents.append(session["percent"])
            clock.advance(5)

        assert [word for word, _ in itertools.groupby(seen)] == [
            ("PENDING", "PENDING"),
            ("RUNNING", "ACTIVE"),
            ("RESOURCE ACTIVE", "PENDING"),
        ]
        assert percents == sorted(percents)
        assert len(set(percents)) > 10
        assert session["start"] < session["end"]
        assert session["duration"] == session["end"] - session["start"]

    def test_a_protection_job_completes_and_is_idle_again(self, caller: Caller, clock: Clock):
        caller.start("1045")
        clock.advance(101)
        job = caller.get("job/1045").json

        assert job["status"] == "IDLE"
        assert job["lastSessionStatus"] == job["lastrun"]["status"] == "COMPLETED"
        assert job["lastRunTime"] == job["lastrun"]["start"]

    def test_ids_are_growing_strings_of_13_digits(self, cdm: CdmSimulator, caller: Caller):
        ids = [caller.cdm.start_foreign_session() for _ in range(3)]

        assert ids == sorted(set(ids))
        assert all(len(each) == 13 and each.isdigit() for each in ids)
        assert [session["id"] for session in caller.sessions()] == ids

    def test_the_list_is_ascending_by_start_unless_sorted(self, cdm: CdmSimulator, caller: Caller):
        new = cdm.start_foreign_session("1044")
        old = cdm.add_past_session("1044", ago=7200)
        order = [{"property": "start", "direction": "DESC"}]

        assert [s["id"] for s in caller.sessions()] == [old, new]
        assert [s["id"] for s in caller.sessions(sort=order)] == [new, old]

    def test_the_list_can_be_asked_for_status_and_start(self, cdm: CdmSimulator, caller: Caller):
        cdm.start_foreign_session("1044")
        old = cdm.add_past_session("1044", "PARTIAL", ago=7200)
        status = {"property": "status", "op": "IN", "value": ["PARTIAL", "FAILED"]}
        since = {"property": "start", "op": ">=", "value": int((EPOCH - 60) * 1000)}

        partial = caller.get("jobsession", filter=[status]).json["sessions"]
        recent = caller.get("jobsession", filter=[since]).json["sessions"]

        assert [s["id"] for s in partial] == [old]
        assert [s["status"] for s in recent] == ["PENDING"]

    def test_the_history_ignores_its_filter(self, cdm: CdmSimulator, caller: Caller):
        cdm.add_past_session("1044")
        nothing = [{"property": "status", "value": "FAILED"}]
        path = "jobsession/history/jobid/1044"

        assert len(caller.get(path, filter=nothing).json["sessions"]) == 1

    def test_the_links_of_a_job_lead_to_its_sessions(self, caller: Caller, clock: Clock):
        links = caller.start().json["links"]

        def found(name: str) -> int:
            return len(caller.get(links[name]["href"]).json["sessions"])

        assert (found("livejobsessions"), found("pendingjobsessions")) == (1, 1)
        assert found("activejobsessions") == 0
        clock.advance(50)
        assert (found("livejobsessions"), found("pendingjobsessions")) == (1, 0)
        assert found("activejobsessions") == 1
        clock.advance(51)
        assert (found("livejobsessions"), found("pendingjobsessions")) == (1, 1)

    def test_cancelling_goes_through_cancelling(
        self, cdm: CdmSimulator, caller: Caller, clock: Clock
    ):
        caller.start()
        clock.advance(30)
        (session,) = caller.sessions()
        answer = caller.post(f"jobsession/{session['id']}", action="cancel")

        assert answer.status == 201
        assert answer.json["status"] == "CANCELLING"
        clock.advance(1.1)
        assert caller.status(session["id"]) == "CANCELLED"
        assert caller.get("job/1044").json["status"] == "IDLE"
        assert cdm.destructive_calls == []

    def test_cancelling_by_job(self, caller: Caller):
        caller.start()
        body = {"catalogCompletedObjects": False}

        assert caller.post("job/1044", body, action="cancel", actionname="cancel").status == 201
        assert caller.sessions()[0]["status"] == "CANCELLING"

    def test_what_is_over_cannot_be_cancelled(self, cdm: CdmSimulator, caller: Caller):
        old = cdm.add_past_session("1044")

        assert caller.post(f"jobsession/{old}", action="cancel").status == 400

    @pytest.mark.parametrize(("job_id", "action"), [("1044", "end_ia"), ("1047", "end_iv")])
    def test_a_clean_up_runs_and_completes(
        self, caller: Caller, clock: Clock, job_id: str, action: str
    ):
        caller.start(job_id)
        clock.advance(101)
        (session,) = caller.sessions(job_id)
        assert action in session["links"]
        answer = caller.post(f"jobsession/{session['id']}", {}, action="resume", actionname=action)

        assert (answer.status, answer.json["status"]) == (200, "RUNNING")
        assert answer.json["end"] is None
        clock.advance(1.1)
        assert caller.status(session["id"]) == "COMPLETED"

    def test_a_clean_up_needs_the_right_action_and_an_active_resource(
        self, caller: Caller, clock: Clock
    ):
        caller.start()
        (session,) = caller.sessions()
        path = f"jobsession/{session['id']}"

        assert caller.post(path, action="resume", actionname="end_ia").status == 400
        clock.advance(101)
        assert caller.post(path, action="resume", actionname="end_iv").status == 400

    def test_dangerous_neighbours_are_there_and_noted(
        self, cdm: CdmSimulator, caller: Caller, clock: Clock
    ):
        caller.start("1047")
        clock.advance(101)
        (session,) = caller.sessions("1047")
        path = f"jobsession/{session['id']}"

        assert {"expireall", "rrp", "clone"} <= session["links"].keys()
        caller.post(path, action="expireall")
        caller.post(path, action="resume", actionname="rrp")
        caller.call("DELETE", "/api/endeavour/job/1045")
        assert [call.what for call in cdm.destructive_calls] == [
            "session action expireall",
            "session action rrp",
            "job deleted",
        ]


class TestLog:
    def log(self, caller: Caller, session_id: str, **params: object) -> list[dict[str, object]]:
        condition = {"property": "jobsessionId", "value": session_id}
        order = [{"property": "logTime", "direction": "ASC"}]
        answer = caller.get("log/job", filter=[condition], sort=order, **params)
        return answer.json["logs"]

    def test_several_entries_share_a_millisecond_and_some_come_late(
        self, caller: Caller, clock: Clock
    ):
        caller.start()
        (session,) = caller.sessions()
        clock.advance(5.5)
        early = self.log(caller, session["id"])
        clock.advance(1)
        later = self.log(caller, session["id"])

        assert len({entry["logTime"] for entry in early}) < len(early)
        (late,) = [entry for entry in later if entry not in early]
        assert late["logTime"] < (EPOCH + 5.5) * 1000
        assert len({entry["id"] for entry in later}) == len(later)
        assert {"INFO", "DETAIL", "DEBUG"} <= {entry["type"] for entry in later}

    def test_pages_and_types(self, caller: Caller, clock: Clock):
        caller.start()
        (session,) = caller.sessions()
        clock.advance(101)
        everything = self.log(caller, session["id"])
        rest = self.log(caller, session["id"], pageSize="1000", pageStartIndex="3")
        types = {"property": "type", "op": "IN", "value": ["SUMMARY"]}
        summary = caller.get("log/job", filter=[types]).json["logs"]

        assert rest == everything[3:]
        assert [entry["type"] for entry in summary] == ["SUMMARY"]
        assert caller.get(f"log/job/{everything[0]['id']}").json == everything[0]

    def test_a_filter_on_message_id_is_not_honoured(self, caller: Caller):
        caller.start()
        condition = [{"property": "messageId", "value": "CTGGA1"}]

        assert caller.get("log/job", filter=condition).json["total"] == 1

    def test_the_links_lead_to_the_log(self, caller: Caller, clock: Clock):
        caller.start()
        clock.advance(5)
        by_job = caller.get("job/1044").json["links"]["lastrunlog"]["href"]
        by_session = caller.sessions()[0]["links"]["log"]["href"]

        assert caller.get(by_job).json["logs"] == caller.get(by_session).json["logs"] != []

    def test_diagnostics_are_a_file(self, caller: Caller):
        answer = caller.get("log/download/diagnostics")

        assert answer.body.startswith(b"PK")
        assert "filename=" in answer.headers["Content-Disposition"]
