# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The forms of what is declared in `app.configuration`: a field is on its page, and kept by it."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import render_template_string

from app.configuration.connection import CdmConnection
from app.configuration.fields import fields_of
from app.configuration.mapping import Mapping
from app.configuration.settings import SECTIONS, Settings
from app.web.frame.forms import CheckedForm, asks_for
from tests.configuration.sample import Colour, Sample, all_other
from tests.configuration.test_fields import FULL
from tests.pseudo import spoken, write_empty_catalogue
from tests.web.browsing import Browser, Form, Page, forms_of
from tests.web.conftest import ADMIN, World, job_entry


def press_save(world: World, path: str, words: str = "Save") -> Form:
    """Save a page's form as it stands."""
    browser = Browser(world.client(ADMIN))
    page = browser.open(path)
    buttons = [(form, one) for form in forms_of(page) for one in form.buttons if one.label == words]
    form, button = buttons[-1]
    answer = browser.press(page, form, button)
    assert "saved" in answer.html, answer.main
    return form


def test_saving_a_mappings_page_changes_nothing(world: World) -> None:
    """A field that the page forgot would be set to its default, a switch be put off."""
    connection = world.add_connection()
    values = all_other(Mapping, connection_id=connection.id, job_id="1044", job_name="Clean room")
    world.store.mappings.add(**values)
    before = world.store.mappings.get(1)
    world.cdm.jobs = [job_entry("1044", "Clean room")]

    form = press_save(world, "/mappings/1")

    asked = {name for name, one in fields_of(Mapping).items() if one.widget}
    assert asked <= {one.name for one in form.controls}
    assert world.store.mappings.get(1) == before
    assert world.store.audit.recent() == []


@pytest.mark.parametrize("trust", ["system", "fingerprint"])
def test_saving_a_connections_page_changes_nothing(world: World, trust: str) -> None:
    values = all_other(CdmConnection, host="cdm.example", trust=trust, ca_pem=None)
    if trust == "system":
        values["fingerprint"] = None
    world.store.connections.add(**values, secret_label="label-prod")
    world.secrets.kept["label-prod"] = "pass-Word-7!"
    before = world.store.connections.get(1)

    form = press_save(world, "/connections/1")

    asked = {name for name, one in fields_of(CdmConnection).items() if one.widget}
    assert asked <= {one.name for one in form.controls}
    assert world.store.connections.get(1) == before
    assert world.store.audit.recent() == []


@pytest.fixture
def two_languages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    locales = tmp_path_factory.mktemp("locales")
    write_empty_catalogue(locales)
    with spoken(locales):
        yield


@pytest.mark.usefixtures("two_languages")
def test_each_section_of_the_settings_keeps_what_it_shows(world: World) -> None:
    for name, value in all_other(Settings).items():
        world.store.settings.set(name, value, by="test", now=world.clock())
    before = world.store.settings.values()
    rows = len(world.store.audit.recent())
    page = Browser(world.client(ADMIN)).open("/settings").html

    for section in SECTIONS:
        assert f'action="settings/{section.path}"' in page
        asked = [one for one in fields_of(Settings).values() if one.section == section]
        if all(one.widget not in {"button", "several"} for one in asked):
            form = press_save(world, "/settings", str(section.save))
            assert {one.name for one in asked} <= {one.name for one in form.controls}

    assert world.store.settings.values() == before
    assert len(world.store.audit.recent()) == rows


def test_a_mistake_in_a_section_stands_beside_its_field_and_saves_nothing(world: World) -> None:
    client = world.client(ADMIN)
    page = world.submit(client, "/settings/own-events", own_log_sources="x", own_qids="7").text
    assert re.search(r'id="own_log_sources-error".*Log source ids must be a whole number', page)
    assert 'name="own_qids" type="text" value="7"' in page
    assert world.store.settings.values().own_qids == ()


def test_what_is_offered_can_only_be_taken_as_it_is_offered(world: World) -> None:
    for path, name in (("mode", "mode"), ("leef", "leef")):
        answer = world.submit(world.client(ADMIN), f"/settings/{path}", **{name: "sometimes"})
        assert answer.status_code == 400
    assert "leef must be on or off." in answer.text


@asks_for(fields_of(Sample))
class SampleForm(CheckedForm):
    """One of each kind of field."""


SHOW = """{% import 'frame/macros.html' as show with context %}<form>
{% for name, declared in form.declared.items() %}{{ show.entry(form[name], declared) }}{% endfor %}
</form>"""


@pytest.mark.parametrize(
    "thing", [FULL, replace(FULL, colour=Colour.GREEN, shade=None, asks=False, hours=None)]
)
def test_a_form_of_each_kind_of_field_is_read_as_it_was_shown(world: World, thing: Sample) -> None:
    with world.app.test_request_context("/"):
        html = render_template_string(SHOW, form=SampleForm.of(thing))
    (form,) = forms_of(Page("/", "GET", 200, html))
    sent = {one.name: one.value for one in form.controls if one.sent}
    with world.app.test_request_context("/", method="POST", data=sent):
        values = SampleForm(meta={"csrf": False}).values()

    assert values is not None
    assert Sample(id=1, noted="x", **({"shade": None} | values)) == thing  # type: ignore[arg-type]
    assert "Which colour?" in html
    assert "Help of asks." in html
