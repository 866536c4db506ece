# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``./build.sh bench``: how fast and how large, on this machine, everything on it.

Machines are noisy, so each duration also stands as a ratio to a floor measured in the same run: a
bare HTTPS request through the same console to the app's /debug.
"""

import contextlib
import json
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import requests

from tests import bench_history
from tests.simulators.container import Image
from tests.world import DIST, RULE_ID, World, app_zip, wait_for

ROUNDS = 20
ANSWERS = 300
STORM, CLIENTS = 1000, 50
SLOW = 60  # more than twice the web process's threads


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table; times in milliseconds, memory in MiB."""

    name: str
    median: float
    worst: float
    unit: str
    limit: float | None = None  # what the median must stay under, where that was promised
    ratio: float | None = None  # median over the floor of the same run

    @property
    def ok(self) -> bool:
        return self.limit is None or self.median <= self.limit


def main() -> int:
    """Measure, print the table, write dist/bench.json; 1 if a promised limit is missed."""
    with World(Image.build(app_zip()), restore_seconds=0.05) as world:
        world.set_up(cooldown_s=0)
        world.install_action()
        world.cdm.switches.outcome = "COMPLETED"
        world.cdm.switches.log_lag_seconds = 0.0
        measures = measure(world)
    measures += [
        Measure(name, statistics.median(seconds) * 1e3, max(seconds) * 1e3, "ms", limit_ms)
        for name, seconds, limit_ms in bench_history.measure()
    ]
    print_table(measures)
    table = [asdict(each) | {"ok": each.ok} for each in measures]
    (DIST / "bench.json").write_text(json.dumps(table, indent=2) + "\n")
    return 0 if all(each.ok for each in measures) else 1


def measure(world: World) -> list[Measure]:
    floor = durations(lambda: debug(world), ANSWERS)
    half_way = statistics.median(floor)

    def timed(name: str, seconds: Sequence[float], limit_ms: float | None = None) -> Measure:
        median = statistics.median(seconds)
        return Measure(
            name, median * 1e3, max(seconds) * 1e3, "ms", limit_ms, round(median / half_way, 1)
        )

    round_trip(world, -1)  # the first one logs in to CDM
    idle = world.container.pss()
    script = [script_to_start(world) for _ in range(ROUNDS)]
    answered = [round_trip(world, number) for number in range(ROUNDS)]
    answers = durations(lambda: unmatched(world), ANSWERS)
    storm_times, storm_outcomes = storm(world)
    with slow_connections(world):
        beside_slow = durations(lambda: unmatched(world), ANSWERS)
    ratio = statistics.median(beside_slow) / statistics.median(answers)
    peak = world.container.pss()
    if set(storm_outcomes) - {"duplicate", "unmatched"}:
        raise RuntimeError(f"the storm was answered with {set(storm_outcomes)}")
    return [
        timed("floor: GET /debug through the console", floor),
        timed("trigger → durable answer, one client", answers),
        timed(f"trigger → durable answer, {STORM} the same from {CLIENTS} clients", storm_times),
        timed(f"the same, one client, beside {SLOW} slow connections", beside_slow),
        Measure("  times as long as without them", round(ratio, 1), round(ratio, 1), "×", 5),
        timed("202 → start request at CDM", answered, 100),
        timed("script's start → start request at CDM", script, 250),
        Measure("memory of all processes (PSS), idle", idle / 2**20, idle / 2**20, "MiB", 150),
        Measure("memory of all processes (PSS), after all", peak / 2**20, peak / 2**20, "MiB", 150),
    ]


def debug(world: World) -> None:
    session = _session(world)
    session.get(world.url("debug"), timeout=30).raise_for_status()


_sessions = threading.local()


def _session(world: World) -> requests.Session:
    if not hasattr(_sessions, "one"):
        _sessions.one = world.session()
    session: requests.Session = _sessions.one
    return session


def durations(act: Callable[[], object], times: int) -> list[float]:
    found = []
    for _ in range(times):
        begun = time.monotonic()
        act()
        found.append(time.monotonic() - begun)
    return found


_number = iter(range(1, 1_000_000))


def post_trigger(world: World, request_id: str, rule_id: int) -> str:
    """Send a trigger over a kept connection, so that the app is measured and not the handshake."""
    session = _session(world)
    answer = session.post(
        world.url("api/v1/triggers"),
        data={"token": world.trigger_token, "request_id": request_id, "rule_id": rule_id},
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["outcome"])


def unmatched(world: World) -> None:
    post_trigger(world, f"bench-{next(_number):08}", 7)


def rested(world: World) -> None:
    """Wait until the last run is over, so that the next trigger starts one."""
    wait_for(lambda: all(run["state"] == "completed" for run in world.runs()), seconds=60)


def round_trip(world: World, number: int) -> float:
    """Seconds from the 202 to the start request's arrival at CDM."""
    before = len(world.cdm.starts)
    outcome = post_trigger(world, f"round-{number:08}-{next(_number)}", RULE_ID)
    answered_at = time.monotonic()
    if outcome != "accepted":
        raise RuntimeError(f"expected a start, got {outcome}")
    wait_for(lambda: len(world.cdm.starts) > before, seconds=30, every=0.001)
    arrived_at = world.cdm.starts[before].monotonic
    rested(world)
    return max(arrived_at - answered_at, 0.0)


def script_to_start(world: World) -> float:
    """Seconds from the script's start in QRadar's jail to the start request's arrival at CDM."""
    before = len(world.cdm.starts)
    begun = time.monotonic()
    firing = world.fire()
    wait_for(lambda: len(world.cdm.starts) > before, seconds=30, every=0.001)
    arrived_at = world.cdm.starts[before].monotonic
    firing.wait()
    rested(world)
    return arrived_at - begun


def storm(world: World) -> tuple[list[float], list[str]]:
    """The same trigger from many clients at once."""
    times: list[float] = []
    outcomes: list[str] = []
    gate = threading.Barrier(CLIENTS)

    def client() -> None:
        _session(world)
        gate.wait()
        for _ in range(STORM // CLIENTS):
            begun = time.monotonic()
            outcomes.append(post_trigger(world, "storm-0001", 7))
            times.append(time.monotonic() - begun)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(times) != STORM:
        raise RuntimeError(f"{STORM - len(times)} of {STORM} calls failed")
    return times, outcomes


@contextlib.contextmanager
def slow_connections(world: World) -> Iterator[None]:
    """Requests on the raw port that trickle in, header by header, and are begun again for ever."""
    over = threading.Event()

    def trickle() -> None:
        while not over.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", world.container.port), 5) as connection,
            ):
                connection.sendall(b"POST /api/v1/triggers HTTP/1.1\r\n")
                while not over.wait(0.9):
                    connection.sendall(b"X-More: 1\r\n")

    threads = [threading.Thread(target=trickle) for _ in range(SLOW)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def print_table(measures: Sequence[Measure]) -> None:
    print(f"{'measure':<64}{'median':>9}{'worst':>9}      {'× floor':>8}  limit")
    for each in measures:
        ratio = "" if each.ratio is None else f"{each.ratio:.1f}"
        limit = "" if each.limit is None else f"{each.limit:.0f} {'ok' if each.ok else 'MISSED'}"
        numbers = f"{each.median:>9.1f}{each.worst:>9.1f} {each.unit:<4}"
        print(f"{each.name:<64}{numbers} {ratio:>8}  {limit}")


if __name__ == "__main__":
    sys.exit(main())
