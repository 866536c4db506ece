# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The offense watch of new mappings, and the offer of it to those that were there before."""

import html
import re

import pytest

from app.configuration import saving
from app.configuration.document import export_document, import_document
from app.restore.model import Watch
from app.store.qradar import Rule
from tests.web.conftest import ADMIN, ANALYST, World

FIELDS = {"name": "New", "rule_id": 7, "connection": "prod", "job_id": "1", "job_name": "Job"}


@pytest.fixture
def site(world: World) -> World:
    connection = world.add_connection()
    world.add_mapping(connection)
    world.add_mapping(connection, name="By name", rule_id=None, rule_name=None, job_id="2")
    world.add_mapping(connection, name="<b>Acts</b>", rule_id=3, job_id="3", watch="act")
    return world


def store_token(world: World) -> None:
    world.store.qradar.set_token("x", name="svc", expires_at=None, by="a", now=world.clock())


def watches(world: World) -> dict[str, str]:
    return {one.name: str(one.watch) for one in world.store.mappings.list()}


def save(world: World, **fields: object) -> Watch:
    given: dict[str, object] = FIELDS | fields
    saved = saving.save_mapping(world.store, given, by="anna", now=world.clock())
    return saved.watch


def test_a_new_mapping_is_watched_once_a_service_token_is_stored(site: World) -> None:
    assert save(site, name="Before", rule_id=8) is Watch.OFF
    store_token(site)
    assert save(site) is Watch.NOTIFY
    assert save(site, name="Said", rule_id=9, watch="off") is Watch.OFF


def test_a_mapping_that_is_changed_keeps_its_watch(site: World) -> None:
    store_token(site)
    mapping = site.store.mappings.find("SQL attack")
    assert mapping is not None
    fields: dict[str, object] = {"cooldown_s": 60}
    saved = saving.save_mapping(
        site.store, fields, mapping_id=mapping.id, by="anna", now=site.clock()
    )
    assert saved.watch is Watch.OFF


def test_an_import_that_says_nothing_leaves_new_mappings_the_default(site: World) -> None:
    store_token(site)
    document = export_document(site.store)
    rows = document["mappings"]
    assert isinstance(rows, list)
    for row in rows:
        row.pop("watch")
    rows.append(FIELDS)
    import_document(site.store, site.services.secrets, document, by="anna", now=site.clock())
    assert watches(site)["New"] == "notify"
    assert watches(site)["SQL attack"] == "off"


def checked(world: World, path: str) -> str:
    page = world.client(ADMIN).get(path).text
    found = re.findall(r"<input[^>]*name=\"watch\"[^>]*>", page)
    (value,) = [re.findall(r'value="(\w+)"', one)[0] for one in found if "checked" in one]
    return str(value)


def test_the_form_of_a_new_mapping_proposes_it(site: World) -> None:
    assert checked(site, "/mappings/new") == "off"
    store_token(site)
    assert checked(site, "/mappings/new") == "notify"
    site.store.qradar.keep_rules([Rule(5, "Rule", "OFFENSE", True)], now=site.clock())
    assert checked(site, "/mappings/new?rule=5") == "act"
    assert checked(site, "/mappings/1") == "off"


def offer(world: World) -> str:
    page = html.unescape(world.client(ADMIN).get("/mappings").text)
    found = re.search(r"It is off for: (.*?)\.</p>", page, re.DOTALL)
    return re.sub(r"<.*?>", "", found[1]) if found else ""


def test_those_that_were_there_are_offered_it(site: World) -> None:
    assert offer(site) == ""
    store_token(site)
    assert offer(site) == "SQL attack"

    answer = site.submit(site.client(ADMIN), "/mappings/watch-offer", answer="notify")
    assert answer.status_code == 303
    assert watches(site) == {"SQL attack": "notify", "By name": "off", "<b>Acts</b>": "act"}
    mapping = site.store.mappings.find("SQL attack")
    assert mapping is not None
    assert mapping.watch_since == site.clock()
    assert offer(site) == ""


def test_the_offer_can_be_declined_for_good(site: World) -> None:
    store_token(site)
    site.submit(site.client(ADMIN), "/mappings/watch-offer", answer="off")
    assert watches(site)["SQL attack"] == "off"
    assert offer(site) == ""
    assert "watch_offer" in [entry.subject for entry in site.store.audit.recent(5)]

    site.submit(site.client(ADMIN), "/mappings/watch-offer", answer="notify")
    assert watches(site)["SQL attack"] == "off"


def test_the_offer_is_an_administrators_and_takes_no_other_answer(site: World) -> None:
    store_token(site)
    refused = site.submit(site.client(ANALYST), "/mappings/watch-offer", answer="notify")
    assert refused.status_code == 403
    odd = site.submit(site.client(ADMIN), "/mappings/watch-offer", answer="act")
    assert odd.status_code == 400
    assert offer(site) == "SQL attack"
