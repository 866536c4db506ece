# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""``./build.sh demo``: an attack, a rule, a restore, from beginning to end, without QRadar or CDM.

The app zip runs as QRadar would run it, between a simulated console and a simulated CDM. A rule
fires without further input; then everything stays up for playing. ``--once``: one restore, the end.
"""

import argparse
import json
import os
import select
import signal
import sys
import time
from typing import Any

from tests.simulators.cdm.faults import Fault
from tests.simulators.container import ContainerUnavailable, Image
from tests.world import APP_ID, World, app_zip, can_make_jail, wait_for

CONSOLE_PORT = 8444
SOON_S = 90.0


def main() -> int:
    """Run the demo; 0 only if the run got `ready`."""
    parser = argparse.ArgumentParser(prog="./build.sh demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="one restore, then the end")
    parser.add_argument("--port", type=int, default=CONSOLE_PORT, help="of the simulated console")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not can_make_jail():
        say("left out: QRadar's jail around the script (needs root); the script runs unconfined")
    say("building the app's container from", app_zip().name)
    try:
        image = Image.build(app_zip())
        with World(image, restore_seconds=8.0, jobs=12, console_port=options.port) as world:
            ready = play(world)
            if options.once:
                return 0 if ready else 1
            explain(world)
            stay(world)
            return 0 if ready else 1
    except ContainerUnavailable as error:
        say("the demo can't run here:", error)
    except OSError as error:
        say(f"the demo can't run here: {error}; is port {options.port} taken? try --port")
    except KeyboardInterrupt:
        say()
        return 0
    return 1


def play(world: World) -> bool:
    """Connect, map, arm, install the custom action, fire the rule, and watch the run."""
    world.set_up()
    roles = {"settings": {"operator_roles": ["Restore operators"]}}
    world.configure("import", "-", text=json.dumps(roles))
    world.install_action()
    say("the app is configured and armed; its custom action is attached to a rule")
    say()
    fire(world)
    runs = world.runs()
    return bool(runs) and watch(world, runs[0]["id"]) == "ready"


def fire(world: World) -> None:
    say("rule fires: SQL attack on the payroll database")
    result = world.fire().wait()
    if result is None:
        say("  QRadar ran no script")
    else:
        say("  custom action says:", (result.stdout or result.stderr).strip())


def watch(world: World, run_id: int) -> str:
    """Print each transition and CDM's log lines until the run rests; give its state."""
    seen_states = seen_lines = 0

    def news() -> dict[str, Any] | None:
        nonlocal seen_states, seen_lines
        run = world.run(run_id)
        for step in run["transitions"][seen_states:]:
            say(f"  run {run_id}: {step['to']:<13} {step['reason']}")
        seen_states = len(run["transitions"])
        for line in run["log"][seen_lines:]:
            say(f"     CDM {line['type']:<7} {line['message']}")
        seen_lines = len(run["log"])
        return run if run["state"] not in {"queued", "starting", "restoring"} else None

    try:
        run = wait_for(news, seconds=SOON_S, every=0.2)
    except TimeoutError:
        say(f"  run {run_id} did not come to rest within {SOON_S:.0f} s")
        return ""
    say()
    return str(run["state"])


def explain(world: World) -> None:
    say("Open   ", f"{world.console.url}/console/plugins/{APP_ID}/app_proxy/index")
    say("        (the browser will warn: the console's certificate is of a CA made for this demo)")
    say("Log in  as analyst, operator or admin, with the password NAME-password")
    say("CDM     cdm.example, port 8443, user", world.cdm.user, "password", world.cdm.password)
    say("Type    Enter = the rule fires again   c = clean up as the operator")
    say("        h = CDM hangs, or answers again   q = end")
    say()


def stay(world: World) -> None:
    """Stay up for playing, until q, the end of input on a terminal, or a signal."""
    if not sys.stdin.isatty():
        while True:
            time.sleep(3600)
    while True:
        select.select([sys.stdin], [], [])
        typed = sys.stdin.readline()
        if typed == "" or typed.strip().lower() == "q":
            return
        if typed.strip().lower() == "c":
            clean_up(world)
        elif typed.strip().lower() == "h":
            hang(world)
        else:
            fire(world)


def clean_up(world: World) -> None:
    """Clean up the newest run that is ready, and watch it end."""
    run_id = next((run["id"] for run in world.runs() if run["state"] == "ready"), None)
    if run_id is None:
        say("  no run is ready")
        return
    answer = world.post(f"api/v1/runs/{run_id}/clean-up", user="operator")
    said = answer.json()
    say("  the app says:", said["message"] if answer.ok else said["error"]["message"])
    if not answer.ok:
        return
    try:
        wait_for(lambda: world.run(run_id)["state"] == "completed", seconds=SOON_S)
        say(f"  run {run_id}: completed")
    except TimeoutError:
        say(f"  run {run_id} is not cleaned up after {SOON_S:.0f} s")


def hang(world: World) -> None:
    """Let CDM take requests and answer none, or let it answer again."""
    if world.cdm.switches.faults:
        world.cdm.switches.faults = []
        world.cdm.release()
        say("  CDM answers again")
    else:
        world.cdm.switches.faults = [Fault(do="hang", times=None)]
        say("  CDM hangs: a restore that should start now is told as NOT STARTED after 30 s")


def say(*words: object) -> None:
    print(*words, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
