# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What follows from the declaration of a field: document, default, check, the audit's words."""

import json
from datetime import UTC, datetime

import pytest

from app.configuration.checks import InvalidField
from app.configuration.connection import CdmConnection
from app.configuration.fields import checked, entry_of, fields_of
from app.configuration.mapping import Mapping
from app.configuration.settings import Settings
from tests.configuration.sample import Colour, Sample

AT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
FULL = Sample(
    id=1,
    name="one",
    hours=24,
    place="Room 7\ncall Ann",
    until=AT,
    asks=True,
    colour=Colour.BLUE,
    shade="sky",
    people=("Ann", "Bob"),
    numbers=(1, 7),
    port=1,
    noted="x",
)


def test_an_entry_is_json_with_what_is_declared() -> None:
    entry = entry_of(FULL)
    assert (
        json.loads(json.dumps(entry))
        == entry
        == {
            "name": "one",
            "hours": 24,
            "place": "Room 7\ncall Ann",
            "until": "2026-11-24T06:00:00.000Z",
            "asks": True,
            "colour": "blue",
            "tone": "sky",
            "people": ["Ann", "Bob"],
            "numbers": [1, 7],
            "port": 1,
        }
    )


def test_an_entry_is_read_as_it_was_written() -> None:
    values = checked(Sample, entry_of(FULL))
    assert Sample(id=1, noted="x", **values) == FULL  # type: ignore[arg-type]


def test_what_is_left_out_is_kept_or_begins_with_its_default() -> None:
    assert checked(Sample, {"name": "two"}, FULL) == checked(
        Sample, entry_of(FULL) | {"name": "two"}
    )
    assert checked(Sample, {"name": "new"}) == {
        "name": "new",
        "hours": None,
        "place": None,
        "until": None,
        "asks": False,
        "colour": Colour.RED,
        "shade": None,
        "people": (),
        "numbers": (),
        "port": 8443,
    }


def test_what_does_not_count_is_not_kept_and_what_counts_is_checked() -> None:
    assert checked(Sample, {"colour": "green"}, FULL)["shade"] is None
    with pytest.raises(InvalidField) as caught:
        checked(Sample, {"name": "new", "colour": "blue"})
    assert caught.value.field == "tone"


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"hours": 24}, "name", "must be given."),
        ({"name": "n", "shade": "sky"}, "shade", "is not known here."),
        ({"name": "n", "noted": "x"}, "noted", "is not known here."),
        ({"name": "n", "hours": 0}, "hours", "must be a whole number from 1 to 168."),
        ({"name": "n", "hours": "x"}, "hours", "must be a whole number from 1 to 168."),
        ({"name": "n", "colour": "pink"}, "colour", "must be red, green or blue."),
        ({"name": "n", "colour": None}, "colour", "must be red, green or blue."),
        ({"name": "n", "place": "x" * 10 + "\n" + "x" * 10}, "place", "at most 20 characters"),
        ({"name": "n", "place": "a\tb\x07"}, "place", "control characters"),
        ({"name": "n", "place": 7}, "place", "must be a text."),
        ({"name": "n", "until": "soon"}, "until", "must be a time in UTC"),
        ({"name": "n", "until": "0001-01-01T00:00+01:00"}, "until", "must be a time in UTC"),
        ({"name": "n", "asks": "yes"}, "asks", "must be true or false."),
        ({"name": "n", "people": "Ann"}, "people", "must be a list of names."),
        ({"name": "n", "numbers": [0]}, "numbers", "must be a whole number"),
    ],
)
def test_a_mistake_names_its_field(fields: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(InvalidField) as caught:
        checked(Sample, fields)
    assert caught.value.field == field
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("2026-11-24 06:00", AT),
        ("2026-11-24T07:00+01:00", AT),
        (AT, AT),
        (" ", None),
        (None, None),
    ],
)
def test_a_time_is_in_utc_unless_it_says_otherwise(entered: object, kept: object) -> None:
    until = fields_of(Sample)["until"].read(entered)
    assert until == kept
    assert until is None or isinstance(until, datetime) and until.tzinfo is UTC


def test_a_long_text_keeps_its_lines() -> None:
    place = fields_of(Sample)["place"]
    assert place.read(" a \r\n\r\nb\n") == "a\n\nb"
    assert place.read("x" * 9 + "\n" + "x" * 10) == "x" * 9 + "\n" + "x" * 10


@pytest.mark.parametrize(
    ("field", "before", "after", "words"),
    [
        ("hours", None, 24, "hours none -> 24"),
        ("asks", False, True, "asks false -> true"),
        ("colour", Colour.RED, Colour.BLUE, "colour red -> blue"),
        ("until", AT, None, "until 2026-11-24T06:00:00.000Z -> none"),
        ("place", "a", "b", "place changed"),
    ],
)
def test_a_change_is_told_in_words(field: str, before: object, after: object, words: str) -> None:
    assert fields_of(Sample)[field].told(before, after) == words


@pytest.mark.parametrize("kind", [CdmConnection, Mapping, Settings])
def test_a_normal_form_is_taken_as_it_is(kind: type) -> None:
    """What is kept is checked again with every change of another field."""
    for field in fields_of(kind).values():
        for value in (field.begins, *field.choices):
            if isinstance(value, str | int | tuple) and field.only_for is None:
                assert field.read(value) == value


@pytest.mark.parametrize("kind", [CdmConnection, Mapping, Settings])
def test_what_a_form_asks_for_has_a_label_and_choices_if_it_offers_some(kind: type) -> None:
    for field in fields_of(kind).values():
        assert not field.widget or field.label, field.name
        offered = field.choices or (field.offers() if field.offers else {})
        assert (field.widget == "choice") == bool(offered), field.name
        if field.choices:
            assert set(field.choices) == set(type(field.begins))  # type: ignore[call-overload]
        if field.said:
            assert field.begins in field.said
