# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What an offense's own pages say of its triggers, in QRadar's summary and on the button's page."""

import re
from datetime import timedelta
from html import unescape

import pytest

from app.restore.model import Mode, RunState
from app.restore.triggers import accept
from app.web.runs.came_of import of_offense
from tests.factories import make_trigger
from tests.restore.test_run_words import leaked
from tests.web.conftest import ANALYST, World
from tests.web.test_fragments import html_of
from tests.web.test_pages import HOSTILE, links
from tests.web.test_runs_api import to_state

NONE = "No restore belongs to this offense"


def words_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def fragment(world: World, offense_id: int) -> str:
    return words_of(html_of(world, f"/offense_fragment/{offense_id}"))


def button_page(world: World, offense_id: int) -> str:
    return words_of(world.client(ANALYST).get(f"/runs?offense_id={offense_id}").text)


def attack(world: World, *offenses: int | None) -> int:
    """A run, and a repeat of it for each of these offenses, as the worker has found them."""
    world.arm()
    mapping = world.add_mapping(world.add_connection(), cooldown_s=0)
    run_id = accept(world.store, make_trigger(mapping), world.clock()).run_id
    assert run_id is not None
    for offense_id in offenses:
        trigger_id = accept(world.store, make_trigger(mapping), world.clock()).trigger_id
        if offense_id is not None:
            known = [(trigger_id, offense_id, "found")]
            world.store.trigger_offenses.found(known, now=world.clock())
    return run_id


def store_token(world: World) -> None:
    world.store.qradar.set_token("x", name=None, expires_at=None, by="t", now=world.clock())


@pytest.mark.parametrize("read", [fragment, button_page])
def test_an_offense_of_the_same_attack_learns_what_came_of_its_trigger(
    world: World, read: object
) -> None:
    assert callable(read)
    run_id = attack(world, 77, 77, 78)
    world.store.notes.found(run_id, 12, now=world.clock())
    to_state(
        *(world, world.store.runs.get(run_id)),
        *(RunState.STARTING, RunState.RESTORING, RunState.READY),
    )

    for offense_id, count in ((77, "2 triggers"), (78, "2026-")):
        shown = read(world, offense_id)
        assert f"repeat of run {run_id}, the copy is ready" in shown
        assert count in shown
        assert NONE not in shown
    assert "repeat of" not in read(world, 12)


@pytest.mark.parametrize("read", [fragment, button_page])
def test_what_started_nothing_is_said_too(world: World, read: object) -> None:
    assert callable(read)
    mapping = world.add_mapping(world.add_connection())
    world.store.settings.set_mode(Mode.DISARMED, by="t", now=world.clock())
    accept(world.store, make_trigger(mapping, offense_id=77), world.clock())

    shown = read(world, 77)

    assert "not started: the app is disarmed (as the caller says, not confirmed)" in shown
    assert NONE not in shown


def test_while_offenses_are_looked_for_it_says_what_may_be_this_ones(world: World) -> None:
    store_token(world)
    run_id = attack(world, None)

    shown = fragment(world, 77)

    assert "this one may be among them" in shown
    assert f"run {run_id}, which has not started yet" in shown
    assert f"repeat of run {run_id}, which has not started yet" in shown


def test_no_word_of_what_may_be_this_ones_goes_past_the_catalogues(world: World) -> None:
    store_token(world)
    attack(world, None)

    came = of_offense(world.store, 77)

    assert [leaked(one.what, "sql") for one in came.unattributed] == ["", ""]


def test_without_a_service_token_it_says_that_nobody_looks(world: World) -> None:
    attack(world)

    assert "without a service token it does not look" in fragment(world, 77)


def test_an_offense_that_has_its_own_restore_is_shown_that(world: World) -> None:
    run_id = attack(world, 12)
    world.store.notes.found(run_id, 12, now=world.clock())

    shown = fragment(world, 12)

    assert f"Run {run_id}" in shown
    assert "repeat of" not in shown
    assert NONE not in shown


def test_a_new_attack_stands_in_its_own_offense_until_it_is_acknowledged(world: World) -> None:
    run_id = attack(world)
    world.store.notes.found(run_id, 12, now=world.clock())
    states = (RunState.STARTING, RunState.RESTORING, RunState.READY)
    to_state(world, world.store.runs.get(run_id), *states)
    world.clock.now += timedelta(hours=1)
    mapping = world.store.mappings.list()[0]
    trigger_id = accept(world.store, make_trigger(mapping), world.clock()).trigger_id
    world.store.trigger_offenses.found([(trigger_id, 88, "found")], now=world.clock())

    assert "NEW ATTACK while run 1 is still mounted" in fragment(world, 88)

    (one,) = world.store.attacks.open()
    world.store.attacks.acknowledge(one.id, by="anna", now=world.clock())
    assert "NEW ATTACK" not in fragment(world, 88)


def test_nothing_from_outside_becomes_markup_there(world: World) -> None:
    run_id = attack(world, 77)
    run = to_state(world, world.store.runs.get(run_id), RunState.STARTING)
    to_state(world, run, RunState.FAILED, error=HOSTILE)

    shown = html_of(world, "/offense_fragment/77")

    assert "which has FAILED" in shown
    assert "<script" not in shown
    assert links(shown).foreign == []
    for element in re.findall(r"<[a-z][^>]*>", shown):
        assert not re.search(r"\b(style|id|on\w+|tabindex)=", element), element
    for classes in re.findall(r'class="([^"]*)"', shown):
        assert all(one.startswith("safeguarded-restore") for one in classes.split())


@pytest.mark.parametrize(
    ("by", "words", "short"),
    [
        ("caller", "as the caller says, not confirmed", "(unconfirmed)"),
        ("probably", "another one fits as well", "(probably)"),
    ],
)
def test_a_runs_offense_that_is_not_sure_is_called_so(
    world: World, by: str, words: str, short: str
) -> None:
    run_id = attack(world)
    world.store.notes.found(run_id, 12, now=world.clock(), by=by)
    client = world.client(ANALYST)

    assert words in client.get(f"/runs/{run_id}").text
    assert short in client.get("/runs").text
    assert f"Run {run_id} {short}" in fragment(world, 12)
    assert client.get(f"/api/v1/runs/{run_id}").json["offense_by"] == by


def test_a_runs_page_shows_what_other_offenses_are_told_of_it(world: World) -> None:
    run_id = attack(world, 77, 78)
    (first,) = world.store.tidings.due(world.clock())
    world.store.tidings.posted(first, now=world.clock())
    page = world.client(ANALYST).get(f"/runs/{run_id}").text

    shown = words_of(page)
    assert f"Offense 77 Safeguarded restore, {world.clock():%Y-%m-%d %H:%M:%S} UTC: repeat" in shown
    assert "in the offense" in shown
    assert "Offense 78 – waiting" in shown
    assert "summaryId=78" in page
