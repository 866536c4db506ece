# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The flag that a signal handler may set."""

import os
import signal
import threading
import time

from app.framework.stop import Stop

SOON = 20.0


def test_a_flag_is_set_by_a_handler_in_the_thread_that_waits_for_it() -> None:
    """With `threading.Event` this ends in a deadlock sooner or later."""
    stops: list[Stop] = [Stop()]
    before = signal.signal(signal.SIGUSR1, lambda *_: stops[-1].set())
    ended = threading.Event()

    def shoot() -> None:
        while not ended.is_set():
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.0002)

    shooter = threading.Thread(target=shoot)
    shooter.start()
    try:
        for _ in range(50):
            assert stops[-1].wait(SOON)
            stops.append(Stop())
    finally:
        ended.set()
        shooter.join()
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # drops what is still under way
        signal.signal(signal.SIGUSR1, before)
        for stop in stops:
            os.close(stop._read)
            os.close(stop._write)


def test_a_flag_stays_set_however_often() -> None:
    stop = Stop()
    assert not stop.is_set()
    assert not stop.wait(0.001)
    for _ in range(100_000):
        stop.set()
    assert stop.is_set()
    assert stop.wait(0.0)
