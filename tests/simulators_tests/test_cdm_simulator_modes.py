# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Switches of the simulated CDM for job sessions and starts do what they say."""

from collections.abc import Iterator

import pytest

from tests.simulators.cdm import CdmSimulator

from .cdm_caller import Caller, Clock

IV_MODES = ["start_test_iv", "start_recovery_iv", "start_clone_iv"]


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


class TestHowASessionGoes:
    @pytest.mark.parametrize("word", ["COMPLETED", "PARTIAL", "FAILED", "ABORTED", "QUIESCED"])
    def test_the_outcome_is_any_word(
        self, cdm: CdmSimulator, caller: Caller, clock: Clock, word: str
    ):
        cdm.switches.outcome = word
        caller.start()
        clock.advance(11)
        (session,) = caller.sessions()

        assert session["status"] == word
        assert session["end"] is not None
        assert caller.get("job/1044").json["status"] == "IDLE"

    def test_a_restore_may_never_end(self, cdm: CdmSimulator, caller: Caller, clock: Clock):
        cdm.switches.outcome = "RUNNING"
        caller.start()
        clock.advance(10**6)

        caller.login()
        assert caller.sessions()[0]["status"] == "RUNNING"

    def test_a_failed_restore_says_why_in_its_log(
        self, cdm: CdmSimulator, caller: Caller, clock: Clock
    ):
        cdm.switches.outcome = "FAILED"
        caller.start()
        clock.advance(11)
        errors = caller.get("log/job", filter=[{"property": "type", "value": "ERROR"}]).json

        assert errors["total"] == 1

    @pytest.mark.parametrize(
        ("make_permanent", "option", "end"),
        [
            ("user", "user", "RESOURCE ACTIVE"),
            ("absent", None, "RESOURCE ACTIVE"),
            ("enabled", "enabled", "COMPLETED"),
            ("failed", "enabled", "RESOURCE ACTIVE"),
        ],
    )
    def test_making_permanent(
        self,
        cdm: CdmSimulator,
        caller: Caller,
        clock: Clock,
        make_permanent: str,
        option: str | None,
        end: str,
    ):
        cdm.switches.make_permanent = make_permanent
        policy = caller.get("policy/2044").json
        caller.start()
        clock.advance(10.5)

        assert policy["spec"]["subpolicy"][0]["option"].get("makepermanent") == option
        assert caller.sessions()[0]["status"] == "RESOURCE ACTIVE"
        clock.advance(1)
        assert caller.sessions()[0]["status"] == end

    def test_the_dialect_of_2016(self, cdm: CdmSimulator, caller: Caller, clock: Clock):
        cdm.switches.dialect = "ecx2016"
        caller.start("1047", actionname="start_test_iv")
        clock.advance(5)
        assert caller.get("job/1047").json["status"] == "ACTIVE"
        clock.advance(6)
        (session,) = caller.sessions("1047")

        assert (session["status"], session["results"]) == ("PENDING", "IV test active")
        assert caller.get("job/1047").json["status"] == "PENDING"
        path = f"jobsession/{session['id']}"
        answer = caller.post(path, {}, action="resume", actionname="end_iv").json
        assert (answer["id"], answer["jobId"]) == (session["id"], "1047")

    def test_the_dialect_of_the_sister_product(
        self, cdm: CdmSimulator, caller: Caller, clock: Clock
    ):
        cdm.switches.dialect = "spp"
        answer = caller.start()
        clock.advance(5)
        running = caller.get("job/1044").json["status"]
        name = caller.sessions()[0]["statusDisplayName"]
        english = caller.call(
            "GET", "/api/endeavour/jobsession", headers={"X-Endeavour-Locale": "en-us"}
        )
        clock.advance(6)

        assert answer.status == 201
        assert running == "RUNNING"
        assert name == "Wird ausgeführt"
        assert english.json["sessions"][0]["statusDisplayName"] == "Running"
        assert caller.get("job/1044").json["status"] == "RESOURCE ACTIVE"

    def test_other_words_for_a_status(self, cdm: CdmSimulator, caller: Caller, clock: Clock):
        cdm.switches.session_words = {"CANCELLING": "CANCELING", "CANCELLED": "CANCELED"}
        cdm.switches.job_words = {"ACTIVE": "BUSY"}
        caller.start()
        clock.advance(5)
        (session,) = caller.sessions()
        answer = caller.post(f"jobsession/{session['id']}", action="cancel")

        assert answer.json["status"] == "CANCELING"
        assert caller.get("job/1044").json["status"] == "BUSY"
        clock.advance(2)
        assert caller.status(session["id"]) == "CANCELED"

    def test_a_clean_up_may_not_work(self, cdm: CdmSimulator, caller: Caller, clock: Clock):
        cdm.switches.clean_up_outcome = "RESOURCE ACTIVE"
        caller.start()
        clock.advance(11)
        (session,) = caller.sessions()
        caller.post(f"jobsession/{session['id']}", action="resume", actionname="end_ia")
        clock.advance(2)

        assert caller.status(session["id"]) == "RESOURCE ACTIVE"

    def test_a_single_job_may_go_its_own_way(self, cdm: CdmSimulator, caller: Caller, clock: Clock):
        cdm.update_job("1047", outcome="FAILED", restore_seconds=1)
        caller.start("1047")
        clock.advance(2)

        assert caller.sessions("1047")[0]["status"] == "FAILED"


class TestTheStart:
    @pytest.mark.parametrize("status", [409, 400])
    def test_a_second_start_is_refused_as_told(
        self, cdm: CdmSimulator, caller: Caller, status: int
    ):
        cdm.switches.second_start = status
        cdm.switches.second_start_id = "XSBJobSessionBusyException"
        caller.start()
        answer = caller.start()

        assert (answer.status, answer.json["id"]) == (status, "XSBJobSessionBusyException")

    @pytest.mark.parametrize(("rule", "count"), [("another", 2), ("same", 1)])
    def test_a_second_start_is_accepted(
        self, cdm: CdmSimulator, caller: Caller, rule: str, count: int
    ):
        cdm.switches.second_start = rule
        caller.start()

        assert caller.start().status == 200
        assert len(caller.sessions()) == count

    def test_a_start_over_a_mounted_restore(self, cdm: CdmSimulator, caller: Caller, clock: Clock):
        cdm.switches.start_over_mounted = True
        caller.start()
        clock.advance(11)

        assert caller.start().status == 200
        assert [s["status"] for s in caller.sessions()] == ["COMPLETED", "PENDING"]

    def test_a_session_may_appear_late(self, cdm: CdmSimulator, caller: Caller, clock: Clock):
        cdm.switches.start_visible_after = 20
        answer = caller.start()
        session_id = str(cdm.starts[0].session_id)

        assert (answer.status, answer.json["status"]) == (200, "IDLE")
        assert caller.sessions() == []
        assert caller.get(f"jobsession/{session_id}").status == 404
        clock.advance(20)
        assert [s["id"] for s in caller.sessions()] == [session_id]

    def test_a_start_may_have_no_effect(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.start_visible_after = None

        assert caller.start().status == 200
        assert cdm.sessions == []
        assert cdm.starts[0].session_id is None

    def test_one_start_may_make_two_sessions(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.sessions_per_start = 2
        caller.start()

        assert [s["id"] for s in caller.sessions()] == cdm.starts[0].session_ids
        assert len(cdm.starts[0].session_ids) == 2

    def test_a_schema_with_several_values_demands_a_choice(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.start_modes = IV_MODES
        link = caller.get("job/1044").json["links"]["start"]
        values = caller.get(link["schema"]).json["parameter"]["actionname"]["values"]

        assert [value["value"] for value in values] == IV_MODES
        assert caller.start(body={}).status == 400
        assert caller.start(actionname="start").status == 400
        assert caller.start(body={"actionname": "start_clone_iv"}).status == 200
        assert cdm.starts[-1].action_name == "start_clone_iv"

    def test_a_schema_with_one_value_demands_none(self, cdm: CdmSimulator, caller: Caller):
        cdm.update_job("1044", start_modes=["start_test_iv"])

        assert "schema" in caller.get("job/1044").json["links"]["start"]
        assert "schema" not in caller.get("job/1047").json["links"]["start"]
        assert caller.start(body={}).status == 200

    def test_lastrun_may_be_up_to_date_at_once(self, cdm: CdmSimulator, caller: Caller):
        cdm.switches.lastrun_lag_seconds = 0

        assert caller.start().json["lastrun"]["sessionId"] == cdm.starts[0].session_id
