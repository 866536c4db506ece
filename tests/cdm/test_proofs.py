# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What each way of failing proves about a request that acts, and that none is sent twice."""

import gc
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from app.cdm.answers import action_failure
from app.cdm.client import CdmClient
from app.remote.failures import Cleaner
from app.remote.http import Answer, parsed
from app.restore.model import (
    Busy,
    CopyManagerError,
    LoginRefused,
    NotFound,
    NothingSent,
    Refused,
    Unknown,
    Unreachable,
)
from tests.simulators.cdm import CdmSimulator

MakeClient = Callable[..., CdmClient]
START = "action=start"


def start(client: CdmClient, job_id: str) -> type[CopyManagerError] | None:
    plan = client.plan_start(job_id, None)
    try:
        plan.send()
    except CopyManagerError as error:
        return type(error)
    return None


def posts(cdm: CdmSimulator) -> int:
    return sum(r.method == "POST" and r.path != "/api/endeavour/session" for r in cdm.requests)


WIRE = ["close", "reset", "truncate", "html502", "html503", "html504", "html200", "html404"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fault", [*WIRE, "empty", "garbage", "oversize", "redirect", "status"])
def test_an_answer_that_is_none_leaves_the_start_unknown_and_is_sent_once(
    cdm: CdmSimulator, client: CdmClient, job_id: str, fault: str, after: bool
) -> None:
    more: dict[str, Any] = {"megabytes": 33} if fault == "oversize" else {}
    cdm.add_fault(fault, method="POST", path=START, after=after, times=None, **more)
    assert start(client, job_id) is Unknown
    assert len(cdm.starts) == posts(cdm) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(
    cdm: CdmSimulator, client: CdmClient, job_id: str, status: int
) -> None:
    location = f"{cdm.url}/api/endeavour/job/{job_id}?action=start"
    cdm.add_fault("redirect", path=START, status=status, location=location)
    assert start(client, job_id) is Unknown
    assert posts(cdm) == 1
    cdm.add_fault("redirect", path="/job", status=status, location=location, times=None)
    with pytest.raises(Unknown, match="redirect") as caught:
        client.jobs()
    assert "action=start" not in str(caught.value)
    assert posts(cdm) == 1


def test_a_start_that_hangs_is_unknown_after_the_read_time_out(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str
) -> None:
    cdm.add_fault("hang", method="POST", path=START)
    assert start(make_client(timeouts=(2.0, 0.3)), job_id) is Unknown
    assert len(cdm.starts) == 1


@pytest.mark.parametrize("how", ["hang", "close"])
def test_only_of_what_changes_something_it_is_said_that_it_may_have_arrived(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str, how: str
) -> None:
    client = make_client(timeouts=(2.0, 0.3))
    plan = client.plan_start(job_id, None)
    cdm.add_fault(how, path="job", times=None)
    with pytest.raises(Unknown) as looked:
        client.job(job_id)
    assert "may have reached it" not in str(looked.value)
    cdm.switches.faults = []
    cdm.add_fault(how, method="POST", path=START)
    with pytest.raises(Unknown, match="may have reached it"):
        plan.send()


@pytest.mark.parametrize("how", ["hang", "close"])
def test_a_log_in_without_an_answer_started_nothing_and_says_so(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str, how: str
) -> None:
    client = make_client(timeouts=(2.0, 0.3))
    plan = client.plan_start(job_id, None)
    client.logout()
    cdm.add_fault(how, method="POST", path="session")
    with pytest.raises(NothingSent, match="a log-in only: nothing was started") as caught:
        plan.send()
    assert "may have reached it" not in str(caught.value)
    assert cdm.starts == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, ""),
        (401, "<html>no</html>"),
        (401, '{"id":"XSBSomethingException"}'),
        (403, '{"id":"XSBInvalidSessionException"}'),
        (400, '{"id":"xsb.SESSION.gone"}'),
        (403, '{"id":"XSBAuthenticationException"}'),
        (500, '{"id":"XSBSessionExpiredException"}'),
    ],
)
def test_a_refused_api_session_proves_that_nothing_was_started_and_the_next_try_logs_in_anew(
    cdm: CdmSimulator, client: CdmClient, job_id: str, status: int, body: str
) -> None:
    plan = client.plan_start(job_id, None)
    cdm.add_fault("status", status=status, body=body, method="POST", path=START)
    with pytest.raises(NothingSent) as caught:
        plan.send()
    assert type(caught.value) is NothingSent, "a wrong password looks different"
    assert len(cdm.starts) == 1, "not repeated by the client"
    plan.send()
    assert [s.session_id is not None for s in cdm.starts] == [False, True]
    assert len(cdm.logins) == 2


def test_an_api_session_that_expired_is_found_out_by_the_start_itself(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    plan = client.plan_start(job_id, None)
    cdm.expire_api_sessions()
    with pytest.raises(NothingSent):
        plan.send()
    assert cdm.sessions == []


def test_a_wrong_password_is_told_apart(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str
) -> None:
    client = make_client()
    plan = client.plan_start(job_id, None)
    cdm.password = "changed in CDM"
    cdm.expire_api_sessions()
    with pytest.raises(NothingSent):
        plan.send()
    with pytest.raises(LoginRefused):
        plan.send()


@pytest.mark.parametrize(
    ("status", "error_id", "description"),
    [
        (409, "XSBConflictException", "x"),
        (400, "XSBJobAlreadyRunningException", "x"),
        (400, "XSBIllegalStateException", "The job is still active."),
        (403, "XSBException", "Resource in use"),
        (423, "Busy", ""),
    ],
)
def test_a_busy_job_proves_that_nothing_was_started(
    cdm: CdmSimulator, client: CdmClient, job_id: str, status: int, error_id: str, description: str
) -> None:
    fault = {"status": status, "id": error_id, "description": description}
    cdm.add_fault("status", **fault, method="POST", path=START)
    assert start(client, job_id) is Busy


@pytest.mark.parametrize("answer", [409, 400])
def test_a_second_start_while_a_session_is_live_is_busy(
    cdm: CdmSimulator, client: CdmClient, job_id: str, answer: int
) -> None:
    cdm.switches.second_start = answer
    cdm.start_foreign_session(job_id)
    assert start(client, job_id) is Busy
    assert len(cdm.sessions) == 1


def test_no_start_link_while_a_session_is_live_is_busy_and_nothing_is_sent(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.hidden_links_while_live = ["start"]
    cdm.start_foreign_session(job_id)
    with pytest.raises(Busy):
        client.plan_start(job_id, None)
    assert cdm.starts == []


@pytest.mark.parametrize(
    ("status", "error_id", "description", "kind"),
    [
        (400, "XSBValidationException", "The policy is incomplete.", Refused),
        (400, "XSBException", "The job is not active.", Refused),
        (400, "XSBInactiveException", "The job is inactive.", Refused),
        (403, "XSBAuthorizationException", "No permission.", Refused),
        (404, "XSBNotFoundException", "No such job.", NotFound),
        (404, "XSBJobSessionMissing", "No such job session.", NotFound),
        (400, "XSBJobSessionException", "The job session failed.", Refused),
        (408, "XSBTimeoutException", "Too slow.", Unknown),
        (500, "XSBJobSessionException", "The job session failed.", Unknown),
        (500, "XSBSessionFactoryException", "Database away.", Unknown),
        (503, "XSBBusyException", "CDM is busy.", Unknown),
    ],
)
def test_another_refusal_is_a_refusal_and_a_5xx_proves_nothing(
    cdm: CdmSimulator,
    client: CdmClient,
    job_id: str,
    status: int,
    error_id: str,
    description: str,
    kind: type[CopyManagerError],
) -> None:
    fault = {"status": status, "id": error_id, "description": description}
    cdm.add_fault("status", **fault, method="POST", path=START)
    assert start(client, job_id) is kind
    assert len(cdm.starts) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 418])
@pytest.mark.parametrize("body", ["", "<html></html>", "{}", "[]", '{"id":5}', '{"id":" "}', "no"])
def test_a_4xx_without_an_error_id_proves_nothing(status: int, body: str) -> None:
    answer = _answer(status, body)
    failure = action_failure(answer, "start job 1", Cleaner(), any_2xx=False)
    assert type(failure) is Unknown


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, ""), (200, "[]"), (200, '"ok"'), (204, ""), (200, '{"id":"XSBFooException"}')],
)
def test_a_start_needs_a_readable_answer_a_clean_up_only_its_status(status: int, body: str) -> None:
    answer = _answer(status, body)
    assert type(action_failure(answer, "start", Cleaner(), any_2xx=False)) is Unknown
    assert action_failure(answer, "clean up", Cleaner(), any_2xx=True) is None


def _answer(status: int, body: str) -> Answer:
    return parsed(status, body.encode())


def test_nobody_listens_so_nothing_was_sent(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str
) -> None:
    client = make_client()
    plan = client.plan_start(job_id, None)
    cdm.stop()
    with pytest.raises(Unreachable, match="refused"):
        plan.send()


# CPython leaves its TLS socket to the garbage collector if the peer was gone before the handshake.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("fault", ["close", "reset", "hang"])
def test_a_connection_that_ends_during_the_handshake_proves_that_nothing_was_sent(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str, fault: str
) -> None:
    client = make_client(timeouts=(0.5, 5.0))
    plan = client.plan_start(job_id, None)
    cdm.add_fault(fault, stage="accept", times=None)
    with pytest.raises(Unreachable):
        plan.send()
    assert cdm.starts == []
    gc.collect()


def test_a_start_goes_over_a_connection_of_its_own(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    for _ in range(2):
        assert start(client, job_id) is None
        cdm.advance_session(str(cdm.starts[-1].session_id), "COMPLETED")
    seen: dict[int, list[str]] = {}
    for request in cdm.requests:
        seen.setdefault(request.connection, []).append(request.method)
    assert all("POST" not in methods[1:] for methods in seen.values())
    assert any(len(methods) > 1 for methods in seen.values()), "reads keep theirs alive"


@pytest.mark.parametrize("verb", ["cancel", "clean_up"])
@pytest.mark.parametrize("fault", ["close", "reset", "html503", "hang"])
def test_cancel_and_clean_up_are_sent_once_too(
    cdm: CdmSimulator, make_client: MakeClient, job_id: str, verb: str, fault: str
) -> None:
    session_id = cdm.start_foreign_session(job_id)
    cdm.advance_session(session_id, "RESOURCE ACTIVE")
    client = make_client(timeouts=(2.0, 0.4))
    cdm.add_fault(fault, method="POST", path=r"action=(cancel|resume)", times=None)
    with pytest.raises(Unknown):
        getattr(client, verb)(session_id)
    assert posts(cdm) == 1


def test_a_clean_up_that_fails_before_its_request_proves_that_nothing_was_sent(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    session_id = cdm.start_foreign_session(job_id)
    cdm.add_fault("html502", method="GET", times=None)
    with pytest.raises(NothingSent):
        client.clean_up(session_id)
    assert posts(cdm) == 0


def test_reads_are_repeated_where_that_may_help(cdm: CdmSimulator, client: CdmClient) -> None:
    for fault in ("close", "html503"):
        cdm.add_fault(fault, method="GET", path="/job")
        assert len(client.jobs()) == 3
    cdm.add_fault("status", status=500, method="GET", path="/job")
    with pytest.raises(Unknown):
        client.jobs()


def test_no_message_has_a_secret_a_link_or_a_control_character_in_it(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    client.login()
    (api_session,) = cdm.live_api_sessions
    nasty = (
        f"No \x1b[31m{cdm.password}\r\nat https://cdm/api?esessionid={api_session} "
        f"({api_session}) sessionid: 0123456789abcdef {'x' * 5000}"
    )
    cases = itertools.product((400, 404, 409, 500), ("POST", "GET"))
    for status, method in cases:
        cdm.switches.faults = []
        cdm.add_fault("status", status=status, id="XSBSomeException", description=nasty)
        act = client.cancel if method == "POST" else client.session
        with pytest.raises(CopyManagerError) as caught:
            act("1")
        text = str(caught.value)
        for secret in (cdm.password, api_session, "https://", "0123456789abcdef"):
            assert secret not in text
        assert text.isprintable()
        assert len(text) < 700
        assert "XSBSomeException" in text
