# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The pages of the mappings: jobs from CDM's live list, and mappings as sentences."""

import html
import re
from datetime import UTC, datetime

import pytest

from app.restore.model import LoginRefused, Unknown, Unreachable
from app.restore.model.copies import Copy, Which
from app.store.qradar import Rule
from app.web.connections.cdm_calls import COPY_SECONDS, jobs_and_copies
from app.web.mappings.job_picker import FEW, MOST, copy_words
from tests.factories import copy_of
from tests.web.conftest import ADMIN, COPIED_AT, World, job_entry

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


class Row:
    """A row of the table of jobs, as the page shows it."""

    def __init__(self, markup: str) -> None:
        found = re.search(
            r'<input [^>]*name="job_id" value="([^"]*)"[^>]*?(checked|disabled|)>', markup
        )
        assert found
        self.id, self.input = found.groups()
        self.text = " ".join(html.unescape(re.sub("<[^>]+>", " ", markup)).split())


def rows(page: str) -> list[Row]:
    """The jobs that are shown, from the top."""
    table = re.search(r'<table [^>]*jobs".*?</table>', page, re.DOTALL)
    body = table[0].partition("<tbody>")[2] if table else ""
    return [Row(one) for one in re.findall(r"<tr.*?</tr>", body, re.DOTALL)]


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def test_a_mapping_is_made_from_the_live_list_of_jobs(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("2", "Backup", is_restore=False), job_entry("1044", "Clean room")]
    client = world.client(ADMIN)
    (clean_room,) = rows(client.get("/mappings/new").text)
    assert (clean_room.id, clean_room.input) == ("1044", "")
    assert clean_room.text.startswith("Clean room id 1044 restore application never –")
    assert world.submit(client, "/mappings/new", **MAPPING).status_code == 303
    mapping = world.store.mappings.get(1)
    assert (mapping.job_name, mapping.rule_id, mapping.enabled) == ("Clean room", 100231, True)
    text = html.unescape(client.get("/mappings").text)
    assert "When rule Attack on SQL (id 100231) fires, start Clean room on prod" in text
    assert "at most once in 15 min." in text
    assert world.cdm.closed == 2


def test_jobs_that_cannot_be_chosen_are_listed_on_demand_only(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("2", "Backup", is_restore=False), job_entry("1044", "Clean room")]
    client = world.client(ADMIN)
    page = client.get("/mappings/new").text
    assert "1 restore job." in text_of(page)
    assert "1 other job restores nothing and can't be chosen." in text_of(page)
    page = world.submit(client, "/mappings/new", **MAPPING, look="all", listed="").text
    _, backup = rows(page)
    assert (backup.id, backup.input) == ("2", "disabled")
    assert backup.text == "Backup id 2 backup does not restore never – –"
    assert "2 jobs, restore jobs first." in text_of(page)
    found = {"look": "all", "listed": "all", "job_q": "backup"}
    page = world.submit(client, "/mappings/new", **MAPPING, **found).text
    assert [row.id for row in rows(page)] == ["1044", "2"]
    again = {"name": "", "save": "y", "listed": "all"}
    assert len(rows(world.submit(client, "/mappings/new", **(MAPPING | again)).text)) == 2
    page = world.submit(client, "/mappings/new", **MAPPING, look="few", listed="all").text
    assert [row.id for row in rows(page)] == ["1044"]


def test_a_server_without_a_restore_job_says_so(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("2", "Backup", is_restore=False)]
    text = text_of(world.client(ADMIN).get("/mappings/new").text)
    assert "CDM shows no restore job to this user." in text
    assert "1 other job restores nothing" in text


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


# --- picking the job


def test_a_job_tells_its_last_run_its_result_and_the_copy_it_will_use(world: World) -> None:
    world.add_connection()
    at = datetime(2026, 11, 23, 22, 15, tzinfo=UTC)
    world.cdm.jobs = [
        job_entry("1044", "Clean room", last_run=at, last_status="PARTIAL", description="Payroll")
    ]
    page = world.client(ADMIN).get("/mappings/new").text
    (row,) = rows(page)
    assert row.text == (
        "Clean room id 1044 Payroll restore application 2026-11-23 22:15:00 UTC PARTIAL"
        " latest copy: 2026-11-24 07:00:00 UTC, from policy Daily"
    )
    assert 'class="result attention"' in page


def test_the_chosen_job_comes_first_even_when_the_search_hides_it(world: World) -> None:
    world.add_mapping(world.add_connection())
    world.cdm.jobs = [job_entry(str(number), f"Job {number}") for number in range(1040, 1050)]
    client = world.client(ADMIN)
    first, second, *_ = rows(client.get("/mappings/1").text)
    assert (first.id, first.input, second.id) == ("1044", "checked", "1040")
    page = world.submit(client, "/mappings/1", **MAPPING, job_q="job 1047", look="y").text
    assert [(row.id, row.input) for row in rows(page)] == [("1044", "checked"), ("1047", "")]
    assert "1 of 10 restore jobs match this search." in text_of(page)
    page = world.submit(client, "/mappings/1", **MAPPING, job_q="nothing", look="y").text
    assert [row.id for row in rows(page)] == ["1044"]
    assert "0 of 10 restore jobs match" in text_of(page)
    assert world.cdm.asked.count("copy of 1044") == 3


def test_a_chosen_job_that_cdm_does_not_list_or_that_restores_no_more_still_shows(
    world: World,
) -> None:
    world.add_mapping(world.add_connection())
    client = world.client(ADMIN)
    (row,) = rows(client.get("/mappings/1").text)
    assert (row.id, row.input) == ("1044", "checked")
    assert row.text == "SQL clean-room restore id 1044 not listed by CDM"
    world.cdm.jobs = [job_entry("1044", "Turned into a backup", is_restore=False)]
    (row,) = rows(client.get("/mappings/1").text)
    assert (row.id, row.input) == ("1044", "disabled")
    world.cdm.error = Unreachable("No connection.")
    (row,) = rows(client.get("/mappings/1").text)
    assert row.text == "SQL clean-room restore id 1044 not looked up"
    other = MAPPING | {"job_id": "1050", "job_q": "x", "look": "y"}
    (row,) = rows(world.submit(client, "/mappings/1", **other).text)
    assert (row.id, row.input, row.text) == ("1050", "checked", "Job 1050 id 1050 not looked up")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("room", ["1044"]),
        ("CLEAN room", ["1044"]),
        ("room clean nightly", []),
        ("31", ["1031"]),
        ("backup", ["1031"]),
        ("protection", ["1031"]),
        ("vmware", ["1050"]),
        ("payroll", ["1050"]),
        ("", ["1044", "1050", "1031"]),
    ],
)
def test_jobs_are_searched_by_name_id_type_and_description(
    world: World, search: str, found: list[str]
) -> None:
    world.add_connection()
    world.cdm.jobs = [
        job_entry("1031", "Nightly", is_restore=False),
        job_entry("1044", "Clean Room"),
        job_entry("1050", "VMs", subtype="vmware", description="Payroll"),
    ]
    asked = MAPPING | {"job_id": "", "job_q": search, "look": "all"}
    page = world.submit(world.client(ADMIN), "/mappings/new", **asked).text
    assert [row.id for row in rows(page)] == found


def test_a_search_keeps_what_was_entered_and_saves_nothing(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("1044", "Clean room"), job_entry("1050", "Other")]
    entered = MAPPING | {"cooldown_s": "soon", "name": "", "action_name": 'a "b"', "watch": "act"}
    entered |= {"needs_approval": "y", "rule_name": "<i>"}
    del entered["enabled"]
    page = world.submit(
        world.client(ADMIN), "/mappings/new", **entered, job_q="other", look="y"
    ).text
    for name, value in entered.items():
        if name in {"cooldown_s", "name", "action_name", "rule_id", "rule_name", "connection"}:
            escaped = html.escape(value).replace("&quot;", "&#34;")
            assert re.search(rf'name="{name}"[^>]* value="{re.escape(escaped)}"', page), name
    assert [(row.id, row.input) for row in rows(page)] == [("1044", "checked"), ("1050", "")]
    assert re.search(r'<input checked [^>]*value="act"', page)
    assert re.search(r'name="needs_approval" value="y" checked', page)
    assert not re.search(r'name="enabled" value="y" checked', page)
    assert "Nothing was saved." not in page
    assert world.store.mappings.list() == []


@pytest.mark.parametrize(
    ("before", "now", "saves"),
    [("", "", True), ("", "room", False), ("room", "room", False), ("room", "", False)],
)
def test_enter_without_the_script_searches_while_there_is_something_to_search_for(
    world: World, before: str, now: str, saves: bool
) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("1044", "Clean room")]
    search = {"job_q_before": before, "job_q": now}
    client = world.client(ADMIN)
    answer = world.submit(client, "/mappings/new", **MAPPING, **search, enter="y")
    assert (answer.status_code == 303) is saves
    assert bool(world.store.mappings.list()) is saves
    if not saves:
        assert (
            world.submit(client, "/mappings/new", **MAPPING, **search, save="y").status_code == 303
        )


def test_of_hundreds_of_jobs_a_page_shows_some_restore_jobs_first_and_stays_light(
    world: World,
) -> None:
    world.add_connection()
    at = datetime(2026, 11, 23, 22, 15, tzinfo=UTC)
    details = {"last_run": at, "last_status": "COMPLETED", "description": "d" * 200}
    world.cdm.jobs = [
        job_entry(
            str(1000 + n), f"Job {n:03} {'of <payroll> ' * 9}", is_restore=n % 5 == 0, **details
        )
        for n in range(400)
    ]
    client = world.client(ADMIN)
    page = client.get("/mappings/new").text
    assert len(page.encode()) < 60_000
    shown = rows(page)
    assert len(shown) == MOST
    assert {row.input for row in shown} == {""}
    assert f"{MOST} of 80 restore jobs are shown. Search for others." in text_of(page)
    assert len([one for one in world.cdm.asked if one.startswith("copy")]) == MOST
    page = world.submit(client, "/mappings/new", **MAPPING, job_q="payroll", look="all").text
    assert len(page.encode()) < 60_000
    assert f"400 of 400 jobs match this search; the first {MOST} are shown." in text_of(page)
    page = world.submit(client, "/mappings/new", **MAPPING, job_q="job 399", look="all").text
    assert [row.id for row in rows(page)] == ["1044", "1399"]


def test_beside_a_long_list_of_rules_fewer_jobs_are_shown(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry(str(number), f"Job {number}") for number in range(90)]
    rules = [Rule(number, f"Attack on the payroll database {number}") for number in range(100)]
    world.store.qradar.keep_rules(rules, now=world.clock())
    page = world.client(ADMIN).get("/mappings/new?rule_q=attack").text
    assert len(rows(page)) == FEW
    assert len(page.encode()) < 60_000


def test_a_person_is_told_when_cdm_shows_no_job_or_none_matches(world: World) -> None:
    world.add_connection()
    client = world.client(ADMIN)
    assert "CDM shows no job to this user." in text_of(client.get("/mappings/new").text)
    world.cdm.jobs = [job_entry("1044", "Clean room")]
    asked = MAPPING | {"job_id": "", "job_q": "x", "look": "y"}
    assert "No job matches." in text_of(world.submit(client, "/mappings/new", **asked).text)


def test_an_error_about_the_job_stands_at_the_group_of_jobs(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("1044", "Clean room")]
    page = world.submit(world.client(ADMIN), "/mappings/new", **(MAPPING | {"job_id": ""})).text
    group = re.search(r'<fieldset class="picker wrong" id="job_id"[^>]*>', page)
    assert group
    assert 'aria-describedby="job_id-error job_id-help"' in group[0]
    assert re.search(r'href="[^"]*#job_id">Restore job must be chosen', page)
    assert re.search(r'id="job_id-error"><p>.*Restore job must be chosen', page)


def test_a_cdm_that_refuses_the_log_in_is_asked_once(world: World) -> None:
    world.add_connection()
    world.cdm.error = LoginRefused("CDM does not let this user in.")
    page = world.submit(world.client(ADMIN), "/mappings/new", **MAPPING).text
    assert "while CDM does not answer" in page
    assert "CDM does not let this user in." in page
    assert len([one for one in world.cdm.asked if one.startswith("client")]) == 1


# --- the copy


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (
            copy_of(Which.LATEST, COPIED_AT, "Daily", sources=("SALES",)),
            "latest copy: 2026-11-24 07:00:00 UTC, from policy Daily",
        ),
        (copy_of(Which.LATEST, COPIED_AT), "latest copy: 2026-11-24 07:00:00 UTC"),
        (
            copy_of(Which.LATEST, problem="CDM said no."),
            "latest copy; its time is not known: CDM said no.",
        ),
        (
            copy_of(Which.LATEST, COPIED_AT, "Daily", sources=("A", "B")),
            "latest copies of A and B, the oldest: 2026-11-24 07:00:00 UTC, from policy Daily",
        ),
        (
            copy_of(Which.LATEST, sources=tuple("ABCDE"), problem="Too many."),
            "latest copies of A, B, C and 2 more; their times are not known: Too many.",
        ),
        (copy_of(Which.MISSING, sources=("HR",)), "CDM lists no copy of HR."),
        (
            copy_of(Which.PINNED, COPIED_AT, "Daily", name="Nov 24"),
            "always the copy of 2026-11-24 07:00:00 UTC, from policy Daily: NOT the latest",
        ),
        (
            copy_of(Which.PINNED, name="Nov 24", problem="It is gone."),
            "always the copy of Nov 24: NOT the latest. It is gone.",
        ),
        (Copy(Which.UNKNOWN), "not known: CDM does not tell."),
        (copy_of(Which.UNKNOWN, problem="CDM said no."), "not known: CDM said no."),
    ],
)
def test_a_copy_in_words_never_claims_more_than_cdm_tells(copy: Copy, words: str) -> None:
    assert copy_words(copy) == words
    assert "safeguarded" not in copy_words(copy).lower()


def test_a_pinned_or_missing_copy_is_warned_of_on_the_mapping(world: World) -> None:
    world.add_mapping(world.add_connection())
    world.cdm.jobs = [job_entry("1044", "Clean room"), job_entry("1050", "Other")]
    world.cdm.copies = {
        "1044": copy_of(Which.PINNED, name="<b>Nov\u202e 20"),
        "1050": copy_of(Which.MISSING, sources=("HR",)),
    }
    page = world.client(ADMIN).get("/mappings/1").text
    pinned, missing = rows(page)
    assert "not the latest always the copy of <b>Nov[U+202E] 20: NOT the latest" in pinned.text
    assert missing.text.endswith("no copy CDM lists no copy of HR.")
    assert page.count("cds--tag--warning") == 2
    assert "<b>Nov" not in page


def test_when_cdm_is_lost_on_the_way_the_page_is_shown_and_no_other_copy_looked_up(
    world: World,
) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry(str(number), f"Job {number}") for number in range(1, 4)]
    world.cdm.copies = {"2": Unknown("CDM broke the connection off.")}
    page = world.client(ADMIN).get("/mappings/new").text
    first, second, third = rows(page)
    assert "latest copy" in first.text
    assert second.text.endswith("not known: CDM broke the connection off.")
    assert third.text.endswith("not looked up")
    assert "For 1 restore job the copy was not looked up" in text_of(page)
    assert world.cdm.closed == 1


def test_copies_are_looked_up_as_long_as_the_time_suffices(world: World) -> None:
    connection = world.add_connection()
    world.cdm.jobs = [job_entry(str(number), "x") for number in range(9)]
    times = iter(range(100))  # a second between two looks at the clock
    jobs, copies = jobs_and_copies(
        world.services, connection, wanted=lambda jobs: jobs[::-1], monotonic=lambda: next(times)
    )
    assert (len(jobs), list(copies)) == (9, ["8"])
    assert COPY_SECONDS == 2
    assert world.cdm.closed == 1


def test_a_mapping_may_want_a_persons_approval(world: World) -> None:
    world.add_connection()
    world.cdm.jobs = [job_entry("1044", "Clean room")]
    client = world.client(ADMIN)
    world.submit(client, "/mappings/new", **MAPPING, needs_approval="y")
    assert world.store.mappings.get(1).needs_approval
    assert "at most once in 15 min, after a person's approval." in text_of(
        client.get("/mappings").text
    )
    assert 'name="needs_approval" value="y" checked' in client.get("/mappings/1").text
    world.submit(client, "/mappings/1", **MAPPING)
    assert not world.store.mappings.get(1).needs_approval
    assert "approval" not in text_of(client.get("/mappings").text)
