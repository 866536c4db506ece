# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which action a start and a clean-up ask for (cdm §3, §6)."""

from typing import Any

import pytest

from app.cdm import actions
from app.restore.model import Busy, Refused, Unknown

IV = {"id": "1", "subType": "vmware", "links": {"start": {"href": "/api/endeavour/job/1"}}}
SQL = {**IV, "subType": "application"}
TEST = {"name": "Test", "value": "start_test_iv"}
CLONE = {"name": "Clone", "value": "start_clone_iv"}
RECOVERY = {"name": "Recovery", "value": "start_recovery_iv"}
RRP = {"name": "Replace", "value": "start_rrp_iv"}


def schema(*values: Any) -> dict[str, Any]:
    return {"parameter": {"actionname": {"values": list(values)}}}


def job(start: str | None, **links: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"self": {"href": "https://cdm/api/endeavour/job/1"}, **links}
    if start is not None:
        found["start"] = {"href": start}
    return {"id": "1", "links": found}


def test_one_action_is_taken() -> None:
    assert actions.choose_action(schema(TEST), IV, None) == {"actionname": "start_test_iv"}


def test_of_several_the_one_that_is_named_is_taken_by_value_or_name() -> None:
    offered = schema(TEST, CLONE, RECOVERY)
    assert actions.choose_action(offered, IV, "start_clone_iv") == {"actionname": "start_clone_iv"}
    assert actions.choose_action(offered, IV, "Clone") == {"actionname": "start_clone_iv"}


@pytest.mark.parametrize("name", [None, "start_other", "clone", "START_TEST_IV"])
def test_of_several_none_is_taken_without_its_exact_name_and_the_offered_are_told(
    name: str | None,
) -> None:
    with pytest.raises(Refused) as caught:
        actions.choose_action(schema(TEST, CLONE), IV, name)
    assert "start_test_iv" in str(caught.value)
    assert "start_clone_iv" in str(caught.value)
    assert "mapping" in caught.value.advice


@pytest.mark.parametrize("mode", [RECOVERY, RRP, {"name": "Production", "value": "15"}])
def test_a_production_mode_is_taken_only_if_it_is_named(mode: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        actions.choose_action(schema(mode), IV, None)
    named = actions.choose_action(schema(mode), IV, str(mode["value"]))
    assert named == {"actionname": mode["value"]}


def test_a_database_job_whose_only_action_is_called_recovery_is_started() -> None:
    offered = schema({"name": "Recovery", "value": "start"})
    assert actions.choose_action(offered, SQL, None) == {"actionname": "start"}


def test_one_name_for_two_actions_is_refused() -> None:
    twins = schema({"name": "Test", "value": "a"}, {"name": "Test", "value": "b"})
    with pytest.raises(Refused):
        actions.choose_action(twins, IV, "Test")


def test_a_number_as_value_is_sent_as_it_came() -> None:
    offered = schema({"name": "Gold", "value": 15}, {"name": "Silver", "value": 16})
    assert actions.choose_action(offered, SQL, "15") == {"actionname": 15}


@pytest.mark.parametrize("empty", [{}, {"parameter": {}}, schema()])
def test_a_schema_without_actions_asks_for_none(empty: dict[str, Any]) -> None:
    assert actions.choose_action(empty, SQL, None) == {}


@pytest.mark.parametrize("odd", [schema(None), schema({"name": "x"}), schema("start")])
def test_a_schema_that_cannot_be_read_is_not_guessed(odd: dict[str, Any]) -> None:
    with pytest.raises(Unknown):
        actions.choose_action(odd, SQL, None)


def test_without_any_links_the_form_of_the_first_script_is_used() -> None:
    target = actions.start_target({"id": "1044"}, "1044", None)
    assert str(target) == "/api/endeavour/job/1044?action=start&actionname=start"
    assert actions.body_without_schema({"id": "1044"}, None) == {}


def test_an_action_that_the_mapping_names_is_sent_though_cdm_offers_no_choice() -> None:
    assert actions.body_without_schema(IV, "start_test_iv") == {"actionname": "start_test_iv"}
    assert actions.body_without_schema(IV, None) == {}


def test_links_without_a_start_link_mean_busy() -> None:
    with pytest.raises(Busy):
        actions.start_target(job(None), "1", None)


@pytest.mark.parametrize(
    "link",
    [
        "https://cdm/manager/api/",
        "https://cdm/api/../x",
        "https://cdm/api/endeavour/jobsession/5?action=expireall",
        "https://cdm/api/endeavour/job/1?action=start&action=expire",
    ],
)
def test_a_start_link_that_starts_nothing_is_not_followed(link: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.start_target(job(link), "1", None)
    assert "cdm/" not in str(caught.value)


def test_a_session_says_its_clean_up_by_link_name_or_by_address() -> None:
    assert actions.clean_up_name({"end_iv": {"href": "anything"}}) == "end_iv"
    resume = "https://cdm/api/endeavour/jobsession/5?action=resume&actionname="
    assert actions.clean_up_name({"finish": {"href": resume + "end_ia"}}) == "end_ia"
    assert actions.clean_up_name({"rrp": {"href": resume + "rrp"}, "self": {"href": "x"}}) is None
    assert actions.clean_up_name({"end_ia": {}, "end_iv": {}}) is None
    expire = "https://cdm/api/endeavour/jobsession/5?action=expire&actionname=end_ia"
    assert actions.clean_up_name({"x": {"href": expire}}) is None
    assert actions.clean_up_name(None) is None


@pytest.mark.parametrize(
    ("kind", "subtype", "action"),
    [
        ("IV", "vmware", "end_iv"),
        ("restore", "application", "end_ia"),
        ("IA", "", "end_ia"),
        (None, "application", "end_ia"),
        (None, "vmware", None),
        ("RESTORE_VOL", "svc", None),
    ],
)
def test_the_policy_says_the_clean_up_where_the_session_does_not(
    kind: str | None, subtype: str, action: str | None
) -> None:
    policy = {"spec": {"subpolicy": [{"type": kind}]}} if kind else {}
    assert actions.clean_up_name_by_policy(policy, {"subType": subtype}) == action


@pytest.mark.parametrize(
    ("option", "permanent"),
    [({"makepermanent": "enabled"}, True), ({"makepermanent": "user"}, False), (None, False)],
)
def test_only_enabled_makes_permanent(option: Any, permanent: bool) -> None:
    assert actions.makes_permanent({"spec": {"subpolicy": [{"option": option}]}}) is permanent
    assert not actions.makes_permanent({"spec": None})
