# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""manifest.json keeps the rules of qradar §1.2, and the rules see what breaks them."""

import json
from pathlib import Path
from typing import Any

import pytest

from packing.manifest import check

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "manifest.json").read_text()
MANIFEST: dict[str, Any] = json.loads(TEXT)
AREA = MANIFEST["areas"][0]
METHOD = {"name": "m", "method": "GET", "url": "/m"}
FRAGMENT = MANIFEST["fragments"][0]
SERVICE = MANIFEST["services"][0]


def test_our_manifest_breaks_no_rule() -> None:
    assert check(TEXT) == []


def test_what_machines_call_needs_no_capability_and_everything_else_does() -> None:
    """Whether QRadar asks a token caller for capabilities is unknown (qradar §3.4).

    Nor is it known whose token its own call of the uninstall hook carries, if any (qradar §1.3).
    """
    by_path = {method["url"]: method for method in MANIFEST["rest_methods"]}
    for path in ("/api/v1/triggers", "/api/v1/uninstall"):
        method = by_path.pop(path)
        assert method["method"] == "POST"
        assert "required_capabilities" not in method
    guarded = [*by_path.values(), *MANIFEST["areas"], *MANIFEST["configuration_pages"]]
    guarded += MANIFEST["fragments"] + MANIFEST["gui_actions"] + MANIFEST["dashboard_items"]
    assert all(item["required_capabilities"] in (["SEM"], ["ADMIN"]) for item in guarded)


def test_only_supervisord_starts_the_web_process() -> None:
    assert MANIFEST["load_flask"] == "false"
    assert [service.keys() for service in MANIFEST["services"]] == [{"name", "version", "port"}]


@pytest.mark.parametrize(
    ("changed", "code", "where"),
    [
        ({"name": ""}, 33104, "name"),
        ({"description": "<b>"}, 33104, "description"),
        ({"version": "1.0"}, 33104, "version"),
        ({"uuid": "no-uuid"}, 33104, "uuid"),
        ({"image": "qradar-app-base:3.1.1"}, 33403, "image"),
        ({"single_instance_only": True}, 33104, "single_instance_only"),
        ({"use_qradar_csrf": "yes"}, 33104, "use_qradar_csrf"),
        ({"log_level": "LOUD"}, 33104, "log_level"),
        ({"resources": {"memory": "300"}}, 33104, "resources"),
        ({"resources": 300}, 33104, "resources"),
        ({"dev_opts": {}}, 33104, "dev_opts"),
        ({"areas": {}}, 33104, "areas"),
        ({"areas": ["tab"]}, 33104, "areas[0]"),
        ({"areas": [AREA | {"colour": "red"}]}, 33104, "areas[0].colour"),
        ({"areas": [AREA | {"required_capabilities": ["SEM_1"]}]}, 33104, "areas[0]"),
        ({"areas": [AREA | {"required_capabilities": "SEM"}]}, 33104, "areas[0]"),
        ({"areas": [AREA | {"required_capabilities": ["SAASADMIN"]}]}, 33307, "areas"),
        ({"areas": [{"id": "a", "text": "b"}]}, 33104, "areas[0].url"),
        ({"configuration_pages": [AREA | {"location": "cellar"}]}, 33104, "configuration_pages[0]"),
        ({"configuration_pages": [AREA | {"icon": 1}]}, 33104, "configuration_pages[0]"),
        ({"rest_methods": [METHOD | {"url": "m"}]}, 33104, "rest_methods[0].url"),
        ({"rest_methods": [METHOD | {"method": "FETCH"}]}, 33104, "rest_methods[0].method"),
        ({"rest_methods": [METHOD | {"argument_names": [1]}]}, 33104, "rest_methods[0]"),
        ({"services": [SERVICE | {"name": "a b"}]}, 33104, "services[0].name"),
        ({"services": [SERVICE | {"port": 70000}]}, 33104, "services[0].port"),
        ({"services": [SERVICE | {"port": True}]}, 33104, "services[0].port"),
        ({"services": [SERVICE | {"port": 5001}]}, 33104, "services"),
        ({"services": [SERVICE, SERVICE]}, 33104, "services"),
        ({"environment_variables": [{"name": "A", "value": ""}]}, 33104, "environment_variables"),
        ({"gui_actions": [{"id": "a", "text": "b", "groups": []}]}, 33104, "gui_actions"),
        ({"fragments": [FRAGMENT | {"app_name": "Sem"}]}, 33104, "fragments[0].app_name"),
        ({"dashboard_items": [{"text": "a", "description": "b"}]}, 33104, "dashboard_items[0]"),
        (
            {"gui_actions": [MANIFEST["gui_actions"][0] | {"rest_method": "receive_trigger"}]},
            33104,
            "gui_actions",
        ),
        (
            {"uninstall_hooks": [{"description": "bye", "rest_method": "absent"}]},
            33308,
            "uninstall_hooks",
        ),
    ],
)
def test_broken_rule_is_found(changed: dict[str, Any], code: int, where: str) -> None:
    problems = check(json.dumps(MANIFEST | changed))

    assert any(p.code == code and p.where.startswith(where) for p in problems), problems


@pytest.mark.parametrize("missing", ["name", "description", "version", "uuid"])
def test_required_key_is_missed(missing: str) -> None:
    text = json.dumps({key: value for key, value in MANIFEST.items() if key != missing})

    assert f"33104 {missing}: is missing" in map(str, check(text))


def test_manifest_without_anything_to_show_is_refused() -> None:
    bare = {key: MANIFEST[key] for key in ("name", "description", "version", "uuid")}

    assert "needs one of" in str(check(json.dumps(bare))[0])


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", 33106), ("[]", 33104), ('{"a": {"b": 1, "b": 2}}', 33105)],
)
def test_text_that_is_no_manifest_is_refused(text: str, code: int) -> None:
    assert [problem.code for problem in check(text)] == [code]
