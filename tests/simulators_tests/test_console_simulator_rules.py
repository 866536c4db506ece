# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The console simulator's rule engine: what a custom action gets, in the jail and without."""

import os
import time
from collections.abc import Iterator

import pytest

from tests.simulators.console import ConsoleSimulator, JailUnavailable, Limiter, jail
from tests.simulators.console.jail import ChrootJail
from tests.simulators_tests.console_client import BASE, echo_app

PARAMETERS = [
    {"name": "token", "parameter_type": "fixed", "encrypted": True, "value": "two words"},
    {"name": "user", "parameter_type": "dynamic", "encrypted": False, "value": "username"},
    {"name": "src", "parameter_type": "dynamic", "encrypted": False, "value": "sourceip"},
]
SHOW = b"""printf '[%s]' "$@"; echo " ${RULE_ID-unset} ${RULE_NAME-unset}"; echo oops >&2; exit 7"""


@pytest.fixture
def console() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator(jail="none") as console:
        console.switches.offense_delay = 0.01
        yield console


@pytest.fixture
def jailed() -> Iterator[ConsoleSimulator]:
    with ConsoleSimulator() as console:
        console.switches.offense_delay = 0.01
        yield console


def make_action(console: ConsoleSimulator, script: bytes, **changes: object) -> int:
    stored = console.custom_actions.put_script(script)
    document = {"name": f"action {stored.id}", "interpreter": 1, "script": stored.id}
    made = console.custom_actions.put_action({**document, "parameters": PARAMETERS, **changes})
    return made.id


def test_a_rule_runs_its_action_with_parameters_in_order(console: ConsoleSimulator) -> None:
    action = make_action(console, SHOW)
    console.deploy()
    event = {"username": "o'brien; $(x)", "sourceip": "10.0.0.1"}
    run = console.fire_rule(100231, "SQL attack", event=event, action=action).wait()
    assert run is not None
    assert run.stdout == "[two words][o'brien; $(x)][10.0.0.1] 100231 SQL attack\n"
    assert (run.stderr, run.exit_code, run.timed_out) == ("oops\n", 7, False)
    assert run.argv[2:] == ("two words", "o'brien; $(x)", "10.0.0.1")
    assert "argv" not in repr(run)


@pytest.mark.parametrize("missing", ["", "null"])
def test_a_column_that_the_event_lacks_is_as_the_switch_says(
    console: ConsoleSimulator, missing: str
) -> None:
    console.switches.missing_value = missing
    action = make_action(console, SHOW)
    console.deploy()
    run = console.fire_rule(1, "R", action=action).wait()
    assert run is not None
    assert run.stdout.startswith(f"[two words][{missing}][{missing}]")


def test_test_execution_runs_the_staged_script_without_a_rule(console: ConsoleSimulator) -> None:
    action = make_action(console, SHOW)
    run = console.test_execution(action)
    assert run.stdout.endswith(" unset unset\n")


def test_only_what_was_deployed_runs(console: ConsoleSimulator) -> None:
    action = make_action(console, b"echo old")
    fired = console.fire_rule(1, "R", action=action)
    assert (fired.wait(), fired.skipped) == (None, "the custom action has not been deployed")
    console.deploy()
    script = console.custom_actions.actions[action].script
    console.custom_actions.put_script(b"echo new", script_id=script)
    run = console.fire_rule(1, action=action).wait()
    assert run is not None
    assert run.stdout == "old\n"
    console.switches.actions_need_deploy = False
    run = console.fire_rule(1, action=action).wait()
    assert run is not None
    assert run.stdout == "new\n"


def test_a_rule_without_action_or_disabled_runs_nothing(console: ConsoleSimulator) -> None:
    assert console.fire_rule(1, "R").skipped == "the rule has no custom action"
    console.add_rule(2, "Off", enabled=False)
    fired = console.fire_rule(2)
    assert fired.skipped == "the rule is disabled"
    assert fired.wait_for_offense() is None


def test_the_response_limiter_counts_per_value(console: ConsoleSimulator) -> None:
    action = make_action(console, b"true")
    console.deploy()
    console.add_rule(1, "R", action=action, limiter=Limiter(1, 60, "sourceip"))
    sources = ["10.0.0.1", "10.0.0.1", "10.0.0.2"]
    fired = [console.fire_rule(1, event={"sourceip": source}) for source in sources]
    assert [item.skipped for item in fired] == ["", "the response limiter", ""]
    assert [item.wait_for_offense() for item in fired] == [1, 1, 2]


def test_scripts_run_at_the_same_time(console: ConsoleSimulator) -> None:
    action = make_action(console, b"sleep 0.3")
    console.deploy()
    began = time.monotonic()
    fired = [console.fire_rule(1, "R", action=action) for _ in range(8)]
    assert all(item.wait() for item in fired)
    assert time.monotonic() - began < 2


def test_a_script_that_does_not_end_is_killed_with_its_children(
    console: ConsoleSimulator,
) -> None:
    console.switches.script_timeout = 0.2
    action = make_action(console, b"sleep 60 & sleep 60")
    console.deploy()
    run = console.fire_rule(1, "R", action=action).wait(10)
    assert run is not None
    assert (run.timed_out, run.exit_code) == (True, -9)


def test_stopping_the_console_ends_its_scripts() -> None:
    with ConsoleSimulator(jail="none") as console:
        action = make_action(console, b"sleep 60")
        console.deploy()
        fired = console.fire_rule(1, "R", action=action)
        deadline = time.monotonic() + 5
        while not getattr(console.jail, "_running", None):
            assert time.monotonic() < deadline
    run = fired.wait(5)
    assert run is not None
    assert run.exit_code == -9


def test_without_root_the_jail_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with ConsoleSimulator() as console:
        action = make_action(console, b"true")
        console.deploy()
        with pytest.raises(JailUnavailable, match="needs root, and this is uid 1000"):
            console.fire_rule(1, "R", action=action)


def test_a_jail_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(jail, "SETUP", "echo mount: not permitted >&2; exit 1")
    monkeypatch.setattr(jail, "ENTER", ())
    with (
        ConsoleSimulator() as console,
        pytest.raises(JailUnavailable, match="could not be set up: mount: not permitted."),
    ):
        console.jail.home_files()
    monkeypatch.setattr(jail, "COMMANDS", ("no-such-command",))
    with (
        ConsoleSimulator() as console,
        pytest.raises(JailUnavailable, match="needs the command no-such-command"),
    ):
        console.jail.home_files()


PROBE = r"""
echo "uid $(id -u) cwd $PWD home ${HOME-unset}"
for path in /proc /tmp /dev/fd /etc/hosts /etc/passwd /etc/pki /etc/ssl /etc/resolv.conf; do
    [ -e "$path" ] && echo "there is $path"
done
for name in python python3 python3.11 pypy3; do
    command -v "$name" && echo "there is $name"
done
echo "programs: $(command -v bash) $(command -v curl)"
echo "devices: $(echo /dev/*)"
for folder in / /etc /usr/bin /custom_action_scripts /usr/share; do
    : >"$folder/x" && echo "can write $folder"
done
echo "script $0"
env
true
"""


@pytest.mark.jail
def test_the_jail_is_as_bare_as_qradars(jailed: ConsoleSimulator) -> None:
    jailed.switches.old_bash = False
    run = jailed.test_execution(make_action(jailed, PROBE.encode(), name="probe"))
    script = jailed.custom_actions.actions[102].script
    lines = run.stdout.splitlines()
    assert lines[0].startswith("uid 20001 cwd /home/customactionuser")
    assert [line for line in lines if line.startswith(("there is", "can write"))] == []
    assert "devices: /dev/null /dev/random /dev/urandom /dev/zero" in lines
    assert f"script /custom_action_scripts/customaction_{script}.script" in lines
    assert lines[1].startswith("programs: /")
    assert lines[1].endswith("/curl")
    environment = {line.split("=")[0] for line in lines[4:]}
    assert environment <= {"PWD", "SHLVL", "_", "OLDPWD"}
    assert run.stderr.count("Read-only file system") == 5


CALL = r"""
set -e
cd /home/customactionuser
TMPDIR=$PWD
ca=$(mktemp -p "$PWD")
trap 'rm -f "$ca"' EXIT
cat >"$ca" <<'PEM'
@CA@PEM
curl --silent --show-error --max-time 8 --cacert "$ca" --resolve "$1:$2:127.0.0.1" \
    -K - --data-urlencode "rule_id=$RULE_ID" --data-urlencode "username=$4" \
    "https://$1:$2@BASE@/api/v1/triggers" <<CONFIG
header = "SEC: $3"
CONFIG
"""


@pytest.mark.jail
def test_a_script_reaches_the_app_through_the_console_from_the_jail(
    jailed: ConsoleSimulator,
) -> None:
    """TLS is verified with the embedded CA; the name resolves by --resolve alone."""
    text = CALL.replace("@CA@", jailed.ca_bundle).replace("@BASE@", BASE)
    fixed = [
        {"name": name, "parameter_type": "fixed", "value": value}
        for name, value in (
            ("host", jailed.fqdn),
            ("port", str(jailed.port)),
            ("sec", jailed.token("restore-trigger")),
        )
    ]
    user = {"name": "user", "parameter_type": "dynamic", "value": "username"}
    action = make_action(jailed, text.encode(), parameters=[*fixed, user])
    jailed.deploy()
    with echo_app() as address:
        jailed.register_app(1001, "safeguarded-restore", address=address)
        fired = [
            jailed.fire_rule(100231, "SQL", event={"username": "a&b ä"}, action=action)
            for _ in range(5)
        ]
        runs = [item.wait() for item in fired]
    for run in runs:
        assert run is not None
        assert (run.exit_code, run.stderr) == (0, "")
        assert "rule_id=100231&username=a%26b+%C3%A4" in run.stdout
        assert jailed.token("restore-trigger") in run.stdout
    assert jailed.jail.home_files() == []
    assert {item.who for item in jailed.requests} == {"API_token: restore-trigger"}


@pytest.mark.jail
def test_without_the_embedded_ca_curl_trusts_nobody(jailed: ConsoleSimulator) -> None:
    script = f"curl -sS --resolve {jailed.fqdn}:{jailed.port}:127.0.0.1 https://{jailed.fqdn}:{jailed.port}/"
    run = jailed.test_execution(make_action(jailed, script.encode()))
    assert run.exit_code in (60, 77)
    assert jailed.requests == []


@pytest.mark.jail
def test_an_old_bash_needs_a_writable_folder_for_here_documents(
    jailed: ConsoleSimulator,
) -> None:
    jailed.switches.script_folder = "/"
    document = b"cat <<X\nhere\nX\n"
    run = jailed.test_execution(make_action(jailed, document))
    assert "cannot create temp file for here-document" in run.stderr
    run = jailed.test_execution(make_action(jailed, b"TMPDIR=/home/customactionuser\n" + document))
    assert run.stdout == "here\n"


@pytest.mark.jail
def test_scripts_share_one_home_that_survives_them(jailed: ConsoleSimulator) -> None:
    jailed.test_execution(make_action(jailed, b"echo left >note"))
    run = jailed.test_execution(make_action(jailed, b"cat note"))
    assert run.stdout == "left\n"
    assert jailed.jail.home_files() == ["note"]


@pytest.mark.jail
def test_resolv_conf_is_the_only_file_that_etc_may_have() -> None:
    with ConsoleSimulator(resolv_conf="nameserver 127.0.0.1") as console:
        run = console.test_execution(make_action(console, b"ls /etc; cat /etc/resolv.conf"))
    assert run.stdout == "resolv.conf\nnameserver 127.0.0.1\n"


@pytest.mark.jail
def test_nothing_of_the_jail_is_left_after_it() -> None:
    with ConsoleSimulator() as console:
        assert isinstance(console.jail, ChrootJail)
        folder = console.folder
        with open("/proc/self/mounts") as mounts:  # noqa: PTH123 - procfs, as it is
            assert str(folder) not in mounts.read()
    assert not folder.exists()
