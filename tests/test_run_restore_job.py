# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""The command line that starts a job straight at CDM, against the CDM simulator."""

import io
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from app.cdm.client import CdmClient
from app.restore_by_name import Surroundings
from app.run_restore_job import main
from tests.simulators import certs
from tests.simulators.cdm import CdmSimulator

ROOT = Path(__file__).parents[1]


@dataclass
class Clock:
    """The simulator's time; sleeping moves it on instead of waiting."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Result:
    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """Runs the program against the simulator and keeps what it said."""

    cdm: CdmSimulator
    clock: Clock
    environ: dict[str, str] = field(default_factory=dict)
    stdin: str = ""
    encoding: str = "utf-8"

    def run(self, *arguments: str, port: int | None = None) -> Result:
        """Run with exactly these arguments besides the address."""
        out = io.TextIOWrapper(io.BytesIO(), encoding=self.encoding)
        err = io.StringIO()
        around = Surroundings(
            environ=self.environ,
            stdin=io.StringIO(self.stdin),
            stdout=out,
            stderr=err,
            sleep=self.clock.sleep,
            client=partial(CdmClient, timeouts=(1.0, 1.0)),
        )
        code = main(["-s", "127.0.0.1", "-p", str(port or self.cdm.port), *arguments], around)
        out.seek(0)
        result = Result(code, out.read(), err.getvalue())
        assert (code == 0) == (result.err == "")
        assert result.err.count("\n") <= 1
        assert "Traceback" not in result.err
        # what only helps on the app's pages helps nobody here
        assert not re.search(
            r"\bpages?\b(?<!CDM's own pages)(?<!a web page)"
            r"|[Uu]pload|app host|is (asked|tried) again",
            result.err,
        )
        assert self.cdm.password not in result.out + result.err
        assert not self.cdm.destructive_calls
        return result

    def start(self, *more: str, job: str | None = None, trust: bool = True) -> Result:
        """Start the restore job with good credentials, trusting the simulator's certificate."""
        pin = ("--fingerprint", self.cdm.fingerprint) if trust else ()
        return self.run(
            *("-u", self.cdm.user, "-P", self.cdm.password),
            *("-j", job or self.cdm.restore_job["name"], *pin, *more),
        )


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    clock = Clock()
    with CdmSimulator(restore_seconds=30, clock=clock) as cdm:
        yield Terminal(cdm, clock)


def test_a_job_is_started_by_its_name(terminal: Terminal) -> None:
    result = terminal.start()
    assert result.code == 0
    (start,) = terminal.cdm.starts
    assert start.job_id == terminal.cdm.restore_job["id"]
    assert f"Job session {start.session_id}." in result.out
    assert terminal.cdm.live_api_sessions == []


def test_the_seeds_long_names_work(terminal: Terminal) -> None:
    cdm = terminal.cdm
    result = terminal.run(
        *("--cdm_server", "127.0.0.1", "--cdm_port", str(cdm.port), "--cdm_user", cdm.user),
        *("--cdm_pass", cdm.password, "--restore_job_name", cdm.restore_job["name"], "--insecure"),
    )
    assert result.code == 0
    assert len(cdm.starts) == 1


def test_wait_follows_until_the_copy_is_up(terminal: Terminal) -> None:
    result = terminal.start("--wait")
    assert result.code == 0
    assert "RUNNING" in result.out
    assert "RESOURCE ACTIVE" in result.out
    assert "The restore succeeded" in result.out


def test_without_wait_it_ends_before_the_restore_does(terminal: Terminal) -> None:
    terminal.start()
    assert terminal.cdm.sessions[0]["status"] in {"PENDING", "RUNNING"}


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("COMPLETED", 0), ("PARTIAL", 3), ("FAILED", 1), ("CANCELLED", 1), ("ABORTED", 1)],
)
def test_wait_succeeds_only_if_the_restore_did(terminal: Terminal, outcome: str, code: int) -> None:
    terminal.cdm.switches.outcome = outcome
    result = terminal.start("--wait")
    assert result.code == code
    assert outcome in result.out + result.err


def test_wait_is_not_misled_by_a_restore_that_stays_pending_for_long(terminal: Terminal) -> None:
    """PENDING means "not yet active" here, and "mounted" in the dialect of 2016 (cdm §4)."""
    terminal.cdm.switches.pending_seconds = 300
    result = terminal.start("--wait")
    assert result.code == 0
    assert "RESOURCE ACTIVE" in result.out


def test_wait_understands_the_dialect_of_2016(terminal: Terminal) -> None:
    terminal.cdm.switches.dialect = "ecx2016"
    result = terminal.start("--wait")
    assert result.code == 0
    assert "The restore succeeded" in result.out


def test_wait_goes_on_while_the_copy_is_made_permanent(terminal: Terminal) -> None:
    terminal.cdm.switches.make_permanent = "enabled"
    terminal.cdm.switches.permanent_seconds = 60
    result = terminal.start("--wait")
    assert result.code == 0
    assert "RESOURCE ACTIVE" in result.out
    assert "The restore completed" in result.out


def test_wait_outlives_a_while_without_contact(terminal: Terminal) -> None:
    terminal.cdm.add_fault("html502", path="/jobsession/", times=5)
    assert terminal.start("--wait").code == 0


def test_wait_gives_up_on_a_session_that_cdm_no_longer_shows(terminal: Terminal) -> None:
    terminal.cdm.add_fault("status", status=404, path="/jobsession/", times=None)
    terminal.cdm.add_fault("status", status=404, path="/jobsession[?]", skip=2, times=None)
    terminal.cdm.switches.hidden_links = ["livejobsessions", "pendingjobsessions"]
    terminal.cdm.switches.lastrun_lag_seconds = 1000
    result = terminal.start("--wait")
    assert result.code == 1
    assert len(terminal.cdm.starts) == 1


def test_a_late_session_is_waited_for(terminal: Terminal) -> None:
    terminal.cdm.switches.start_visible_after = 40
    assert terminal.start("--wait").code == 0


def test_a_confirmed_start_is_success_before_its_session_can_be_seen(terminal: Terminal) -> None:
    terminal.cdm.switches.start_visible_after = 1000
    result = terminal.start()
    assert result.code == 0
    assert "CDM started job" in result.out


# --- nothing is started ---------------------------------------------------------------------------


def test_an_unknown_job_is_refused_with_names_that_are_close(terminal: Terminal) -> None:
    name = terminal.cdm.restore_job["name"]
    result = terminal.start(job=name.upper()[:-1])
    assert result.code == 1
    assert f"Did you mean {name}" in result.err
    assert terminal.cdm.starts == []
    assert terminal.cdm.live_api_sessions == []


def test_a_job_is_found_beyond_the_first_page(terminal: Terminal) -> None:
    for number in range(250):
        terminal.cdm.add_job(f"job {number:03}", type="protection")
    terminal.cdm.add_job("zz last")
    assert terminal.start(job="zz last").code == 0


def test_a_backup_job_is_refused(terminal: Terminal) -> None:
    terminal.cdm.add_job("Nightly", type="protection")
    result = terminal.start(job="Nightly")
    assert result.code == 1
    assert "no restore job" in result.err
    assert "protection" in result.err
    assert terminal.cdm.starts == []


def test_two_jobs_of_one_name_are_refused(terminal: Terminal) -> None:
    name = terminal.cdm.restore_job["name"]
    terminal.cdm.add_job(name)
    result = terminal.start(job=name)
    assert result.code == 1
    assert f"2 restore jobs named {name}" in result.err
    assert terminal.cdm.starts == []


@pytest.mark.parametrize("status", ["RUNNING", "RESOURCE ACTIVE"])
def test_a_busy_job_is_refused(terminal: Terminal, status: str) -> None:
    foreign = terminal.cdm.start_foreign_session()
    terminal.cdm.advance_session(foreign, status)
    result = terminal.start("--wait")
    assert result.code == 1
    assert "nothing was started" in result.err
    assert foreign in result.err
    assert terminal.cdm.starts == []


def test_a_job_with_several_modes_is_refused(terminal: Terminal) -> None:
    terminal.cdm.switches.start_modes = ["start_test_iv", "start_recovery_iv"]
    result = terminal.start()
    assert result.code == 1
    assert "start_test_iv" in result.err
    assert "CDM's own pages" in result.err
    assert terminal.cdm.starts == []


def test_a_wrong_password_is_one_attempt_and_one_sentence(terminal: Terminal) -> None:
    cdm = terminal.cdm
    result = terminal.run("-u", cdm.user, "-P", "wrong", "-j", "x", "--insecure")
    assert result.code == 1
    assert "Give user and password again" in result.err
    assert len(cdm.logins) == 1


def test_an_unknown_ca_is_refused(terminal: Terminal) -> None:
    result = terminal.start(trust=False)
    assert result.code == 1
    assert "certificate" in result.err
    assert "--ca-file" in result.err
    assert f"SHA-256 {terminal.cdm.fingerprint}" in result.err
    assert "--fingerprint" in result.err
    assert terminal.cdm.logins == []


def test_a_ca_file_of_the_platform_that_is_gone_is_said(terminal: Terminal) -> None:
    terminal.environ["REQUESTS_CA_BUNDLE"] = "/nothing/here.pem"
    result = terminal.start(trust=False)
    assert result.code == 1
    assert "REQUESTS_CA_BUNDLE" in result.err
    assert "--ca-file" in result.err


def test_another_fingerprint_is_refused(terminal: Terminal) -> None:
    result = terminal.start("--fingerprint", "ab" * 32, trust=False)
    assert result.code == 1
    assert "pinned certificate" in result.err
    assert "--fingerprint" in result.err
    assert terminal.cdm.logins == []


def test_a_given_ca_is_trusted(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(terminal.cdm.certificate_pem)
    assert terminal.start("--ca-file", str(file), trust=False).code == 0


def test_another_ca_is_not_trusted(terminal: Terminal, tmp_path: Path) -> None:
    other = certs.self_signed(tmp_path, "other")
    assert terminal.start("--ca-file", str(other.cert), trust=False).code == 1
    assert terminal.cdm.logins == []


def test_a_refused_connection_is_said(terminal: Terminal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        result = terminal.run("-u", "u", "-P", "p", "-j", "x", port=port)
    assert result.code == 1
    assert f"127.0.0.1:{port}" in result.err


@pytest.mark.parametrize("do", ["hang", "html502", "redirect", "empty", "garbage", "close"])
def test_odd_answers_to_the_job_list_are_said(terminal: Terminal, do: str) -> None:
    terminal.cdm.add_fault(do, method="GET", path="/job", times=None)
    result = terminal.start()
    assert result.code == 1
    assert terminal.cdm.starts == []


# --- the answer is lost ---------------------------------------------------------------------------


@pytest.mark.parametrize("do", ["close", "reset", "html502", "redirect", "garbage", "truncate"])
def test_a_lost_answer_is_settled_by_looking(terminal: Terminal, do: str) -> None:
    terminal.cdm.add_past_session(terminal.cdm.restore_job["id"])
    terminal.cdm.add_fault(do, method="POST", path="action=start", after=True)
    result = terminal.start()
    assert result.code == 0
    assert "found, so CDM did start it" in result.out
    assert len(terminal.cdm.starts) == 1


def test_a_start_without_effect_is_not_sent_again(terminal: Terminal) -> None:
    began = terminal.clock.now
    terminal.cdm.add_fault("close", method="POST", path="action=start")
    result = terminal.start()
    assert result.code == 1
    assert "not known whether" in result.err
    assert len(terminal.cdm.starts) == 1
    assert 120 <= terminal.clock.now - began < 140


def test_two_new_sessions_are_not_chosen_between(terminal: Terminal) -> None:
    terminal.cdm.switches.sessions_per_start = 2
    terminal.cdm.add_fault("close", method="POST", path="action=start", after=True)
    result = terminal.start()
    assert result.code == 1
    assert "2 new job sessions" in result.err


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize("environ", [{}, {"CDM_PASS": "wrong"}])
def test_a_dash_reads_the_password_from_standard_input(
    terminal: Terminal, environ: dict[str, str]
) -> None:
    cdm = terminal.cdm
    terminal.environ, terminal.stdin = environ, f"{cdm.password}\n"
    result = terminal.run(*("-u", cdm.user, "-P", "-", "-j", cdm.restore_job["name"], "--insecure"))
    assert result.code == 0


def test_the_password_may_come_from_the_environment(terminal: Terminal) -> None:
    cdm = terminal.cdm
    terminal.environ = {"CDM_PASS": cdm.password}
    result = terminal.run("-u", cdm.user, "-j", cdm.restore_job["name"], "--insecure")
    assert result.code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-u", "u", "-j", "x"), "CDM_PASS"),
        (("-u", "u", "-P", "p"), "-j"),
        (("-u", "u:v", "-P", "p", "-j", "x"), "--cdm_user"),
        (("-u", "u", "-P", "p", "-j", "x", "-p", "0"), "--cdm_port"),
        (("-u", "u", "-P", "p", "-j", "x", "-s", "https://x"), "--cdm_server"),
        (("-u", "u", "-P", "p", "-j", "x", "--fingerprint", "ab"), "--fingerprint"),
        (("-u", "u", "-P", "p", "-j", "x", "--ca-file", "/nowhere"), "--ca-file"),
        (("-u", "u", "-P", "p", "-j", "x", "--insecure", "--fingerprint", "ab"), "not allowed"),
        (("-u", "u", "-P", "p", "-j", "x", "--what"), "--what"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    terminal: Terminal, arguments: tuple[str, ...], says: str
) -> None:
    result = terminal.run(*arguments)
    assert result.code == 2
    assert says in result.err
    assert terminal.cdm.requests == []


def test_a_name_that_the_terminal_cannot_show_does_no_harm(terminal: Terminal) -> None:
    terminal.encoding = "ascii"
    terminal.cdm.add_job("Rückspielung ☃")
    assert terminal.start(job="Rückspielung ☃").code == 0


def test_an_interruption_is_one_sentence(terminal: Terminal) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    terminal.clock.sleep = interrupt  # type: ignore[method-assign]
    assert terminal.start("--wait").code == 130


def test_it_needs_neither_store_nor_framework() -> None:
    code = (
        "import app.run_restore_job, sys;"
        "print([m for m in sys.modules if m.startswith(('qpylib', 'app.store', 'app.framework',"
        " 'app.web', 'flask', 'sqlite3'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_as_a_program_it_ends_with_its_exit_code(terminal: Terminal) -> None:
    cdm = terminal.cdm
    command = [sys.executable, "-m", "app.run_restore_job", "-s", "127.0.0.1", "-u", cdm.user]
    command += ["-p", str(cdm.port), "-P", "-", "-j", "no such job", "--insecure"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        input=cdm.password,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("run_restore_job: CDM has no job named no such job.")
    assert done.stderr.count("\n") == 1
