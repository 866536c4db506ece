# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The simulated CDM as it comes: API sessions, policies, the server (cdm §1, §7, §8)."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from tests.simulators.cdm import CdmSimulator

from .cdm_caller import Caller, Clock


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


class TestApiSessions:
    def test_a_login_answers_a_session_id_and_the_user(self, cdm: CdmSimulator, caller: Caller):
        answer = caller.login()

        assert answer.status == 200
        assert len(answer.json["sessionid"]) == 32
        assert int(answer.json["sessionid"], 16) >= 0
        assert answer.json["user"]["name"] == cdm.user
        assert [login.status for login in cdm.logins] == [200, 200]

    def test_a_wrong_password_is_an_authentication_exception(
        self, cdm: CdmSimulator, caller: Caller
    ):
        answer = caller.login(password="wrong")

        assert answer.status == 401
        assert answer.json["id"] == "XSBAuthenticationException"
        assert answer.json["description"]
        assert cdm.logins[-1].status == 401

    def test_user_names_are_case_insensitive(self, caller: Caller):
        assert caller.login(user="QRadar-RESTORE").status == 200

    def test_a_password_may_have_umlauts_in_utf_8(self, cdm: CdmSimulator, caller: Caller):
        cdm.password = "Grüße, ß€"

        assert caller.login().status == 200

    def test_unknown_login_parameters_are_tolerated(self, caller: Caller):
        caller.session_id = None
        answer = caller.call("POST", "/api/endeavour/session", screenInfo="1")

        assert answer.status == 401  # refused for want of credentials only

    def test_a_first_login_can_change_the_password(self, cdm: CdmSimulator, caller: Caller):
        answer = caller.call(
            "POST",
            "/api/endeavour/session?changePassword=true",
            {"newPassword": "new"},
            headers={"Authorization": "Basic cXJhZGFyLXJlc3RvcmU6cGFzc3cwcmQ="},
        )

        assert "sessionid" in answer.json
        assert cdm.password == "new"

    @pytest.mark.parametrize("path", ["/api/endeavour/session", "/api/endeavour/session/"])
    def test_a_logout_ends_the_session(self, cdm: CdmSimulator, caller: Caller, path: str):
        assert caller.call("DELETE", path).status == 204
        assert caller.get("job").status == 401
        assert len(cdm.logouts) == 1
        assert cdm.live_api_sessions == []

    @pytest.mark.parametrize("session_id", [None, "0" * 32])
    def test_no_call_is_answered_without_a_valid_session(self, caller: Caller, session_id):
        caller.session_id = session_id
        answer = caller.get("job")

        assert answer.status == 401
        assert "Session" in answer.json["id"]

    def test_the_session_may_come_as_a_query_parameter(self, caller: Caller):
        session_id, caller.session_id = caller.session_id, None

        assert caller.get("job", esessionid=session_id).status == 200

    def test_a_session_ends_after_45_minutes(self, caller: Caller, clock: Clock):
        clock.advance(44 * 60)
        assert caller.get("job").status == 200
        clock.advance(60)
        assert caller.get("job").status == 401


class TestPolicy:
    def test_it_is_found_under_its_own_id_only(self, caller: Caller):
        job = caller.get("job/1044").json
        policy = caller.get(f"policy/{job['policyId']}").json

        assert policy["spec"]["source"][0]["version"]["metadata"]["id"] == "latest"
        assert policy["spec"]["subpolicy"][0]["option"]["makepermanent"] == "user"
        assert caller.get(f"policy/{job['id']}").status == 404

    def test_the_copies_of_its_source_are_listed_in_no_order(self, caller: Caller):
        policy = caller.get("policy/2044").json
        href = policy["spec"]["source"][0]["href"].removesuffix("?time=0")
        versions = caller.get(f"{href}/version").json["versions"]
        times = [version["protectionInfo"]["protectionTime"] for version in versions]

        assert {type(time) for time in times} == {int, str}
        assert [int(time) for time in times] != sorted(int(time) for time in times)

    def test_sources_can_be_walked_to(self, caller: Caller):
        instance = caller.call("GET", "/api/application/sql/instance").json["instances"][0]
        databases = caller.get(instance["links"]["databases"]["href"]).json["databases"]

        assert caller.get(databases[0]["links"]["versions"]["href"]).json["versions"]
        assert caller.call("GET", "/api/ibmsvc").json["ibmsvcs"]
        assert caller.call("GET", "/api/spec/storageprofile").json["storageprofiles"]


class TestServer:
    def test_there_is_no_version_endpoint(self, caller: Caller):
        assert caller.call("GET", "/api/lifecycle/ping").status == 404
        assert caller.call("GET", "/ngp/version").status == 404

    def test_a_wrong_method_and_an_unknown_path_are_errors(self, caller: Caller):
        assert caller.call("PUT", "/api/endeavour/job").status == 405
        assert caller.call("GET", "/elsewhere").status == 404

    def test_a_connection_is_kept_and_every_request_is_noted(
        self, cdm: CdmSimulator, caller: Caller
    ):
        caller.get("job", pageSize="5")
        first, second = cdm.requests

        assert first.connection == second.connection
        assert (first.had_session_header, second.had_session_header) == (False, True)
        assert (second.method, second.path, second.query) == (
            "GET",
            "/api/endeavour/job",
            "pageSize=5",
        )
        assert "x-endeavour-sessionid" in second.header_names
        assert second.answered == 200

    def test_a_chunked_body_is_read(self, caller: Caller):
        headers = {"X-Endeavour-Sessionid": str(caller.session_id)}
        path = "/api/endeavour/job/1044?action=start"
        caller.connection.request("POST", path, iter([b"{", b"}"]), headers, encode_chunked=True)
        response = caller.connection.getresponse()
        response.read()

        assert response.status == 200
        assert caller.get("job").status == 200

    def test_tls_with_a_certificate_of_its_own(self):
        with CdmSimulator(names=["cdm.internal"]) as cdm:
            caller = Caller(cdm)
            assert caller.login().status == 200
            assert isinstance(caller.connection, http.client.HTTPSConnection)
            assert len(cdm.fingerprint) == 64
            assert cdm.url == f"https://127.0.0.1:{cdm.port}"
            caller.close()

    def test_it_listens_on_ipv6_too(self):
        with CdmSimulator(host="::1") as cdm:
            caller = Caller(cdm)
            caller.login()
            href = caller.get("job/1044").json["links"]["self"]["href"]
            caller.close()

        assert href == f"https://[::1]:{cdm.port}/api/endeavour/job/1044"

    def test_a_client_that_never_speaks_keeps_nobody_waiting(self):
        with CdmSimulator() as other, socket.create_connection((other.host, other.port)) as silent:
            caller = Caller(other)
            assert caller.login().status == 200
            caller.close()
            other.stop()
            silent.settimeout(5)
            assert silent.recv(1) == b""

    def test_it_can_be_stopped_and_started_again_on_its_port(self, cdm: CdmSimulator):
        caller = Caller(cdm)
        caller.login()
        cdm.stop()
        with pytest.raises(ConnectionError):
            caller.get("job")
        cdm.start()
        assert caller.get("job").status == 200
        caller.close()
