# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The script in QRadar's jail: no /proc, /tmp, /dev/fd, python or names, almost no /etc."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.qradar import custom_action
from tests.qradar.receiver import Console, receiving
from tests.simulators import certs
from tests.simulators.console.jail import HOME, ChrootJail, Finished

pytestmark = pytest.mark.jail
RULE = {"RULE_ID": "100231", "RULE_NAME": "SQL attack"}


class Jailed:
    """The script in the jail, and the console that it calls."""

    def __init__(self, jail: ChrootJail, console: Console, issuers_pem: str) -> None:
        self.jail, self.console = jail, console
        script = custom_action.generate_script(
            f"console.example:{console.port}", "127.0.0.1", issuers_pem=issuers_pem, version="1"
        )
        self.path = jail.put_script("customaction_1.script", script.encode())

    def run(self, username: str = "anna", *, folder: str = "/", **environment: str) -> Finished:
        given = custom_action.parameters("-", "SEC-1", token="T-1")
        fixed = [str(p["value"]) for p in given if p["parameter_type"] == "fixed"]
        return self.jail.run(
            ["/bin/bash", self.path, *fixed, "1764000000000", "192.0.2.1", "192.0.2.2", username],
            environment=environment,
            folder=folder,
            timeout=20,
        )


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> certs.Chain:
    return certs.chain(tmp_path_factory.mktemp("pki"), "console.example")


@pytest.fixture
def jailed(tmp_path: Path, chain: certs.Chain) -> Iterator[Jailed]:
    jail = ChrootJail(tmp_path, resolv_conf=None)
    try:
        with receiving(chain.leaf) as console:
            yield Jailed(jail, console, chain.ca_bundle)
    finally:
        jail.close()


@pytest.mark.parametrize("home", [{}, {"HOME": HOME}, {"HOME": "/"}])
def test_it_reaches_the_app_from_the_jail(jailed: Jailed, home: dict[str, str]) -> None:
    done = jailed.run(**RULE, **home)
    assert (done.exit_code, done.stderr) == (0, b"")
    assert done.stdout == b"accepted: run 17. Restore of SQL started.\n"
    assert jailed.console.forms[0]["rule_name"] == "SQL attack"
    assert jailed.jail.home_files() == []


def test_many_runs_share_the_home(jailed: Jailed) -> None:
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: jailed.run(**RULE), range(20)))
    assert [each.exit_code for each in done] == [0] * 20
    assert len({form["request_id"] for form in jailed.console.forms}) == 20
    assert jailed.jail.home_files() == []


def test_awkward_values_arrive_from_the_jail(jailed: Jailed) -> None:
    value = "Jörg \"the\\boss\" $(touch x) `touch x`\n'@/etc/passwd' ☃"
    assert jailed.run(value, **RULE, folder=HOME).exit_code == 0
    assert jailed.console.forms[0]["username"] == value
    assert jailed.jail.home_files() == []


def test_the_next_tries_work_in_the_jail(jailed: Jailed) -> None:
    jailed.console.script = [503, "drop"]
    assert jailed.run(**RULE).exit_code == 0
    assert len(jailed.console.forms) == 3


def test_a_lost_answer_is_told_in_the_jail(jailed: Jailed) -> None:
    jailed.console.script = ["drop"] * 9
    done = jailed.run(**RULE)
    assert done.exit_code == 2
    assert done.stdout.startswith(b"no answer; it may have been accepted, see the app's Runs: ")
    assert jailed.jail.home_files() == []


def test_test_execution_prints_a_diagnosis(jailed: Jailed) -> None:
    done = jailed.run()
    assert done.exit_code == 0
    assert b"TLS: certificate verified. HTTP: 202." in done.stdout
