# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which language a page is in, and that whatever reaches it is said in that."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import render_template_string

from app.message import Message, Words, counted
from app.store.database import StoreBusy, StoreFailed
from app.store.settings import Settings
from app.web.frame import language
from app.web.frame.forms import ConnectionForm
from app.web.frame.language import flash
from app.web.frame.presentation import event_value
from app.web.services import Services
from tests.pseudo import PSEUDO, pseudo, spoken, write_catalogue
from tests.web.conftest import ADMIN, World
from tests.web.test_runs_api import make_run

RUNS = ("{n} run", "{n} runs")


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locales")
    write_catalogue(folder)
    return folder


@pytest.fixture
def pseudo_world(world: World, locales: Path) -> Iterator[World]:
    """The app with one language more."""
    with spoken(locales):
        yield world


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


class Bracketing:
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
    monkeypatch.setattr(language, "catalogue", lambda _language: Bracketing())
    with world.app.test_request_context("/"):
        made = render_template_string(template, up=Message("is up <"), many=counted(*RUNS, 1200))

    assert made == expected


def test_what_the_next_page_tells_is_said_in_the_language_of_this_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "catalogue", lambda _language: Bracketing())
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
        monkeypatch.setattr(language, "catalogue", lambda _language: Bracketing())
        form.proxy.errors = []
        form.values(allow_loopback=False)
        said = render_template_string(template, form=form)

    assert english == "HTTP proxy must be http://HOST:PORT."
    assert "⟦must be http://HOST:PORT." in said
    assert "⟦HTTP proxy ⟦must" in said


def test_a_time_that_was_sent_is_explained_in_the_readers_language(pseudo_world: World) -> None:
    with pseudo_world.app.test_request_context("/", headers={"Accept-Language": PSEUDO}):
        shown = event_value("1764000000000", "event_time")

    assert pseudo("{value} ms since 1970, as it was sent").partition("{")[0] in shown
    assert 'title="⟦' in shown


# --- programs are answered in the language of the setting ---------------------------------------


@pytest.fixture
def set_world(pseudo_world: World) -> World:
    """The same app, with that language set, asked by those who prefer English."""
    pseudo_world.store.settings.set("language", PSEUDO, by="ann", now=pseudo_world.clock())
    return pseudo_world


def call(world: World, token: str) -> Any:
    fields = {"token": token, "request_id": "req-00001", "mapping": "none"}
    return world.client().post("/api/v1/triggers", data=fields).json


def test_a_trigger_is_answered_in_the_language_of_the_setting(set_world: World) -> None:
    token = set_world.store.tokens.new("console", by="ann", now=set_world.clock())

    answer = call(set_world, token)

    assert answer["outcome"] == "unmatched"
    named = "There is no mapping named none; nothing was started."
    assert answer["message"] == pseudo(named.replace("none", "{mapping}")).replace(
        "{mapping}", "none"
    )


def test_an_error_is_told_in_the_language_of_the_setting(set_world: World) -> None:
    error = call(set_world, "wrong")["error"]

    advice = "Set the custom action's token parameter to a trigger token of the settings page."
    assert (error["code"], error["field"]) == ("not_authenticated", "X-Trigger-Token")
    assert error["message"] == f"{pseudo('The trigger token is not valid.')} {pseudo(advice)}"


def test_a_run_is_told_in_the_language_of_the_setting_whoever_asks(set_world: World) -> None:
    run = make_run(set_world)
    set_world.store.runs.note(run, error=Message("it is ready"))
    client = set_world.client(ADMIN)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"

    told = client.get(f"/api/v1/runs/{run.id}").json

    assert told["state"] == "queued"
    assert told["transitions"][0]["reason"].startswith("⟦triggered by ")
    assert client.get("/api/v1/runs").json["runs"][0]["id"] == run.id
    assert "it is ready" in client.get("/api/v1/runs.csv").text
    assert "⟦" not in client.get(f"/runs/{run.id}").text


def test_a_cell_of_the_csv_is_said_in_the_language_of_the_setting(set_world: World) -> None:
    run = make_run(set_world)
    error = Message("CDM did not tell it in time.")
    set_world.store.runs.note(run, error=error)

    lines = set_world.client(ADMIN).get("/api/v1/runs.csv").text.splitlines()

    assert lines[0].startswith("id,state,")
    assert pseudo(error) in lines[1]


def test_without_a_setting_programs_are_answered_in_english(pseudo_world: World) -> None:
    client = pseudo_world.client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = PSEUDO

    answer = client.post("/api/v1/triggers", data={"token": "wrong", "request_id": "req-00001"})

    assert answer.json["error"]["message"].startswith("The trigger token is not valid. Set")


@pytest.mark.parametrize("what", ["broken", "busy"])
def test_a_language_that_the_store_cannot_tell_is_english(
    set_world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def fail(_settings: Settings) -> Words:
        raise StoreBusy("locked") if what == "busy" else StoreFailed("disk I/O error")

    monkeypatch.setattr(Settings, "words", property(fail))

    assert call(set_world, "wrong")["error"]["message"].startswith("The trigger token is not")


def test_a_store_that_cannot_be_used_is_not_asked_for_the_language(
    set_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Services, "failure", lambda _self: "It is damaged.")
    monkeypatch.setattr(Settings, "words", None)

    error = call(set_world, "wrong")["error"]

    assert (error["code"], error["message"]) == (
        "store_unusable",
        "The app's database can't be used.",
    )


def test_the_dashboard_item_is_in_the_readers_language(set_world: World) -> None:
    assert set_world.client(ADMIN).get("/dashboard_item").json["title"] == "Restores"


def test_an_administrator_sets_the_language_on_the_settings_page(pseudo_world: World) -> None:
    client, store = pseudo_world.client(ADMIN), pseudo_world.store

    page = client.get("/settings").text
    assert f'value="{PSEUDO}"' in page
    assert pseudo_world.submit(client, "/settings/language", language=PSEUDO).status_code == 303

    assert store.settings.values().language == PSEUDO
    assert "The language is saved." in client.get("/settings").text
    audited = store.audit.recent(1)[0]
    assert (audited.action, audited.subject) == ("settings.change", "language")
    answer = pseudo_world.submit(client, "/settings/language", language="xx")
    assert "must be one of en, eo." in answer.text
    assert store.settings.values().language == PSEUDO


# --- what is told once ----------------------------------------------------------------------------


def test_what_a_page_tells_after_a_form_is_in_the_readers_language(pseudo_world: World) -> None:
    client = pseudo_world.client(ADMIN)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = PSEUDO

    pseudo_world.submit(client, "/settings/leef", leef="on")

    assert pseudo("Events in QRadar's log are on.") in unescape(client.get("/settings").text)


def test_nothing_flashes_past_the_catalogue() -> None:
    """Flask's own flash keeps plain text."""
    web = Path(language.__file__).parents[1]
    found = [path.name for path in web.rglob("*.py") if "flash" in imported_of_flask(path)]

    assert found == []


def imported_of_flask(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "flask"]
    return {alias.name for node in froms for alias in node.names}
