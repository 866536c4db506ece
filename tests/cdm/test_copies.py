# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which copy a job will restore: what is told of it, and what is not claimed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.cdm.client import CdmClient
from app.cdm.copies import MAX_PAGES, MAX_SOURCES, CopyReader
from app.cdm.links import Target
from app.remote.failures import Cleaner, NoAnswer
from app.restore.model import LoginRefused, Unreachable
from app.restore.model.copies import Copy, SourceCopy, Which
from tests.factories import copy_of
from tests.simulators.cdm import CdmSimulator

SEVEN = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
EIGHT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PINNED = {"id": "3001", "name": "Nov 20 01:00:00 2026"}
DATABASE = "/api/application/sql/instance/1010/database/2201"


def made(at: datetime, policy: str = "Daily", **rest: object) -> dict[str, Any]:
    return {"protectionTime": int(at.timestamp() * 1000), "policyName": policy, **rest}


def test_the_newest_of_an_unordered_list_is_taken_whether_times_are_numbers_or_text(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    newest = made(EIGHT, "Hourly")
    newest["protectionTime"] = str(newest["protectionTime"])
    cdm.switches.copies = [made(SEVEN), newest, made(SEVEN), {"protectionTime": None}]
    assert client.copy_to_restore(job_id) == copy_of(
        Which.LATEST, at=EIGHT, policy="Hourly", sources=("SALES",)
    )


def test_a_known_policy_spares_the_look_at_the_job_and_only_reads_are_sent(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    (policy_id,) = [job.policy_id for job in client.jobs() if job.id == job_id]
    cdm.requests.clear()
    assert client.copy_to_restore(job_id, policy_id=policy_id).made_at is not None
    assert [(asked.method, asked.path) for asked in cdm.requests] == [
        ("GET", "/api/endeavour/policy/2044"),
        ("GET", f"{DATABASE}/version"),
    ]
    assert "time=" not in cdm.requests[-1].query
    assert not cdm.destructive_calls


def test_only_copies_of_the_policys_site_count(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.copies = [made(SEVEN), made(EIGHT, siteId="2000")]
    assert client.copy_to_restore(job_id).made_at == SEVEN


@pytest.mark.parametrize("sub_type", ["vmware", "ibmsvc"])
def test_machines_and_volumes_have_copies_too(
    cdm: CdmSimulator, client: CdmClient, job_id: str, sub_type: str
) -> None:
    cdm.update_job(job_id, sub_type=sub_type)
    cdm.switches.copies = [made(SEVEN)]
    assert client.copy_to_restore(job_id).made_at == SEVEN


def test_a_long_list_of_copies_is_read_to_its_end_but_not_for_ever(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.copies = [made(SEVEN)] * 300 + [made(EIGHT)]
    assert client.copy_to_restore(job_id).made_at == EIGHT
    cdm.switches.copies = [made(SEVEN)] * (MAX_PAGES * 200 + 1)
    cdm.requests.clear()
    copy = client.copy_to_restore(job_id)
    assert (copy.which, copy.made_at) == (Which.LATEST, None)
    assert "too many copies of SALES" in str(copy.problem)
    assert len(cdm.requests) == 2 + MAX_PAGES


def test_of_several_sources_the_oldest_newest_copy_is_told(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.sources = [
        {"name": "SALES", "copies": [made(EIGHT)]},
        {"name": "HR", "copies": [made(datetime(2020, 1, 1, tzinfo=UTC)), made(SEVEN, "Weekly")]},
        {"name": "OLD", "copies": [], "include": False},
    ]
    copy = client.copy_to_restore(job_id)
    assert copy == Copy(
        Which.LATEST, (SourceCopy("SALES", EIGHT, "Daily"), SourceCopy("HR", SEVEN, "Weekly"))
    )
    assert (copy.made_at, copy.newest_made_at, copy.policy) == (SEVEN, EIGHT, "Weekly")


def test_not_each_of_very_many_sources_is_looked_at(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.sources = [{"name": f"DB{number}"} for number in range(MAX_SOURCES + 1)]
    copy = client.copy_to_restore(job_id)
    assert (copy.which, copy.made_at, len(copy.sources)) == (Which.LATEST, None, MAX_SOURCES + 1)
    assert not [asked for asked in cdm.requests if asked.path.endswith("/version")]


def test_a_source_without_any_copy_is_named(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.sources = [{"name": "SALES"}, {"name": "HR", "copies": []}]
    assert client.copy_to_restore(job_id) == copy_of(Which.MISSING, sources=("HR",))


def test_a_pinned_copy_is_told_by_its_name_and_its_time_however_old(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.sources = [{"name": "HR"}, {"name": "SALES", "version": PINNED}]
    cdm.switches.copies = [made(EIGHT), made(SEVEN, "Weekly", id="3001")]
    copy = client.copy_to_restore(job_id)
    assert copy == Copy(
        Which.PINNED,
        (SourceCopy("HR", EIGHT, "Daily"), SourceCopy("SALES", SEVEN, "Weekly")),
        name="Nov 20 01:00:00 2026",
    )
    assert copy.made_at == SEVEN


def test_a_pinned_copy_that_is_gone_is_noticed_and_one_that_is_not_shown_is_no_error(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    cdm.switches.sources = [{"name": "SALES", "version": PINNED, "copies": [made(EIGHT, id="1")]}]
    copy = client.copy_to_restore(job_id)
    assert (copy.which, copy.made_at) == (Which.PINNED, None)
    assert "does not list this copy" in str(copy.problem)
    cdm.add_fault("status", status=403, id="XSBAuthorizationException", path="/version")
    copy = client.copy_to_restore(job_id)
    assert (copy.which, copy.name, copy.problem) == (Which.PINNED, PINNED["name"], None)


def test_an_unknown_job_or_policy_is_not_known_and_no_error(
    cdm: CdmSimulator, client: CdmClient, job_id: str
) -> None:
    assert client.copy_to_restore("9").which is Which.UNKNOWN
    assert "does not know the policy" in str(client.copy_to_restore(job_id, policy_id="9").problem)
    assert client.copy_to_restore("..").which is Which.UNKNOWN
    cdm.switches.job_drop = ["policyId"]
    assert "does not tell the policy" in str(client.copy_to_restore(job_id).problem)


@pytest.mark.parametrize("do", ["html502", "garbage", "empty"])
@pytest.mark.parametrize("path", ["/policy/", "/version"])
def test_an_answer_that_can_not_be_used_is_not_known(
    cdm: CdmSimulator, client: CdmClient, job_id: str, do: str, path: str
) -> None:
    cdm.add_fault(do, path=path, times=None)
    copy = client.copy_to_restore(job_id)
    assert copy.which is (Which.UNKNOWN if path == "/policy/" else Which.LATEST)
    assert copy.made_at is None
    assert copy.problem


def test_a_lost_connection_and_a_refused_log_in_are_errors(
    cdm: CdmSimulator, make_client: Callable[..., CdmClient], job_id: str
) -> None:
    for path in ("/policy/", "/version"):
        cdm.switches.faults = []
        cdm.add_fault("close", path=path, times=None)
        with pytest.raises(NoAnswer):
            make_client().copy_to_restore(job_id)
    with pytest.raises(LoginRefused):
        make_client(password="wrong").copy_to_restore(job_id)
    cdm.stop()
    with pytest.raises(Unreachable):
        make_client().copy_to_restore(job_id)


# --- at the seam: shapes that no simulator shows --------------------------------------------------


class Answers:
    """Answers what it is given, and notes what it is asked; each answer takes ``takes`` seconds."""

    def __init__(self, policy: object, versions: object = None, takes: float = 0.0) -> None:
        self.policy, self.versions, self.takes = policy, versions, takes
        self.asked: list[str] = []
        self.now = 0.0
        self.timeouts: list[float | None] = []

    def __call__(
        self, target: Target, what: str, *, read_timeout: float | None = None
    ) -> dict[str, Any]:
        self.asked.append(target.path)
        self.timeouts.append(read_timeout)
        self.now += self.takes
        found: Any = self.policy if "/policy/" in target.path else {"versions": self.versions}
        return found

    def copy(self, within: float = 10.0) -> Copy:
        reader = CopyReader(self, Cleaner(), monotonic=lambda: self.now, within=within)
        return reader.copy_of("1044", "2044")


def policy_of(**source: object) -> dict[str, Any]:
    latest = {"metadata": {"id": "latest", "name": "Use Latest"}}
    whole = {"href": f"https://cdm{DATABASE}?time=0", "version": latest, **source}
    return {"spec": {"source": [{"metadata": {"name": "SALES"}, **whole}]}}


def odd_policies() -> Iterator[object]:
    yield from ({}, {"spec": None}, {"spec": {"source": None}}, {"spec": {"source": ["x"]}})
    yield {"spec": {"source": []}}
    yield policy_of(include=False)
    for version in (None, "latest", {}, {"metadata": None}, {"metadata": {"id": ""}}):
        yield policy_of(version=version)


@pytest.mark.parametrize("policy", list(odd_policies()), ids=str)
def test_an_odd_policy_says_nothing(policy: object) -> None:
    copy = Answers(policy).copy()
    assert (copy.which, copy.made_at) == (Which.UNKNOWN, None)
    assert copy.problem


@pytest.mark.parametrize(
    "versions",
    [None, {}, ["x"], [{}], [{"protectionInfo": None}], [{"protectionInfo": {"protectionTime": 0}}]]
    + [[{"protectionInfo": {"protectionTime": time}}] for time in ("soon", "nan", True, [], 1e300)],
    ids=str,
)
def test_odd_copies_have_no_time(versions: object) -> None:
    copy = Answers(policy_of(), versions).copy()
    assert (copy.which, copy.made_at) == (Which.LATEST, None)
    assert copy.problem


@pytest.mark.parametrize(
    "href",
    [
        None,
        7,
        "",
        "https://cdm/api/endeavour/jobsession/1",
        "https://cdm/api/endeavour/policy/1",
        "https://cdm/api/application",
        "https://cdm/api/application/sql/../../endeavour/job/1",
        "https://cdm/api/application/sql/%2e%2e/x",
        "https://cdm/elsewhere/application/sql/1",
        f"https://cdm{DATABASE}/..;/x",
    ],
)
def test_only_links_to_sources_are_followed(href: object) -> None:
    answers = Answers(policy_of(href=href), [])
    copy = answers.copy()
    assert (copy.which, copy.made_at) == (Which.LATEST, None)
    assert "link to SALES is not followed" in str(copy.problem)
    assert answers.asked == ["/api/endeavour/policy/2044"]


def test_names_from_cdm_are_cleaned() -> None:
    policy = policy_of(metadata={"name": "SA\nLES https://cdm/?esessionid=1 " + "x" * 500})
    (name,) = (source.name for source in Answers(policy, []).copy().sources)
    assert name.startswith("SA LES (link) xxx")
    assert len(name) == 120


def test_the_time_is_shared_by_all_requests_and_has_an_end() -> None:
    answers = Answers(policy_of(), [], takes=2.0)
    copy = answers.copy(within=2.0)
    assert (copy.which, copy.made_at, copy.problem) == (
        Which.LATEST,
        None,
        "CDM did not tell it in time.",
    )
    assert answers.timeouts == [2.0]
    answers = Answers(policy_of(), [], takes=1.8)
    answers.copy(within=2.0)
    assert answers.timeouts == [2.0, 0.5]


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (
            copy_of(Which.LATEST, datetime(2026, 11, 24, 7, tzinfo=UTC), "Gold"),
            "the latest copy, of 2026-11-24 07:00:00 UTC, made by policy Gold",
        ),
        (
            copy_of(Which.LATEST, datetime(2026, 11, 24, 7, tzinfo=UTC), sources=("A", "B")),
            "the latest copies of 2 sources, the oldest of 2026-11-24 07:00:00 UTC",
        ),
        (
            copy_of(Which.LATEST, problem="CDM was too slow."),
            "the latest copy; its time is not known: CDM was too slow.",
        ),
        (copy_of(Which.MISSING), "nothing: CDM lists no copy"),
        (
            copy_of(Which.PINNED, name="1 May"),
            "always the same copy, 1 May, NOT the latest",
        ),
        (copy_of(Which.UNKNOWN, problem="No policy."), "a copy that is not known: No policy."),
    ],
)
def test_in_words_it_never_says_more_than_cdm_does(copy: Copy, words: str) -> None:
    assert str(copy) == words
