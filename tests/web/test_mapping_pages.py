# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages of the mappings: jobs from CDM's live list, and mappings as sentences."""

import html
import re

import pytest

from app.restore.model import Unreachable
from tests.web.conftest import ADMIN, World, job_entry

MAPPING = {
    "name": "SQL attack",
    "connection": "1",
    "rule_id": "100231",
    "rule_name": "Attack on SQL",
    "job_id": "1044",
    "action_name": "",
    "cooldown_s": "900",
    "enabled": "y",
}


def test_a_mapping_is_made_from_the_live_list_of_jobs(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("2", "Backup", is_restore=False), job_entry("1044", "Clean room")]
    client = world.client(ADMIN)
    page = client.get("/mappings/new").text
    assert re.search(r'<option value="2" disabled>Backup', page)
    assert re.search(r'<option value="1044">Clean room', page)
    assert world.submit(client, "/mappings/new", **MAPPING).status_code == 303
    mapping = world.store.mappings.get(1)
    assert (mapping.job_name, mapping.rule_id, mapping.enabled) == ("Clean room", 100231, True)
    text = html.unescape(client.get("/mappings").text)
    assert "When rule Attack on SQL (id 100231) fires, start Clean room on prod" in text
    assert "at most once in 15 min." in text
    assert world.cdm.closed == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("job_id", "2", "must be a restore job"),
        ("job_id", "99", "must be one of the jobs"),
        ("job_id", "", "Restore job must be chosen"),
        ("cooldown_s", "-1", "Cool-down must"),
        ("rule_id", "abc", "Rule id must"),
        ("name", "", "Name must"),
    ],
)
def test_a_mapping_with_a_bad_field_is_not_saved(
    world: World, field: str, value: str, words: str
) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("2", "Backup", is_restore=False), job_entry("1044", "Clean room")]
    page = world.submit(world.client(ADMIN), "/mappings/new", **(MAPPING | {field: value}))
    assert page.status_code == 200
    assert words in page.text
    assert world.store.mappings.list() == []


def test_two_mappings_for_one_rule_are_refused(world: World) -> None:
    world.add_mapping(world.add_connection())
    world.cdm.jobs = [job_entry("1044", "Clean room")]
    fields = MAPPING | {"name": "other"}
    page = world.submit(world.client(ADMIN), "/mappings/new", **fields)
    assert page.status_code == 200
    assert "already" in page.text


def test_a_mapping_can_be_changed_while_cdm_is_silent_but_not_its_job(world: World) -> None:
    world.add_mapping(world.add_connection())
    world.cdm.error = Unreachable("No connection.", advice="Look at the network.")
    client = world.client(ADMIN)
    page = client.get("/mappings/1")
    assert "No connection." in page.text
    assert "SQL clean-room restore" in page.text
    changed = MAPPING | {"cooldown_s": "0"}
    del changed["enabled"]
    assert world.submit(client, "/mappings/1", **changed).status_code == 303
    mapping = world.store.mappings.get(1)
    assert (mapping.cooldown_s, mapping.enabled, mapping.job_id) == (0, False, "1044")
    page = world.submit(client, "/mappings/1", **(changed | {"job_id": "7"}))
    assert "while CDM does not answer" in page.text


def test_a_mapping_is_deleted(world: World) -> None:
    world.add_mapping(world.add_connection())
    assert world.submit(world.client(ADMIN), "/mappings/1/delete").status_code == 303
    assert world.store.mappings.list() == []


def test_several_connections_are_chosen_from_first(world: World) -> None:
    world.add_connection("one", "one.example")
    world.add_connection("two", "two.example")
    client = world.client(ADMIN)
    assert "Its jobs are listed in the next step" in client.get("/mappings/new").text
    assert "Connection: <strong" in client.get("/mappings/new?connection=2").text
    assert (
        world.submit(client, "/mappings/new", **(MAPPING | {"connection": "9"})).status_code == 400
    )
