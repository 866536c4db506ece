# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""How the console simulator disturbs and guards writes to its REST API."""

import http.client
from collections.abc import Iterator

import pytest

from tests.simulators.console import ConsoleSimulator, PathSwitch
from tests.simulators_tests.console_client import Client

SERVICES = "/api/config/access/authorized_services"


@pytest.fixture
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as console:
        yield console


def test_an_answer_that_is_lost_was_given_all_the_same(console: ConsoleSimulator) -> None:
    console.switches.paths = {SERVICES: PathSwitch(lost=True, methods="POST")}
    client, token = Client(console), console.token("restore-service")
    with pytest.raises(http.client.RemoteDisconnected):
        client.post(SERVICES, token=token, body={"label": "lost", "user_role_id": 7})
    rows = client.get(SERVICES, token=token).json()
    assert "lost" in {row["label"] for row in rows}


def test_a_write_with_a_session_needs_its_csrf_token_where_that_is_on(
    console: ConsoleSimulator,
) -> None:
    console.switches.rest_needs_csrf = True
    client, cookies = Client(console), console.login("admin")
    body = {"label": "new", "user_role_id": 7}
    assert client.post(SERVICES, token=cookies["SEC"], body=body).status == 403
    headers = {"QRadarCSRF": cookies["QRadarCSRF"]}
    reply = client.post(SERVICES, token=cookies["SEC"], body=body, headers=headers)
    assert reply.status == 201
    other = {"label": "other", "user_role_id": 7}
    service = console.token("restore-service")
    assert client.post(SERVICES, token=service, body=other).status == 201
