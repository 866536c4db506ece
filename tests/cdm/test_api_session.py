# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The API session at the wire: log-in, renewal, refusal, log-out."""

from collections.abc import Callable

import pytest

from app.cdm.api_session import LOGIN_PAUSE
from app.cdm.client import CdmClient
from app.restore.model import LoginRefused, NothingSent
from tests.simulators.cdm import CdmSimulator

MakeClient = Callable[..., CdmClient]


def test_one_log_in_serves_all_calls_and_is_ended_by_close(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    client.jobs()
    client.sessions(job_id)
    assert len(cdm.logins) == len(cdm.live_api_sessions) == 1
    client.close()
    assert cdm.live_api_sessions == []
    assert len(cdm.logouts) == 1


def test_user_and_password_go_as_utf_8(cdm: CdmSimulator, make_client: MakeClient) -> None:
    cdm.user, cdm.password = "jürgen", "pä:ss wörd€"
    make_client().login()
    assert [login.status for login in cdm.logins] == [200]


def test_every_request_says_who_we_are_and_what_we_read(
    cdm: CdmSimulator, make_client: MakeClient
) -> None:
    make_client(version="1.2.3").jobs()
    assert {r.user_agent for r in cdm.requests} == {"SafeguardedRestore/1.2.3"}
    for request in cdm.requests:
        assert {"accept", "x-endeavour-locale"} <= set(request.header_names)
        assert "cookie" not in request.header_names
    login, *rest = cdm.requests
    assert not login.had_session_header
    assert all(r.had_session_header and "authorization" not in r.header_names for r in rest)


@pytest.mark.parametrize(
    ("status", "error_id", "body"),
    [
        (401, "XSBSessionExpiredException", "json"),
        (401, "", "empty"),
        (403, "XSBInvalidSESSIONException", "json"),
        (400, "no.such.session", "json"),
        (500, "XSBSessionExpiredException", "json"),
    ],
)
def test_a_read_outlives_the_end_of_the_api_session(
    cdm: CdmSimulator, client: CdmClient, status: int, error_id: str, body: str
) -> None:
    client.jobs()
    cdm.switches.expired_status, cdm.switches.expired_id = status, error_id
    cdm.switches.expired_body = body
    cdm.expire_api_sessions()
    assert len(client.jobs()) == 3
    assert len(cdm.logins) == 2


def test_a_session_that_ends_after_every_call_is_renewed_once_per_read(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.session_calls = 1
    assert client.job(job_id).id == job_id
    assert client.sessions(job_id) == []
    assert len(cdm.logins) <= 7


def test_a_read_is_repeated_once_and_no_more(cdm: CdmSimulator, client: CdmClient) -> None:
    cdm.switches.session_calls = 0
    with pytest.raises(NothingSent) as caught:
        client.jobs()
    assert not isinstance(caught.value, LoginRefused)
    assert len(cdm.logins) == 2
    assert sum(r.method == "GET" for r in cdm.requests) == 2


def test_a_refused_log_in_is_not_tried_again_for_a_quarter_of_an_hour(
    cdm: CdmSimulator, make_client: MakeClient
) -> None:
    now = [1000.0]
    client = make_client(password="wrong", monotonic=lambda: now[0])
    for seconds in (0.0, 1.0, LOGIN_PAUSE - 2):
        now[0] += seconds
        with pytest.raises(LoginRefused, match="XSBAuthenticationException"):
            client.jobs()
    assert len(cdm.logins) == 1
    assert all(r.path == "/api/endeavour/session" for r in cdm.requests)
    now[0] += 2.0
    with pytest.raises(LoginRefused):
        client.jobs()
    assert len(cdm.logins) == 2
    with pytest.raises(LoginRefused):
        make_client(password="wrong as well", monotonic=lambda: now[0]).jobs()
    assert len(cdm.logins) == 3


@pytest.mark.parametrize(
    ("status", "error_id"),
    [(403, "XSBAccountLockedException"), (400, "XSBPasswordExpiredException"), (401, "")],
)
def test_any_other_refusal_of_the_log_in_pauses_too(
    cdm: CdmSimulator, client: CdmClient, status: int, error_id: str
) -> None:
    cdm.switches.login_refusal = {"status": status, "id": error_id}
    for _ in range(2):
        with pytest.raises(LoginRefused):
            client.login()
    assert len(cdm.logins) == 1


@pytest.mark.parametrize("fault", ["html502", "empty", "garbage", "close", "reset", "redirect"])
def test_a_log_in_without_a_usable_answer_proves_that_nothing_followed_and_is_tried_again(
    cdm: CdmSimulator, client: CdmClient, job_id: str, fault: str
) -> None:
    plan = client.plan_start(job_id, None)
    client.logout()
    cdm.add_fault(fault, method="POST", path="/session")
    with pytest.raises(NothingSent) as caught:
        plan.send()
    assert not isinstance(caught.value, LoginRefused)
    assert cdm.starts == []
    plan.send()
    assert len(cdm.starts) == 1


@pytest.mark.parametrize("session_id", ['""', "null", "17", '"a\\r\\nX: 1"', '"\\u00fc"', '" "'])
def test_a_session_id_that_cannot_stand_in_a_header_is_no_log_in(
    cdm: CdmSimulator, client: CdmClient, session_id: str
) -> None:
    cdm.add_fault("status", status=200, path="/session", body=f'{{"sessionid": {session_id}}}')
    with pytest.raises(NothingSent):
        client.login()


def test_log_out_swallows_every_error_and_does_not_wait_long(
    cdm: CdmSimulator, client: CdmClient
) -> None:
    client.login()
    cdm.add_fault("hang", method="DELETE")
    client.close()
    client.close()
    client.login()
    cdm.add_fault("close", method="DELETE")
    client.close()


def test_a_client_can_be_used_again_after_it_was_closed(client: CdmClient) -> None:
    client.jobs()
    client.close()
    assert client.jobs()
