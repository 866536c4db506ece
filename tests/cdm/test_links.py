# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Rebasing CDM's links: only path and query, only below /api/, no tricks."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cdm.links import BadLink, Target, api, href, rebase


def test_a_link_keeps_path_and_query_and_loses_its_host() -> None:
    link = "https://10.1.2.3:8082/api/endeavour/job/1044?action=start&x=a%20b"
    assert str(rebase(link)) == "/api/endeavour/job/1044?action=start&x=a%20b"


def test_a_trailing_slash_is_kept() -> None:
    assert str(rebase("https://cdm/api/endeavour/session/?x=")) == "/api/endeavour/session/?x="


def test_a_filter_with_raw_brackets_and_quotes_is_encoded() -> None:
    link = 'https://cdm/api/endeavour/jobsession?filter=[{"property":"jobId","value":"1044"}]'
    text = str(rebase(link))
    assert "%5B%7B%22property%22" in text
    assert not set(text) & set('[]{}" ')


@pytest.mark.parametrize("name", ["esessionid", "eSessionId", "%65sessionid"])
def test_a_session_id_in_a_link_is_dropped(name: str) -> None:
    target = rebase(f"https://cdm/api/endeavour/job/1?a=1&{name}=0f1e2d3c&b=2")
    assert str(target) == "/api/endeavour/job/1?a=1&b=2"


@pytest.mark.parametrize(
    "link",
    [
        "",
        "https://cdm/",
        "https://cdm/ngp/version",
        "https://cdm/apix/endeavour",
        "https://cdm/api",
        "https://cdm/api/",
        "https://cdm/api/../manager/html",
        "https://cdm/api/./job",
        "https://cdm/api//job",
        "https://cdm/api/job//",
        "https://cdm//api/job",
        "https://cdm/api/%2e%2e/manager",
        "https://cdm/api/%2E./manager",
        "https://cdm/api/..%2fmanager",
        "https://cdm/api/%252e%252e/manager",
        "https://cdm/api/..;/manager",
        "https://cdm/api/job;esessionid=1/2",
        "https://cdm/api/%5c..%5cmanager",
        "https://cdm/api\\job",
        "https://cdm/api/job%00",
        "https://cdm/api/job\r\nX-Header: 1",
        "https://cdm/api/job 1",
        "ftp://cdm/api/endeavour/job",
        "javascript:/api/endeavour/job",
        "https://[cdm/api/endeavour/job",
        "https://cdm/api/endeavour/job?x=1;esessionid=0f1e2d3c",
        "https://cdm/api/endeavour/" + "x" * 9000,
    ],
)
def test_a_link_that_leads_elsewhere_is_refused_without_being_repeated(link: str) -> None:
    with pytest.raises(BadLink) as caught:
        rebase(link)
    assert "cdm" not in str(caught.value)
    assert "0f1e2d3c" not in str(caught.value)


@given(st.text(max_size=60))
def test_whatever_the_text_the_result_stays_below_api(text: str) -> None:
    for link in (text, "/api/" + text, "https://cdm/api/endeavour/" + text):
        try:
            target = str(rebase(link))
        except BadLink:
            continue
        parts = urlsplit("https://here" + target)
        assert parts.netloc == "here"
        assert parts.path.startswith("/api/")
        assert not {"", ".", ".."} & set(parts.path.removesuffix("/").split("/")[1:])
        assert target.isascii()
        assert "esessionid" not in target.lower()


def test_parameters_are_replaced_and_lists_become_json() -> None:
    target = rebase("/api/endeavour/jobsession?pageSize=5&a=1").with_query(
        pageSize=100, filter=[{"property": "jobId"}]
    )
    assert parse_qsl(urlsplit(str(target)).query) == [
        ("a", "1"),
        ("pageSize", "100"),
        ("filter", '[{"property":"jobId"}]'),
    ]


def test_an_id_cannot_climb_out_of_its_segment() -> None:
    assert str(api("job", "1/../2?x")) == "/api/endeavour/job/1%2F..%2F2%3Fx"
    for bad in ("", ".", ".."):
        with pytest.raises(BadLink):
            api("job", bad)


@pytest.mark.parametrize("links", [None, [], {}, {"start": None}, {"start": {"href": 5}}])
def test_a_missing_or_odd_link_is_none(links: object) -> None:
    assert href(links, "start") is None
    assert Target("/api/x").values("action") == []
