# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The history page, its charts, and the overview above it."""

import html
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from werkzeug.datastructures import MultiDict

from app.remote.trust import ServerCertificate
from app.restore.model import LogLine, RunState, Trust
from app.web.frame import presentation
from app.web.runs import charts
from app.web.runs.query import read_filter
from app.web.status import health_strip
from tests.bench_history import measure
from tests.web.conftest import ADMIN, ANALYST, World
from tests.web.test_pages import HOSTILE, fill, links
from tests.web.test_runs_api import make_run, to_state

UP = RunState.STARTING, RunState.RESTORING, RunState.READY


def text_of(world: World, path: str, token: str = ADMIN) -> str:
    page = world.client(token).get(path)
    assert page.status_code == 200
    return html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page.text)))


# --- the list ---------------------------------------------------------------------------------


def test_pages_lead_to_older_and_newer_runs_and_keep_the_filter(world: World) -> None:
    for number in range(1, 6):
        make_run(world, number)
    client = world.client(ANALYST)
    page = html.unescape(client.get("/runs?limit=2&before=4&state=queued&state=failed").text)
    assert re.findall(r">Run (\d)<", page) == ["3", "2"]
    query = "state=queued&state=failed&limit=2"
    for target in (f"runs?{query}", f"runs?{query}&after=3", f"runs?{query}&before=2"):
        assert target in links(page).found
    newest = html.unescape(client.get("/runs?limit=2&after=3").text)
    assert re.findall(r">Run (\d)<", newest) == ["5", "4"]


def test_several_states_can_be_chosen_without_script(world: World) -> None:
    make_run(world, 1)
    to_state(world, make_run(world, 2), RunState.FAILED)
    to_state(world, make_run(world, 3), RunState.CANCELLED)
    page = world.client(ANALYST).get("/runs?state=failed&state=cancelled").text
    assert re.findall(r">Run (\d)<", page) == ["3", "2"]
    assert re.findall(r'value="(\w+)" checked', page) == ["failed", "cancelled"]
    found = world.client(ANALYST).get("/api/v1/runs?state=failed&state=cancelled").json
    assert [run["id"] for run in found["runs"]] == [3, 2]


def test_a_row_tells_offense_source_repeats_and_how_long_it_took(world: World) -> None:
    now = world.clock()
    run = make_run(world, 1, offense_id=77, detected_at=now - timedelta(days=5))
    run = to_state(world, run, *UP)
    started_at, ready_at = now + timedelta(seconds=5), now + timedelta(minutes=3, seconds=5)
    world.store.runs.note(run, started_at=started_at, ready_at=ready_at, repeats=4)
    page = world.client(ANALYST).get("/runs", headers={"X-Console-Host": "console.example"}).text
    assert "https://console.example/console/do/sem/offensesummary" in page
    assert "summaryId=77" in page
    text = text_of(world, "/runs")
    for part in ("custom action", "5 s", "3 min 5 s", "Offense 77"):
        assert part in text
    assert "5 days 3 min" not in text, "QRadar may have stored the event for long: that is no wait"


def test_both_exports_carry_the_filter(world: World) -> None:
    targets = [
        html.unescape(one)
        for one in links(world.client(ANALYST).get("/runs?q=a&state=failed").text).found
    ]
    assert "api/v1/runs.csv?state=failed&q=a" in targets
    assert "api/v1/runs?state=failed&q=a&limit=200" in targets


def test_a_full_page_of_long_values_stays_under_60_kb(world: World) -> None:
    for number in range(1, 27):
        run = make_run(world, number, offense_id=number, rule_name="r" * 10_000)
        long = {"job_name": "j" * 10_000, "mapping": "m" * 10_000, "error": "e" * 10_000}
        world.store.runs.note(to_state(world, run, *UP), new_attack=True, **long)
    for path in ("/runs", "/"):
        assert len(world.client(ADMIN).get(path).text.encode()) < 60_000


def test_hostile_values_stay_text(world: World) -> None:
    fill(world, HOSTILE)
    for path in ("/runs", "/", "/runs/1"):
        assert links(world.client(ADMIN).get(path).text).foreign == []


# --- the charts -------------------------------------------------------------------------------


def svgs(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(one) for one in re.findall(r"<svg.*?</svg>", page, re.S)]  # noqa: S314 - our own page


def test_the_charts_are_plain_svg_with_words_and_a_table(world: World) -> None:
    run = to_state(world, make_run(world), *UP)
    world.store.runs.note(run, ready_at=world.clock() + timedelta(minutes=9))
    to_state(world, make_run(world, 2), RunState.FAILED)
    page = world.client(ANALYST).get("/runs").text
    drawn = [one for one in svgs(page) if one.get("role") == "img"]
    assert len(drawn) == 2
    for one in drawn:
        assert one.find("title") is not None
        assert one.find("desc") is not None
    assert not re.search(r"\bstyle\s*=", page)
    text = text_of(world, "/runs")
    assert "2 runs from 2026-10-26 to 2026-11-24, in UTC: 1 ready or completed" in text
    assert "Runs per day by outcome as a table" in text
    assert re.search(r"2026-11-24 1 9 min 9 min 9 min", text)


def test_every_state_has_a_place_in_the_chart() -> None:
    assert set(charts.GROUP_OF) == set(RunState)
    assert set(charts.GROUP_OF.values()) == set(charts.GROUPS)


@pytest.mark.parametrize(
    ("query", "periods", "first", "last"),
    [
        ("", 30, "2026-10-26", "2026-11-24"),
        ("from=2026-11-20&to=2026-11-22", 3, "2026-11-20", "2026-11-22"),
        ("from=2026-11-20T10:00:00Z", 5, "2026-11-20", "2026-11-24"),
        ("from=2026-01-01", 11, "2026-01", "2026-11"),
        ("from=2010-01-01", 17, "2010", "2026"),
        ("to=2026-11-01", 30, "2026-10-03", "2026-11-01"),
    ],
)
def test_the_charts_follow_the_filter(
    world: World, query: str, periods: int, first: str, last: str
) -> None:
    now = world.clock.now
    world.clock.now = now - timedelta(days=365 * 17)
    make_run(world, 1)
    world.clock.now = now
    chosen = read_filter(MultiDict(pair.split("=") for pair in query.split("&") if pair))
    start, end = charts._range(world.store.statistics, chosen, now)
    found = list(charts._periods(start, end, charts._period(start, end)))
    assert (found[0], found[-1]) == (first, last)
    assert len(found) == periods


def test_a_range_without_runs_is_told(world: World) -> None:
    text = text_of(world, "/runs?from=1999-01-01&to=1999-01-02")
    assert "No run in this time." in text
    assert "No copy came up in this time." in text
    assert world.client(ADMIN).get("/runs?from=2030-01-01").status_code == 200


# --- the overview -----------------------------------------------------------------------------


def test_a_worker_that_stops_is_told_within_half_a_minute(world: World) -> None:
    assert "It has not started yet" in text_of(world, "/")
    world.store.heartbeats.beat("worker", now=world.clock(), pid=1)
    assert "At work, last seen just now." in text_of(world, "/")
    world.clock.now += timedelta(seconds=21)
    words = "The worker is not running: triggers are kept, nothing is started until it is back."
    assert words in text_of(world, "/")


def test_what_needs_a_person_is_said_in_sentences_the_most_pressing_first(world: World) -> None:
    mounted = to_state(world, make_run(world, 1), *UP)
    world.store.runs.note(mounted, ready_at=world.clock() - timedelta(hours=30))
    to_state(world, make_run(world, 2), RunState.NEEDS_DECISION)
    text = text_of(world, "/")
    places = [
        text.index("Run 2 of SQL clean-room restore needs a decision"),
        text.index("Run 1 of SQL clean-room restore has its copy mounted for 1 day 6 h"),
    ]
    assert places == sorted(places)


def test_a_cdm_that_does_not_answer_is_a_sentence(world: World) -> None:
    connection = world.add_connection()
    assert "It was not contacted yet" in text_of(world, "/")
    world.store.connections.note_contact(connection.id, None, now=world.clock())
    assert "Answered just now." in text_of(world, "/")
    world.store.connections.note_contact(connection.id, "No answer.", now=world.clock())
    assert "No answer. Last answer: just now." in text_of(world, "/")


def test_the_end_of_an_uploaded_ca_is_told_in_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = world.clock()
    end = now + timedelta(days=12)
    certificate = ServerCertificate("CN=a", "CN=a", now, end, "ab" * 32, "")
    health_strip.ca_end.cache_clear()
    monkeypatch.setattr(health_strip, "read_certificate", lambda _der: certificate)
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    connection = world.store.connections.add(
        name="ca", host="cdm.example", port=8443, username="u", trust=Trust.CA, ca_pem=pem
    )
    world.store.connections.note_contact(connection.id, None, now=now)
    words = "The CA certificate is valid until 6 December 2026, for 12 more days."
    assert words in text_of(world, "/")
    world.clock.now = end
    assert "The CA certificate has expired on 6 December 2026." in text_of(world, "/")


def seen(world: World, days: float, **columns: object) -> str:
    """The strip after a CDM has shown a certificate that ends in so many days."""
    connection = world.store.connections.add(
        name="seen", host="cdm.example", port=8443, username="u", **columns
    )
    world.store.connections.note_contact(connection.id, None, now=world.clock())
    world.store.connections.note_certificate(connection, world.clock() + timedelta(days=days))
    return tile(world, "CDM seen")


def tile(world: World, title: str) -> str:
    """One part of the strip, as HTML."""
    page = world.client(ADMIN).get("/").text
    return next(part for part in page.split("<li ")[1:] if title in part).split("</li>")[0]


@pytest.mark.parametrize(
    ("days", "tone", "words"),
    [
        (160, "good", "is valid until 3 May 2027, for 160 more days."),
        (29.5, "attention", "is valid until 23 December 2026, for 29 more days."),
        (0.5, "attention", "expires within a day, on 24 November 2026."),
        (0, "bad", "has expired on 24 November 2026."),
    ],
)
def test_the_end_of_the_certificate_that_cdm_shows_is_told_in_time(
    world: World, days: float, tone: str, words: str
) -> None:
    part = seen(world, days)
    assert f"The server&#39;s certificate {words}" in part
    assert part.startswith(f'class="cds--tile {tone}"')


@pytest.mark.parametrize(
    ("days", "tone", "words"),
    [
        (160, "good", "It is valid until 3 May 2027, for 160 more days."),
        (29.5, "attention", "no restore starts until the new one is pinned."),
        (0, "attention", "while it is pinned it is accepted all the same."),
    ],
)
def test_a_pinned_certificate_goes_on_but_its_renewal_is_warned_of(
    world: World, days: float, tone: str, words: str
) -> None:
    part = seen(world, days, trust=Trust.FINGERPRINT, fingerprint="ab" * 32)
    assert words in part
    assert part.startswith(f'class="cds--tile {tone}"')


@pytest.mark.parametrize(("days", "tone"), [(160, "good"), (20, "attention"), (-1, "bad")])
def test_the_end_of_the_consoles_certificate_is_told_in_time(
    world: World, days: int, tone: str
) -> None:
    assert "The console&#39;s certificate" not in tile(world, "QRadar")
    world.store.qradar.note_certificate(world.clock() + timedelta(days=days))
    part = tile(world, "QRadar")
    assert "The console&#39;s certificate" in part
    assert part.startswith(f'class="cds--tile {tone}"')


def test_what_to_do_about_another_certificate_than_the_pinned_one_is_not_cut_off(
    world: World,
) -> None:
    connection = world.add_connection()
    subject = "CN=" + "cdm-server-of-the-storage-team.data-center-1.example.com," * 3
    advice = "compare the SHA-256 with CDM's administrator and pin the new one."
    error = f"CDM does not show the pinned certificate. It is for {subject} {'ab' * 32}. {advice}"
    world.store.connections.note_contact(connection.id, error, now=world.clock())
    part = tile(world, "CDM prod")
    assert "and pin the new one." in part
    assert "the app keeps asking." in part


def test_a_real_ca_certificate_is_read_and_rubbish_is_not() -> None:
    health_strip.ca_end.cache_clear()
    assert health_strip.ca_end("") is None
    assert (
        health_strip.ca_end("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n") is None
    )


def test_the_room_in_the_store_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.search(r"The database has \d+ KiB; [\d.]+ \wiB are free", text_of(world, "/"))
    monkeypatch.setattr(health_strip, "LOW_DISK", 2**60)
    assert "when it is full, triggers are refused" in text_of(world, "/")


# --- a run ------------------------------------------------------------------------------------


def test_a_run_shows_its_timeline_with_durations(world: World) -> None:
    run = make_run(world)
    world.clock.now += timedelta(seconds=2)
    run = to_state(world, run, RunState.STARTING)
    world.clock.now += timedelta(seconds=40)
    to_state(world, run, RunState.RESTORING, evidence="found")
    text = text_of(world, "/runs/1")
    assert re.search(r"starting 40 s because", text)
    assert re.search(r"queued 2 s triggered by", text)
    assert "this was the only new job session of the job" in text
    world.clock.now += timedelta(seconds=16)
    assert "restoring 16 s so far because" in text_of(world, "/runs/1")


@pytest.mark.parametrize("name", ["event_time", "starttime"])
def test_the_time_of_an_event_is_a_time_and_as_it_was_sent_beside_it(
    world: World, name: str
) -> None:
    token = world.store.tokens.new("test", by="test", now=world.clock())
    world.add_mapping(world.add_connection())
    world.arm()
    world.client().post(
        "/api/v1/triggers",
        data={"request_id": "req-00001", "rule_id": "100231", name: "1795520000123"},
        headers={"X-Trigger-Token": token},
    )
    page = world.client(ANALYST).get("/runs/1").text
    assert ">2026-11-24 11:33:20 UTC</time>" in page
    assert 'title="1795520000123 ms since 1970, as it was sent"' in page
    fields = world.client(ANALYST).get("/api/v1/runs/1").json["triggers"][0]["fields"]
    assert fields[name] == "1795520000123"


def test_a_time_that_cannot_be_read_is_shown_as_it_was_sent(world: World) -> None:
    for sent in ("in the morning", "0", "9" * 30, "-1795520000123", "<b>", "١٧٩٥٥٢٠٠٠٠١٢٣"):
        shown = presentation.event_value(sent, "event_time")
        assert "<time" not in shown
        assert "<b>" not in shown
    assert "<time" not in presentation.event_value("1795520000123", "qid")


def test_long_log_lines_keep_a_page_light_and_all_are_reached(world: World) -> None:
    """A line of CDM's log may be a stack trace; the links lead through all of them all the same."""
    make_run(world)
    lines = [LogLine(str(n), None, "INFO", f"line {n}. " + "x" * 1900) for n in range(60)]
    world.store.runs.add_log(1, lines)
    seen, path = set[str](), "/runs/1"
    while path:
        page = world.client(ADMIN).get(path).text
        assert len(page.encode()) < 60_000
        seen |= set(re.findall(r"line (\d+)\. x", page))
        earlier = re.findall(r'href="[^"]*(\?log_before=\d+)#log">Earlier', page)
        path = f"/runs/1{earlier[0]}" if earlier else ""
    assert len(seen) == 60


def test_the_log_can_be_narrowed_to_types_and_paged(world: World) -> None:
    make_run(world)
    lines = [
        LogLine(str(number), None, "WARN" if number % 50 == 0 else "INFO", f"line {number}.")
        for number in range(250)
    ]
    world.store.runs.add_log(1, lines)
    text = text_of(world, "/runs/1")
    assert "line 249." in text
    assert "line 149." not in text
    assert "100 of 250 lines" in text
    assert "line 149." in text_of(world, "/runs/1?log_before=100")
    warnings = text_of(world, "/runs/1?log=WARN")
    assert "line 200." in warnings
    assert "line 249." not in warnings
    assert "5 of 5 lines" in warnings
    assert "No line of this kind" in text_of(world, "/runs/1?log=OTHER")
    assert world.client(ADMIN).get("/runs/1?log_before=x").status_code == 400


def test_the_event_is_told_with_names_that_people_know(world: World) -> None:
    fill(world)
    token = world.store.tokens.new("another", by="test", now=world.clock())
    world.store.runs.record(
        world.store.runs.get(1), RunState.CANCELLED, "over", by="test", now=world.clock()
    )
    world.clock.now += timedelta(days=1)
    world.client().post(
        "/api/v1/triggers",
        data={"request_id": "req-00002", "rule_id": "100231", "source_ip": "192.0.2.7"},
        headers={"X-Trigger-Token": token},
    )
    assert re.search(r"Source address source_ip 192\.0\.2\.7", text_of(world, "/runs/2"))


def test_who_may_not_act_is_told_what_could_be_done_and_by_whom(world: World) -> None:
    to_state(world, make_run(world), RunState.NEEDS_DECISION)
    text = text_of(world, "/runs/1", ANALYST)
    assert "Somebody with it can" in text
    assert "Give up : The run is closed as cancelled" in text


def test_the_bench_measures_every_page() -> None:
    """With few runs: that it runs at all."""
    measured = measure(runs=200, rounds=1)
    assert all(seconds[0] > 0 for _, seconds, _ in measured)
