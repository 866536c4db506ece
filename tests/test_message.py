# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages: English text that remembers its template and values, in the store and in words."""

import copy
import gettext
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.message import Message, counted, duration, grouped, restored, stored


class German(gettext.NullTranslations):
    """A few words, as a compiled catalogue has them."""

    WORDS = {
        "job session {session} is {state}": "Job-Sitzung {session} ist {state}",
        "up": "oben",
    }

    def gettext(self, message: str) -> str:
        return self.WORDS.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return "{n} Lauf" if n == 1 else "{n} Läufe"

    def pgettext(self, context: str, message: str) -> str:
        return "." if context == "between thousands" else message


UP = Message("job session {session} is {state}", session=1200, state=Message("up"))


def test_a_message_is_its_english() -> None:
    assert UP == "job session 1200 is up"
    assert f"{UP}." == "job session 1200 is up."
    assert {UP: 1}["job session 1200 is up"] == 1


def test_a_message_is_said_in_another_language_with_the_messages_in_it() -> None:
    assert UP.said(German()) == "Job-Sitzung 1200 ist oben"


def test_a_count_chooses_the_words_and_sets_its_thousands_apart() -> None:
    runs = [counted("{n} run", "{n} runs", n=n) for n in (0, 1, 1200)]

    assert runs == ["0 runs", "1 run", "1,200 runs"]
    assert [one.said(German()) for one in runs] == ["0 Läufe", "1 Lauf", "1.200 Läufe"]
    assert grouped(1_234_567, German()) == "1.234.567"


@pytest.mark.parametrize(
    "template",
    ["{state.__class__}", "{state[0]}", "{state!r}", "{0}", "{}", "{State}", "{{state}", "{other}"],
)
def test_a_place_is_a_plain_name_with_a_value_or_stays_as_it_is(template: str) -> None:
    assert Message(template, state="x") == template.replace("{state}", "x")


def test_what_a_value_holds_is_no_template() -> None:
    assert Message("{a} {b}", a="{b}", b="{a}") == "{b} {a}"


def test_other_values_count_as_the_text_they_make() -> None:
    assert Message("{a} {b} {c}", a=True, b=1.5, c=None).values == {
        "a": "True",
        "b": "1.5",
        "c": "None",
    }


def test_a_stored_message_comes_back_with_its_parts() -> None:
    column = stored(UP)
    back = restored(column)

    assert json.loads(column) == {
        "message": "job session {session} is {state}",
        "values": {"session": 1200, "state": {"message": "up"}},
    }
    assert back == UP
    assert isinstance(back, Message)
    assert back.said(German()) == "Job-Sitzung 1200 ist oben"


def test_a_stored_count_comes_back_with_both_its_templates() -> None:
    back = restored(stored(counted("{n} run", "{n} runs", n=3)))

    assert isinstance(back, Message)
    assert back.said(German()) == "3 Läufe"


def test_text_of_old_and_what_others_said_is_kept_as_it_is() -> None:
    assert stored("run 3 was cancelled") == "run 3 was cancelled"
    assert restored("run 3 was cancelled") == "run 3 was cancelled"
    assert not isinstance(restored("run 3"), Message)


@pytest.mark.parametrize(
    "text",
    [
        '{"message":"up"}',
        '{"message":"{a}","values":{"a":{"message":"up"}}}',
        '{"message":',
        '{"message":"up","values":{"a":[1]}}',
        '{"message":' * 5000,
    ],
)
def test_somebodys_text_that_looks_like_a_message_stays_theirs(text: str) -> None:
    back = restored(stored(text))

    assert back == text
    assert isinstance(back, Message)
    assert back.said(German()) == text


@pytest.mark.parametrize(
    "column",
    [
        '{"message":',
        '{"message":3}',
        '{"message":"up","values":[]}',
        '{"message":"up","many":3}',
        '{"message":"{a}","values":{"a":[1]}}',
        '{"message":"{a}","values":{"a":{"b":1}}}',
        '{"message":"x","values":{"a":' * 5000,
        '{"message":"x","values":{"a":' * 33 + '{"message":"y"}' + "}}" * 33,
    ],
)
def test_a_column_that_is_no_message_after_all_is_text(column: str) -> None:
    back = restored(column)

    assert back == column
    assert not isinstance(back, Message)


@given(st.text(), st.dictionaries(st.from_regex("[a-z][a-z0-9_]*", fullmatch=True), st.text()))
def test_every_message_survives_the_store(template: str, values: dict[str, str]) -> None:
    message = Message(template, **values)

    assert restored(stored(message)) == message


@given(st.text())
def test_every_text_survives_the_store(text: str) -> None:
    assert restored(stored(text)) == text


def test_a_copy_of_a_message_is_one() -> None:
    twin = copy.deepcopy(UP)

    assert (twin, twin.template, twin.values) == (UP, UP.template, UP.values)


def test_the_text_of_an_error_made_of_a_message_is_that_message() -> None:
    told = Message("it failed: {error}", error=ValueError(UP))

    assert str(ValueError(UP)) is UP
    assert told.said(German()) == "it failed: Job-Sitzung 1200 ist oben"


def test_a_message_as_deep_as_any_of_ours_survives_the_store() -> None:
    # A duplicate of a new attack while a run waits for a job that CDM does not say more about:
    # each says the one before it, a dozen deep.
    message = UP
    for _ in range(20):
        message = Message("{why} It has been so for 15 minutes.", why=message)

    back = restored(stored(message))

    assert isinstance(back, Message)
    assert back == message


def test_a_clause_is_said_without_the_full_stop_of_its_sentence() -> None:
    why = Message("job {job} is gone.", job="nightly...")
    message = Message("not started: {clause} ({why})", clause=why, why="So.")

    assert message == "not started: job nightly... is gone (So.)"
    assert message.said(German()) == "not started: job nightly... is gone (So.)"
    back = restored(stored(message))
    assert isinstance(back, Message)
    assert back == message


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (45, "45 s"),
        (900, "15 min"),
        (5400, "1 h 30 min"),
        (7240, "2 h"),  # not "2 h 40 s", which leaves out the minutes between
        (86_400 + 59, "1 day"),
        (2 * 86_400 + 4 * 3600 + 60, "2 days 4 h"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_unit_and_the_next(
    seconds: float, words: str
) -> None:
    assert duration(seconds) == words
