# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The operators on the settings page: QRadar's roles to choose from, and those that are chosen."""

from dataclasses import replace

from app import create_app
from app.qradar.console import ConsoleAnswer
from tests.web.conftest import ADMIN, World


class Roles:
    """A console that lists its user roles."""

    def request(self, method: str, path: str, **_rest: object) -> ConsoleAnswer:
        return ConsoleAnswer(200, [{"id": 2, "name": "Tier <2>"}, {"id": 3, "name": "Admin"}], {})


def test_the_roles_of_the_console_can_be_chosen(world: World) -> None:
    app = create_app(replace(world.services, console_api=Roles()))
    client = app.test_client()
    client.set_cookie("SEC", ADMIN)

    page = client.get("/settings").text
    assert 'value="Tier &lt;2&gt;"' in page
    assert 'value="Admin"' in page

    answer = client.post(
        "/settings/operator-roles",
        data={"role": ["Tier <2>"], "csrf_token": world.csrf(client)},
    )
    assert answer.status_code == 303
    assert world.store.settings.values().operator_roles == ("Tier <2>",)


def test_chosen_roles_stay_when_the_console_does_not_list_them(world: World) -> None:
    """The page says why, and saving it does not lose what was chosen before."""
    world.store.settings.set("operator_roles", ["Storage"], by="test", now=world.clock())
    page = world.client(ADMIN).get("/settings").text

    assert "roles can't be listed" in page.replace("&#39;", "'")
    assert 'value="Storage" checked' in page
