# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``./build.sh proof [--kills N] [--requests N] [--seed S]``: the long campaigns.

First the property test behind architecture §4 with many more examples, then hostile requests to the
web process. Then real processes: triggers keep coming, CDM loses answers, and web or worker is
killed (-9) at random moments. A checker then compares what was answered, what CDM saw, and what the
history says.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import requests

from tests.fuzz import campaign
from tests.simulators.console import ConsoleSimulator
from tests.simulators.container import Image
from tests.web_process import WebProcess
from tests.world import RULE_ID, World, app_zip, wait_for

LOSING = ("close", "reset", "truncate", "html502")
REST_S = 90.0


def main() -> int:
    """Run both campaigns; 0 only if every promise held."""
    parser = argparse.ArgumentParser(prog="./build.sh proof", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=100_000, help="hostile ones")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"property test with many examples; then {options.kills} kills, seed {options.seed}")
    dice = random.Random(options.seed)  # noqa: S311 - a campaign that can be repeated
    return properties() or hostile(options.requests, options.seed) or kills(options.kills, dice)


def properties() -> int:
    environment = {**os.environ, "SAFEGUARDED_RESTORE_PROOF": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "--timeout=0"]
    return subprocess.run(
        [*command, "tests/restore/test_invariants.py"], env=environment, check=False
    ).returncode


def hostile(number: int, seed: int) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        ConsoleSimulator(jail="none") as console,
        WebProcess(
            Path(folder), console=f"127.0.0.1:{console.port}", ca_file=console.ca_file
        ) as web,
    ):
        web.set_up()
        found = campaign(web, console, number, seed)
    print(f"{number} hostile requests: {dict(found.statuses)}")
    for fault in found.broken:
        print("BROKEN:", fault)
    return 1 if found.broken else 0


def kills(number: int, dice: random.Random) -> int:
    with World(Image.build(app_zip()), restore_seconds=0.3) as world:
        world.set_up(cooldown_s=0)
        world.trigger_token = world.configure("trigger-token", "new", "proof").strip()
        world.cdm.switches.outcome = "COMPLETED"
        answered: dict[str, dict[str, object]] = {}
        for each in range(number):
            play_once(world, dice, f"proof-{each:06}", answered)
            if each % 25 == 24:
                print(f"{each + 1} kills, {len(answered)} triggers answered", flush=True)
        world.cdm.switches.faults = []
        world.cdm.release()
        faults = check(world, answered)
    for fault in faults:
        print("BROKEN:", fault)
    return 1 if faults else 0


def play_once(
    world: World, dice: random.Random, request_id: str, answered: dict[str, dict[str, object]]
) -> None:
    """Send a trigger, perhaps lose CDM's answer, kill a process at some moment around it."""
    if dice.random() < 0.4:
        world.cdm.add_fault(
            dice.choice(LOSING), method="POST", path="action=start", after=dice.random() < 0.7
        )
    program = dice.choice(("worker", "web"))
    first = dice.random() < 0.3
    if first:
        kill(world, program)
    with contextlib.suppress(requests.RequestException):
        answer = world.trigger(request_id, rule_id=RULE_ID)
        if answer.status_code == 202:
            answered[request_id] = answer.json()
    if not first:
        time.sleep(dice.random() * 0.2)
        kill(world, program)
    wait_for(world.container.healthy, seconds=60)


def kill(world: World, program: str) -> None:
    for pid in world.container.processes().get(program, []):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def check(world: World, answered: dict[str, dict[str, object]]) -> list[str]:
    """Give every promise that did not hold."""
    faults = []
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: at_rest(world), seconds=REST_S, every=1.0)
    runs = {run["id"]: run for run in all_runs(world)}
    received = {
        one["request_id"]: one for run in runs.values() for one in world.run(run["id"])["triggers"]
    }
    for request_id, answer in answered.items():
        if answer["run_id"] is not None and request_id not in received:
            faults.append(f"{request_id} was answered with {answer} and is not in the history")
    starts = Counter(start.job_id for start in world.cdm.starts)
    known = {run["job_session_id"] for run in runs.values() if run["job_session_id"]}
    made = {sid for start in world.cdm.starts for sid in start.session_ids}
    settled = [run for run in runs.values() if run["state"] == "completed"]
    if sum(starts.values()) > len(runs):
        faults.append(f"{sum(starts.values())} starts for {len(runs)} runs")
    if len(made & known) != len(known):
        faults.append(f"runs follow job sessions that no start made: {known - made}")
    sessions = {session["id"]: session["status"] for session in world.cdm.sessions}
    for run in settled:
        if sessions[run["job_session_id"]] != "COMPLETED":
            faults.append(f"run {run['id']} says completed, CDM says otherwise")
    print(
        f"{len(answered)} answered, {len(runs)} runs, {sum(starts.values())} starts, states"
        f" {dict(Counter(run['state'] for run in runs.values()))}"
    )
    return faults


def at_rest(world: World) -> bool:
    moving = {"queued", "starting", "restoring"}
    return not any(run["state"] in moving for run in world.runs())


def all_runs(world: World) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    before: dict[str, int] = {}
    while True:
        page = world.get("api/v1/runs", limit=200, **before).json()
        found += page["runs"]
        if page["next_before"] is None:
            return found
        before = {"before": page["next_before"]}


if __name__ == "__main__":
    sys.exit(main())
