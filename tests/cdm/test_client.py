# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What the client reads from CDM, and what it asks of it when nothing goes wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from app.cdm.client import CdmClient
from app.restore.model import CopyManagerError, NotFound, Phase, Refused, Unknown
from tests.simulators.cdm import CdmSimulator
from tests.simulators.certs import Certificate

MakeClient = Callable[..., CdmClient]


@pytest.mark.parametrize("total", [None, 0, 7])
def test_all_of_250_jobs_are_listed_whatever_total_says(
    certificate: Certificate, make_client: MakeClient, total: int | None
) -> None:
    with CdmSimulator(certificate=certificate, jobs=250) as cdm:
        cdm.switches.total = total
        cdm.switches.next_page_link = False
        jobs = make_client({"port": cdm.port}).jobs()
        assert [job.id for job in jobs] == [j["id"] for j in sorted(cdm.jobs, key=_by_name)]
        assert {job.type for job in jobs if job.is_restore} == {"recovery"}
        assert sum(job.is_restore for job in jobs) == sum(j["type"] == "recovery" for j in cdm.jobs)


def _by_name(job: dict[str, object]) -> str:
    return str(job["name"])


def test_brackets_never_go_out_raw(cdm: CdmSimulator, client: CdmClient, job_id: str) -> None:
    client.jobs()
    client.sessions(job_id)
    lists = [r for r in cdm.requests if "pageSize" in r.query]
    assert len(lists) >= 5
    for request in lists:
        assert "pageStartIndex=" in request.query
        assert not set(request.query) & set('[]{}" ')


def test_an_entry_of_the_job_list_carries_what_a_person_chooses_by(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.add_past_session(job_id, "PARTIAL")
    entry = next(job for job in client.jobs() if job.id == job_id)
    assert (entry.name, entry.type, entry.subtype) == (
        "SQL clean-room restore",
        "recovery",
        "application",
    )
    assert (entry.status, entry.last_status, entry.is_restore) == ("IDLE", "PARTIAL", True)
    assert entry.last_run is not None
    assert entry.last_run.tzinfo is UTC


def test_ids_may_be_numbers(cdm: CdmSimulator, client: CdmClient, job_id: str) -> None:
    cdm.switches.numeric_ids = True
    session_id = cdm.start_foreign_session(job_id)
    assert client.job(job_id).id == job_id
    assert [s.id for s in client.sessions(job_id)] == [session_id]
    assert client.session(session_id).job_id == job_id
    assert client.log(session_id, 0)


def test_a_job_tells_its_name_its_kind_and_whether_it_is_busy(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    job = client.job(job_id)
    assert (job.name, job.is_restore, job.status, job.busy) == (
        "SQL clean-room restore",
        True,
        "IDLE",
        False,
    )
    cdm.start_foreign_session(job_id)
    assert client.job(job_id).busy
    cdm.set_job_type(job_id, "protection")
    assert not client.job(job_id).is_restore
    cdm.delete_job(job_id)
    with pytest.raises(NotFound):
        client.job(job_id)


def test_make_permanent_is_read_from_the_policy_and_a_policy_that_is_not_shown_says_no(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    assert not client.makes_permanent(job_id)
    cdm.switches.make_permanent = "enabled"
    assert client.makes_permanent(job_id)
    for fault in ("close", "html502", "garbage", "empty"):
        cdm.switches.faults = []
        cdm.add_fault(fault, path="/policy/", times=None)
        with pytest.raises(Unknown):
            client.makes_permanent(job_id)
    cdm.switches.faults = []
    cdm.add_fault("status", status=403, id="XSBAuthorizationException", path="/policy/")
    assert not client.makes_permanent(job_id)


def test_the_sessions_of_a_job_are_all_there_and_no_others(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    other = next(j["id"] for j in cdm.jobs if j["id"] != job_id)
    cdm.add_past_session(other)
    past = {cdm.add_past_session(job_id, ago=1000 + n) for n in range(120)}
    live = cdm.start_foreign_session(job_id)
    sessions = client.sessions(job_id)
    assert {s.id for s in sessions} == past | {live}
    assert len(sessions) == 121
    assert [s.id for s in sessions if s.live] == [live]
    cdm.switches.ignore_filter = ["jobsession"]
    cdm.switches.ignore_sort = ["jobsession"]
    assert {s.id for s in client.sessions(job_id)} == past | {live}


def test_a_session_that_only_a_link_shows_is_found(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    live = cdm.start_foreign_session(job_id)
    cdm.add_fault(
        "status",
        status=200,
        body='{"sessions": [], "total": 0}',
        path=r'/jobsession\?filter=\[\{"property":"jobId","op"',
        times=None,
    )
    assert [s.id for s in client.sessions(job_id)] == [live]


def test_without_the_list_the_history_and_then_the_last_run_are_read(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    past = cdm.add_past_session(job_id, ago=2000)
    last = cdm.add_past_session(job_id, ago=1000)
    gone = {"status": 404, "id": "XSBNotFoundException", "times": None}
    cdm.add_fault("status", path=r"/jobsession\?", **gone)
    assert {s.id for s in client.sessions(job_id)} == {past, last}
    cdm.add_fault("status", path="/history/", **gone)
    (only,) = client.sessions(job_id)
    assert (only.id, only.job_id, only.phase) == (last, job_id, Phase.COMPLETED)
    cdm.switches.job_overrides = {"lastrun": None}
    assert client.sessions(job_id) == []


@pytest.mark.parametrize("path", [r"/jobsession\?.*jobId", r"/jobsession\?.*status.*RUNNING"])
@pytest.mark.parametrize(
    "fault",
    [
        {"do": "html404"},
        {"do": "status", "status": 500},
        {"do": "status", "status": 403},
        {"do": "garbage"},
        {"do": "empty"},
        {"do": "redirect"},
        {"do": "truncate"},
        {"do": "status", "status": 200, "body": "{}"},
        {"do": "status", "status": 200, "body": '{"sessions": [{"id": "1"}]}'},
    ],
)
def test_a_list_that_cannot_be_read_never_looks_like_no_sessions(
    cdm: CdmSimulator, client: CdmClient, job_id: str, path: str, fault: dict[str, object]
) -> None:
    cdm.start_foreign_session(job_id)
    cdm.add_fault(**fault, path=path, method="GET", times=None)  # type: ignore[arg-type]
    with pytest.raises(Unknown):
        client.sessions(job_id)


def test_one_session_is_read_alone_or_from_the_list_of_its_job(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.outcome = "RUNNING"
    session_id = cdm.start_foreign_session(job_id)
    assert client.session(session_id).job_id == job_id
    cdm.add_fault("status", status=404, id="XSBNotFound", path=r"/jobsession/\d", times=None)
    assert client.session(session_id, job_id=job_id).live
    assert client.session(session_id).live, "the client remembers the job"
    cdm.vanish_session(session_id)
    with pytest.raises(NotFound):
        client.session(session_id, job_id=job_id)


def test_an_answer_about_another_session_or_job_is_not_believed(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    session_id = cdm.start_foreign_session(job_id)
    cdm.switches.session_overrides = {"id": "999"}
    with pytest.raises(Unknown):
        client.session(session_id)
    cdm.switches.job_overrides = {"id": "999"}
    with pytest.raises(Unknown):
        client.job(job_id)


def test_a_session_tells_what_cdm_says_and_nothing_is_needed_but_three_fields(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    session_id = cdm.start_foreign_session(job_id)
    optional = ["start", "end", "percent", "results", "links", "properties", "jobName"]
    cdm.switches.session_overrides = {
        "start": 1764001000400,
        "percent": 40.0,
        "results": "line\nwith \x1b[31mcolour",
    }
    session = client.session(session_id)
    assert session.start == datetime(2025, 11, 24, 16, 16, 40, 400000, UTC)
    assert (session.percent, session.results) == (40, "line with [31mcolour")
    cdm.switches.session_overrides = {"start": -1, "end": "soon", "percent": True, "results": 5}
    session = client.session(session_id)
    assert (session.start, session.end, session.percent, session.results) == (None,) * 4
    cdm.switches.session_drop = optional
    assert client.session(session_id).job_id == job_id
    cdm.switches.session_drop = ["status"]
    with pytest.raises(Unknown):
        client.session(session_id)


def test_pending_is_mounted_if_it_was_seen_running(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    session_id = cdm.start_foreign_session(job_id)
    cdm.advance_session(session_id, "PENDING")
    cdm.switches.session_overrides = {"results": None, "end": None}
    assert client.session(session_id).phase is Phase.RUNNING
    assert client.session(session_id, was_running=True).phase is Phase.READY


def test_an_unknown_word_is_kept_and_counts_as_live(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    session_id = cdm.start_foreign_session(job_id)
    cdm.advance_session(session_id, "Defrosting")
    session = client.session(session_id)
    assert (session.status, session.phase, session.live) == ("Defrosting", Phase.UNKNOWN, True)


@pytest.mark.parametrize("base", ["https://10.255.255.1:8082", "http://cdm.internal"])
def test_links_to_another_host_are_asked_of_ours_and_session_ids_in_them_dropped(
    cdm: CdmSimulator, client: CdmClient, job_id: str, base: str
) -> None:
    cdm.switches.link_base = base
    cdm.switches.links_with_session = True
    cdm.switches.start_modes = ["start_test_iv"]
    live = cdm.start_foreign_session(job_id)
    assert [s.id for s in client.sessions(job_id)] == [live]
    cdm.advance_session(live, "COMPLETED")
    client.plan_start(job_id, None).send()
    assert [s.action_name for s in cdm.starts] == ["start_test_iv"]
    assert {r.host for r in cdm.requests} == {f"{cdm.host}:{cdm.port}"}
    assert not any("esessionid" in unquote(r.query).lower() for r in cdm.requests)


def test_a_start_follows_the_start_link_and_sends_what_it_asks_for(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    plan = client.plan_start(job_id, None)
    assert (plan.body, plan.action) == ({}, None)
    plan.send()
    (start,) = cdm.starts
    assert (start.job_id, start.answered) == (job_id, 200)
    assert start.session_id is not None


def test_a_job_with_several_actions_starts_only_with_the_named_one(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.start_modes = ["start_test_iv", "start_recovery_iv", "start_clone_iv"]
    with pytest.raises(Refused, match="start_clone_iv"):
        client.plan_start(job_id, None)
    plan = client.plan_start(job_id, "start_test_iv")
    assert plan.action == "start_test_iv"
    plan.send()
    assert [s.action_name for s in cdm.starts] == ["start_test_iv"]


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_schema_that_is_not_shown_says_nothing_about_the_job(
    cdm: CdmSimulator, client: CdmClient, job_id: str, status: int
) -> None:
    cdm.switches.start_modes = ["start_test_iv"]
    cdm.add_fault("status", status=status, path="/schema/")
    with pytest.raises(Unknown):
        client.plan_start(job_id, None)
    assert cdm.starts == []


def test_a_job_without_any_links_is_started_as_the_first_script_did(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.hidden_links = ["*"]
    client.plan_start(job_id, None).send()
    assert len(cdm.starts) == 1
    assert [(r.path, r.query) for r in cdm.requests if "action=" in r.query] == [
        (f"/api/endeavour/job/{job_id}", "action=start&actionname=start")
    ]


def test_the_log_is_read_from_where_one_was_without_doubles(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    # Past ones: a session under way may log another line between two of these reads.
    session_id, other = cdm.add_past_session(job_id), cdm.add_past_session(job_id)
    for n in range(40):
        cdm.add_log_entry(session_id, "INFO", f"line {n}")
    whole = client.log(session_id, 0)
    assert len({line.key for line in whole}) == len(whole) >= 40
    for skip in (1, 15, len(whole) - 1, len(whole), len(whole) + 50):
        assert client.log(session_id, skip) == whole[skip:]
    assert all(line.time and line.time.tzinfo for line in whole)
    cdm.switches.ignore_filter = ["log"]
    assert {line.key for line in client.log(session_id, 0)} == {line.key for line in whole}
    assert not {line.key for line in client.log(other, 0)} & {line.key for line in whole}


def test_cancel_and_clean_up_ask_cdm_for_just_that(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.cancel_seconds = cdm.switches.clean_up_seconds = 0.0
    running = cdm.start_foreign_session(job_id)
    client.cancel(running)
    assert client.session(running).phase is Phase.CANCELLED
    cdm.advance_session(cdm.start_foreign_session(job_id), "RESOURCE ACTIVE")
    (mounted,) = [s.id for s in client.sessions(job_id) if s.live]
    client.clean_up(mounted)
    assert client.session(mounted).phase is Phase.COMPLETED
    posts = [(r.path, r.query) for r in cdm.requests if r.method == "POST"][1:]
    assert posts == [
        (f"/api/endeavour/jobsession/{running}", "action=cancel"),
        (f"/api/endeavour/jobsession/{mounted}", "action=resume&actionname=end_ia"),
    ]
    assert cdm.destructive_calls == []


def test_a_machine_restore_is_cleaned_up_by_its_own_action_with_and_without_links(
    cdm: CdmSimulator, client: CdmClient
) -> None:
    job = cdm.add_job("VM restore", sub_type="vmware", sub_policy_type="IV")
    for hidden in ([], ["*"]):
        cdm.switches.hidden_links = hidden
        session_id = cdm.start_foreign_session(job.id)
        cdm.advance_session(session_id, "RESOURCE ACTIVE")
        client.clean_up(session_id)
        assert cdm.requests[-1].query == "action=resume&actionname=end_iv"
        cdm.advance_session(session_id, "COMPLETED")
    assert cdm.destructive_calls == []


def test_nobody_can_make_the_client_ask_for_an_empty_or_climbing_id(client: CdmClient) -> None:
    for bad in ("", "..", "."):
        with pytest.raises(CopyManagerError):
            client.job(bad)
        with pytest.raises(CopyManagerError):
            client.cancel(bad)
    with pytest.raises(CopyManagerError):
        client.job("1/../../endeavour/job/1")
