# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The custom action's script, run as QRadar runs it: by position, in an empty environment."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.qradar import custom_action
from tests.qradar.receiver import Console, receiving
from tests.simulators import certs

SEC = "11111111-2222-4333-8444-555555555555"
TOKEN = 'trigger"to\\ken'  # a token never looks like this, and would still arrive
TEMPLATE = Path(custom_action.__file__).with_name("start_restore.sh")
RULE = {"RULE_ID": "100231", "RULE_NAME": "SQL attack"}
EVENT = ("1764000000000", "192.0.2.1", "192.0.2.2", "anna", "62", "5000", "7")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> certs.Chain:
    return certs.chain(tmp_path_factory.mktemp("pki"), "console.example", ["console.example"])


@pytest.fixture
def console(chain: certs.Chain) -> Iterator[Console]:
    with receiving(chain.leaf) as console:
        yield console


@dataclass
class Action:
    """The action as QRadar holds it: script, parameters, and the home folder of its runs."""

    script: Path
    home: Path
    console: str

    def arguments(self, *event: str, **fixed: str) -> list[str]:
        values = {"console": self.console, "sec": SEC, "token": TOKEN} | fixed
        given = custom_action.parameters(
            values.pop("console"), values.pop("sec"), token=values.pop("token"), **values
        )
        static = [str(p["value"]) for p in given if p["parameter_type"] == "fixed"]
        return ["bash", str(self.script), *static, *event]

    def start(
        self, *event: str, env: dict[str, str] | None = None, **fixed: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.arguments(*event, **fixed),
            env={"HOME": str(self.home)} | (RULE if env is None else env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd="/",
        )

    def run(self, *event: str, env: dict[str, str] | None = None, **fixed: str) -> tuple[int, str]:
        process = self.start(*event, env=env, **fixed)
        out, err = process.communicate(timeout=60)
        assert err == ""
        return process.returncode, out


@pytest.fixture
def action(tmp_path: Path, chain: certs.Chain, console: Console) -> Action:
    script = tmp_path / "customaction_1.script"
    issuers = custom_action.find_issuers(chain.leaf.pem, chain.ca_bundle)
    script.write_text(
        custom_action.generate_script(
            "console.example", "127.0.0.1", issuers_pem=issuers, version="1.0.0"
        )
    )
    home = tmp_path / "home"
    home.mkdir()
    return Action(script, home, f"console.example:{console.port}")


def test_a_rule_that_fires_is_told_to_the_app(action: Action, console: Console) -> None:
    code, out = action.run(*EVENT)
    assert (code, out) == (0, "accepted: run 17. Restore of SQL started.\n")
    ((path, headers, form),) = console.requests
    assert path == custom_action.TRIGGER_PATH
    assert headers["SEC"] == SEC
    assert "Expect" not in headers
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", form.pop("request_id"))
    assert form == {
        "token": TOKEN,
        "rule_id": "100231",
        "rule_name": "SQL attack",
        "event_time": "1764000000000",
        "source_ip": "192.0.2.1",
        "destination_ip": "192.0.2.2",
        "username": "anna",
        "log_source_id": "62",
        "qid": "5000",
        "magnitude": "7",
    }


def test_the_fixed_mapping_is_sent_when_it_is_set(action: Action, console: Console) -> None:
    action.run(*EVENT, mapping="SQL attack")
    assert console.forms[0]["mapping"] == "SQL attack"


def test_missing_and_empty_arguments_are_left_out(action: Action, console: Console) -> None:
    assert action.run("", "-")[0] == 0
    assert set(console.forms[0]) == {"token", "request_id", "rule_id", "rule_name"}


AWKWARD = [
    'O\'Hara "the" boss',
    "two\nlines\r\nand\ttabs\v",
    "$(touch PWNED) `touch PWNED` ${HOME} ; touch PWNED | touch PWNED & !!",
    "Jörg Müller 北京 ☃",
    "@/etc/passwd",
    "=x&rule_id=1#%41+ y",
    "\\ \\n \\\\ end\\",
    "-K /etc/passwd",
    "*",
    "~",
    "%s%n",
    '"\nurl = "https://127.0.0.1:1/',
    " leading and trailing ",
]


@pytest.mark.parametrize("value", AWKWARD)
def test_awkward_user_names_arrive_intact(action: Action, console: Console, value: str) -> None:
    env = {"RULE_ID": "1", "RULE_NAME": value}
    assert action.run(*EVENT[:3], value, env=env, mapping=value)[0] == 0
    form = console.forms[0]
    assert form["username"] == value
    assert form["rule_name"] == value
    assert form["mapping"] == value
    assert not list(action.home.parent.rglob("PWNED"))


def test_bytes_that_are_not_utf8_arrive(action: Action, console: Console) -> None:
    action.run(*EVENT[:3], "a\udcff\udc80z")
    assert console.forms[0]["username"] == "a\udcff\udc80z"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("x" * 600, "x" * 512),
        ("x" * 512, "x" * 512),
        ("ü" * 300, "ü" * 256),
        ("x" + "ü" * 300, "x" + "ü" * 255),
        ("xx" + "☃" * 300, "xx" + "☃" * 170),
        ('"' * 60_000, '"' * 512),
    ],
)
def test_long_values_are_cut_to_512_bytes_between_characters(
    action: Action, console: Console, value: str, kept: str
) -> None:
    assert action.run(*EVENT[:3], value)[0] == 0
    assert console.forms[0]["username"] == kept


def test_the_cut_counts_bytes_in_any_locale(action: Action, console: Console) -> None:
    env = RULE | {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    assert action.run(*EVENT[:3], "xx" + "☃" * 300, env=env)[0] == 0
    assert console.forms[0]["username"] == "xx" + "☃" * 170


def test_a_console_that_is_an_ipv6_address_needs_no_name(
    action: Action, console: Console, chain: certs.Chain
) -> None:
    script = custom_action.generate_script(
        "[::1]:1", "[::1]", issuers_pem=chain.ca_bundle, version="1"
    )
    action.script.write_text(script)
    code, out = action.run(*EVENT, console="-")
    assert code == 1
    assert "no connection to [::1]:1;" in out


@pytest.mark.parametrize("first", [503, 500, "drop"])
def test_a_second_try_carries_the_same_request_id(
    action: Action, console: Console, first: int | str
) -> None:
    console.script = [first]
    code, out = action.run(*EVENT)
    assert (code, len(console.forms)) == (0, 2)
    assert console.forms[0] == console.forms[1]


@pytest.fixture
def impatient(action: Action, tmp_path: Path) -> dict[str, str]:
    """The environment of a run whose pauses are written down instead of waited for."""
    tools = tmp_path / "bin"
    tools.mkdir()
    sleep = tools / "sleep"
    sleep.write_text(f'#!/bin/bash\necho "$1" >>{tmp_path}/pauses\n')
    sleep.chmod(0o755)
    return RULE | {"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin"}


@pytest.fixture
def timed(impatient: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The same with a clock in a file, which pauses move and a try without an answer by its limit.

    The limits are written down; curl has a minute, so that no answer is late on a busy machine.
    """
    clock, tools = tmp_path / "clock", tmp_path / "bin"
    clock.write_text("0\n")
    moves = f'move() {{ read -r now <{clock}; echo "$((now + $1))" >{clock}; }}\n'
    (tmp_path / "environment").write_text(
        f"unset SECONDS; set -T; trap 'read -r SECONDS <{clock}' DEBUG\n"
    )
    sleep, curl = tools / "sleep", tools / "curl"
    sleep.write_text(f'{sleep.read_text()}{moves}move "$1"\n')
    curl.write_text(
        f"""#!/bin/bash
{moves}
config=$(</dev/stdin) limit='max-time = "([0-9]+)"'
[[ $config =~ $limit ]] && echo "${{BASH_REMATCH[1]}}" >>{tmp_path}/limits
printf '%s\n' "$config" 'max-time = 60' | {shutil.which("curl")} "$@"
code=$?
[[ $code == 0 ]] || move "${{BASH_REMATCH[1]}}"
exit "$code"
"""
    )
    curl.chmod(0o755)
    return impatient | {"BASH_ENV": str(tmp_path / "environment")}


def test_a_lost_answer_is_tried_again_within_ten_seconds(action: Action, console: Console) -> None:
    """The app accepts what it can't answer in time: to say "not accepted" was wrong."""
    console.script = ["wait", "wait"]
    code, out = action.run(*EVENT)
    assert code == 2
    assert out.startswith(
        "no answer; it may have been accepted, see the app's Runs: no answer from"
    )
    assert len(console.forms) == 2
    assert console.forms[0]["request_id"] == console.forms[1]["request_id"]


@pytest.mark.parametrize("failure", [503, "502", "404", "504", "drop", "500"])
def test_the_tries_outlast_a_restart_of_the_app(
    action: Action, console: Console, impatient: dict[str, str], failure: str | int
) -> None:
    """In trials of upgrades and kills 34 of 234 were lost with two tries a second apart."""
    console.script = [failure] * 5
    code, out = action.run(*EVENT, env=impatient)
    assert (code, out) == (0, "accepted: run 17. Restore of SQL started.\n")
    assert len({form["request_id"] for form in console.forms}) == 1
    pauses = (action.home.parent / "pauses").read_text().split()
    assert pauses == ["1", "1", "2", "2", "1"]


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        ([503] * 9, 1, "not accepted: HTTP 503: "),
        (["404"] * 9, 1, "not accepted: HTTP 404: nothing at"),
        (
            ["drop"] * 9,
            2,
            "no answer; it may have been accepted, see the app's Runs: the connection",
        ),
        (["502"] * 9, 2, "no answer; it may have been accepted, see the app's Runs: HTTP 502"),
        (["504"] * 9, 2, "no answer; it may have been accepted, see the app's Runs: HTTP 504"),
        (["500"] * 9, 2, "no answer; it may have been accepted, see the app's Runs: HTTP 500"),
        (
            ["drop", *[503] * 9],
            2,
            "the last try was not accepted, an earlier one may have been, see the app's Runs: HTTP",
        ),
    ],
)
def test_six_failures_are_the_end_and_what_is_known_is_said(
    action: Action,
    console: Console,
    impatient: dict[str, str],
    script: list[str | int],
    code: int,
    says: str,
) -> None:
    console.script = list(script)
    ended, out = action.run(*EVENT, env=impatient)
    assert (ended, out[: len(says)]) == (code, says)
    assert len(console.forms) == 6


def test_a_request_that_never_went_out_was_not_accepted(
    action: Action, impatient: dict[str, str]
) -> None:
    """Curl's 28 is also the time-out of a handshake that nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        code, out = action.run(*EVENT, console=f"console.example:{port}", env=impatient)
    assert code == 1
    assert out.startswith("not accepted: no answer from")


@pytest.mark.parametrize(
    ("script", "limits", "pauses"),
    [
        (["drop", "drop"], "4 4", "1"),
        ([503, 503, 503, 503, "drop"], "4 4 4 4 3", "1 1 2 2"),
        ([503, "drop", 503], "4 4 3", "1 1"),
    ],
)
def test_the_last_try_is_cut_to_what_is_left_of_ten_seconds(
    action: Action,
    console: Console,
    timed: dict[str, str],
    tmp_path: Path,
    script: list[str | int],
    limits: str,
    pauses: str,
) -> None:
    """QRadar's time limit is not known."""
    console.script = list(script)
    assert action.run(*EVENT, env=timed)[0] == 2
    assert len(console.forms) == len(script)
    assert (tmp_path / "limits").read_text().split() == limits.split()
    assert (tmp_path / "pauses").read_text().split() == pauses.split()
    assert int((tmp_path / "clock").read_text()) < 10


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("401", "Deploy Changes"),
        ("429", "too many requests"),
        ("401 app", "trigger token; is it revoked, or an older one? (Unknown token)"),
        ("403", "role of the authorized service"),
        ("413", "too large"),
        ("302", "redirects"),
    ],
)
def test_no_second_try_after_a_refusal(
    action: Action, console: Console, answer: str, says: str
) -> None:
    console.script = [answer]
    code, out = action.run(*EVENT)
    assert (code, len(console.forms)) == (1, 1)
    assert out.count("\n") == 1
    assert says in out


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_2xx_is_success(action: Action, console: Console, status: int) -> None:
    console.script = [status]
    assert action.run(*EVENT)[0] == 0


def test_the_result_is_one_line_whatever_the_app_says(action: Action, console: Console) -> None:
    console.message = 'say "no"\nand\x1b[2J' + "x" * 9000
    code, out = action.run(*EVENT)
    assert code == 0
    assert out.count("\n") == 1
    assert "\x1b" not in out
    assert len(out) < 500


def test_without_rule_id_it_is_a_test_and_prints_a_diagnosis(
    action: Action, console: Console
) -> None:
    code, out = action.run(*EVENT, env={})
    assert code == 0
    assert "rule_id" not in console.forms[0]
    assert "bash " in out
    assert "curl 7." in out or "curl 8." in out
    assert "TLS: certificate verified. HTTP: 202." in out
    assert SEC not in out
    assert TOKEN not in out


@pytest.mark.parametrize("same_name", [True, False])
def test_a_console_under_another_ca_is_not_trusted(
    action: Action, console: Console, tmp_path: Path, same_name: bool
) -> None:
    """OpenSSL words it differently when the CA has the same name and another key."""
    if same_name:
        issuers = certs.chain(tmp_path / "other", "console.example").ca_bundle
    else:
        issuers = certs.self_signed(tmp_path / "other", "Another CA").pem
    action.script.write_text(
        custom_action.generate_script(
            "console.example", "127.0.0.1", issuers_pem=issuers, version="1.0.0"
        )
    )
    code, out = action.run(*EVENT, env={})
    assert code == 1
    assert console.requests == []
    assert "TLS: failed, curl's exit code" in out
    assert "make this script anew" in out


def test_nobody_listening_is_said(action: Action, console: Console) -> None:
    code, out = action.run(*EVENT, console="console.example:1")
    assert code == 1
    assert "no connection to console.example:1 at 127.0.0.1" in out


def test_an_empty_console_is_the_one_the_script_was_made_for(
    action: Action, console: Console, chain: certs.Chain
) -> None:
    script = custom_action.generate_script(
        f"console.example:{console.port}", "127.0.0.1", issuers_pem=chain.ca_bundle, version="1"
    )
    action.script.write_text(script)
    assert action.run(*EVENT, console="-")[0] == 0


def test_another_address_can_be_given_with_the_console(action: Action, console: Console) -> None:
    code, out = action.run(*EVENT, console=f"console.example:{console.port}@127.0.0.2")
    assert code == 1
    assert "at 127.0.0.2" in out
    code, _ = action.run(*EVENT, console=f"console.example:{console.port}@127.0.0.1")
    assert code == 0


@pytest.mark.parametrize(
    ("fixed", "says"),
    [
        ({"console": "https://console.example/"}, "parameter console"),
        ({"console": 'x" y'}, "parameter console"),
        ({"console": "console.example:44x"}, "parameter console"),
        ({"path": "x"}, "parameter path"),
        ({"sec": ""}, "parameter sec"),
        ({"sec": "a\nHost: x"}, "parameter sec"),
        ({"token": ""}, "parameter token"),
    ],
)
def test_a_wrong_fixed_parameter_is_named(
    action: Action, console: Console, fixed: dict[str, str], says: str
) -> None:
    code, out = action.run(*EVENT, **fixed)
    assert code == 1
    assert says in out
    assert console.requests == []


def test_fifty_runs_at_once_share_one_home(action: Action, console: Console) -> None:
    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(lambda _: action.run(*EVENT)[0], range(50)))
    assert codes == [0] * 50
    assert len({form["request_id"] for form in console.forms}) == 50
    assert list(action.home.iterdir()) == []


def test_a_run_that_is_ended_removes_its_file(action: Action, console: Console) -> None:
    console.script = ["wait"]
    process = action.start(*EVENT)
    assert console.arrived.wait(10)
    (file,) = action.home.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    process.terminate()
    console.go_on.set()
    process.communicate(timeout=10)
    assert list(action.home.iterdir()) == []


def test_no_secret_is_in_the_arguments_of_curl(action: Action, console: Console) -> None:
    console.script = ["wait"]
    process = action.start(*EVENT)
    assert console.arrived.wait(10)
    shown = []
    family = {process.pid}  # other tests run their scripts at the same time
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it ended while we looked
            continue
        if parent in family or int(folder.name) in family:
            family.add(int(folder.name))
            shown.append(arguments)
    console.go_on.set()
    process.communicate(timeout=10)
    assert ["curl", "-q", "-K", "-", ""] in shown
    for line in shown:
        if SEC in line or TOKEN in line:
            assert line[:2] == ["bash", str(action.script)]
        assert line[0] == "bash" or SEC not in " ".join(line)


def test_without_mktemp_od_and_date_it_still_works(
    action: Action, console: Console, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "curl", "rm"):
        (tools / name).symlink_to(str(shutil.which(name)))
    env = RULE | {"PATH": str(tools)}
    results = [action.run(*EVENT, env=env) for _ in range(2)]
    assert [code for code, _ in results] == [0, 0]
    ids = [form["request_id"] for form in console.forms]
    assert len(set(ids)) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{8,64}", i) for i in ids)
    assert list(action.home.iterdir()) == []


def test_without_curl_it_says_so(action: Action, console: Console, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "bash").symlink_to(str(shutil.which("bash")))
    (tools / "rm").symlink_to(str(shutil.which("rm")))
    code, out = action.run(*EVENT, env=RULE | {"PATH": str(tools)})
    assert code == 1
    assert "there is no curl" in out


def test_without_a_writable_home_it_says_so(action: Action, console: Console) -> None:
    code, out = action.run(*EVENT, env=RULE | {"HOME": "/proc"})
    assert code == 1
    assert "home folder" in out


def test_the_users_curlrc_and_proxies_are_ignored(action: Action, console: Console) -> None:
    (action.home / ".curlrc").write_text('header = "X-Evil: 1"\n')
    env = RULE | {"https_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}
    assert action.run(*EVENT, env=env)[0] == 0
    assert "X-Evil" not in console.requests[0][1]
