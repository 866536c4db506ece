# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Places for outbound calls: taken at once or refused, and given back."""

import threading

import pytest

from app.framework.bulkhead import Bulkhead, TooBusy


def test_the_one_too_many_is_refused_at_once_and_a_place_comes_back() -> None:
    bulkhead = Bulkhead(1)
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with bulkhead.place():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=stay)
    thread.start()
    assert inside.wait(10)
    with pytest.raises(TooBusy), bulkhead.place():
        pass
    leave.set()
    thread.join()

    with bulkhead.place():
        pass


def test_a_thread_needs_only_one_place() -> None:
    bulkhead = Bulkhead(1)

    with bulkhead.place(), bulkhead.place():
        pass
    with bulkhead.place():
        pass


def test_an_error_gives_the_place_back() -> None:
    bulkhead = Bulkhead(1)

    with pytest.raises(ValueError, match="oops"), bulkhead.place():
        raise ValueError("oops")
    with bulkhead.place():
        pass
