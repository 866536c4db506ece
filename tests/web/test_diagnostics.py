# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The diagnostics: enough to help, and no secret whatever it was made of."""

import json
from typing import Any

import pytest

from app.framework import masking
from app.framework.paths import store_dir
from tests.web.conftest import ADMIN, ANALYST, World
from tests.web.test_pages import HOSTILE, fill, links

CANARY = "canary-Sec-4711"
PATHS = ("/diagnostics", "/diagnostics/bundle.json")


def bundle(world: World, token: str = ADMIN, **headers: str) -> dict[str, Any]:
    answer = world.client(token).get("/diagnostics/bundle.json", headers=headers)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    document: dict[str, Any] = json.loads(answer.text)
    return document


@pytest.mark.parametrize("path", PATHS)
def test_no_secret_gets_in(world: World, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary in each place that holds a secret, or may by mistake."""
    fill(world)
    token = world.store.tokens.new("canary", by="test", now=world.clock())
    world.secrets.kept["label-plain"] = f"{CANARY}-password"
    monkeypatch.setenv("QRADAR_APP_UUID", f"{CANARY}-uuid")
    monkeypatch.setenv("https_proxy", f"http://user:{CANARY}@proxy.invalid")
    monkeypatch.setenv("SEC_ADMIN_TOKEN", f"{CANARY}-sec")
    masking.mask(f"{CANARY}-logged")
    (store_dir() / "log").mkdir(exist_ok=True)
    (store_dir() / "log" / "worker.log").write_text(
        f"[ERROR] said {CANARY}-logged\n[ERROR] password='{CANARY}' SEC: {CANARY}\n"
    )
    client = world.client(ADMIN)
    client.set_cookie("QRadarCSRF", f"{CANARY}-csrf")
    text = client.get(path, headers={"Authorization": f"Basic {CANARY}"}).text
    assert "worker.log" in text
    assert CANARY not in text
    assert token not in text
    assert ADMIN not in text
    assert "pass-Word-7!" not in text


def test_versions_counts_and_health_are_in_it(world: World) -> None:
    fill(world)
    found = bundle(world)
    assert found["versions"]["app"] == "9.8.7"
    assert found["versions"]["SQLite"].startswith("3.")
    assert found["versions"]["flask"][0].isdigit()
    assert found["store"]["rows"]["runs"] == 1
    assert found["store"]["newest audit rows verify"] is True
    assert found["health"]["runs"]["needs_decision"] == 1
    assert found["configuration"]["connections"][0]["name"] == "plain"


def test_how_the_callers_token_arrived_is_told(world: World) -> None:
    assert bundle(world)["request"]["QRadar token arrived as"] == "cookie"
    answer = world.client().get("/diagnostics/bundle.json", headers={"SEC": ADMIN})
    told = json.loads(answer.text)["request"]
    assert (told["QRadar token arrived as"], told["also as a cookie"]) == ("header", False)
    told = bundle(world, **{"QRadarUser": "anna", "X-Console-Host": "console.example"})["request"]
    assert told["headers that the proxy put in"] == ["QRadarUser", "X-Console-Host"]


def test_the_last_troubles_of_each_log_are_told(world: World) -> None:
    (store_dir() / "log").mkdir(exist_ok=True)
    lines = [f"[WARNING] trouble {number}" for number in range(100)]
    (store_dir() / "log" / "worker.log").write_text("\n".join(["[INFO] fine", *lines]))
    told = bundle(world)["last troubles"]["worker.log"]
    assert (told[-1], len(told)) == ("[WARNING] trouble 99", 40)
    assert "trouble 99" in world.client(ADMIN).get("/diagnostics").text


def test_nothing_from_outside_becomes_markup(world: World) -> None:
    fill(world, HOSTILE)
    page = world.client(ADMIN).get("/diagnostics").text
    assert "<script>alert" not in page
    assert links(page).foreign == []


@pytest.mark.parametrize("path", PATHS)
def test_it_is_for_administrators(world: World, path: str) -> None:
    assert world.client(ANALYST).get(path).status_code == 403
