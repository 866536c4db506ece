# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which language a page is in, and that whatever reaches it is said in that."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import render_template_string

from app.message import Message, counted
from app.web.frame import language
from app.web.frame.forms import ConnectionForm
from app.web.frame.language import flash
from tests.pseudo import PSEUDO, pseudo, write_catalogue
from tests.web.conftest import ADMIN, World

RUNS = ("{n} run", "{n} runs")


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locales")
    write_catalogue(folder)
    return folder


@pytest.fixture
def pseudo_world(world: World, locales: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The app with one language more."""
    monkeypatch.setattr(language, "LOCALES", locales)
    for cached in (language.catalogue, language.languages):
        cached.cache_clear()
    yield world
    for cached in (language.catalogue, language.languages):
        cached.cache_clear()


def page_language(world: World, accept: str) -> str:
    page = world.client(ADMIN).get("/", headers={"Accept-Language": accept})
    return page.text.partition('<html lang="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "en"),
        ("fr-FR, fr;q=0.9", "en"),
        (f"{PSEUDO}-XX, en;q=0.5", PSEUDO),
        (f"en-GB, {PSEUDO};q=0.9", "en"),
        (f"fr, {PSEUDO};q=0.3", PSEUDO),
        (f"{PSEUDO};q=0, en", "en"),
        ("\x00;q=nonsense,,", "en"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_prefers(
    pseudo_world: World, accept: str, expected: str
) -> None:
    assert page_language(pseudo_world, accept) == expected


def test_what_qradar_knows_of_its_user_counts_more(pseudo_world: World) -> None:
    callers = pseudo_world.identity.callers

    callers[ADMIN] = replace(callers[ADMIN], language=f"{PSEUDO}_XX")
    assert page_language(pseudo_world, "en") == PSEUDO

    callers[ADMIN] = replace(callers[ADMIN], language="en-US")
    assert page_language(pseudo_world, PSEUDO) == "en"

    callers[ADMIN] = replace(callers[ADMIN], language="xx-YY")
    assert page_language(pseudo_world, PSEUDO) == PSEUDO


def test_without_a_catalogue_everything_is_english(world: World) -> None:
    assert page_language(world, PSEUDO) == "en"


class Words:
    """A catalogue with all that is asked of it."""

    gettext = staticmethod(pseudo)

    def ngettext(self, one: str, many: str, n: int) -> str:
        return pseudo(one if n == 1 else many)

    def pgettext(self, context: str, message: str) -> str:
        return "." if context == "between thousands" else message


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ _('Save & go') }}", "⟦Save &amp; go~~~⟧"),
        ("{{ up }}", "⟦is up &lt;~~~⟧"),
        ("{{ up | outside }}", "⟦is up &lt;~~~⟧"),
        ("{{ up | outside(3) }}", "⟦is…"),
        ("{{ [up, 1, 'x'] | join('; ') }}", "⟦is up &lt;~~~⟧; 1; x"),
        ("{{ _('{a} of {b}') | fill(a=up, b='<') }}", "⟦⟦is up &lt;~~~⟧ of &lt;~~⟧"),
        ("{{ up | fill }}", "⟦is up &lt;~~~⟧"),
        ("{{ many }}", "⟦1.200 runs~~⟧"),
        ("{{ say(up) | upper }}", "⟦IS UP &lt;~~~⟧"),
        ("{{ 'is up' }} {{ 3 }}", "is up 3"),
    ],
)
def test_messages_are_said_wherever_a_template_puts_them_out(
    world: World, monkeypatch: pytest.MonkeyPatch, template: str, expected: str
) -> None:
    monkeypatch.setattr(language, "catalogue", lambda _language: Words())
    with world.app.test_request_context("/"):
        made = render_template_string(template, up=Message("is up <"), many=counted(*RUNS, 1200))

    assert made == expected


def test_what_the_next_page_tells_is_said_in_the_language_of_this_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "catalogue", lambda _language: Words())
    with world.app.test_request_context("/"):
        flash(Message("Saved."), "good")
        told = render_template_string("{{ get_flashed_messages(with_categories=True) }}")

    assert "(&#39;good&#39;, &#39;⟦Saved.~~⟧&#39;)" in told


def test_an_error_beside_a_field_is_said_with_the_fields_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = "{{ form.proxy.errors[0] }}"
    with world.app.test_request_context("/", method="POST", data={"proxy": "ftp://a"}):
        form = ConnectionForm()
        form.values(allow_loopback=False)
        english = render_template_string(template, form=form)
        monkeypatch.setattr(language, "catalogue", lambda _language: Words())
        form.proxy.errors = []
        form.values(allow_loopback=False)
        said = render_template_string(template, form=form)

    assert english == "HTTP proxy must be http://HOST:PORT."
    assert "⟦must be http://HOST:PORT." in said
    assert "⟦HTTP proxy ⟦must" in said
